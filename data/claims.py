"""Who holds what: taking an item, keeping it while working, giving it back, passing it over (I7, I12).

A claim raises the item's epoch; whatever is done later must name that epoch while its lease still runs by the
database's clock. Each step is one conditional update, so that no two people ever hold the same item.
"""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, update
from sqlmodel import Session, col, select

from data import audit
from data.clock import database_now
from data.queue_query import narrowed
from data.review_rules import (
    barred,
    held_by,
    on_hold,
    require_one,
    row_for,
    still_open,
    takeable,
    under_claim,
    visible,
)
from data.review_table import ReviewRow, SkipRow
from data.statements import dialect_of, inserting_if_new
from domain.clock import now
from domain.errors import Invalid, NotPermitted, StaleVersion
from domain.queue import QueueFilter
from domain.review import MAX_NOTE, ReviewItem, ReviewStatus
from domain.staff import Staff


def claim(session: Session, *, staff: Staff, review_id: str, lease: timedelta) -> ReviewItem:
    """Take an item for the length of a lease; what one holds already stays the same claim, renewed.

    Raises NotFound, NotPermitted for what is another's to decide, StaleVersion where somebody holds it or it is done.
    """
    row = row_for(session, staff=staff, review_id=review_id)
    if row.status == ReviewStatus.IN_REVIEW and row.assigned_to == staff.id:
        held = held_by(session, staff=staff, row=row, epoch=row.epoch)
        renewed = session.execute(update(ReviewRow).where(*held).values(lease_until=database_now(session, lease)))
        if renewed.rowcount == 1:  # type: ignore[attr-defined]
            return fresh(session, review_id)
    taken = _take(session, staff, review_id, lease)
    if taken is None:
        raise _why_not(session, staff, review_id)
    return taken


def claim_next(session: Session, *, staff: Staff, wanted: QueueFilter, lease: timedelta) -> ReviewItem | None:
    """Take what stands first of what is wanted and free for this person: what was handed to them before all else.

    What they skipped is not offered again. None where nothing is left.
    """
    skipped = select(SkipRow.review_id).where(SkipRow.review_id == ReviewRow.id, SkipRow.staff_id == staff.id).exists()
    free = (visible(staff), takeable(session, staff), *narrowed(session, staff, wanted))
    handed = col(ReviewRow.handed_to) == staff.id
    for further in ((handed,), (~skipped,)):
        if (review_id := _first(session, (*free, *further))) is not None:
            return _take(session, staff, review_id, lease)
    return None


def renew(session: Session, *, staff: Staff, review_id: str, epoch: int, lease: timedelta) -> ReviewItem:
    """Keep a claim for another lease. Raises StaleVersion where it no longer holds. A heartbeat, so not audited."""
    row = row_for(session, staff=staff, review_id=review_id)
    held = held_by(session, staff=staff, row=row, epoch=epoch)
    require_one(session.execute(update(ReviewRow).where(*held).values(lease_until=database_now(session, lease))))
    return fresh(session, review_id)


def release(session: Session, *, staff: Staff, review_id: str, epoch: int) -> ReviewItem:
    """Give an item back to everybody. Raises StaleVersion where the claim no longer holds."""
    return give_up(session, staff=staff, review_id=review_id, epoch=epoch, said="released")


def skip(session: Session, *, staff: Staff, review_id: str, epoch: int, reason: str) -> ReviewItem:
    """Give an item back and not be offered it again. Raises StaleVersion where the claim no longer holds."""
    reason = required(reason, "say why you pass it over")
    item = give_up(session, staff=staff, review_id=review_id, epoch=epoch, said="skipped")
    values = {"review_id": review_id, "staff_id": staff.id, "reason": reason, "created_at": now()}
    session.execute(inserting_if_new(SkipRow, dialect_of(session)), values)
    return item


def give_up(session: Session, *, staff: Staff, review_id: str, epoch: int, said: str, **changed: object) -> ReviewItem:
    """Let go of a claim and change the item with it, as one step; `said` is what the audit log calls it."""
    row = row_for(session, staff=staff, review_id=review_id)
    free: dict[str, object] = {"status": ReviewStatus.PENDING.value, "assigned_to": None, "lease_until": None}
    held = held_by(session, staff=staff, row=row, epoch=epoch)
    require_one(session.execute(update(ReviewRow).where(*held).values({**free, **changed})))
    item = fresh(session, review_id)
    note(session, staff=staff, item=item, said=said)
    return item


def note(session: Session, *, staff: Staff, item: ReviewItem, said: str, **details: str | int | None) -> None:
    """The audit row of one step. Notes and reasons stay out of it: people may quote content in them."""
    audit.add(
        session,
        app_id=item.app_id,
        case_id=item.case_id,
        action=f"{item.kind}.{said}",
        actor=staff.acting_for(item.app_id).label,
        details={"review": item.id, "epoch": item.epoch, "route": item.route, **details},
    )


def fresh(session: Session, review_id: str) -> ReviewItem:
    """An item that was changed in this transaction."""
    row = session.get(ReviewRow, review_id, populate_existing=True)
    assert row is not None, "it was updated in this transaction"
    return row.item()


def required(text: str, lack: str) -> str:
    """The words, trimmed. Raises Invalid where there are none, or too many."""
    words = text.strip()
    if not words:
        raise Invalid(lack)
    if len(words) > MAX_NOTE:
        raise Invalid(f"at most {MAX_NOTE} characters, please")
    return words


def _first(session: Session, wanted: Sequence[ColumnElement[bool]]) -> str | None:
    """The first item by its place, locked; what another is about to take is passed over."""
    return session.exec(
        select(ReviewRow.id)
        .where(still_open(), *wanted)
        .order_by(col(ReviewRow.order_at), col(ReviewRow.id))
        .limit(1)
        .with_for_update(skip_locked=True, of=ReviewRow)
    ).first()


def _take(session: Session, staff: Staff, review_id: str, lease: timedelta) -> ReviewItem | None:
    taken = session.execute(
        update(ReviewRow)
        .where(col(ReviewRow.id) == review_id, still_open(), visible(staff), takeable(session, staff))
        .values(
            status=ReviewStatus.IN_REVIEW.value,
            assigned_to=staff.id,
            epoch=ReviewRow.epoch + 1,
            lease_until=database_now(session, lease),
            claimed_at=now(),
            handed_to=None,
            held_until=None,
        )
    )
    if taken.rowcount != 1:  # type: ignore[attr-defined]
        return None
    item = fresh(session, review_id)
    note(session, staff=staff, item=item, said="claimed")
    return item


def _why_not(session: Session, staff: Staff, review_id: str) -> NotPermitted | StaleVersion:
    """What kept somebody from taking an item that they may see."""
    why = select(still_open(), under_claim(session), on_hold(session), barred(staff)).where(
        col(ReviewRow.id) == review_id
    )
    is_open, claimed, held, is_barred = session.execute(why).one()
    if is_barred:
        return NotPermitted("you have dealt with this case before; somebody else decides it")
    if not is_open:
        return StaleVersion("it is decided already")
    if claimed:
        return StaleVersion("somebody else is looking at it")
    if held:
        return StaleVersion("it is on hold; take it off hold first")
    return StaleVersion("it is kept for somebody else until it is due")
