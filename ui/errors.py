"""What is said when a page cannot be shown: in words and in the console's own dress for people, briefly for htmx."""

from collections.abc import Mapping

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from markupsafe import escape

from ui import headers
from ui.access import Page
from ui.pages import render

TITLES = {
    400: "That could not be read",
    401: "Please sign in",
    403: "That is not open to you",
    404: "There is nothing here",
    405: "That does not work here",
    409: "Somebody was faster",
    413: "That is too large",
    422: "Something is not right",
    429: "Too many tries",
    503: "A part of the service does not answer",
}
FAULT = "Something failed on our side"
NOT_FOR_PEOPLE = ("/api/", "/mcp/", "/moderate", "/openapi.json", "/metrics", "/health", "/ready")


def for_people(request: Request) -> bool:
    """Whether an error is told as a page: on pages, and to browsers at addresses that are nothing's."""
    if isinstance(request.scope.get("route"), Page):
        return True
    asked = "text/html" in request.headers.get("accept", "")
    return asked and not request.url.path.startswith(NOT_FOR_PEOPLE)


def page(request: Request, status: int, message: str, extra: Mapping[str, str]) -> Response:
    """An error as a page, or as one line for htmx, which shows it as a message."""
    response: Response
    if request.headers.get("hx-request"):
        response = HTMLResponse(f"<p>{escape(message)}</p>", status_code=status)
    else:
        title = TITLES.get(status, FAULT)
        response = render(request, "error.html", status=status, title=title, message=message, code=status)
    response.headers.update(extra)
    headers.harden(response)
    return response
