"""The one place where errors become HTTP, and the one shape in which they are sent."""

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from domain import errors
from domain.errors import CupidsShieldError

logger = logging.getLogger(__name__)

RETRY_AFTER_S = 2

_STATUS: dict[type[CupidsShieldError], int] = {
    errors.Invalid: 422,
    errors.NotFound: 404,
    errors.NotAuthenticated: 401,
    errors.NotPermitted: 403,
    errors.StaleVersion: 409,
    errors.IllegalTransition: 409,
    errors.RequestInProgress: 409,
    errors.IdempotencyMismatch: 422,
    errors.RateLimited: 429,
    errors.Overloaded: 503,
    errors.ToolUnavailable: 503,
    errors.DatabaseUnavailable: 503,
    errors.ModelUnavailable: 503,
}


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


def error_response(
    status: int, code: str, message: str, *, problems: list[Problem] | None = None, retry_after: float | None = None
) -> JSONResponse:
    """An error in our shape. `retry_after` is in seconds."""
    body = ErrorBody(error=ErrorDetail(code=code, message=message, problems=problems or []))
    headers = {"Retry-After": str(max(1, round(retry_after)))} if retry_after is not None else {}
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="cupidsshield"'
    return JSONResponse(body.model_dump(), status_code=status, headers=headers)


def response_for(error: CupidsShieldError) -> JSONResponse:
    """The response that an error of ours amounts to."""
    status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 500)
    retry_after = getattr(error, "retry_after", RETRY_AFTER_S if status == 503 else None)
    message = str(error)
    if isinstance(error, errors.ToolUnavailable):
        message = f"the {error.server} server cannot be reached; nothing was kept, send it again"
    return error_response(status, error.code, message, retry_after=retry_after)


def problems_in(error: RequestValidationError) -> list[Problem]:
    """What is wrong, without repeating what was sent: it may be abusive, huge, or not even Unicode."""
    return [
        Problem(field=".".join(str(part) for part in item["loc"]) or "body", message=str(item["msg"]))
        for item in error.errors()[:20]
    ]


def install(app: FastAPI) -> None:
    """Make the application answer every error in our shape."""

    @app.exception_handler(CupidsShieldError)
    async def ours(request: Request, error: CupidsShieldError) -> JSONResponse:
        return response_for(error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        found = problems_in(error)
        first = f"{found[0].field}: {found[0].message}" if found else "the request is malformed"
        return error_response(422, "invalid", first, problems=found)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        code = {400: "invalid", 404: "not_found", 405: "method_not_allowed", 413: "too_large"}
        return error_response(error.status_code, code.get(error.status_code, "error"), str(error.detail))

    @app.exception_handler(TimeoutError)
    async def late(request: Request, error: TimeoutError) -> JSONResponse:
        return error_response(503, "overloaded", "no decision in time; send it again", retry_after=RETRY_AFTER_S)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        logger.exception("unexpected failure at %s", request.url.path)
        return error_response(500, "internal", "something failed on our side; it was logged, send it again")
