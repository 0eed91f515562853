"""The people whose content is judged: how many cases and violations each has in an app."""

from datetime import datetime

from sqlalchemy import Column
from sqlmodel import Field, Session, SQLModel

from data.columns import UtcDateTime
from data.statements import counting, dialect_of


class Subject(SQLModel, table=True):
    """One person in one app."""

    __tablename__ = "subjects"

    app_id: str = Field(primary_key=True)
    user_id: str = Field(primary_key=True)
    cases: int = 0
    violations: int = 0
    first_seen: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    last_seen: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


def count(session: Session, *, app_id: str, user_id: str, cases: int, violations: int, at: datetime) -> None:
    """Add to a person's counts; the first mention makes the row."""
    statement = counting(Subject, dialect_of(session), ("app_id", "user_id"), ("cases", "violations"), "last_seen")
    values = {"app_id": app_id, "user_id": user_id, "cases": cases, "violations": violations}
    session.execute(statement, {**values, "first_seen": at, "last_seen": at})


def counts(session: Session, *, app_id: str, user_id: str) -> tuple[int, int]:
    """A person's cases and violations; (0, 0) for one never seen."""
    found = session.get(Subject, (app_id, user_id))
    return (found.cases, found.violations) if found else (0, 0)
