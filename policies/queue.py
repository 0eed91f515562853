"""Where an item stands in the queue: by its deadline, drawn nearer by the harm that waiting may do.

The place is a moment that never changes while an item waits, so that the queue is read by one index, and what is
older still moves up: everything else comes later.
"""

from datetime import datetime, timedelta

from domain.case import Case
from domain.ids import new_id
from domain.review import Place, ReviewItem, ReviewKind, ReviewStatus
from domain.vocabulary import Policy, Priority, Route, Severity
from policies.model import PolicySet
from policies.offers import reserved_for


def harm(*, risk: float, severity: Severity | None, reports: float, policies: PolicySet) -> float:
    """How much harm waiting may do, in [0, 1]: the weighted mean of risk, severity and reports."""
    rules, weights = policies.thresholds.queue, policies.thresholds.severity_weights
    reported = min(reports / rules.reports_in_full, 1.0)
    severe = weights.of(severity) if severity else 0.0
    return rules.risk * min(max(risk, 0.0), 1.0) + rules.severity * severe + rules.reports * reported


def order_at(
    *,
    created_at: datetime,
    due_at: datetime,
    risk: float,
    severity: Severity | None,
    reports: float,
    policies: PolicySet,
) -> datetime:
    """The moment by which the queue is sorted: `created + (due - created) x (1 - pull x harm)`."""
    nearer = policies.thresholds.queue.pull * harm(risk=risk, severity=severity, reports=reports, policies=policies)
    return created_at + (due_at - created_at) * (1 - nearer)


def queued(
    policies: PolicySet,
    *,
    id: str,
    app_id: str,
    case_id: str,
    route: Route,
    priority: Priority,
    at: datetime,
    due_at: datetime | None = None,
    kind: ReviewKind = ReviewKind.CASE,
    appeal_id: str | None = None,
    policy: Policy | None = None,
    severity: Severity | None = None,
    risk: float = 0.0,
    reports: float = 0.0,
    asked_by: str | None = None,
    note: str | None = None,
) -> ReviewItem:
    """A fresh item in its place; due by the SLA of its priority, unless `due_at` says when.

    A second look (`ReviewKind.QUALITY`) is not drawn nearer by harm: what it asks about was decided already.
    """
    due = due_at or at + timedelta(hours=policies.thresholds.sla_hours.of(priority))
    waits = kind is not ReviewKind.QUALITY
    place = order_at(
        created_at=at,
        due_at=due,
        risk=risk if waits else 0.0,
        severity=severity if waits else None,
        reports=reports if waits else 0.0,
        policies=policies,
    )
    return ReviewItem(
        id=id,
        app_id=app_id,
        case_id=case_id,
        kind=kind,
        appeal_id=appeal_id,
        priority=priority,
        route=route,
        policy=policy,
        severity=severity,
        risk=risk,
        reports=reports,
        status=ReviewStatus.PENDING,
        asked_by=asked_by,
        note=note,
        due_at=due,
        order_at=place,
        created_at=at,
    )


def asked(item: ReviewItem, route: Route, policies: PolicySet, *, at: datetime) -> Place:
    """Where an item stands once seniors or the legal team are asked: a new deadline, by the priority that they have at
    least; the time that it has waited still counts."""
    priority = at_least(item.priority, route, policies)
    due = at + timedelta(hours=policies.thresholds.sla_hours.of(priority))
    place = order_at(
        created_at=item.created_at,
        due_at=due,
        risk=item.risk,
        severity=item.severity,
        reports=item.reports,
        policies=policies,
    )
    return Place(route=route, priority=priority, due_at=due, order_at=place)


def again(case: Case, policies: PolicySet, *, at: datetime) -> ReviewItem:
    """The item of a case that somebody wants looked at once more: for moderators, or the legal team where the
    guideline says so."""
    policy, severity = case.violation_type, case.severity
    route = reserved_for(policy, severity, policies) or Route.MODERATOR
    return queued(
        policies,
        id=new_id("review"),
        app_id=case.app_id,
        case_id=case.id,
        route=route,
        priority=at_least(case.machine.priority or Priority.MEDIUM, route, policies),
        at=at,
        policy=policy,
        severity=severity,
        risk=case.risk_score,
    )


def at_least(priority: Priority, route: Route, policies: PolicySet) -> Priority:
    """The priority, or the one that the route asks for at least."""
    return min(priority, policies.thresholds.priority.at_least.get(route, priority), key=list(Priority).index)
