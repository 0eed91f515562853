"""Accounts of the people who review: made, listed, changed, disabled. Every act leaves an audit row.

These acts belong to no tenant; their rows stand under the reserved app `-`.
"""

import json
import re
from collections.abc import Collection, Mapping

from pydantic import JsonValue
from sqlalchemy import delete
from sqlmodel import Session, col, select

from data import audit, staff_sessions
from data.apps import App, AppRow
from data.staff_table import StaffAppRow, StaffRow
from data.statements import dialect_of, inserting_if_new
from domain.clock import now
from domain.errors import Invalid, NotFound
from domain.ids import new_id
from domain.staff import Preferences, Role, Staff

NO_APP = "-"
"""Under which app the audit log keeps what was done to accounts."""

_MAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}")
MAX_NAME = 100


def create(
    session: Session,
    *,
    email: str,
    name: str,
    role: Role,
    app_ids: Collection[str],
    password_hash: str | None,
    by: str,
) -> Staff:
    """Make an account. `by` is the label of who does it. Raises Invalid for a mail address that is taken or is none."""
    values = {
        "id": new_id("staff"),
        "email": mail_address(email),
        "name": _name(name),
        "role": role.value,
        "password_hash": password_hash,
        "preferences": Preferences().model_dump_json(),
        "created_at": now(),
    }
    if session.execute(inserting_if_new(StaffRow, dialect_of(session)), values).first() is None:
        raise Invalid("there is an account with this mail address already")
    row = _row(session, str(values["id"]))
    _give(session, row, app_ids)
    _note(session, row, "staff.created", by, {"role": role, "apps": [*sorted(app_ids)]})
    return _staff(session, row)


def get(session: Session, *, staff_id: str) -> Staff:
    """One account. Raises NotFound."""
    return _staff(session, _row(session, staff_id))


def by_email(session: Session, *, email: str) -> Staff:
    """The account of a mail address. Raises NotFound."""
    row = session.exec(select(StaffRow).where(StaffRow.email == email.strip().casefold())).first()
    if row is None:
        raise NotFound("there is no account with this mail address; 'cupidsshield staff list' shows them")
    return _staff(session, row)


def password_of(session: Session, *, email: str) -> tuple[str | None, str | None]:
    """Identifier and password hash of the account that may sign in with a mail address; (None, None) without one."""
    row = session.exec(
        select(StaffRow).where(StaffRow.email == email.strip().casefold(), col(StaffRow.disabled_at).is_(None))
    ).first()
    return (row.id, row.password_hash) if row else (None, None)


def list_staff(session: Session) -> tuple[Staff, ...]:
    """All accounts by name, those that are disabled last."""
    rows = session.exec(select(StaffRow).order_by(col(StaffRow.disabled_at).is_not(None), col(StaffRow.name))).all()
    given: dict[str, set[str]] = {}
    for link in session.exec(select(StaffAppRow)):
        given.setdefault(link.staff_id, set()).add(link.app_id)
    return tuple(_of(row, given.get(row.id, ())) for row in rows)


def apps_of(session: Session, *, staff_id: str) -> tuple[App, ...]:
    """The tenants given to somebody, by name."""
    rows = session.exec(
        select(AppRow)
        .join(StaffAppRow, col(StaffAppRow.app_id) == col(AppRow.id))
        .where(StaffAppRow.staff_id == staff_id)
        .order_by(col(AppRow.name))
    )
    return tuple(App(id=r.id, name=r.name, webhook_url=r.webhook_url, created_at=r.created_at) for r in rows)


def set_role(session: Session, *, staff_id: str, role: Role, by: str) -> Staff:
    """Change what somebody may do; ends their sessions. Raises Invalid for the last administrator."""
    row = _row(session, staff_id)
    if role.value != row.role:
        if role is not Role.ADMIN:
            _require_another_admin(session, row)
        before, row.role = row.role, role.value
        session.add(row)
        staff_sessions.end_all(session, staff_id=staff_id)
        _note(session, row, "staff.role_changed", by, {"from": before, "to": role})
    return _staff(session, row)


def set_apps(session: Session, *, staff_id: str, app_ids: Collection[str], by: str) -> Staff:
    """Give somebody these tenants and no others; holds from their next request. Raises Invalid for an unknown one."""
    row = _row(session, staff_id)
    _give(session, row, app_ids)
    _note(session, row, "staff.apps_changed", by, {"apps": [*sorted(app_ids)]})
    return _staff(session, row)


def set_disabled(session: Session, *, staff_id: str, disabled: bool, by: str) -> Staff:
    """Shut an account, ending its sessions, or open it again. Raises Invalid for the last administrator."""
    row = _row(session, staff_id)
    if disabled != (row.disabled_at is not None):
        if disabled:
            _require_another_admin(session, row)
        row.disabled_at = now() if disabled else None
        session.add(row)
        staff_sessions.end_all(session, staff_id=staff_id)
        _note(session, row, "staff.disabled" if disabled else "staff.enabled", by, {})
    return _staff(session, row)


def set_password(session: Session, *, staff_id: str, password_hash: str, by: str, keeping: str | None = None) -> None:
    """Set a password, ending all sessions but the one with the token `keeping`.

    Where somebody else sets it, the account begins anew: what bound it to an OpenID provider is forgotten as well.
    """
    row = _row(session, staff_id)
    if by != f"person:{staff_id}":
        row.oidc_subject = None
    row.password_hash = password_hash
    session.add(row)
    staff_sessions.end_all(session, staff_id=staff_id, keeping=keeping)
    _note(session, row, "staff.password_set", by, {})


def set_preferences(session: Session, *, staff_id: str, preferences: Preferences) -> None:
    """Keep what somebody chose for their own screen."""
    row = _row(session, staff_id)
    row.preferences = preferences.model_dump_json()
    session.add(row)
    _note(session, row, "staff.preferences_set", f"person:{staff_id}", {})


def recognise(session: Session, *, email: str, subject: str) -> str:
    """The account of somebody for whom a provider vouches; it is bound to `subject` from the first time on.

    Raises NotFound where there is none, where it is shut, or where the mail address has passed to somebody else.
    """
    row = session.exec(select(StaffRow).where(StaffRow.email == email.strip().casefold())).first()
    if row is None or row.disabled_at is not None or row.oidc_subject not in (None, subject):
        raise NotFound("there is no account for this")
    if row.oidc_subject is None:
        if session.exec(select(StaffRow.id).where(StaffRow.oidc_subject == subject)).first():
            raise NotFound("there is no account for this")
        row.oidc_subject = subject
        session.add(row)
        _note(session, row, "staff.oidc_bound", f"person:{row.id}", {})
    return row.id


def note_signed_in(session: Session, *, staff_id: str, way: str) -> None:
    """Note that somebody signed in, by `password` or `oidc`."""
    row = _row(session, staff_id)
    row.last_login_at = now()
    session.add(row)
    _note(session, row, "staff.signed_in", f"person:{staff_id}", {"way": way})


def note_refused(session: Session, *, staff_id: str | None) -> None:
    """Note that a sign-in was refused, also for no account at all, so that both take as long."""
    audit.add(
        session,
        app_id=NO_APP,
        case_id=None,
        action="staff.sign_in_refused",
        actor="system:console",
        details={"staff": staff_id},
    )


def note(session: Session, *, staff_id: str, action: str, details: Mapping[str, JsonValue] | None = None) -> None:
    """Note what somebody did about their own sessions, e.g. `staff.signed_out`."""
    _note(session, _row(session, staff_id), action, f"person:{staff_id}", details or {})


def mail_address(text: str) -> str:
    """A mail address in the one way in which it is kept. Raises Invalid."""
    address = text.strip().casefold()
    if not _MAIL.fullmatch(address):
        raise Invalid("expected a mail address such as name@example.org")
    return address


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not 1 <= len(name) <= MAX_NAME:
        raise Invalid(f"a name must have 1 to {MAX_NAME} characters")
    return name


def _row(session: Session, staff_id: str) -> StaffRow:
    row = session.get(StaffRow, staff_id)
    if row is None:
        raise NotFound("there is no such account")
    return row


def _require_another_admin(session: Session, row: StaffRow) -> None:
    if row.role != Role.ADMIN or row.disabled_at is not None:
        return
    active = (StaffRow.role == Role.ADMIN.value, col(StaffRow.disabled_at).is_(None))
    # Locked until the commit: two who demote each other at one moment must not both succeed.
    if len(session.exec(select(StaffRow.id).where(*active).with_for_update()).all()) < 2:
        raise Invalid("this is the last administrator; make another one first")


def _give(session: Session, row: StaffRow, app_ids: Collection[str]) -> None:
    wanted = set(app_ids)
    known = set(session.exec(select(AppRow.id).where(col(AppRow.id).in_(wanted))))
    if wanted - known:
        raise Invalid("one of the apps does not exist; 'cupidsshield apps list' shows them")
    session.execute(delete(StaffAppRow).where(col(StaffAppRow.staff_id) == row.id))
    session.add_all(StaffAppRow(staff_id=row.id, app_id=app_id) for app_id in sorted(wanted))
    session.flush()


def _note(session: Session, row: StaffRow, action: str, by: str, details: Mapping[str, JsonValue]) -> None:
    audit.add(session, app_id=NO_APP, case_id=None, action=action, actor=by, details={"staff": row.id, **details})


def _staff(session: Session, row: StaffRow) -> Staff:
    given = session.exec(select(StaffAppRow.app_id).where(StaffAppRow.staff_id == row.id))
    return _of(row, given.all())


def _of(row: StaffRow, app_ids: Collection[str]) -> Staff:
    return Staff(
        id=row.id,
        email=row.email,
        name=row.name,
        role=Role(row.role),
        app_ids=frozenset(app_ids),
        preferences=Preferences.model_validate(json.loads(row.preferences)),
        created_at=row.created_at,
        disabled_at=row.disabled_at,
        last_login_at=row.last_login_at,
    )
