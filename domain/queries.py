"""What is asked of the record of cases, and what it answers."""

from pydantic import AwareDatetime, Field

from domain.base import Frozen
from domain.case import Case
from domain.history import SameContent, SubjectHistory
from domain.vocabulary import DecisionKind, Policy


class CaseQuery(Frozen):
    """Which cases are wanted; every field that is set narrows the answer. `text` must occur in the content."""

    decision: DecisionKind | None = None
    violation_type: Policy | None = None
    user_id: str | None = None
    content_id: str | None = None
    text: str | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


class Prepared(Frozen):
    """All that intake needs to know: a decision that stands already, and what is known of the author."""

    standing: Case | None
    history: SubjectHistory
    same_content: SameContent | None


class CaseMetrics(Frozen):
    """Numbers of one app over a window that began at `since`. Times in milliseconds."""

    since: AwareDatetime
    cases: int
    by_decision: dict[DecisionKind, int]
    by_policy: dict[str, int]
    by_action: dict[str, int]
    escalation_rate: float = Field(ge=0, le=1)
    mean_ms: float | None
    p95_ms: float | None
    slowest_ms: float | None
    open_reviews: int
