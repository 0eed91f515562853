"""`cupidsshield serve`: the API and the MCP servers in one process."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import typer
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cupidsshield import __version__
from cupidsshield.bootstrap import open_house
from cupidsshield.cli import logs
from cupidsshield.settings import Settings, read_settings
from domain.errors import CupidsShieldError
from gateway.app import create_app
from gateway.parts import Parts
from ui.live import Live

Host = Annotated[str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")]
Port = Annotated[int | None, typer.Option(help="Port to listen on.", show_default="8000")]


class WebServer(uvicorn.Server):
    """A server over a house that opens and closes with it, not yet started.

    `refusal` is why it could not start, where the reason is one of ours and needs no traceback.
    """

    def __init__(self, settings: Settings) -> None:
        self.refusal: CupidsShieldError | None = None
        self._live: Live | None = None

        @asynccontextmanager
        async def open_parts() -> AsyncIterator[Parts]:
            try:
                async with open_house(settings) as house:
                    parts = house.parts()
                    self._live = parts.ui.live
                    yield parts
            except CupidsShieldError as error:
                self.refusal = error
                raise

        super().__init__(
            uvicorn.Config(
                self._told_plainly(create_app(open_parts, version=__version__)),
                host=settings.host,
                port=settings.port,
                log_config=None,
                access_log=False,
                loop="uvloop",
                http="httptools",
                timeout_graceful_shutdown=15,
            )
        )

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until told to stop. Raises `refusal` where it could not start."""
        try:
            await super().serve(sockets)
        except SystemExit:
            if self.refusal is not None:
                raise self.refusal from None
            raise

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let streams end before the others are waited for: an open page would hold up the end for long."""
        if self._live is not None:
            self._live.close()
        await super().shutdown(sockets)

    def _told_plainly(self, app: ASGIApp) -> ASGIApp:
        async def told(scope: Scope, receive: Receive, send: Send) -> None:
            async def without_traceback(message: Message) -> None:
                refused = self.refusal is not None and message["type"] == "lifespan.startup.failed"
                await send({**message, "message": ""} if refused else message)

            await app(scope, receive, without_traceback if scope["type"] == "lifespan" else send)

        return told


def serve(host: Host = None, port: Port = None) -> None:
    """Serve the API and the MCP servers. Creates and upgrades the database by itself."""
    settings = read_settings(host=host, port=port)
    logs.configure(settings.log_level)
    WebServer(settings).run()
