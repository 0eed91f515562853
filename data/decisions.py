"""What people decide: recorded with all its consequences if their claim still holds (I5-I7), undone for a while.

A decision holds at once: the case, the person's record, the enforcement. What leaves the house, messages and memory,
is due only when it can no longer be undone. The row of a decision is kept also when it was undone.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlmodel import Session, col, select

from data import audit, cases, enforcements, memory_inbox, outbox, subjects
from data.case_table import CaseRow
from data.claims import fresh
from data.clock import database_moment, database_now
from data.review_rules import held_by, require_one, row_for
from data.review_table import HumanDecisionRow, ReviewRow
from domain.clock import now
from domain.enforcement import counts_as_violation
from domain.errors import CupidsShieldError, Invalid, NotFound, NotPermitted, StaleVersion
from domain.ids import new_id
from domain.memory import MemoryItem
from domain.notification import Message
from domain.review import BulkOutcome, Decided, HumanDecision, Outcome, ReviewItem, ReviewKind, ReviewStatus
from domain.staff import Staff
from domain.vocabulary import Action, DecisionKind, Policy, Severity

MEMORY_LATER = timedelta(seconds=5)
"""Memory is told so long after the last moment to undo: its worker reads without a lock, beside undos that commit."""


def decide(
    session: Session,
    *,
    staff: Staff,
    review_id: str,
    epoch: int,
    decision: HumanDecision,
    messages: Sequence[Message],
    memory: MemoryItem | None,
    undo: timedelta,
    bulk_id: str | None = None,
) -> Decided:
    """Record what a person decided about a case or, blind, about a decided one, if their claim still holds.

    The second look (`ReviewKind.QUALITY`) changes nothing of the case: it takes neither messages nor memory. Raises
    StaleVersion where the claim no longer holds, NotPermitted for what is not theirs to decide, and Invalid for a
    decision that decides nothing: then nothing changes.
    """
    _check(decision, staff)
    item = row_for(session, staff=staff, review_id=review_id)
    if item.kind == ReviewKind.APPEAL or item.case_id != decision.case_id:
        raise Invalid("this decides a case; an appeal is decided as one, and each item names its own case")
    kind, claimed_at = ReviewKind(item.kind), item.claimed_at
    win(session, staff=staff, row=item, epoch=epoch)
    case = cases.row_of(session, app_id=item.app_id, case_id=item.case_id, to_change=True)
    at = database_moment(session)
    kept = HumanDecisionRow(
        id=new_id("decision"),
        app_id=item.app_id,
        review_id=review_id,
        case_id=case.id,
        kind=kind.value,
        reviewer=staff.id,
        epoch=epoch,
        decision=decision.kind.value,
        policy=decision.policy,
        severity=decision.severity,
        action=decision.action,
        reasoning=decision.reasoning,
        before=as_it_stands(session, case).model_dump_json(),
        bulk_id=bulk_id,
        claimed_at=claimed_at,
        decided_at=at,
        undo_until=at + undo,
    )
    session.add(kept)
    session.flush()
    if kind is ReviewKind.CASE:
        _apply(session, case, decision, at)
        _owe(session, kept, messages, memory)
    _audit(session, staff, kept, "decision.by_person" if kind is ReviewKind.CASE else "quality.decided")
    return kept.decided()


def undo(session: Session, *, staff: Staff, decision_id: str, lease: timedelta) -> ReviewItem:
    """Take back one's own decision: everything stands as before, and the item is one's own again under a new epoch.

    Raises NotFound, NotPermitted for another's decision, and StaleVersion where it is too late: the time is over, it
    was undone before, or the case has changed since.
    """
    kept = _own(session, staff, decision_id)
    if kept.kind == ReviewKind.APPEAL:
        raise Invalid("an appeal's decision is undone as one")
    take_back(session, staff=staff, kept=kept, lease=lease)
    if kept.kind == ReviewKind.CASE:
        _restore(session, kept)
        outbox.withdraw(session, decision_id=kept.id, due_at=kept.undo_until)
        memory_inbox.withdraw(session, decision_id=kept.id)
    _audit(session, staff, kept, "decision.undone" if kept.kind == ReviewKind.CASE else "quality.undone")
    return fresh(session, kept.review_id)


def undo_bulk(session: Session, *, staff: Staff, bulk_id: str, lease: timedelta) -> BulkOutcome:
    """Take back all of one's bulk act that can still be; `done` and `lost` go by review. Raises NotFound."""
    own = (HumanDecisionRow.bulk_id == bulk_id, HumanDecisionRow.reviewer == staff.id)
    rows = session.exec(
        select(HumanDecisionRow.id, HumanDecisionRow.review_id).where(*own).order_by(HumanDecisionRow.id)
    ).all()
    if not rows:
        raise NotFound(f"there is no bulk act {bulk_id[:60]!r} of yours")
    done, lost = [], {}
    for decision_id, review_id in rows:
        try:
            with session.begin_nested():
                undo(session, staff=staff, decision_id=decision_id, lease=lease)
            done.append(review_id)
        except CupidsShieldError as error:
            lost[review_id] = str(error)
    return BulkOutcome(bulk_id=bulk_id, done=tuple(done), lost=lost)


def get(session: Session, *, staff: Staff, decision_id: str) -> Decided:
    """One decision. Raises NotFound, alike for a foreign and an absent one (I10)."""
    row = session.get(HumanDecisionRow, decision_id)
    if row is None or row.app_id not in staff.app_ids:
        raise NotFound(f"there is no decision {decision_id[:60]!r}")
    return row.decided()


def of_case(session: Session, *, app_id: str, case_id: str) -> tuple[Decided, ...]:
    """All that people decided in a case, also what was undone, the newest first."""
    rows = session.exec(
        select(HumanDecisionRow)
        .where(HumanDecisionRow.app_id == app_id, HumanDecisionRow.case_id == case_id)
        .order_by(col(HumanDecisionRow.decided_at).desc(), col(HumanDecisionRow.id))
    )
    return tuple(row.decided() for row in rows)


def win(session: Session, *, staff: Staff, row: ReviewRow, epoch: int) -> None:
    """Complete an item under a claim that still holds: of all who try, one wins. Raises StaleVersion."""
    held = held_by(session, staff=staff, row=row, epoch=epoch)
    done = update(ReviewRow).where(*held).values(status=ReviewStatus.COMPLETED.value, completed_at=now())
    require_one(session.execute(done))


def take_back(session: Session, *, staff: Staff, kept: HumanDecisionRow, lease: timedelta) -> None:
    """Mark a decision of any kind as undone and give its item back to its reviewer. Raises StaleVersion."""
    undone = session.execute(
        update(HumanDecisionRow)
        .where(
            col(HumanDecisionRow.id) == kept.id,
            col(HumanDecisionRow.undone_at).is_(None),
            col(HumanDecisionRow.settled_at).is_(None),
            col(HumanDecisionRow.undo_until) > database_now(session),
        )
        .values(undone_at=now())
    )
    if undone.rowcount != 1:  # type: ignore[attr-defined]
        raise StaleVersion("the time to undo it is over, or it was undone already")
    again = update(ReviewRow).where(
        col(ReviewRow.id) == kept.review_id,
        col(ReviewRow.status) == ReviewStatus.COMPLETED,
        col(ReviewRow.epoch) == kept.epoch,
    )
    back = {
        "status": ReviewStatus.IN_REVIEW.value,
        "assigned_to": staff.id,
        "epoch": ReviewRow.epoch + 1,
        "lease_until": database_now(session, lease),
        "claimed_at": now(),
        "completed_at": None,
    }
    require_one(session.execute(again.values(back)))


def as_it_stands(session: Session, case: CaseRow) -> Outcome:
    """What undoing must restore."""
    return Outcome(
        decision=DecisionKind(case.decision),
        policy=Policy(case.violation_type) if case.violation_type else None,
        severity=Severity(case.severity) if case.severity else None,
        action=Action(case.action) if case.action else None,
        reasoning=case.reasoning,
        reviewed_by=case.reviewed_by,
        enforcements=tuple(each.id for each in enforcements.standing(session, app_id=case.app_id, case_id=case.id)),
    )


def _check(decision: HumanDecision, staff: Staff) -> None:
    if decision.reviewer != staff.id:
        raise NotPermitted("people decide in their own name")
    if decision.kind is DecisionKind.ESCALATED:
        raise Invalid("a decision approves or rejects; to ask somebody else, hand the item over")
    named = decision.policy is not None and decision.severity is not None and decision.action is not None
    if decision.kind is DecisionKind.REJECTED and not named:
        raise Invalid("a rejection names the policy, the severity and the action")


def _apply(session: Session, row: CaseRow, decision: HumanDecision, at: datetime) -> None:
    rejected = decision.kind is DecisionKind.REJECTED
    action = decision.action if rejected else None
    _count(session, row, counts_as_violation(decision.kind, action), at)
    enforcements.reverse(session, app_id=row.app_id, case_id=row.id, at=at)
    if rejected:
        enforcements.begin(session, app_id=row.app_id, case_id=row.id, user_id=row.user_id, action=action, at=at)
    row.decision, row.action = decision.kind, action
    row.violation_type, row.severity = decision.policy, decision.severity
    row.reasoning, row.reviewed_by, row.updated_at = decision.reasoning, decision.reviewer, at
    session.add(row)
    session.flush()


def _restore(session: Session, kept: HumanDecisionRow) -> None:
    row = cases.row_of(session, app_id=kept.app_id, case_id=kept.case_id, to_change=True)
    if row.reviewed_by != kept.reviewer or row.updated_at != kept.decided_at:
        raise StaleVersion("the case has changed since; it can no longer be undone")
    before, at = Outcome.model_validate_json(kept.before), now()
    _count(session, row, counts_as_violation(before.decision, before.action), at)
    enforcements.restore(session, app_id=row.app_id, case_id=row.id, ids=before.enforcements, at=at)
    row.decision, row.action = before.decision, before.action
    row.violation_type, row.severity = before.policy, before.severity
    row.reasoning, row.reviewed_by, row.updated_at = before.reasoning, before.reviewed_by, at
    session.add(row)
    session.flush()


def _count(session: Session, row: CaseRow, violates: bool, at: datetime) -> None:
    """Bring the author's count of violations from what the case says to what it will say."""
    action = Action(row.action) if row.action else None
    more = int(violates) - int(counts_as_violation(DecisionKind(row.decision), action))
    subjects.count(session, app_id=row.app_id, user_id=row.user_id, cases=0, violations=more, at=at)


def _owe(session: Session, kept: HumanDecisionRow, messages: Sequence[Message], memory: MemoryItem | None) -> None:
    due = kept.undo_until
    outbox.put(session, app_id=kept.app_id, case_id=kept.case_id, messages=messages, at=due, decision_id=kept.id)
    if memory is not None:
        memory_inbox.add(session, memory, due_at=due + MEMORY_LATER, decision_id=kept.id)


def _own(session: Session, staff: Staff, decision_id: str) -> HumanDecisionRow:
    row = session.get(HumanDecisionRow, decision_id, populate_existing=True)
    if row is None or row.app_id not in staff.app_ids:
        raise NotFound(f"there is no decision {decision_id[:60]!r}")
    if row.reviewer != staff.id:
        raise NotPermitted("only who decided it can undo it")
    return row


def _audit(session: Session, staff: Staff, kept: HumanDecisionRow, action: str) -> None:
    audit.add(
        session,
        app_id=kept.app_id,
        case_id=kept.case_id,
        action=action,
        actor=staff.acting_for(kept.app_id).label,
        details={
            "decision": kept.decision,
            "violation_type": kept.policy,
            "action": kept.action,
            "epoch": kept.epoch,
            "review": kept.review_id,
            "human_decision": kept.id,
            "bulk": kept.bulk_id,
        },
    )
