"""Signing in and out. Whoever is refused learns nothing of which part was wrong, nor sooner for one than the other."""

import asyncio
from typing import Annotated

from fastapi import Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from data import login_failures, passwords, staff_sessions
from data import staff as accounts
from domain.staff import MAX_PASSWORD, Staff
from ui import cookies
from ui.access import Pages, local_path, open_to_all, signed_in
from ui.cookies import Cookie
from ui.pages import render
from ui.parts import Has, UiParts, parts_of

router = Pages()

REFUSED = "Mail address or password is not right."
WAIT = "Too many tries. Wait a quarter of an hour, or ask an administrator for a new password."


@router.get("/login", dependencies=[Depends(open_to_all)])
async def ask(request: Request, next: str = "/") -> Response:
    """The form; who is signed in already goes on."""
    if request.state.visit is not None:
        return RedirectResponse(local_path(next), status_code=303)
    return form(request, next=next)


@router.post("/login", dependencies=[Depends(open_to_all)])
async def sign_in(
    request: Request,
    parts: Has,
    email: Annotated[str, Form(max_length=300)] = "",
    password: Annotated[str, Form()] = "",
    next: Annotated[str, Form(max_length=2_000)] = "/",
) -> Response:
    """Begin a session, or show the form again."""
    client = request.client.host if request.client else "unknown"
    if not await parts.database.write(lambda s: login_failures.attempt(s, email=email, client=client)):
        return form(request, next=next, email=email, refusal=WAIT, status=429)
    staff_id, right = await _compared(parts, email, password)
    if staff_id is None or not right:
        await parts.database.write(lambda s: accounts.note_refused(s, staff_id=staff_id))
        return form(request, next=next, email=email, refusal=REFUSED, status=401)
    await parts.database.write(lambda s: login_failures.succeeded(s, email=email, client=client))
    return await begun(request, parts, staff_id, way="password", next=next)


@router.post("/logout")
async def sign_out(request: Request, parts: Has, staff: Annotated[Staff, Depends(signed_in())]) -> Response:
    """End this session."""
    token = cookies.read(request, Cookie.SESSION) or ""

    def work(session: Session) -> None:
        staff_sessions.end(session, token=token)
        accounts.note(session, staff_id=staff.id, action="staff.signed_out")

    await parts.database.write(work)
    response = RedirectResponse("/login", status_code=303)
    cookies.drop(request, response, Cookie.SESSION)
    return response


async def begun(request: Request, parts: UiParts, staff_id: str, *, way: str, next: str) -> Response:
    """A new session under a new identifier, in place of any that the browser brought."""
    client, old = request.headers.get("user-agent", ""), cookies.read(request, Cookie.SESSION)

    def work(session: Session) -> staff_sessions.NewSession:
        if old:
            staff_sessions.end(session, token=old)
        made = staff_sessions.begin(session, staff_id=staff_id, client=client)
        accounts.note_signed_in(session, staff_id=staff_id, way=way)
        return made

    made = await parts.database.write(work)
    response = RedirectResponse(local_path(next), status_code=303)
    cookies.put(request, response, Cookie.SESSION, made.token, max_age=int(staff_sessions.ABSOLUTE.total_seconds()))
    cookies.drop(request, response, Cookie.FORM)
    return response


async def _compared(parts: UiParts, email: str, password: str) -> tuple[str | None, bool]:
    """The account of this mail address, and whether the password is right; just as slow if there is none."""
    staff_id, kept = await parts.database.read(lambda s: accounts.password_of(s, email=email))
    async with parts.hashing:
        right = await asyncio.to_thread(passwords.matches, kept, password[: MAX_PASSWORD + 1])
    return staff_id, right


def form(request: Request, *, next: str, email: str = "", refusal: str = "", status: int = 200) -> Response:
    """The form, with what was wrong last time."""
    known = {"next": local_path(next), "email": email, "refusal": refusal, "oidc": parts_of(request).oidc}
    return render(request, "login.html", status=status, **known)
