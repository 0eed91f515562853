"""The interactive API documentation, from files that we ship: no page of ours asks anything of the outside."""

from pathlib import Path

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

VENDORED = Path(__file__).parent / "vendor" / "swagger-ui"


def install(app: FastAPI) -> None:
    """Serve the documentation at `/docs`."""
    app.mount("/static/swagger-ui", StaticFiles(directory=VENDORED), name="swagger-ui")

    @app.get("/docs", include_in_schema=False)
    async def documentation() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url="/openapi.json",
            title="CupidsShield API",
            swagger_js_url="/static/swagger-ui/swagger-ui-bundle.js",
            swagger_css_url="/static/swagger-ui/swagger-ui.css",
            swagger_favicon_url="data:,",
        )
