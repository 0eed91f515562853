"""Goes on with the trace of whoever calls, where the request says which it is (W3C Trace Context)."""

from starlette.types import ASGIApp, Receive, Scope, Send

CARRIED = {b"traceparent", b"tracestate"}


class ContinueTraces:
    """A plain ASGI middleware: it opens no span, and touches nothing."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything through, within the caller's trace if it has one."""
        carried = [pair for pair in scope["headers"] if pair[0] in CARRIED] if scope["type"] == "http" else []
        if not carried:
            await self._app(scope, receive, send)
            return
        named = {name.decode("ascii"): value.decode("latin-1") for name, value in carried}
        with scope["app"].state.parts.tracer.continuing(named):
            await self._app(scope, receive, send)
