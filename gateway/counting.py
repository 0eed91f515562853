"""Counts the responses that were errors, by status; a failure that nothing caught counts as the 500 it becomes."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class CountErrors:
    """A plain ASGI middleware: it looks at the status line and touches nothing else."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything through, counting what is 400 or above."""

        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # Read before passing on: a mounted application puts itself into the scope.
        errors = scope["app"].state.parts.metrics.errors
        started = False

        def count(status: int) -> None:
            errors.labels(str(status)).inc()

        async def counting(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                if message["status"] >= 400:
                    count(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, counting)
        except Exception:
            if not started:
                count(500)
            raise
