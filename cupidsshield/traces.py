"""Where traces of the service's work go: OpenTelemetry where the settings say so, else nowhere.

The provider is one of our own, not the process's: libraries that would tell it of requests and texts find none. Its
packages are imported when it is made, not before. Spans leave in the background, and what cannot be sent is dropped.
"""

import asyncio
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from cupidsshield import __version__
from cupidsshield.settings import CONSOLE, Settings
from domain.errors import SettingsError
from domain.tracing import NOTHING, SILENCE, Span, Tracer, Words, kind_of

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

logger = logging.getLogger(__name__)

NEEDED = "CUPIDSSHIELD_TRACES needs the packages of the extra 'traces': pip install '.[traces]'"
EXPORT_S = 3.0
"""How long one batch of spans may take to be sent, and how long the last ones may hold up the end of the service."""


def open_tracer(settings: Settings, stack: AsyncExitStack) -> Tracer:
    """What hears of the service's work, closed with `stack`. Raises SettingsError where a package is missing."""
    if not settings.traces:
        return SILENCE
    try:
        exporter = _exporter(settings.traces)
        provider = _provider(exporter)
    except ImportError as error:
        raise SettingsError(NEEDED) from error

    async def close() -> None:
        ending = asyncio.create_task(asyncio.to_thread(provider.shutdown))
        await asyncio.wait({ending}, timeout=EXPORT_S)
        if not ending.done():
            exporter.shutdown()
        await ending

    stack.push_async_callback(close)
    return OpenTelemetry(provider)


class OpenTelemetry:
    """A tracer that makes spans of what it hears."""

    def __init__(self, provider: "TracerProvider") -> None:
        from opentelemetry import context, trace
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._context = context
        self._trace = trace
        self._propagator = TraceContextTextMapPropagator()
        self._tracer = provider.get_tracer("cupidsshield", __version__)

    @contextmanager
    def span(self, name: str, words: Words = NOTHING, *, begins: bool = False, outward: bool = False) -> Iterator[Span]:
        """Make a span of the block. Of an error only its kind is kept: its message may quote people."""
        if not begins and not self._trace.get_current_span().get_span_context().is_valid:
            yield SILENCE
            return
        kind = self._trace.SpanKind.CLIENT if outward else self._trace.SpanKind.INTERNAL
        with self._tracer.start_as_current_span(
            name, kind=kind, attributes=dict(words), record_exception=False, set_status_on_exception=False
        ) as made:
            told = _Told(made, self._trace)
            try:
                yield told
            except BaseException as error:
                told.fail(kind_of(error))
                raise

    @contextmanager
    def continuing(self, carried: Mapping[str, str]) -> Iterator[None]:
        """Go on with the caller's trace; with none where what is carried cannot be read."""
        token = self._context.attach(self._propagator.extract(carried))
        try:
            yield
        finally:
            self._context.detach(token)


class _Told:
    """One span of OpenTelemetry's."""

    def __init__(self, span: Any, trace: Any) -> None:
        self._span = span
        self._trace = trace

    def note(self, words: Words) -> None:
        """Add attributes."""
        self._span.set_attributes(dict(words))

    def fail(self, kind: str) -> None:
        """Mark it as failed."""
        self._span.set_status(self._trace.StatusCode.ERROR)
        self._span.set_attribute("error.type", kind)


def _exporter(to: str) -> "SpanExporter":
    if to == CONSOLE:
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter

        return ConsoleSpanExporter(out=sys.stderr)
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter(endpoint=f"{to.rstrip('/')}/v1/traces", timeout=EXPORT_S)


def _provider(exporter: "SpanExporter") -> "TracerProvider":
    """A provider that keeps spans for the exporter in a bounded queue. `OTEL_…` variables name the service, choose a
    sampler, and size the queue."""
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    ours = Resource({"service.name": "cupidsshield", "service.version": __version__})
    provider = TracerProvider(resource=ours.merge(OTELResourceDetector().detect()), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def warn_of_langsmith() -> None:
    """Say so where LangSmith's own variables are set: then LangGraph sends it what people wrote."""
    from langsmith import utils

    if utils.tracing_is_enabled():
        hidden = all(utils.get_env_var(name) == "true" for name in ("HIDE_INPUTS", "HIDE_OUTPUTS"))
        if hidden:
            logger.warning("LANGSMITH_TRACING is on: names and times of steps leave for LangSmith, content is hidden")
        else:
            logger.warning(
                "LANGSMITH_TRACING is on: what people write, and what is found in it, LEAVES THIS SERVICE for "
                "LangSmith; LANGSMITH_HIDE_INPUTS=true and LANGSMITH_HIDE_OUTPUTS=true keep it here, "
                "LANGSMITH_TRACING=false ends it"
            )
