"""A tracer whose spans can be looked at: real ones of the SDK, kept in memory."""

import json

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from cupidsshield.traces import OpenTelemetry
from domain.tracing import Tracer


class Watched:
    """A tracer, and what it made of what it heard."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracer: Tracer = OpenTelemetry(provider)

    @property
    def spans(self) -> list[ReadableSpan]:
        """All that have ended, in the order in which they began."""
        return sorted(self.exporter.get_finished_spans(), key=lambda span: span.start_time or 0)

    def under(self, parent: ReadableSpan | None) -> list[ReadableSpan]:
        """The children of a span, or the roots."""
        wanted = parent.context.span_id if parent else None
        return [span for span in self.spans if (span.parent.span_id if span.parent else None) == wanted]

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.spans if span.name == name]

    def text(self) -> str:
        """Everything that would leave."""
        return json.dumps([json.loads(span.to_json()) for span in self.spans])


def attributes(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})
