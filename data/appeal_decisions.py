"""What a person decides about an appeal, and the undoing of it within its time (I5, I7, I8, I12).

Each act is one conditional update under the epoch of a claim that still holds by the database's clock, by somebody who
had no hand in the case; everything that follows is in the same transaction. What is told, and what memory learns, is
due only once the decision can no longer be undone.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import AwareDatetime
from sqlalchemy import update
from sqlmodel import Session, col, select

from data import appeals, audit, cases, enforcements, memory_inbox, outbox, settling, subjects
from data.claims import fresh
from data.decisions import MEMORY_LATER, as_it_stands, take_back
from data.involvement import had_a_hand, is_barred
from data.review_rules import held_by, require_one, row_for
from data.review_table import HumanDecisionRow, ReviewRow
from domain.actor import Actor, ActorKind
from domain.appeal import Appeal, AppealDecision, AppealOutcome, AppealStatus
from domain.base import Frozen
from domain.clock import now
from domain.enforcement import counts_as_violation
from domain.errors import Invalid, NotFound, NotPermitted, StaleVersion
from domain.ids import new_id
from domain.memory import MemoryItem
from domain.notification import Message
from domain.review import MAX_NOTE, Outcome, Place, ReviewItem, ReviewKind, ReviewStatus
from domain.staff import Role, Staff
from domain.vocabulary import Action, DecisionKind, Route

FINAL = {AppealOutcome.UPHOLD: AppealStatus.UPHELD, AppealOutcome.OVERTURN: AppealStatus.OVERTURNED}
MAY_OVERTURN_ALL = {Role.SENIOR: frozenset(Route), Role.LEGAL: frozenset({Route.LEGAL})}
"""Whose word is enough where a senior is needed, and on which routes."""

_PAST = {AppealOutcome.UPHOLD: "upheld", AppealOutcome.OVERTURN: "overturned", AppealOutcome.ESCALATE: "escalated"}


class DecidedAppeal(Frozen):
    """A decision about an appeal. Until `undo_until` its maker can take it back by `id`."""

    id: str
    appeal: Appeal
    undo_until: AwareDatetime


def decide(
    session: Session,
    *,
    staff: Staff,
    review_id: str,
    epoch: int,
    decision: AppealDecision,
    messages: Sequence[Message],
    memory: MemoryItem | None,
    undo: timedelta,
) -> DecidedAppeal:
    """Uphold or overturn a decision that was appealed, with all that follows.

    Overturning approves the case, ends its enforcement and takes the violation from the record, at once. Raises
    NotFound, NotPermitted for who had a hand in the case or whose role is not enough, StaleVersion where the claim
    does not hold; then nothing changes.
    """
    if decision.outcome not in FINAL:
        raise Invalid("to ask a senior, escalate the appeal")
    item, appeal = _at_hand(session, staff, review_id, decision)
    at = now()
    ended = {"status": ReviewStatus.COMPLETED.value, "completed_at": at}
    claimed_at = _end_claim(session, staff, item, epoch, ended)
    before = _before(session, appeal)
    if decision.outcome is AppealOutcome.OVERTURN:
        _lift(session, appeal, decision, at)
    times = {"claimed_at": claimed_at, "decided_at": at, "undo_until": at + undo, "settled_at": None}
    kept = _keep(session, appeal, item, epoch, decision, before, times)
    owed = {"app_id": appeal.app_id, "case_id": appeal.case_id, "decision_id": kept}
    outbox.put(session, messages=messages, at=at + undo, **owed)
    if memory is not None:
        memory_inbox.add(session, memory, due_at=at + undo + MEMORY_LATER, decision_id=kept)
    row = appeals.row_of(session, app_id=appeal.app_id, appeal_id=appeal.id, to_change=True)
    row.status, row.resolved_by, row.resolved_at = FINAL[decision.outcome].value, staff.id, at
    row.appeal_decision, row.appeal_reasoning = decision.outcome.value, decision.reasoning
    row.appeal_confidence = appeal.brief.score if appeal.brief else None
    row.sets_precedent = decision.sets_precedent
    session.add(row)
    session.flush()
    return DecidedAppeal(id=kept, appeal=appeals.appeal_of(row), undo_until=at + undo)


def escalate(
    session: Session,
    *,
    staff: Staff,
    review_id: str,
    epoch: int,
    decision: AppealDecision,
    place: Place,
    messages: Sequence[Message],
) -> Appeal:
    """Put an appeal before a senior, with a new deadline. Nothing about the case changes. Raises as `decide`."""
    item, appeal = _at_hand(session, staff, review_id, decision)
    if item.route != Route.MODERATOR:
        raise Invalid("this is with the last ones to ask already: uphold it, overturn it, or hand it over")
    at = now()
    rerouted = {
        "status": ReviewStatus.PENDING.value,
        "assigned_to": None,
        "lease_until": None,
        "route": place.route.value,
        "priority": place.priority.value,
        "due_at": place.due_at,
        "order_at": place.order_at,
        "asked_by": staff.id,
        "note": decision.reasoning[:MAX_NOTE],
    }
    claimed_at = _end_claim(session, staff, item, epoch, rerouted)
    times = {"claimed_at": claimed_at, "decided_at": at, "undo_until": at, "settled_at": at}
    kept = _keep(session, appeal, item, epoch, decision, _before(session, appeal), times)
    outbox.put(session, app_id=appeal.app_id, case_id=appeal.case_id, messages=messages, at=at, decision_id=kept)
    row = appeals.row_of(session, app_id=appeal.app_id, appeal_id=appeal.id, to_change=True)
    row.status, row.needs_senior, row.due_at = AppealStatus.ESCALATED.value, True, place.due_at
    session.add(row)
    session.flush()
    return appeals.appeal_of(row)


def undo(session: Session, *, staff: Staff, decision_id: str, lease: timedelta) -> ReviewItem:
    """Take a decision back within its time: case, record, enforcement and appeal stand as before, nothing was told.

    The item returns to the same person under a new epoch. Raises NotFound, NotPermitted for another's decision,
    StaleVersion once it is too late or was undone.
    """
    kept = session.get(HumanDecisionRow, decision_id, populate_existing=True)
    if kept is None or kept.app_id not in staff.app_ids or kept.kind != ReviewKind.APPEAL:
        raise NotFound(f"there is no decision about an appeal {decision_id[:60]!r}")
    if kept.reviewer != staff.id:
        raise NotPermitted("only who decided it can undo it")
    take_back(session, staff=staff, kept=kept, lease=lease)
    if kept.decision == AppealOutcome.OVERTURN:
        _put_back(session, kept)
    outbox.withdraw(session, decision_id=kept.id, due_at=kept.undo_until)
    memory_inbox.withdraw(session, decision_id=kept.id)
    assert kept.appeal_id is not None, "a decision about an appeal names it"
    row = appeals.row_of(session, app_id=kept.app_id, appeal_id=kept.appeal_id, to_change=True)
    row.status = _status_before(session, kept.appeal_id, prepared=row.brief is not None).value
    row.appeal_decision = row.appeal_reasoning = row.appeal_confidence = None
    row.resolved_by, row.resolved_at, row.sets_precedent = None, None, False
    session.add(row)
    session.flush()
    actor = staff.acting_for(kept.app_id).label
    _audit(session, kept.app_id, kept.case_id, "undone", actor, {"appeal": row.id, "decision_id": kept.id})
    return fresh(session, kept.review_id)


def settle(session: Session, *, app_id: str, appeal_id: str, actor: Actor) -> Appeal:
    """Note that a decision stands, once it can no longer be undone; before that, and twice, nothing happens."""
    appeal = appeals.get(session, app_id=app_id, appeal_id=appeal_id)
    waiting = select(HumanDecisionRow.id).where(
        HumanDecisionRow.app_id == app_id,
        HumanDecisionRow.appeal_id == appeal_id,
        HumanDecisionRow.kind == ReviewKind.APPEAL,
        col(HumanDecisionRow.settled_at).is_(None),
    )
    for decision_id in session.exec(waiting).all():
        if settling.settle(session, decision_id=decision_id):
            details = {"appeal": appeal_id, "status": appeal.status}
            _audit(session, app_id, appeal.case_id, "settled", actor.label, details)
    return appeal


def is_settled(session: Session, *, app_id: str, appeal_id: str) -> bool:
    """Whether a person's final decision stands and can no longer be undone."""
    found = select(HumanDecisionRow.id).where(
        HumanDecisionRow.app_id == app_id,
        HumanDecisionRow.appeal_id == appeal_id,
        HumanDecisionRow.decision != AppealOutcome.ESCALATE,
        col(HumanDecisionRow.undone_at).is_(None),
        col(HumanDecisionRow.settled_at).is_not(None),
    )
    return session.exec(found).first() is not None


def _at_hand(session: Session, staff: Staff, review_id: str, decision: AppealDecision) -> tuple[ReviewRow, Appeal]:
    """An item and the appeal that it asks about, for somebody who may decide it."""
    item = row_for(session, staff=staff, review_id=review_id)
    if item.kind != ReviewKind.APPEAL or item.appeal_id != decision.appeal_id:
        raise Invalid("this decides an appeal, and each item names its own")
    if decision.reviewer != staff.id:
        raise NotPermitted("people decide in their own name")
    if item.status == ReviewStatus.COMPLETED:
        raise StaleVersion("it is decided already")
    if is_barred(session, review_id=review_id, staff_id=staff.id):
        raise NotPermitted("you had a hand in this case; somebody else decides the appeal")
    appeal = appeals.get(session, app_id=item.app_id, appeal_id=decision.appeal_id)
    overturns = appeal.needs_senior and decision.outcome is AppealOutcome.OVERTURN
    ends_it = decision.outcome is not AppealOutcome.ESCALATE
    enough = Route(item.route) in MAY_OVERTURN_ALL.get(staff.role, frozenset())
    if ends_it and (overturns or decision.sets_precedent) and not enough:
        raise NotPermitted("a permanent ban, a critical violation or a precedent is for a senior: escalate it")
    return item, appeal


def _end_claim(
    session: Session, staff: Staff, item: ReviewRow, epoch: int, change: Mapping[str, Any]
) -> datetime | None:
    """Act on an item under a claim that holds, by somebody with no hand in the case; when it was claimed."""
    claimed_at, held = item.claimed_at, held_by(session, staff=staff, row=item, epoch=epoch)
    acted = update(ReviewRow).where(*held, ~had_a_hand(staff.id)).values(**change)
    require_one(session.execute(acted.execution_options(synchronize_session=False)))
    session.refresh(item)
    return claimed_at


def _before(session: Session, appeal: Appeal) -> Outcome:
    case = cases.row_of(session, app_id=appeal.app_id, case_id=appeal.case_id, to_change=True)
    return as_it_stands(session, case)


def _lift(session: Session, appeal: Appeal, decision: AppealDecision, at: datetime) -> None:
    """Approve the case after all: nothing of it is in force, and nothing of it counts."""
    row = cases.row_of(session, app_id=appeal.app_id, case_id=appeal.case_id, to_change=True)
    counted = counts_as_violation(DecisionKind(row.decision), Action(row.action) if row.action else None)
    subjects.count(session, app_id=row.app_id, user_id=row.user_id, cases=0, violations=-int(counted), at=at)
    enforcements.reverse(session, app_id=row.app_id, case_id=row.id, at=at)
    row.decision, row.violation_type, row.severity, row.action = DecisionKind.APPROVED.value, None, None, None
    row.reasoning, row.reviewed_by, row.updated_at = decision.reasoning, decision.reviewer, at
    session.add(row)
    session.flush()


def _put_back(session: Session, kept: HumanDecisionRow) -> None:
    row = cases.row_of(session, app_id=kept.app_id, case_id=kept.case_id, to_change=True)
    if row.reviewed_by != kept.reviewer or row.updated_at != kept.decided_at:
        raise StaleVersion("the case has changed since; it can no longer be undone")
    before, at = Outcome.model_validate_json(kept.before), now()
    counted = counts_as_violation(before.decision, before.action)
    subjects.count(session, app_id=row.app_id, user_id=row.user_id, cases=0, violations=int(counted), at=at)
    enforcements.restore(session, app_id=row.app_id, case_id=row.id, ids=before.enforcements, at=at)
    row.decision, row.action, row.violation_type = before.decision, before.action, before.policy
    row.severity, row.reasoning, row.reviewed_by = before.severity, before.reasoning, before.reviewed_by
    row.updated_at = at
    session.add(row)
    session.flush()


def _status_before(session: Session, appeal_id: str, *, prepared: bool) -> AppealStatus:
    """How an appeal stands while nobody has decided it."""
    escalated = select(HumanDecisionRow.id).where(
        HumanDecisionRow.appeal_id == appeal_id, HumanDecisionRow.decision == AppealOutcome.ESCALATE
    )
    if session.exec(escalated).first():
        return AppealStatus.ESCALATED
    return AppealStatus.UNDER_REVIEW if prepared else AppealStatus.PENDING


def _keep(
    session: Session,
    appeal: Appeal,
    item: ReviewRow,
    epoch: int,
    decision: AppealDecision,
    before: Outcome,
    times: Mapping[str, Any],
) -> str:
    """Write the row of a decision and its one audit row (I5)."""
    kept = HumanDecisionRow(
        id=new_id("decision"),
        app_id=appeal.app_id,
        review_id=item.id,
        case_id=appeal.case_id,
        appeal_id=appeal.id,
        kind=ReviewKind.APPEAL.value,
        reviewer=decision.reviewer,
        epoch=epoch,
        decision=decision.outcome.value,
        reasoning=decision.reasoning,
        before=before.model_dump_json(),
        **times,
    )
    session.add(kept)
    session.flush()
    details = {"appeal": appeal.id, "review": item.id, "epoch": epoch, "human_decision": kept.id}
    actor = f"{ActorKind.PERSON}:{decision.reviewer}"
    _audit(session, appeal.app_id, appeal.case_id, _PAST[decision.outcome], actor, details)
    return kept.id


def _audit(session: Session, app_id: str, case_id: str, done: str, actor: str, details: Mapping[str, Any]) -> None:
    audit.add(session, app_id=app_id, case_id=case_id, action=f"appeal.{done}", actor=actor, details=details)
