"""Puts the refusal of an oversized body into our shape: the framework sends plain text of its own."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import refused

TOO_LARGE = 413


class OversizedInOurShape:
    """A plain ASGI middleware: it replaces a 413 in plain text and touches nothing else."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything through but that one response."""
        replaced = False

        async def shaping(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and _is_plain_refusal(message):
                replaced = True
                await refused(TOO_LARGE)(scope, receive, send)
            elif not replaced:
                await send(message)

        await self._app(scope, receive, shaping if scope["type"] == "http" else send)


def _is_plain_refusal(start: Message) -> bool:
    kind: bytes = dict(start["headers"]).get(b"content-type", b"")
    return kind.startswith(b"text/plain") and bool(start["status"] == TOO_LARGE)
