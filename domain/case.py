"""A case: the record of one decision, complete enough to explain it without anything else."""

from typing import Self

from pydantic import AwareDatetime, Field

from domain.assessment import Assessment
from domain.base import Frozen
from domain.content import Content
from domain.decision import Decision
from domain.history import SameContent, SubjectHistory
from domain.memory import PolicyMatch, Precedent
from domain.review import ReviewItem
from domain.vocabulary import Action, DecisionKind, Policy, Route, Severity

MACHINE = "machine"
"""`reviewed_by` of a case that no person has decided yet."""


class Timings(Frozen):
    """Milliseconds spent: in each node by its name, and in all."""

    nodes: dict[str, float] = Field(default_factory=dict)
    total: float = 0.0


class CaseRecord(Frozen):
    """What the action node hands to the database to be kept."""

    case_id: str
    content: Content
    assessment: Assessment
    decision: Decision
    history: SubjectHistory
    same_content: SameContent | None = None
    policy_matches: tuple[PolicyMatch, ...] = ()
    vector: str | None
    timings: Timings
    submitted_by: str
    created_at: AwareDatetime


class Case(Frozen):
    """A case as it stands now: the machine's assessment and decision, and what a person made of it.

    `decision`, `violation_type`, `severity` and `action` are the current outcome; `machine` is what
    the machine decided and why, and never changes.
    """

    id: str
    app_id: str
    content: Content
    decision: DecisionKind
    violation_type: Policy | None
    severity: Severity | None
    action: Action | None
    confidence: float
    risk_score: float
    reasoning: str
    reviewed_by: str
    machine: Decision
    assessment: Assessment
    history: SubjectHistory
    same_content: SameContent | None
    policy_matches: tuple[PolicyMatch, ...]
    timings: Timings
    submitted_by: str
    review_id: str | None = None
    review_route: Route | None = None
    due_at: AwareDatetime | None = None
    created_at: AwareDatetime
    updated_at: AwareDatetime

    @classmethod
    def opened(cls, record: CaseRecord, review: ReviewItem | None) -> Self:
        """The case as it stands the moment its decision is recorded; `review` is what waits for people, if anything."""
        decision, assessment = record.decision, record.assessment
        return cls(
            id=record.case_id,
            app_id=record.content.app_id,
            content=record.content,
            decision=decision.kind,
            violation_type=decision.policy,
            severity=decision.severity,
            action=decision.action,
            confidence=assessment.confidence,
            risk_score=assessment.risk_score,
            reasoning=assessment.reasoning,
            reviewed_by=MACHINE,
            machine=decision,
            assessment=assessment,
            history=record.history,
            same_content=record.same_content,
            policy_matches=record.policy_matches,
            timings=record.timings,
            submitted_by=record.submitted_by,
            review_id=review.id if review else None,
            review_route=review.route if review else None,
            due_at=review.due_at if review else None,
            created_at=record.created_at,
            updated_at=record.created_at,
        )

    @property
    def precedents(self) -> tuple[Precedent, ...]:
        return self.assessment.precedents


class CaseSummary(Frozen):
    """One line of a list of cases. `excerpt` holds at most 160 characters."""

    id: str
    content_id: str
    user_id: str
    excerpt: str
    decision: DecisionKind
    violation_type: Policy | None
    severity: Severity | None
    action: Action | None
    confidence: float
    risk_score: float
    reviewed_by: str
    created_at: AwareDatetime


class CasePage(Frozen):
    """A page of cases, newest first. `next_cursor` opens the next page; None ends the list."""

    cases: tuple[CaseSummary, ...]
    next_cursor: str | None


class Recorded(Frozen):
    """What became of a record: it was kept, or, where `standing` is set, that earlier decision stands."""

    case_id: str
    standing: Case | None
