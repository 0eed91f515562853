"""How an item stands for the person at its page: theirs, free, with somebody else, put off, done, or not for them."""

from enum import StrEnum

from sqlmodel import Session, col, select

from data import queue
from data.review_rules import barred, row_for
from data.review_table import ReviewRow
from domain.base import Frozen
from domain.queue import QueueLine, QueueStatus
from domain.review import ReviewItem
from domain.staff import Staff


class Stand(StrEnum):
    """`for_other`: kept for a colleague until it is due. `barred`: they dealt with the case before (I8)."""

    MINE = "mine"
    FREE = "free"
    TAKEN = "taken"
    ON_HOLD = "on_hold"
    FOR_OTHER = "for_other"
    BARRED = "barred"
    DONE = "done"


class Standing(Frozen):
    """An item and how it stands. `who` names the person who has it, or for whom it is kept."""

    item: ReviewItem
    stand: Stand
    who: str | None = None
    overdue: bool = False

    @property
    def is_mine(self) -> bool:
        """Whether the person may decide it now."""
        return self.stand is Stand.MINE


def standing_of(session: Session, *, staff: Staff, review_id: str) -> Standing:
    """How one item stands. Raises NotFound, and NotPermitted for another's route."""
    item = row_for(session, staff=staff, review_id=review_id).item()
    line = queue.line_of(session, staff=staff, review_id=review_id)
    if line is None:
        return Standing(item=item, stand=Stand.DONE)
    is_barred = session.scalar(select(barred(staff)).where(col(ReviewRow.id) == review_id))
    return of_line(line, staff, is_barred=bool(is_barred))


def of_line(line: QueueLine, staff: Staff, *, is_barred: bool) -> Standing:
    """The same for a line of the queue."""
    item, stand, who = line.item, Stand.FREE, None
    if is_barred:
        stand = Stand.BARRED
    elif line.status is QueueStatus.HELD:
        stand = Stand.ON_HOLD
    elif line.status is QueueStatus.IN_REVIEW:
        stand, who = Stand.TAKEN, line.holder
    elif line.status is QueueStatus.MINE and item.assigned_to == staff.id and line.holder:
        stand = Stand.MINE
    elif item.handed_to not in (None, staff.id) and not line.overdue:
        stand, who = Stand.FOR_OTHER, line.handed_to
    return Standing(item=item, stand=stand, who=who, overdue=line.overdue)
