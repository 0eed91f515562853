"""What measures those who decide: which of their decisions a second person decides once more, blind, how often a case
whose right answer is known is put among those, and who decides again where two disagreed.

Pure, and the same each time it is asked.
"""

import hashlib
from datetime import datetime

from domain.case import Case
from domain.ids import derived_id
from domain.quality import Disagreement
from domain.review import Decided, ReviewItem, ReviewKind
from domain.staff import Staff
from domain.vocabulary import Priority, Route
from policies.model import PolicySet
from policies.queue import queued

OUT_OF = 2**32
AGAIN = "Two people decided this differently, and a lead finds the second right. Please decide it once more."


def is_sampled(decision_id: str, policies: PolicySet) -> bool:
    """Whether a decision is in the sample: by a digest of its identifier, so by lot and repeatable."""
    return _drawn(decision_id, 0) < policies.thresholds.quality.sample_share * OUT_OF


def brings_golden(decision_id: str, policies: PolicySet) -> bool:
    """Whether a golden item is given out after a decision: by another lot of the same kind."""
    return _drawn(decision_id, 4) < policies.thresholds.quality.golden_share * OUT_OF


def second_look(decided: Decided, case: Case, route: Route, policies: PolicySet, *, at: datetime) -> ReviewItem:
    """The item of the second look, for people of the same route. It shows what the machine thought and nothing of
    what the first person made of it, and waits behind what waits for a first decision."""
    return _look(derived_id("review", "quality", decided.id), case, route, policies, at)


def golden_look(case: Case, route: Route, turn: int, policies: PolicySet, *, at: datetime) -> ReviewItem:
    """A golden item as people are asked it: in nothing different from a second look."""
    return _look(derived_id("review", "golden", case.id, str(turn)), case, route, policies, at)


def decide_again(
    found: Disagreement, case: Case, lead: Staff, policies: PolicySet, *, at: datetime
) -> ReviewItem | None:
    """What puts a case before people anew once a lead found the second look right; None where the case stands as the
    second look has it."""
    second = found.second
    if (case.decision, case.violation_type) == (second.decision, second.policy):
        return None
    return queued(
        policies,
        id=derived_id("review", "settled", second.id),
        app_id=case.app_id,
        case_id=case.id,
        route=found.route,
        priority=Priority.HIGH,
        at=at,
        policy=case.machine.policy,
        severity=case.machine.severity,
        risk=case.risk_score,
        asked_by=lead.id,
        note=AGAIN,
    )


def _look(review_id: str, case: Case, route: Route, policies: PolicySet, at: datetime) -> ReviewItem:
    return queued(
        policies,
        id=review_id,
        app_id=case.app_id,
        case_id=case.id,
        route=route,
        priority=Priority.LOW,
        at=at,
        kind=ReviewKind.QUALITY,
        policy=case.machine.policy,
        severity=case.machine.severity,
    )


def _drawn(decision_id: str, start: int) -> int:
    return int.from_bytes(hashlib.sha256(decision_id.encode()).digest()[start : start + 4], "big")
