"""The few expressions that SQLite and PostgreSQL spell differently, and the conditions that all statistics share."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, case, cast, extract, func, literal_column
from sqlalchemy.dialects import postgresql
from sqlmodel import Session, col

from data.review_table import HumanDecisionRow
from data.statements import POSTGRESQL, dialect_of
from domain.review import ReviewKind
from domain.statistics import Window

HOUR = {True: "'YYYY-MM-DD HH24'", False: "'%Y-%m-%d %H'"}
DAY = {True: "'YYYY-MM-DD'", False: "'%Y-%m-%d'"}


def is_postgresql(session: Session) -> bool:
    """Whether the session speaks to PostgreSQL."""
    return dialect_of(session) == POSTGRESQL


def seconds(session: Session, start: Any, end: Any) -> ColumnElement[float]:
    """The seconds between two columns."""
    if is_postgresql(session):
        return cast(extract("epoch", end - start), postgresql.DOUBLE_PRECISION)
    return (func.julianday(end) - func.julianday(start)) * 86_400


def period(session: Session, moment: Any, *, hourly: bool) -> ColumnElement[str]:
    """The hour or day of a column, UTC, as text that sorts by time."""
    postgres = is_postgresql(session)
    form: ColumnElement[str] = literal_column((HOUR if hourly else DAY)[postgres])
    if postgres:
        return func.to_char(func.timezone(literal_column("'UTC'"), moment), form)
    return func.strftime(form, moment)


def text_in(session: Session, document: Any, *path: str) -> ColumnElement[str | None]:
    """A text within a column of JSON; NULL where it is null or absent."""
    if not is_postgresql(session):
        return func.json_extract(document, "$." + ".".join(path))
    # Not jsonb, which refuses the NUL characters that JSON can spell.
    found: Any = cast(document, postgresql.JSON)
    for step in path[:-1]:
        found = found.op("->")(step)
    answer: ColumnElement[str | None] = found.op("->>")(path[-1])
    return answer


def number_of(condition: Any) -> ColumnElement[int]:
    """How many rows of a group meet a condition."""
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def within(column: Any, window: Window) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """A moment that lies in the window."""
    return col(column) >= window.since, col(column) < window.until


def decided(kind: ReviewKind, app_ids: Collection[str], window: Window) -> tuple[ColumnElement[bool], ...]:
    """Decisions of people in these tenants and this window, also those that were undone."""
    return (
        col(HumanDecisionRow.app_id).in_(sorted(app_ids)),
        col(HumanDecisionRow.kind) == kind.value,
        *within(HumanDecisionRow.decided_at, window),
    )


def stands() -> ColumnElement[bool]:
    """A decision that was not undone."""
    return col(HumanDecisionRow.undone_at).is_(None)
