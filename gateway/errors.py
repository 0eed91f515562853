"""The one place where errors become HTTP, and the one shape in which they are sent."""

import logging
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from domain import errors
from domain.errors import CupidsShieldError
from ui import errors as pages

logger = logging.getLogger(__name__)

RETRY_AFTER_S = 2

STATUS: dict[type[CupidsShieldError], int] = {
    errors.Invalid: 422,
    errors.NotFound: 404,
    errors.NotAuthenticated: 401,
    errors.NotPermitted: 403,
    errors.StaleVersion: 409,
    errors.RequestInProgress: 409,
    errors.IdempotencyMismatch: 422,
    errors.RateLimited: 429,
    errors.Overloaded: 503,
    errors.ToolUnavailable: 503,
    errors.DatabaseUnavailable: 503,
    errors.ModelUnavailable: 503,
}
"""The HTTP status of each error of ours; what is not named here is a fault of ours, 500."""


HTTP_CODES: dict[int, tuple[str, str]] = {
    400: ("invalid", "the body cannot be parsed: send JSON in UTF-8"),
    404: ("not_found", "there is nothing at this address; /docs shows what there is"),
    405: ("method_not_allowed", "this address does not take this method; the Allow header says which it takes"),
    413: ("too_large", "the body is too large: 256 KiB for one text, 4 MiB for a batch"),
}
"""Code and message of what is refused before a route is reached."""

INTERNAL = "internal"

MEANINGS: dict[int, str] = {
    400: "The body cannot be parsed",
    401: "No API key, or one that is not valid",
    403: "The key lacks the scope",
    404: "There is no such thing among your app's",
    409: "The first request with this Idempotency-Key is still being worked on",
    413: "The body is too large",
    422: "Something in the request cannot be used; `problems` says what and where",
    429: "Too many requests; Retry-After says when to come again",
    500: "A fault of ours; it was logged",
    503: "Overloaded, or a part is down; send it again after Retry-After",
}
"""What each status means, as the API's description puts it."""

_A_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,39}")
_LONGEST_PLACE = 120
_MOST_PROBLEMS = 20


class Problem(BaseModel):
    """One thing that is wrong with a request: where, and what was expected."""

    field: str
    message: str


class ErrorDetail(BaseModel):
    """`code` is stable and for programs, `message` is for people and says what to do."""

    code: str
    message: str
    problems: list[Problem] = []


class ErrorBody(BaseModel):
    """The shape of every error."""

    error: ErrorDetail


def described(*statuses: int) -> dict[int | str, dict[str, object]]:
    """The error responses of an operation, for the API's description."""
    return {status: {"model": ErrorBody, "description": MEANINGS[status]} for status in statuses}


def error_response(
    status: int,
    code: str,
    message: str,
    *,
    problems: list[Problem] | None = None,
    retry_after: float | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """An error in our shape. `retry_after` is in seconds, and is rounded up: who waits that long is let in."""
    body = ErrorBody(error=ErrorDetail(code=code, message=message, problems=problems or []))
    headers = dict(headers or {})
    if retry_after is not None:
        headers["Retry-After"] = str(max(1, math.ceil(retry_after)))
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="cupidsshield"'
    return JSONResponse(body.model_dump(), status_code=status, headers=headers)


def failure() -> JSONResponse:
    """What is said of a fault of ours: nothing that could hold content or a secret."""
    return error_response(500, INTERNAL, "something failed on our side; it was logged, send it again")


def response_for(error: CupidsShieldError) -> JSONResponse:
    """The response that an error of ours amounts to."""
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 500)
    retry_after = getattr(error, "retry_after", RETRY_AFTER_S if status == 503 else None)
    message = str(error)
    if isinstance(error, errors.ToolUnavailable):
        message = f"the {error.server} server cannot be reached at present; send it again"
    return error_response(status, error.code, message, retry_after=retry_after)


def response_of(error: Exception, at: str) -> JSONResponse:
    """The response that any failure of a request at the address `at` amounts to. What is not ours is logged."""
    if isinstance(error, CupidsShieldError):
        return response_for(error)
    if isinstance(error, TimeoutError):
        return response_for(errors.Overloaded("no decision in time; send it again", RETRY_AFTER_S))
    logger.error("unexpected failure at %s", at, exc_info=error)
    return failure()


def refused(status: int) -> JSONResponse:
    """The refusal of a request that reached no route."""
    return error_response(status, *HTTP_CODES[status])


def invalid(found: Iterable[Mapping[str, Any]]) -> ErrorDetail:
    """What pydantic found wrong, without repeating what was sent: it may be abusive, huge, or not even Unicode."""
    problems = [Problem(field=_place(item["loc"]), message=_words(item)) for item in list(found)[:_MOST_PROBLEMS]]
    first = f"{problems[0].field}: {problems[0].message}" if problems else "the request is malformed"
    return ErrorDetail(code=errors.Invalid.code, message=first, problems=problems)


def _place(location: tuple[str | int, ...]) -> str:
    """Where something is wrong. Names that a caller made up are shown only where they look like one of ours."""
    steps = (str(step) if isinstance(step, int) or _A_NAME.fullmatch(step) else "…" for step in location)
    place = ".".join(steps) or "body"
    return place if len(place) <= _LONGEST_PLACE else f"{place[:_LONGEST_PLACE]}…"


def _words(item: Mapping[str, Any]) -> str:
    match item["type"]:
        case "json_invalid":
            return "not valid JSON"
        case "model_attributes_type" | "model_type":
            return "must be a JSON object, sent with Content-Type: application/json"
        case "extra_forbidden":
            return "there is no such field; correct its spelling or leave it out"
        case _:
            return str(item["msg"]).removeprefix("Value error, ")


def told(request: Request, answer: JSONResponse) -> Response:
    """The same error as a page, where it is a person who asked."""
    if not pages.for_people(request):
        return answer
    kept = ("retry-after", "allow")
    headers = {name: value for name, value in answer.headers.items() if name in kept}
    message = ErrorBody.model_validate_json(bytes(answer.body)).error.message
    return pages.page(request, answer.status_code, message, headers)


def install(app: FastAPI) -> None:
    """Make the application answer every error in our shape, or to people as a page."""

    @app.exception_handler(RequestValidationError)
    async def unusable(request: Request, error: RequestValidationError) -> Response:
        found = [{**item, "loc": ("body",)} if item["type"] == "json_invalid" else item for item in error.errors()]
        detail = invalid(found)
        return told(request, error_response(422, detail.code, detail.message, problems=detail.problems))

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        code, message = HTTP_CODES.get(error.status_code, (CupidsShieldError.code, str(error.detail)))
        return told(request, error_response(error.status_code, code, message, headers=error.headers))

    @app.exception_handler(CupidsShieldError)
    @app.exception_handler(TimeoutError)
    @app.exception_handler(Exception)
    async def other(request: Request, error: Exception) -> Response:
        return told(request, response_of(error, request.url.path))
