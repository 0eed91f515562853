"""Servers on a local port that take what others take: an OpenTelemetry collector, and LangSmith."""

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

INGEST = {
    "use_multipart_endpoint": True,
    "size_limit": 100,
    "size_limit_bytes": 20_971_520,
    "scale_up_nthreads_limit": 16,
    "scale_up_qsize_trigger": 1_000,
    "scale_down_nempty_trigger": 4,
}
INFO = {"version": "0.13.0", "instance_flags": {}, "batch_ingest_config": INGEST}
"""What LangSmith says of itself."""


@dataclass
class Collector:
    """What came, as address and body; where it `hangs`, nothing is ever answered until `released`."""

    hangs: bool = False
    received: list[tuple[str, bytes]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def traces(self) -> list[ExportTraceServiceRequest]:
        """What came by OTLP."""
        return [ExportTraceServiceRequest.FromString(body) for path, body in self.received if path == "/v1/traces"]

    def span_names(self) -> list[str]:
        """The names of all spans that came."""
        return [
            span.name
            for request in self.traces()
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def text(self) -> str:
        """All that came, whatever it is."""
        return "\n".join(f"{path} {body.decode('utf-8', 'replace')}" for path, body in self.received)


@contextmanager
def collecting(*, hangs: bool = False) -> Iterator[Collector]:
    """The server, for the length of the block."""
    collector = Collector(hangs)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(json.dumps(INFO).encode())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            if self.headers["Content-Encoding"] == "gzip":
                body = gzip.decompress(body)
            collector.received.append((self.path, body))
            collector.headers.append(dict(self.headers))
            if collector.hangs:
                collector.released.wait()
            self.answer(b"")

        do_PATCH = do_POST

        def answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    collector.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        collector.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
