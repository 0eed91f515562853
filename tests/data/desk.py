"""Short ways to open, claim and decide items, as people do at the console."""

from datetime import timedelta
from typing import Any

from sqlmodel import Session

from data import cases, claims, decisions
from domain.actor import system
from domain.content import Content
from domain.memory import MemoryItem
from domain.review import Decided, ReviewItem
from domain.staff import Staff
from domain.vocabulary import DecisionKind
from tests import factories

LEASE = timedelta(minutes=5)
OVER = timedelta(seconds=-1)
UNDO = timedelta(seconds=30)
ANN, BOB = factories.staff("ann"), factories.staff("bob")


def opened(session: Session, of: Content | None = None, **changed: Any) -> ReviewItem:
    """Record an escalated case and give its review item, changed like this."""
    record = factories.record(of, factories.decision(DecisionKind.ESCALATED))
    item = factories.review(record).model_copy(update=changed)
    actor = system(record.content.app_id)
    cases.record(session, record=record, review=item, messages=[], memory=None, actor=actor)
    return item


def claimed(session: Session, item: ReviewItem, staff: Staff = ANN, lease: timedelta = LEASE) -> ReviewItem:
    return claims.claim(session, staff=staff, review_id=item.id, lease=lease)


def decided(
    session: Session,
    held: ReviewItem,
    kind: DecisionKind = DecisionKind.APPROVED,
    staff: Staff = ANN,
    *,
    undo: timedelta = UNDO,
    memory: MemoryItem | None = None,
) -> Decided:
    return decisions.decide(
        session,
        staff=staff,
        review_id=held.id,
        epoch=held.epoch,
        decision=factories.human(held.case_id, kind, reviewer=staff.id),
        messages=[factories.message()],
        memory=memory,
        undo=undo,
    )


def held_and_decided(session: Session, item: ReviewItem, kind: DecisionKind, staff: Staff = ANN) -> Decided:
    return decided(session, claimed(session, item, staff), kind, staff)
