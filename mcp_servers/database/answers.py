"""What the database tools answer, where no domain type says it already."""

from pydantic import AwareDatetime, JsonValue

from domain.appeal import Appeal
from domain.appeal_reading import KeptReading
from domain.base import Frozen
from domain.report import Report
from domain.review import ReviewItem


class AuditEntry(Frozen):
    """One line of the audit log."""

    action: str
    actor: str
    details: dict[str, JsonValue]
    timestamp: AwareDatetime


class AuditTrail(Frozen):
    """Everything that was done in a case, oldest first."""

    case_id: str
    entries: tuple[AuditEntry, ...]


class ReviewPage(Frozen):
    """What waits for people, the most pressing first."""

    items: tuple[ReviewItem, ...]


class Proposal(Frozen):
    """An agent's opinion, put before a person. It changes no outcome by itself."""

    case_id: str
    review_id: str
    status: str


class ReadAppeal(Appeal):
    """An appeal as staff and agents read it. `reading` is what a language model wrote about it, if one was asked: for
    those who decide, never for the user."""

    reading: KeptReading | None = None


class SettledAppeal(Frozen):
    """An appeal, and whether a person's decision about it stands for good."""

    appeal: Appeal
    settled: bool


class TakenReport(Frozen):
    """A report as it was kept, and whether its case is before people."""

    report: Report
    before_people: bool
