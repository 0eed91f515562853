"""A message that survives the redirect after a form: what was done, and, for a while, how to undo it."""

from datetime import datetime

from fastapi import Request, Response
from itsdangerous import BadData, URLSafeSerializer
from pydantic import AwareDatetime, ValidationError

from domain.base import Frozen
from ui import cookies
from ui.cookies import Cookie
from ui.parts import parts_of

MAX_AGE_S = 60


class Flash(Frozen):
    """What is said once. `undo` is the address to which a form undoes it, until `until`."""

    text: str
    kind: str = "done"
    undo: str | None = None
    until: AwareDatetime | None = None


def flash(
    request: Request,
    response: Response,
    text: str,
    *,
    kind: str = "done",
    undo: str | None = None,
    until: datetime | None = None,
) -> None:
    """Say this on the next page. `kind` is `done` or `problem`; the text must hold nothing that users wrote."""
    message = Flash(text=text, kind=kind, undo=undo, until=until)
    value = _signer(request).dumps(message.model_dump(mode="json"))
    cookies.put(request, response, Cookie.FLASH, value, max_age=MAX_AGE_S)


def taken(request: Request) -> Flash | None:
    """The message for this page, if there is one."""
    value = cookies.read(request, Cookie.FLASH)
    if not value:
        return None
    try:
        return Flash.model_validate(_signer(request).loads(value))
    except (BadData, ValidationError):
        return None


def _signer(request: Request) -> URLSafeSerializer:
    return URLSafeSerializer(parts_of(request).secret, salt="flash")
