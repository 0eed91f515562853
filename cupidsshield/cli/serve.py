"""`cupidsshield serve`: the API and the MCP servers in one process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import typer
import uvicorn
from fastapi import FastAPI

from cupidsshield import __version__
from cupidsshield.bootstrap import open_house
from cupidsshield.cli import logs
from cupidsshield.settings import Settings, read_settings
from gateway.app import create_app
from gateway.parts import Parts

Host = Annotated[str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")]
Port = Annotated[int | None, typer.Option(help="Port to listen on.", show_default="8000")]


def application(settings: Settings) -> FastAPI:
    """The web application over a house that opens and closes with it."""

    @asynccontextmanager
    async def open_parts() -> AsyncIterator[Parts]:
        async with open_house(settings) as house:
            yield house.parts()

    return create_app(open_parts, version=__version__)


def web_server(settings: Settings) -> uvicorn.Server:
    """A server for the application, not yet started."""
    return uvicorn.Server(
        uvicorn.Config(
            application(settings),
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            loop="uvloop",
            http="httptools",
            timeout_graceful_shutdown=15,
        )
    )


def serve(host: Host = None, port: Port = None) -> None:
    """Serve the API and the MCP servers. Creates and upgrades the database by itself."""
    settings = read_settings(host=host, port=port)
    logs.configure(settings.log_level)
    web_server(settings).run()
