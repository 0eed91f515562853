"""Sessions: who is signed in. The browser holds a token, the table its hash; the database's clock judges age (I12)."""

import hashlib
import secrets
from datetime import timedelta

from sqlalchemy import and_, delete, func, update
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Session, col, select

from data.clock import database_now
from data.staff_table import StaffRow, StaffSessionRow
from data.statements import inserting
from domain.base import Frozen
from domain.errors import NotFound
from domain.staff import StaffSession

IDLE = timedelta(hours=8)
ABSOLUTE = timedelta(hours=24)
TOUCH_EVERY = timedelta(minutes=1)
TOKEN_BYTES = 32
LONGEST_CLIENT = 200
_SHOWN = 16


class NewSession(Frozen):
    """A session just begun; `token` goes into the cookie and is never available again."""

    token: str
    csrf: str


def begin(session: Session, *, staff_id: str, client: str) -> NewSession:
    """Sign a browser in, under an identifier that no one could have planted before; forget sessions that ended."""
    session.execute(delete(StaffSessionRow).where(~_alive(session)))
    made = NewSession(token=secrets.token_urlsafe(TOKEN_BYTES), csrf=secrets.token_urlsafe(TOKEN_BYTES))
    at = database_now(session)
    session.execute(
        inserting(StaffSessionRow).values(
            token_hash=_hash(made.token),
            staff_id=staff_id,
            csrf=made.csrf,
            client=client[:LONGEST_CLIENT],
            created_at=at,
            seen_at=at,
            expires_at=database_now(session, ABSOLUTE),
        )
    )
    return made


def find(session: Session, *, token: str) -> StaffSession | None:
    """The session of a token, if it is alive and its account is not disabled."""
    row = session.exec(
        select(StaffSessionRow)
        .join(StaffRow, col(StaffRow.id) == col(StaffSessionRow.staff_id))
        .where(StaffSessionRow.token_hash == _hash(token), col(StaffRow.disabled_at).is_(None), _alive(session))
    ).first()
    return _session(row) if row else None


def touch(session: Session, *, token: str) -> None:
    """Note that somebody is there. Writes at most once a minute, so that reading pages writes next to nothing."""
    seen_long_ago = col(StaffSessionRow.seen_at) < database_now(session, -TOUCH_EVERY)
    session.execute(
        update(StaffSessionRow)
        .where(col(StaffSessionRow.token_hash) == _hash(token), _alive(session), seen_long_ago)
        .values(seen_at=database_now(session))
    )


def list_for(session: Session, *, staff_id: str) -> tuple[StaffSession, ...]:
    """Where somebody is signed in, the latest first."""
    rows = session.exec(
        select(StaffSessionRow)
        .where(StaffSessionRow.staff_id == staff_id, _alive(session))
        .order_by(col(StaffSessionRow.seen_at).desc())
    )
    return tuple(_session(row) for row in rows)


def end(session: Session, *, token: str) -> None:
    """Sign one browser out."""
    session.execute(delete(StaffSessionRow).where(col(StaffSessionRow.token_hash) == _hash(token)))


def end_one(session: Session, *, staff_id: str, session_id: str) -> None:
    """Sign out the browser that somebody names among their own. Raises NotFound."""
    mine = and_(
        col(StaffSessionRow.staff_id) == staff_id,
        func.substr(col(StaffSessionRow.token_hash), 1, _SHOWN) == session_id,
    )
    if session.exec(select(StaffSessionRow).where(mine)).first() is None:
        raise NotFound("there is no such session among yours")
    session.execute(delete(StaffSessionRow).where(mine))


def end_all(session: Session, *, staff_id: str, keeping: str | None = None) -> None:
    """Sign somebody out everywhere, but for the browser with the token `keeping`."""
    others = col(StaffSessionRow.staff_id) == staff_id
    if keeping is not None:
        others = and_(others, col(StaffSessionRow.token_hash) != _hash(keeping))
    session.execute(delete(StaffSessionRow).where(others))


def _alive(session: Session) -> ColumnElement[bool]:
    return and_(
        col(StaffSessionRow.expires_at) > database_now(session),
        col(StaffSessionRow.seen_at) > database_now(session, -IDLE),
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _session(row: StaffSessionRow) -> StaffSession:
    return StaffSession(
        id=row.token_hash[:_SHOWN],
        staff_id=row.staff_id,
        csrf=row.csrf,
        client=row.client,
        created_at=row.created_at,
        seen_at=row.seen_at,
        expires_at=row.expires_at,
    )
