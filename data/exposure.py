"""How much of which severity each person looked at, by day: for suggesting a pause in time, and for nothing else."""

from datetime import UTC, datetime

from sqlmodel import Session, select

from data.staff_table import ExposureRow
from data.statements import counting, dialect_of
from domain.clock import now
from domain.errors import Invalid
from domain.exposure import Load, Seen
from domain.staff import Staff
from domain.vocabulary import Severity

LONGEST_S = 3_600.0
"""What is reported for one item at most: a page that was left open overnight was not looked at all night."""


def add(session: Session, *, staff: Staff, severity: Severity | None, seconds: float, items: int = 0) -> Load:
    """Count what somebody looked at just now; returns their day with it. Raises Invalid for a negative time."""
    if not seconds >= 0 or items < 0:
        raise Invalid("a time spent looking cannot be negative")
    statement = counting(ExposureRow, dialect_of(session), ("staff_id", "day", "severity"), ("items", "seconds"))
    values = {"staff_id": staff.id, "day": day_of(now()), "severity": (severity or Severity.LOW).value}
    session.execute(statement, {**values, "items": items, "seconds": min(seconds, LONGEST_S)})
    return today(session, staff=staff)


def today(session: Session, *, staff: Staff) -> Load:
    """What somebody has looked at since midnight, UTC."""
    day = day_of(now())
    wanted = select(ExposureRow.severity, ExposureRow.items, ExposureRow.seconds).where(
        ExposureRow.staff_id == staff.id, ExposureRow.day == day
    )
    seen = {Severity(severity): Seen(items=items, seconds=seconds) for severity, items, seconds in session.exec(wanted)}
    return Load(staff_id=staff.id, day=day, by_severity=seen)


def day_of(moment: datetime) -> str:
    """The ISO date of a moment, in UTC."""
    return moment.astimezone(UTC).date().isoformat()
