"""What people set for themselves: preferences, password, the sessions they have open, the app they look at."""

import asyncio
from typing import Annotated

from fastapi import Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from data import keepsakes, login_failures, passwords, staff_sessions
from data import staff as accounts
from domain.errors import NotPermitted, RateLimited
from domain.staff import MAX_PASSWORD, Preferences, Staff, Theme, require_good_password
from ui import cookies
from ui.access import Pages, local_path, signed_in
from ui.clients import named
from ui.cookies import Cookie
from ui.flash import flash
from ui.pages import render
from ui.parts import Has

router = Pages()

Anybody = Annotated[Staff, Depends(signed_in())]
HERE = "/account"


@router.get("/account")
async def account(request: Request, parts: Has, staff: Anybody) -> Response:
    """The page."""
    sessions = await parts.database.read(lambda s: staff_sessions.list_for(s, staff_id=staff.id))
    snippets = await parts.database.read(lambda s: keepsakes.snippets(s, staff=staff))
    return render(request, "account.html", sessions=sessions, snippets=snippets, themes=list(Theme), named=named)


@router.post("/account/preferences")
async def set_preferences(
    request: Request,
    parts: Has,
    staff: Anybody,
    theme: Annotated[Theme, Form()],
    pause_after_minutes: Annotated[int, Form(ge=10, le=240)],
    blur_text: Annotated[bool, Form()] = False,
    grey_images: Annotated[bool, Form()] = False,
    shortcuts: Annotated[bool, Form()] = False,
) -> Response:
    """Keep what was chosen. A box that is not ticked is not sent."""
    chosen = Preferences(
        theme=theme,
        pause_after_minutes=pause_after_minutes,
        blur_text=blur_text,
        grey_images=grey_images,
        shortcuts=shortcuts,
    )
    await parts.database.write(lambda s: accounts.set_preferences(s, staff_id=staff.id, preferences=chosen))
    return _back(request, "Your preferences are saved.")


@router.post("/account/password")
async def set_password(
    request: Request,
    parts: Has,
    staff: Anybody,
    current: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
) -> Response:
    """Change one's password; other browsers are signed out. The old one is asked for, and guessed as slowly."""
    client = request.client.host if request.client else "unknown"
    if not await parts.database.write(lambda s: login_failures.attempt(s, email=staff.email, client=client)):
        raise RateLimited("too many tries; wait a quarter of an hour", login_failures.BLOCK.total_seconds())
    _, kept = await parts.database.read(lambda s: accounts.password_of(s, email=staff.email))
    async with parts.hashing:
        right = await asyncio.to_thread(passwords.matches, kept, current[: MAX_PASSWORD + 1])
    if not right:
        raise NotPermitted("your current password is not right; go back and try again")
    await parts.database.write(lambda s: login_failures.succeeded(s, email=staff.email, client=client))
    require_good_password(password, email=staff.email)
    async with parts.hashing:
        made = await asyncio.to_thread(passwords.hashed, password)
    token = cookies.read(request, Cookie.SESSION)
    await parts.database.write(
        lambda s: accounts.set_password(
            s, staff_id=staff.id, password_hash=made, by=f"person:{staff.id}", keeping=token
        )
    )
    return _back(request, "Your password is changed. Other browsers are signed out.")


@router.post("/account/sessions/end")
async def end_sessions(request: Request, parts: Has, staff: Anybody) -> Response:
    """Sign out everywhere, here as well."""

    def work(session: Session) -> None:
        staff_sessions.end_all(session, staff_id=staff.id)
        accounts.note(session, staff_id=staff.id, action="staff.signed_out_everywhere")

    await parts.database.write(work)
    response = RedirectResponse("/login", status_code=303)
    cookies.drop(request, response, Cookie.SESSION)
    return response


@router.post("/account/sessions/{session_id}/end")
async def end_session(request: Request, parts: Has, staff: Anybody, session_id: str) -> Response:
    """Sign one browser out."""

    def work(session: Session) -> None:
        staff_sessions.end_one(session, staff_id=staff.id, session_id=session_id)
        accounts.note(session, staff_id=staff.id, action="staff.signed_out")

    await parts.database.write(work)
    return _back(request, "That browser is signed out.")


@router.post("/account/app")
async def choose_app(request: Request, staff: Anybody, app: Annotated[str, Form(max_length=100)] = "") -> Response:
    """Look at one app, or at all of one's own."""
    back = local_path(request.headers.get("referer", "").partition(request.headers.get("host", "\n"))[2])
    response = RedirectResponse(back.partition("?")[0], status_code=303)
    if app:
        staff.require_app(app)
        cookies.put(request, response, Cookie.APP, app)
    else:
        cookies.drop(request, response, Cookie.APP)
    return response


def _back(request: Request, text: str) -> Response:
    response = RedirectResponse(HERE, status_code=303)
    flash(request, response, text)
    return response
