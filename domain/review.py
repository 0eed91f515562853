"""The review queue: what waits for a person, who holds it, and what they decided."""

from enum import StrEnum

from pydantic import AwareDatetime, Field

from domain.base import Frozen
from domain.vocabulary import Action, DecisionKind, Policy, Priority, Route, Severity


class ReviewStatus(StrEnum):
    PENDING = "pending"
    IN_REVIEW = "in_review"
    COMPLETED = "completed"


class ReviewItem(Frozen):
    """One case waiting for, held by, or decided by a person.

    `epoch` counts the claims: it is the fencing token with which a decision must be made.
    """

    id: str
    app_id: str
    case_id: str
    priority: Priority
    route: Route
    status: ReviewStatus
    assigned_to: str | None = None
    epoch: int = Field(default=0, ge=0)
    lease_until: AwareDatetime | None = None
    due_at: AwareDatetime
    created_at: AwareDatetime


class HumanDecision(Frozen):
    """What a person decided. Reasoning is required; a rejection names policy, severity and action."""

    case_id: str
    reviewer: str = Field(min_length=1)
    kind: DecisionKind
    policy: Policy | None = None
    severity: Severity | None = None
    action: Action | None = None
    reasoning: str = Field(min_length=1, max_length=4_000)
