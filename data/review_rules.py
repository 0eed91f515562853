"""Whose an item is to take: the conditions that every claim, list and decision shares, in SQL.

They stand in the statements themselves, so that what changes between a look and an act is never acted upon. Rights
are those of the account: its tenants and the routes of its role.
"""

from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, func, literal_column, or_
from sqlmodel import Session, col

from data.clock import database_now
from data.involvement import had_a_hand
from data.review_table import HumanDecisionRow, ReviewRow
from domain.errors import NotFound, NotPermitted, StaleVersion
from domain.review import ReviewKind, ReviewStatus
from domain.staff import Right, Staff

STALE = "somebody else has it, or your claim ran out; open it again"


def still_open() -> ColumnElement[bool]:
    """Not completed, word for word as the partial index says it: with a parameter it could not be used."""
    return literal_column("review_queue.status <> 'completed'")


def visible(staff: Staff, item: Any = ReviewRow) -> ColumnElement[bool]:
    """Items of the tenants given to somebody, on the routes of their role; `item` is the table, or an alias of it."""
    if not staff.may(Right.READ_CASES) or not staff.app_ids or not staff.routes:
        return false()
    return and_(
        item.app_id.in_(sorted(staff.app_ids)),
        item.route.in_(sorted(route.value for route in staff.routes)),
    )


def under_claim(session: Session) -> ColumnElement[bool]:
    """Somebody holds it, by the database's clock."""
    held = and_(col(ReviewRow.status) == ReviewStatus.IN_REVIEW, col(ReviewRow.lease_until) > database_now(session))
    return func.coalesce(held, false())


def on_hold(session: Session) -> ColumnElement[bool]:
    """Put off until a moment that has not come."""
    return func.coalesce(col(ReviewRow.held_until) > database_now(session), false())


def takeable(session: Session, staff: Staff) -> ColumnElement[bool]:
    """Free, not put off, not kept for somebody else (until it is overdue), and nothing of their own making."""
    kept_for_another = and_(
        col(ReviewRow.handed_to).is_not(None),
        col(ReviewRow.handed_to) != staff.id,
        col(ReviewRow.due_at) > database_now(session),
    )
    return and_(~under_claim(session), ~on_hold(session), ~func.coalesce(kept_for_another, false()), ~barred(staff))


def barred(staff: Staff) -> ColumnElement[bool]:
    """Appeals against what somebody had a hand in, and second looks at a case that they decided before, be it in
    another second look (I8)."""
    own = exists().where(
        col(HumanDecisionRow.app_id) == col(ReviewRow.app_id),
        col(HumanDecisionRow.case_id) == col(ReviewRow.case_id),
        col(HumanDecisionRow.reviewer) == staff.id,
        col(HumanDecisionRow.review_id) != col(ReviewRow.id),
    )
    return or_(and_(col(ReviewRow.kind) == ReviewKind.QUALITY, own), had_a_hand(staff.id))


def row_for(session: Session, *, staff: Staff, review_id: str) -> ReviewRow:
    """The row of an item. Raises NotFound, alike for a foreign and an absent one, NotPermitted for another's route."""
    row = session.get(ReviewRow, review_id, populate_existing=True)
    if row is None or row.app_id not in staff.app_ids:
        raise NotFound(f"there is no review item {review_id[:60]!r}")
    staff.require(Right.DECIDE_APPEALS if row.kind == ReviewKind.APPEAL else Right.REVIEW)
    if row.route not in staff.routes:
        raise NotPermitted(f"this waits for {row.route}; your role, {staff.role}, does not decide it")
    return row


def held_by(session: Session, *, staff: Staff, row: ReviewRow, epoch: int) -> tuple[ColumnElement[bool], ...]:
    """The conditions under which somebody may act on what they hold: the fencing token of a lease that still runs."""
    return (
        col(ReviewRow.id) == row.id,
        visible(staff),
        col(ReviewRow.kind) == row.kind,
        col(ReviewRow.epoch) == epoch,
        col(ReviewRow.status) == ReviewStatus.IN_REVIEW,
        col(ReviewRow.assigned_to) == staff.id,
        col(ReviewRow.lease_until) > database_now(session),
    )


def require_one(done: Any) -> None:
    """Raise StaleVersion unless a conditional update found its row."""
    if done.rowcount != 1:
        raise StaleVersion(STALE)
