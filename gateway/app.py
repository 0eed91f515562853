"""Puts the FastAPI application together from parts that exist already."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig

from gateway import docs, errors
from gateway.counting import CountErrors
from gateway.oversized import OversizedInOurShape
from gateway.parts import Parts
from gateway.routes import appeals, cases, health, moderation, numbers, reports
from gateway.tracing import ContinueTraces
from mcp_servers import gateway as mcp_gateway
from ui import app as ui

DESCRIPTION = """Trust and safety for dating and social apps. Post what users write to `/api/v1/moderate`; read why a
decision was made at `/api/v1/cases/{id}`. Other agents reach the same powers by MCP under `/mcp/<server>`."""

UNTOLD: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
"""The framework's own traces and logs hold query strings and messages of exceptions, which may quote people."""

OpenParts = Callable[[], AbstractAsyncContextManager[Parts]]


def create_app(open_parts: OpenParts, *, version: str) -> FastAPI:
    """The application. `open_parts` is entered when it starts and left when it stops."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_parts() as parts:
            app.state.parts, app.state.ui = parts, parts.ui
            mounted = mcp_gateway.routes(parts.servers, parts.guard, parts.allowed_hosts)
            app.router.routes.extend(mounted)
            async with mcp_gateway.running(parts.servers):
                yield
                await parts.streams.finish()

    app = FastAPI(
        title="CupidsShield",
        version=version,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        telemetry=UNTOLD,
    )
    errors.install(app)
    app.include_router(moderation.router)
    app.include_router(cases.router)
    app.include_router(appeals.router)
    app.include_router(reports.router)
    app.include_router(numbers.router)
    app.include_router(health.router)

    ui.install(app)
    docs.install(app)
    app.add_middleware(OversizedInOurShape)
    app.add_middleware(CountErrors)
    app.add_middleware(ContinueTraces)
    return app
