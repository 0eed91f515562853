"""Human decisions that can no longer be undone: found for the worker that lets the paused runs go on, and marked.

Marking is one conditional update: of all who settle a decision, one does what follows from it.
"""

from datetime import timedelta

from sqlalchemy import ColumnElement, and_, or_, update
from sqlmodel import Session, col, select

from data.clock import database_now
from data.review_table import HumanDecisionRow
from domain.clock import now
from domain.review import Decided

LATER = timedelta(seconds=-1)
"""A decision is left alone for a second more: an undo that began in time may still be committing."""


def due(session: Session, *, after: Decided | None = None, limit: int = 100) -> tuple[Decided, ...]:
    """A page of what is to be settled, of all apps, the oldest first; `after` is the last of the page before."""
    wanted = _ripe(session)
    if after is not None:
        same = and_(col(HumanDecisionRow.undo_until) == after.undo_until, col(HumanDecisionRow.id) > after.id)
        wanted = and_(wanted, or_(col(HumanDecisionRow.undo_until) > after.undo_until, same))
    ordered = (col(HumanDecisionRow.undo_until), col(HumanDecisionRow.id))
    rows = session.exec(select(HumanDecisionRow).where(wanted).order_by(*ordered).limit(limit))
    return tuple(row.decided() for row in rows)


def settle(session: Session, *, decision_id: str) -> bool:
    """Mark a decision as settled; False where another did, or where it was undone."""
    ripe = (col(HumanDecisionRow.id) == decision_id, _ripe(session))
    done = session.execute(update(HumanDecisionRow).where(*ripe).values(settled_at=now()))
    return bool(done.rowcount == 1)  # type: ignore[attr-defined]


def _ripe(session: Session) -> ColumnElement[bool]:
    return and_(
        col(HumanDecisionRow.settled_at).is_(None),
        col(HumanDecisionRow.undone_at).is_(None),
        col(HumanDecisionRow.undo_until) <= database_now(session, LATER),
    )
