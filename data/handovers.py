"""Passing an item on: to one person, to seniors or the legal team, or to a later hour.

Only who holds an item passes it on. Nothing here decides: the item stays open and keeps a place in the queue.
"""

from datetime import datetime, timedelta

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from data.case_table import CaseRow
from data.claims import fresh, give_up, note, required
from data.review_rules import barred, on_hold, require_one, row_for, still_open, visible
from data.review_table import ReviewRow, SkipRow
from domain.clock import now
from domain.errors import Invalid, NotPermitted
from domain.review import Place, ReviewItem, ReviewKind
from domain.staff import Right, Staff
from domain.vocabulary import Route

ASKED_FROM: dict[Route, frozenset[Route]] = {
    Route.SENIOR: frozenset({Route.MODERATOR, Route.CARE}),
    Route.LEGAL: frozenset({Route.MODERATOR, Route.CARE, Route.SENIOR}),
}
"""Who may be asked about items of which routes: always somebody who may do more, and what is legal's stays there."""


def hand_over(session: Session, *, staff: Staff, review_id: str, epoch: int, to: Staff, text: str) -> ReviewItem:
    """Keep an item for one person, until it is due; then anybody may take it.

    Raises StaleVersion where the claim no longer holds, Invalid for oneself, NotPermitted for somebody who may not
    decide it.
    """
    text = required(text, "tell them in a line why you hand it over")
    row = row_for(session, staff=staff, review_id=review_id)
    if to.id == staff.id:
        raise Invalid("you hold it already")
    right = Right.DECIDE_APPEALS if row.kind == ReviewKind.APPEAL else Right.REVIEW
    able = to.may(right) and row.app_id in to.app_ids and row.route in to.routes
    if not able or session.scalar(select(barred(to)).where(col(ReviewRow.id) == review_id)):
        raise NotPermitted("they may not decide this; hand it to somebody else")
    item = give_up(
        session,
        staff=staff,
        review_id=review_id,
        epoch=epoch,
        said="handed_over",
        handed_to=to.id,
        asked_by=staff.id,
        note=text,
    )
    return item


def ask(session: Session, *, staff: Staff, review_id: str, epoch: int, place: Place, text: str) -> ReviewItem:
    """Put an item before seniors or the legal team, at the place that policy gives it there.

    Raises StaleVersion where the claim no longer holds, NotPermitted where the item does not go there.
    """
    text = required(text, "say what you ask them")
    row = row_for(session, staff=staff, review_id=review_id)
    if row.route not in ASKED_FROM.get(place.route, frozenset()):
        raise NotPermitted(f"what waits for {row.route} cannot be put before {place.route}")
    item = give_up(
        session,
        staff=staff,
        review_id=review_id,
        epoch=epoch,
        said="asked",
        route=place.route.value,
        priority=place.priority.value,
        due_at=place.due_at,
        order_at=place.order_at,
        asked_by=staff.id,
        note=text,
    )
    session.execute(delete(SkipRow).where(col(SkipRow.review_id) == review_id))
    session.execute(
        update(CaseRow)
        .where(col(CaseRow.id) == item.case_id, col(CaseRow.review_id) == item.id)
        .values(review_route=place.route.value, due_at=place.due_at)
    )
    return item


def hold(
    session: Session,
    *,
    staff: Staff,
    review_id: str,
    epoch: int,
    until: datetime,
    reason: str,
    longest: timedelta,
) -> ReviewItem:
    """Put an item off until a moment; then it is in the queue again by itself, its deadline unchanged.

    Raises StaleVersion where the claim no longer holds, Invalid for a moment that is past or too far away.
    """
    reason = required(reason, "say what you wait for")
    if not timedelta() < until - now() <= longest:
        raise Invalid(f"choose a time within the next {longest.days} days")
    return give_up(
        session,
        staff=staff,
        review_id=review_id,
        epoch=epoch,
        said="held",
        held_until=until,
        asked_by=staff.id,
        note=reason,
    )


def take_off_hold(session: Session, *, staff: Staff, review_id: str) -> ReviewItem:
    """Put a held item back into the queue now. Raises StaleVersion where it is not on hold."""
    row_for(session, staff=staff, review_id=review_id)
    held = (col(ReviewRow.id) == review_id, still_open(), visible(staff), on_hold(session))
    require_one(session.execute(update(ReviewRow).where(*held).values(held_until=None)))
    item = fresh(session, review_id)
    note(session, staff=staff, item=item, said="taken_off_hold")
    return item
