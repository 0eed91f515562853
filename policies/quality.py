"""Which human decisions a second person decides once more, blind. Pure, and the same each time it is asked."""

import hashlib
from datetime import datetime, timedelta

from domain.case import Case
from domain.ids import derived_id
from domain.review import Decided, ReviewItem, ReviewKind, ReviewStatus
from domain.vocabulary import Priority, Route
from policies.model import PolicySet
from policies.queue import order_at

OUT_OF = 2**32


def is_sampled(decision_id: str, policies: PolicySet) -> bool:
    """Whether a decision is in the sample: by a digest of its identifier, so by lot and repeatable."""
    drawn = int.from_bytes(hashlib.sha256(decision_id.encode()).digest()[:4], "big")
    return drawn < policies.thresholds.quality.sample_share * OUT_OF


def second_look(decided: Decided, case: Case, route: Route, policies: PolicySet, *, at: datetime) -> ReviewItem:
    """The item of the second look, for people of the same route. It shows what the machine thought and nothing of
    what the first person made of it, and waits behind what waits for a first decision."""
    priority = Priority.LOW
    due = at + timedelta(hours=policies.thresholds.sla_hours.of(priority))
    policy, severity = case.machine.policy, case.machine.severity
    return ReviewItem(
        id=derived_id("review", "quality", decided.id),
        app_id=decided.app_id,
        case_id=decided.case_id,
        kind=ReviewKind.QUALITY,
        priority=priority,
        route=route,
        policy=policy,
        severity=severity,
        status=ReviewStatus.PENDING,
        due_at=due,
        order_at=order_at(created_at=at, due_at=due, risk=0.0, severity=None, reports=0.0, policies=policies),
        created_at=at,
    )
