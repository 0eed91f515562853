"""All pages in one list; the gateway mounts them."""

from fastapi import APIRouter, FastAPI
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from ui import headers
from ui.pages import STATIC
from ui.routes import (
    account,
    appeals,
    bulk,
    cases,
    decide,
    decisions,
    home,
    live,
    login,
    numbers,
    oidc,
    quality,
    queue,
    reviews,
    search,
    snippets,
    staff,
)

ROUTERS: tuple[APIRouter, ...] = (
    home.router,
    login.router,
    oidc.router,
    account.router,
    staff.router,
    search.router,
    snippets.router,
    queue.router,
    live.router,
    bulk.router,
    cases.router,
    reviews.router,
    decide.router,
    appeals.router,
    decisions.router,
    quality.router,
    numbers.router,
)
"""Each is a `ui.access.Pages`; a new page's router is added here and nowhere else."""

FOR_EVER = "public, max-age=31536000, immutable"
"""Addresses of files carry a hash of what is in them."""


class Files(StaticFiles):
    """Scripts and styles of ours."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, hardened like a page, but kept by browsers."""
        response = await super().get_response(path, scope)
        headers.harden(response)
        response.headers["Cache-Control"] = FOR_EVER
        return response


def install(app: FastAPI) -> None:
    """Serve the pages and their files."""
    app.mount("/static/console", Files(directory=STATIC), name="console")
    for router in ROUTERS:
        # Not by include_router: it wraps routes, and a page must stay what it is to be found in the route table.
        app.router.routes.extend(router.routes)
