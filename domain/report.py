"""Reports: what one user says of another's content, and how far the reporter has been right before."""

from enum import StrEnum

from pydantic import AwareDatetime, Field

from domain.base import Frozen
from domain.vocabulary import Policy


class ReportStatus(StrEnum):
    """What became of a report; the reporter is told when it is no longer open."""

    OPEN = "open"
    UPHELD = "upheld"
    DISMISSED = "dismissed"


class Report(Frozen):
    """One user's report of one piece of content. `weight` is what it counted when it came, by the reporter's record."""

    id: str
    app_id: str
    case_id: str
    content_id: str
    subject_id: str
    reporter_id: str
    reason: Policy | None = None
    details: str | None = Field(default=None, max_length=2_000)
    weight: float = Field(ge=0, le=1)
    status: ReportStatus
    created_at: AwareDatetime
    resolved_at: AwareDatetime | None = None


class ReporterRecord(Frozen):
    """How often a reporter was right. Unknown reporters count like an even chance."""

    user_id: str
    upheld: int = 0
    dismissed: int = 0
