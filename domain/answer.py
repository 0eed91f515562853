"""The answer an app or agent gets: the decision, why, and what to do with it."""

from pydantic import Field

from domain.base import Frozen
from domain.case import Case
from domain.signals import Evidence
from domain.vocabulary import Action, DecisionKind, Policy, Priority, Route, Severity


class Finding(Frozen):
    """One reason, in plain words, with its weight in log-odds and where it stands in the text."""

    signal: str
    policy: Policy | None
    reason: str
    weight: float
    evidence: tuple[Evidence, ...]


class ModerationAnswer(Frozen):
    """The response of `/moderate`. `reasoning` says what was found, `decision_reason` which limit or rule made that
    the decision. `action` is what was done; nothing is done while a case is escalated,
    save what helps the person (`offer_support`). `replayed` says that the same content had been decided
    before and that decision stands."""

    case_id: str
    content_id: str
    decision: DecisionKind
    confidence: float = Field(ge=0, le=1)
    violation_type: Policy | None
    severity: Severity | None
    risk_score: float = Field(ge=0, le=1)
    action: Action | None
    reasoning: str
    decision_reason: str
    evidence: tuple[Finding, ...]
    policy_version: str
    route: Route | None
    priority: Priority | None
    processing_time_ms: float
    replayed: bool = False


MAX_FINDINGS = 8


def answer_for(case: Case, *, processing_time_ms: float, replayed: bool) -> ModerationAnswer:
    """The answer that a case amounts to now; the strongest findings first, silent signals left out."""
    telling = [s for s in case.assessment.signals if s.weight > 0 or s.floor.rank > 0]
    telling.sort(key=lambda signal: (signal.floor.rank, signal.weight), reverse=True)
    waiting = case.decision is DecisionKind.ESCALATED
    return ModerationAnswer(
        case_id=case.id,
        content_id=case.content.content_id,
        decision=case.decision,
        confidence=round(case.confidence, 4),
        violation_type=case.violation_type,
        severity=case.severity,
        risk_score=round(case.risk_score, 4),
        action=case.action,
        reasoning=case.reasoning,
        decision_reason=case.machine.reasoning,
        evidence=tuple(
            Finding(signal=s.name, policy=s.policy, reason=s.reason, weight=round(s.weight, 3), evidence=s.evidence)
            for s in telling[:MAX_FINDINGS]
        ),
        policy_version=case.machine.policy_set,
        route=case.machine.route if waiting else None,
        priority=case.machine.priority if waiting else None,
        processing_time_ms=round(processing_time_ms, 2),
        replayed=replayed,
    )
