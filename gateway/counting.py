"""Counts the responses that were errors, by status."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class CountErrors:
    """A plain ASGI middleware: it looks at the status line and touches nothing else."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything through, counting what is 400 or above."""

        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= 400:
                scope["app"].state.parts.metrics.errors.labels(str(message["status"])).inc()
            await send(message)

        await self._app(scope, receive, counting if scope["type"] == "http" else send)
