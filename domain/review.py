"""The review queue: what waits for a person, who holds it, and what they decided."""

from enum import StrEnum

from pydantic import AwareDatetime, Field

from domain.base import Frozen
from domain.vocabulary import Action, DecisionKind, Policy, Priority, Route, Severity

MAX_NOTE = 2_000


class ReviewStatus(StrEnum):
    PENDING = "pending"
    IN_REVIEW = "in_review"
    COMPLETED = "completed"


class ReviewKind(StrEnum):
    """What is asked of the person: to decide a case, an appeal against one, or, blind, a decided case once more."""

    CASE = "case"
    APPEAL = "appeal"
    QUALITY = "quality"


class ReviewItem(Frozen):
    """One thing waiting for, held by, or decided by a person.

    `epoch` counts the claims: it is the fencing token with which a decision must be made. `order_at` is the moment by
    which the queue is sorted: the deadline, drawn nearer by harm (`policies.queue`). `handed_to` keeps an item for one
    person, `held_until` hides it until then.
    """

    id: str
    app_id: str
    case_id: str
    kind: ReviewKind = ReviewKind.CASE
    appeal_id: str | None = None
    priority: Priority
    route: Route
    policy: Policy | None = None
    severity: Severity | None = None
    risk: float = Field(default=0.0, ge=0, le=1)
    reports: float = Field(default=0.0, ge=0)
    status: ReviewStatus
    assigned_to: str | None = None
    epoch: int = Field(default=0, ge=0)
    lease_until: AwareDatetime | None = None
    handed_to: str | None = None
    asked_by: str | None = None
    note: str | None = Field(default=None, max_length=MAX_NOTE)
    held_until: AwareDatetime | None = None
    due_at: AwareDatetime
    order_at: AwareDatetime
    created_at: AwareDatetime


class Verdict(Frozen):
    """What a person fills in: the decision and why; a rejection names policy, severity and action."""

    kind: DecisionKind
    policy: Policy | None = None
    severity: Severity | None = None
    action: Action | None = None
    reasoning: str = Field(min_length=1, max_length=4_000)


class HumanDecision(Frozen):
    """What a person decided. Reasoning is required; a rejection names policy, severity and action."""

    case_id: str
    reviewer: str = Field(min_length=1)
    kind: DecisionKind
    policy: Policy | None = None
    severity: Severity | None = None
    action: Action | None = None
    reasoning: str = Field(min_length=1, max_length=4_000)


class Place(Frozen):
    """Whose an item is, how soon it is due, and where that puts it in the queue."""

    route: Route
    priority: Priority
    due_at: AwareDatetime
    order_at: AwareDatetime


class Outcome(Frozen):
    """A case as it stood before a person decided it: what undoing restores. `enforcements` were in force then."""

    decision: DecisionKind
    policy: Policy | None = None
    severity: Severity | None = None
    action: Action | None = None
    reasoning: str
    reviewed_by: str
    enforcements: tuple[str, ...] = ()


class Decided(Frozen):
    """A decision of a person as it was kept. It can be undone until `undo_until`; once settled, it stands."""

    id: str
    app_id: str
    review_id: str
    case_id: str
    appeal_id: str | None = None
    kind: ReviewKind
    reviewer: str
    epoch: int
    decision: str
    policy: Policy | None = None
    severity: Severity | None = None
    action: Action | None = None
    reasoning: str
    before: Outcome
    bulk_id: str | None = None
    decided_at: AwareDatetime
    undo_until: AwareDatetime
    undone_at: AwareDatetime | None = None
    settled_at: AwareDatetime | None = None


class BulkOutcome(Frozen):
    """What became of each item of a bulk act: what was done, and why the others were not, by review."""

    bulk_id: str
    done: tuple[str, ...] = ()
    lost: dict[str, str] = Field(default_factory=dict)
