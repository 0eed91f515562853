"""What the record says of a person's past in one app."""

from pydantic import AwareDatetime, Field

from domain.base import Frozen
from domain.vocabulary import DecisionKind, Policy, Severity


class PastCase(Frozen):
    """One earlier case of the same person."""

    case_id: str
    decision: DecisionKind
    policy: Policy | None
    severity: Severity | None
    decided_by_person: bool
    created_at: AwareDatetime


class SubjectHistory(Frozen):
    """Counts over the person's cases, and the latest of them, newest first."""

    user_id: str
    cases: int = Field(default=0, ge=0)
    violations: int = Field(default=0, ge=0)
    recent: tuple[PastCase, ...] = ()


class SameContent(Frozen):
    """An earlier case of the same app with the very same text, decided by a person."""

    case_id: str
    decision: DecisionKind
    policy: Policy | None
