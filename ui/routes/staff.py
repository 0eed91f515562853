"""Accounts, for administrators: who there is, what each may do and for which apps, and new passwords."""

import asyncio
from typing import Annotated

from fastapi import Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from data import apps, passwords
from data import staff as accounts
from domain.staff import Right, Role, Staff
from ui.access import Pages, signed_in
from ui.flash import flash
from ui.pages import render
from ui.parts import Has, UiParts

router = Pages()

Admin = Annotated[Staff, Depends(signed_in(Right.MANAGE_STAFF))]
HERE = "/staff"


@router.get("/staff")
async def everybody(request: Request, parts: Has, staff: Admin) -> Response:
    """All accounts, and the form for a new one."""

    def work(session: Session) -> tuple[tuple[Staff, ...], tuple[apps.App, ...]]:
        return accounts.list_staff(session), apps.list_apps(session)

    people, given = await parts.database.read(work)
    names = {app.id: app.name for app in given}
    seen_by = {person.id: ", ".join(sorted(names[app_id] for app_id in person.app_ids)) for person in people}
    return render(request, "staff.html", people=people, apps=given, roles=list(Role), seen_by=seen_by)


@router.post("/staff")
async def invite(
    request: Request,
    parts: Has,
    staff: Admin,
    email: Annotated[str, Form(max_length=300)],
    name: Annotated[str, Form(max_length=200)],
    role: Annotated[Role, Form()],
    app: Annotated[list[str], Form()] = [],  # noqa: B006
) -> Response:
    """Make an account with a password that is shown once."""
    password, kept = await _fresh_password(parts)
    made = await parts.database.write(
        lambda s: accounts.create(
            s, email=email, name=name, role=role, app_ids=app, password_hash=kept, by=_label(staff)
        )
    )
    return render(request, "staff_password.html", person=made, password=password)


@router.get("/staff/{staff_id}")
async def one(request: Request, parts: Has, staff: Admin, staff_id: str) -> Response:
    """One account, and all that can be changed in it."""

    def work(session: Session) -> tuple[Staff, tuple[apps.App, ...]]:
        return accounts.get(session, staff_id=staff_id), apps.list_apps(session)

    person, given = await parts.database.read(work)
    return render(request, "staff_one.html", person=person, apps=given, roles=list(Role))


@router.post("/staff/{staff_id}/role")
async def set_role(
    request: Request, parts: Has, staff: Admin, staff_id: str, role: Annotated[Role, Form()]
) -> Response:
    """Change what somebody may do; they sign in anew."""
    done = await parts.database.write(lambda s: accounts.set_role(s, staff_id=staff_id, role=role, by=_label(staff)))
    return _back(request, done, f"{done.name} is {role.replace('_', ' ')} now, and signs in anew.")


@router.post("/staff/{staff_id}/apps")
async def set_apps(
    request: Request,
    parts: Has,
    staff: Admin,
    staff_id: str,
    app: Annotated[list[str], Form()] = [],  # noqa: B006
) -> Response:
    """Give somebody these apps and no others."""
    done = await parts.database.write(lambda s: accounts.set_apps(s, staff_id=staff_id, app_ids=app, by=_label(staff)))
    return _back(request, done, f"{done.name} sees {len(done.app_ids)} app{'' if len(done.app_ids) == 1 else 's'} now.")


@router.post("/staff/{staff_id}/disabled")
async def set_disabled(
    request: Request, parts: Has, staff: Admin, staff_id: str, disabled: Annotated[bool, Form()]
) -> Response:
    """Shut an account, or open it again."""
    done = await parts.database.write(
        lambda s: accounts.set_disabled(s, staff_id=staff_id, disabled=disabled, by=_label(staff))
    )
    return _back(request, done, f"{done.name}'s account is {'shut' if disabled else 'open again'}.")


@router.post("/staff/{staff_id}/password")
async def reset_password(request: Request, parts: Has, staff: Admin, staff_id: str) -> Response:
    """Make a new password for somebody; it is shown once, and they sign in anew."""
    password, kept = await _fresh_password(parts)

    def work(session: Session) -> Staff:
        accounts.set_password(session, staff_id=staff_id, password_hash=kept, by=_label(staff))
        return accounts.get(session, staff_id=staff_id)

    person = await parts.database.write(work)
    return render(request, "staff_password.html", person=person, password=password)


async def _fresh_password(parts: UiParts) -> tuple[str, str]:
    password = passwords.generated()
    async with parts.hashing:
        return password, await asyncio.to_thread(passwords.hashed, password)


def _label(staff: Staff) -> str:
    return f"person:{staff.id}"


def _back(request: Request, person: Staff, text: str) -> Response:
    response = RedirectResponse(f"{HERE}/{person.id}", status_code=303)
    flash(request, response, text)
    return response
