"""The review queue: who holds what, and how a person's decision wins (I7, I12).

A claim raises the item's epoch; a decision is valid only under the epoch of a claim that still holds by
the database's clock. Both are single conditional updates, so two people never decide the same item.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, or_, update
from sqlmodel import Session, col, select

from data import audit, cases, enforcements, memory_inbox, outbox, subjects
from data.case_table import CaseRow
from data.clock import database_now
from data.review_table import ReviewRow
from data.statements import inserting
from domain.actor import Actor
from domain.case import Case
from domain.clock import now
from domain.errors import Invalid, NotFound, StaleVersion
from domain.memory import MemoryItem
from domain.notification import Message
from domain.review import HumanDecision, ReviewItem, ReviewStatus
from domain.vocabulary import Action, DecisionKind, Policy, Severity

STALE = "somebody else has it, or your claim ran out; open it again"


def claim(session: Session, *, app_id: str, review_id: str, moderator: str, lease: timedelta) -> ReviewItem:
    """Take an item for the length of a lease. Raises NotFound, or StaleVersion where somebody holds it."""
    free = or_(
        col(ReviewRow.status) == ReviewStatus.PENDING,
        and_(
            col(ReviewRow.status) == ReviewStatus.IN_REVIEW,
            col(ReviewRow.lease_until) <= database_now(session),
        ),
    )
    done = session.execute(
        update(ReviewRow)
        .where(col(ReviewRow.id) == review_id, col(ReviewRow.app_id) == app_id, free)
        .values(
            status=ReviewStatus.IN_REVIEW.value,
            assigned_to=moderator,
            epoch=ReviewRow.epoch + 1,
            lease_until=database_now(session, lease),
            claimed_at=now(),
        )
    )
    _require_one(session, done, app_id, review_id)
    return _item(session, app_id, review_id)


def release(session: Session, *, app_id: str, review_id: str, epoch: int) -> ReviewItem:
    """Give an item back. Raises StaleVersion where the claim no longer holds."""
    done = session.execute(
        update(ReviewRow)
        .where(
            col(ReviewRow.id) == review_id,
            col(ReviewRow.app_id) == app_id,
            col(ReviewRow.epoch) == epoch,
            col(ReviewRow.status) == ReviewStatus.IN_REVIEW,
        )
        .values(status=ReviewStatus.PENDING.value, assigned_to=None, lease_until=None)
    )
    _require_one(session, done, app_id, review_id)
    return _item(session, app_id, review_id)


def list_open(session: Session, *, app_id: str, limit: int = 50) -> tuple[ReviewItem, ...]:
    """What waits or is being looked at, by the place that deadline and harm give it."""
    rows = session.exec(
        select(ReviewRow)
        .where(ReviewRow.app_id == app_id, ReviewRow.status != ReviewStatus.COMPLETED)
        .order_by(col(ReviewRow.order_at), col(ReviewRow.id))
        .limit(limit)
    )
    return tuple(row.item() for row in rows)


def decide(
    session: Session,
    *,
    app_id: str,
    review_id: str,
    epoch: int,
    decision: HumanDecision,
    messages: Sequence[Message],
    memory: MemoryItem | None,
    actor: Actor,
) -> Case:
    """Record what a person decided, with all its consequences, if their claim still holds.

    Raises StaleVersion where it does not, also where the claim is another person's, and Invalid for a
    decision that decides nothing: then nothing changes.
    """
    _check(decision)
    done = session.execute(
        update(ReviewRow)
        .where(
            col(ReviewRow.id) == review_id,
            col(ReviewRow.app_id) == app_id,
            col(ReviewRow.case_id) == decision.case_id,
            col(ReviewRow.epoch) == epoch,
            col(ReviewRow.status) == ReviewStatus.IN_REVIEW,
            col(ReviewRow.assigned_to) == decision.reviewer,
            col(ReviewRow.lease_until) > database_now(session),
        )
        .values(status=ReviewStatus.COMPLETED.value, completed_at=now())
    )
    _require_one(session, done, app_id, review_id)
    row = cases.row_of(session, app_id=app_id, case_id=decision.case_id, to_change=True)
    _apply(session, row, decision)
    outbox.put(session, app_id=app_id, case_id=row.id, messages=messages, at=row.updated_at)
    if memory is not None:
        memory_inbox.add(session, memory)
    audit.add(
        session,
        app_id=app_id,
        case_id=row.id,
        action="decision.by_person",
        actor=actor.label,
        details={
            "decision": decision.kind,
            "violation_type": decision.policy,
            "action": decision.action,
            "epoch": epoch,
            "review": review_id,
        },
    )
    return cases.get(session, app_id=app_id, case_id=row.id)


def propose(
    session: Session,
    *,
    app_id: str,
    case_id: str,
    decision: DecisionKind,
    policy: Policy | None,
    severity: Severity | None,
    action: Action | None,
    reasoning: str,
    review: ReviewItem,
    actor: Actor,
) -> ReviewItem:
    """Put an agent's opinion before a person: the open review of the case, else `review`. Changes no outcome."""
    row = cases.row_of(session, app_id=app_id, case_id=case_id, to_change=True)
    found = session.exec(
        select(ReviewRow).where(ReviewRow.case_id == row.id, ReviewRow.status != ReviewStatus.COMPLETED)
    ).first()
    item = found.item() if found else review
    if found is None:
        session.execute(inserting(ReviewRow), ReviewRow.columns_of(review))
    audit.add(
        session,
        app_id=app_id,
        case_id=row.id,
        action="decision.proposed",
        actor=actor.label,
        details={
            "decision": decision,
            "violation_type": policy,
            "severity": severity,
            "action": action,
            "reasoning": reasoning,
            "review": item.id,
        },
    )
    return item


def _check(decision: HumanDecision) -> None:
    if decision.kind is DecisionKind.ESCALATED:
        raise Invalid("a decision approves or rejects; to ask somebody else, hand the item over")
    named = decision.policy is not None and decision.severity is not None and decision.action is not None
    if decision.kind is DecisionKind.REJECTED and not named:
        raise Invalid("a rejection names the policy, the severity and the action")


def _apply(session: Session, row: CaseRow, decision: HumanDecision) -> None:
    rejected = decision.kind is DecisionKind.REJECTED
    at, before = now(), row.decision == DecisionKind.REJECTED
    subjects.count(
        session, app_id=row.app_id, user_id=row.user_id, cases=0, violations=int(rejected) - int(before), at=at
    )
    enforcements.reverse(session, app_id=row.app_id, case_id=row.id, at=at)
    if rejected:
        enforcements.begin(
            session, app_id=row.app_id, case_id=row.id, user_id=row.user_id, action=decision.action, at=at
        )
    row.decision, row.violation_type, row.severity = decision.kind, decision.policy, decision.severity
    row.action = decision.action if rejected else None
    row.reasoning, row.reviewed_by, row.updated_at = decision.reasoning, decision.reviewer, at
    session.add(row)
    session.flush()


def _require_one(session: Session, done: Any, app_id: str, review_id: str) -> None:
    if done.rowcount == 1:
        return
    row = session.get(ReviewRow, review_id)
    if row is None or row.app_id != app_id:
        raise NotFound(f"there is no review item {review_id[:60]!r}")
    raise StaleVersion(STALE)


def _item(session: Session, app_id: str, review_id: str) -> ReviewItem:
    row = session.get(ReviewRow, review_id, populate_existing=True)
    assert row is not None, "it was updated in this transaction"
    return row.item()
