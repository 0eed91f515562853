"""The cookies that the pages set, all unreadable for scripts. With `Secure`, they carry the `__Host-` prefix, so that
no other host or path can plant one; over plain http, which only development allows, they cannot.
"""

from enum import StrEnum

from fastapi import Request, Response

from ui.parts import UiParts, parts_of

MARK = "cupidsshield"


class Cookie(StrEnum):
    """What is kept in a browser: the session, what binds forms without one, the chosen app, a message, a sign-in."""

    SESSION = MARK
    FORM = f"{MARK}-form"
    APP = f"{MARK}-app"
    FLASH = f"{MARK}-flash"
    OIDC = f"{MARK}-oidc"


def name_of(parts: UiParts, cookie: Cookie) -> str:
    """The name under which it is set here."""
    return f"__Host-{cookie}" if parts.secure_cookies else cookie.value


def read(request: Request, cookie: Cookie) -> str | None:
    """What the browser brought."""
    return request.cookies.get(name_of(parts_of(request), cookie))


def put(request: Request, response: Response, cookie: Cookie, value: str, *, max_age: int | None = None) -> None:
    """Have the browser keep a value, for `max_age` seconds or until it is closed."""
    parts = parts_of(request)
    response.set_cookie(
        name_of(parts, cookie),
        value,
        max_age=max_age,
        path="/",
        secure=parts.secure_cookies,
        httponly=True,
        samesite="lax",
    )


def drop(request: Request, response: Response, cookie: Cookie) -> None:
    """Have the browser forget it."""
    parts = parts_of(request)
    response.delete_cookie(name_of(parts, cookie), path="/", secure=parts.secure_cookies, httponly=True, samesite="lax")
