"""The database's own clock, by which leases are judged: the clocks of several machines differ (I12)."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlmodel import Session

from data.statements import POSTGRESQL, dialect_of

TICK = timedelta(milliseconds=1)
"""SQLite's clock counts milliseconds: what was written a moment ago with our own may seem to lie ahead by so much."""


def database_now(session: Session, later: timedelta = timedelta()) -> ColumnElement[Any]:
    """The present moment by the database's clock, and so much later."""
    seconds = later.total_seconds()
    if dialect_of(session) == POSTGRESQL:
        return func.clock_timestamp() + func.make_interval(0, 0, 0, 0, 0, 0, seconds)
    return func.strftime("%Y-%m-%d %H:%M:%f000", "now", f"{seconds:+f} seconds")


def database_moment(session: Session) -> datetime:
    """The present moment by the database's clock, as a value."""
    found = session.scalar(select(database_now(session)))
    moment = found if isinstance(found, datetime) else datetime.fromisoformat(str(found))
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
