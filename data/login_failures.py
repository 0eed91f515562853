"""Guessing passwords made slow: failed sign-ins are counted by mail address and by where they come from.

An attempt is counted before the password is looked at, so guesses made at the same moment count too. Keys are kept
as digests: this table names nobody.
"""

import hashlib
from datetime import timedelta

from sqlalchemy import delete, or_, update
from sqlmodel import Session, col

from data.clock import database_now
from data.staff_table import LoginFailureRow
from data.statements import dialect_of, inserting_if_new

WINDOW = timedelta(minutes=15)
BLOCK = timedelta(minutes=15)
MOST_BY_MAIL = 5
MOST_BY_CLIENT = 20
"""More than for one mail address: a whole office may share an address, and mistypes in the same quarter of an hour."""


def attempt(session: Session, *, email: str, client: str) -> bool:
    """Count an attempt. False where the mail address or the client has failed too often and must wait."""
    keys = _keys(email, client)
    _forget(session, keys)
    # Both are counted whatever the other says, so that neither tells of the other.
    mail, place = keys
    return all([_count(session, mail, MOST_BY_MAIL), _count(session, place, MOST_BY_CLIENT)])


def succeeded(session: Session, *, email: str, client: str) -> None:
    """Take back the attempt that was right, and forget the failures of the mail address."""
    mail, place = _keys(email, client)
    session.execute(delete(LoginFailureRow).where(col(LoginFailureRow.key) == mail))
    session.execute(
        update(LoginFailureRow)
        .where(col(LoginFailureRow.key) == place)
        .values(failures=LoginFailureRow.failures - 1, blocked_until=None)
    )


def _forget(session: Session, keys: tuple[str, str]) -> None:
    """Drop what is over: blocks that ended, and windows that ended without one."""
    over = or_(
        col(LoginFailureRow.blocked_until) <= database_now(session),
        col(LoginFailureRow.blocked_until).is_(None) & (col(LoginFailureRow.since) <= database_now(session, -WINDOW)),
    )
    session.execute(delete(LoginFailureRow).where(col(LoginFailureRow.key).in_(keys), over))


def _count(session: Session, key: str, most: int) -> bool:
    start = inserting_if_new(LoginFailureRow, dialect_of(session)).values(
        key=key, failures=0, since=database_now(session), blocked_until=None
    )
    session.execute(start)
    counted = session.execute(
        update(LoginFailureRow)
        .where(col(LoginFailureRow.key) == key, col(LoginFailureRow.blocked_until).is_(None))
        .values(failures=LoginFailureRow.failures + 1)
        .returning(col(LoginFailureRow.failures))
    ).scalar()
    if counted is None:
        return False
    if counted >= most:
        session.execute(
            update(LoginFailureRow)
            .where(col(LoginFailureRow.key) == key)
            .values(blocked_until=database_now(session, BLOCK))
        )
    return True


def _keys(email: str, client: str) -> tuple[str, str]:
    return _digest(f"mail:{email.strip().casefold()}"), _digest(f"client:{client}")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
