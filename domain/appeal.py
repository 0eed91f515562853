"""Appeals: what a user says against a decision, what a machine prepares, and what a person makes of it (I8)."""

from enum import StrEnum

from pydantic import AwareDatetime, Field

from domain.base import Frozen

MAX_EXPLANATION = 4_000
MAX_EVIDENCE = 8_000


class AppealStatus(StrEnum):
    """Where an appeal stands. Only a person brings it to `upheld` or `overturned`."""

    PENDING = "pending"
    UNDER_REVIEW = "under_review"
    ESCALATED = "escalated"
    UPHELD = "upheld"
    OVERTURNED = "overturned"

    @property
    def is_final(self) -> bool:
        return self in (AppealStatus.UPHELD, AppealStatus.OVERTURNED)


class AppealOutcome(StrEnum):
    """What can be made of an appeal."""

    UPHOLD = "uphold"
    OVERTURN = "overturn"
    ESCALATE = "escalate"


class AppealFactor(StrEnum):
    """What an appeal is weighed by; weights are in the policy files."""

    NEW_EVIDENCE = "new_evidence"
    POLICY = "policy_misinterpretation"
    EXPLANATION = "explanation"
    HISTORY = "history"


class FactorScore(Frozen):
    """One factor: `score` in [0, 1], None where there is nothing to weigh it by, and why in words."""

    factor: AppealFactor
    score: float | None = Field(default=None, ge=0, le=1)
    weight: float = Field(ge=0, le=1)
    reasons: tuple[str, ...] = ()


class AppealBrief(Frozen):
    """What the machine prepares for the person who decides: both sides, the factors, and a recommendation."""

    factors: tuple[FactorScore, ...]
    score: float = Field(ge=0, le=1)
    recommendation: AppealOutcome
    for_the_user: tuple[str, ...]
    for_the_decision: tuple[str, ...]
    similar_case_ids: tuple[str, ...] = ()
    policy_changed: bool = False
    unavailable: tuple[str, ...] = ()
    prepared_by: str


class Appeal(Frozen):
    """One appeal against one case. `needs_senior`: a permanent ban, a critical violation, or a precedent."""

    id: str
    app_id: str
    case_id: str
    user_id: str
    explanation: str = Field(min_length=1, max_length=MAX_EXPLANATION)
    new_evidence: str | None = Field(default=None, max_length=MAX_EVIDENCE)
    status: AppealStatus
    brief: AppealBrief | None = None
    needs_senior: bool = False
    sets_precedent: bool = False
    reasoning: str | None = None
    resolved_by: str | None = None
    due_at: AwareDatetime
    created_at: AwareDatetime
    resolved_at: AwareDatetime | None = None


class AppealPage(Frozen):
    """A page of appeals, newest first. `next_cursor` opens the next page; None ends the list."""

    appeals: tuple[Appeal, ...]
    next_cursor: str | None = None


class AppealDecision(Frozen):
    """What a person decided about an appeal. Reasoning is required: the user reads it."""

    appeal_id: str
    reviewer: str = Field(min_length=1)
    outcome: AppealOutcome
    sets_precedent: bool = False
    reasoning: str = Field(min_length=1, max_length=4_000)
