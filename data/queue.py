"""The queue as a person reads it: their open items by place, a page at a time, and the counts for its badges.

Read in one joined query over one partial index; writes nothing and claims nothing.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from data.case_table import EXCERPT, CaseRow
from data.clock import database_now
from data.cursors import NOT_OURS, cursor_of, opened
from data.queue_query import narrowed, standing
from data.review_rules import still_open, visible
from data.review_table import ReviewRow
from data.staff_table import StaffRow
from domain.errors import Invalid
from domain.queue import PAGE, QueueCounts, QueueFilter, QueueLine, QueuePage, QueueStatus
from domain.review import ReviewKind
from domain.staff import Staff
from domain.vocabulary import ContentType, Priority, Route

FORWARD, BACK = "after", "before"


def page(
    session: Session, *, staff: Staff, wanted: QueueFilter, cursor: str | None = None, limit: int = PAGE
) -> QueuePage:
    """The open items that a person may take and that match, what presses most first.

    Raises Invalid for a cursor that is not ours.
    """
    way, at, after = _opened(cursor) if cursor else (FORWARD, None, "")
    conditions = [still_open(), visible(staff), *narrowed(session, staff, wanted)]
    if at is not None:
        conditions.append(_beyond(way, at, after))
    place = (col(ReviewRow.order_at), col(ReviewRow.id))
    ordered = place if way == FORWARD else tuple(column.desc() for column in place)
    rows = session.execute(_lines(session, staff).where(*conditions).order_by(*ordered).limit(limit + 1)).all()
    more, found = len(rows) > limit, [_line(row) for row in rows[:limit]]
    if way == BACK:
        found.reverse()
    return QueuePage(
        lines=tuple(found),
        next_cursor=_cursor(FORWARD, found[-1]) if found and (more or way == BACK) else None,
        previous_cursor=_cursor(BACK, found[0]) if found and (more if way == BACK else cursor is not None) else None,
    )


def counts(session: Session, *, staff: Staff, app_id: str | None = None) -> QueueCounts:
    """Counts over all open items that a person may take, those of one tenant where one is named."""
    overdue = col(ReviewRow.due_at) <= database_now(session)
    mine = [still_open(), visible(staff)]
    if app_id is not None:
        mine.append(col(ReviewRow.app_id) == app_id)
    groups = (ReviewRow.route, ReviewRow.priority, ReviewRow.kind)
    counted = (*groups, func.count(), func.sum(case((overdue, 1), else_=0)))
    # Grouped as the index is sorted, status included: then nothing needs to be sorted or looked up.
    rows = session.execute(
        select(*counted).where(*mine).group_by(ReviewRow.status, *groups)  # type: ignore[call-overload]
    ).all()
    by_route: dict[Route, int] = {}
    by_priority: dict[Priority, int] = {}
    by_kind: dict[ReviewKind, int] = {}
    for route, priority, kind, number, _ in rows:
        by_route[Route(route)] = by_route.get(Route(route), 0) + number
        by_priority[Priority(priority)] = by_priority.get(Priority(priority), 0) + number
        by_kind[ReviewKind(kind)] = by_kind.get(ReviewKind(kind), 0) + number
    return QueueCounts(
        total=sum(row[3] for row in rows),
        overdue=sum(row[4] for row in rows),
        by_route=by_route,
        by_priority=by_priority,
        by_kind=by_kind,
    )


def line_of(session: Session, *, staff: Staff, review_id: str) -> QueueLine | None:
    """One line as the queue shows it, for refreshing it in place; None once it is decided or no longer theirs."""
    row = session.execute(
        _lines(session, staff).where(still_open(), visible(staff), col(ReviewRow.id) == review_id)
    ).first()
    return _line(row) if row else None


def lines_of_case(session: Session, *, staff: Staff, case_id: str) -> tuple[QueueLine, ...]:
    """What is asked about a case of those who may take it, the first that was asked first."""
    rows = session.execute(
        _lines(session, staff)
        .where(still_open(), visible(staff), col(ReviewRow.case_id) == case_id)
        .order_by(col(ReviewRow.created_at))
    )
    return tuple(_line(row) for row in rows)


_HOLDER, _KEPT_FOR = aliased(StaffRow), aliased(StaffRow)


def _lines(session: Session, staff: Staff) -> Any:
    status = case(
        *((standing(session, staff, status), status.value) for status in (QueueStatus.HELD, QueueStatus.MINE)),
        (standing(session, staff, QueueStatus.IN_REVIEW), QueueStatus.IN_REVIEW.value),
        else_=QueueStatus.PENDING.value,
    )
    return (
        select(  # type: ignore[call-overload]
            ReviewRow,
            status.label("status"),
            (col(ReviewRow.due_at) <= database_now(session)).label("overdue"),
            CaseRow.content_type,
            CaseRow.user_id,
            func.substr(CaseRow.content, 1, EXCERPT).label("excerpt"),
            CaseRow.confidence,
            _HOLDER.name.label("holder"),  # type: ignore[attr-defined]
            _KEPT_FOR.name.label("kept_for"),  # type: ignore[attr-defined]
        )
        .join(CaseRow, col(CaseRow.id) == col(ReviewRow.case_id))
        .outerjoin(_HOLDER, _HOLDER.id == ReviewRow.assigned_to)
        .outerjoin(_KEPT_FOR, _KEPT_FOR.id == ReviewRow.handed_to)
    )


def _line(row: Any) -> QueueLine:
    status = QueueStatus(row.status)
    claimed = status in (QueueStatus.MINE, QueueStatus.IN_REVIEW)
    return QueueLine(
        item=row.ReviewRow.item(),
        status=status,
        overdue=bool(row.overdue),
        content_type=ContentType(row.content_type),
        user_id=row.user_id,
        excerpt=row.excerpt,
        confidence=row.confidence,
        holder=row.holder if claimed else None,
        handed_to=row.kept_for,
    )


def _beyond(way: str, at: datetime, review_id: str) -> ColumnElement[bool]:
    """What comes after a place; before it, going back. The first condition alone lets the index be entered there."""
    column, identifier = col(ReviewRow.order_at), col(ReviewRow.id)
    if way == FORWARD:
        return and_(column >= at, or_(column > at, identifier > review_id))
    return and_(column <= at, or_(column < at, identifier < review_id))


def _cursor(way: str, line: QueueLine) -> str:
    return f"{way}.{cursor_of(line.item.order_at, line.item.id)}"


def _opened(cursor: str) -> tuple[str, datetime, str]:
    way, _, place = cursor.partition(".")
    if way not in (FORWARD, BACK):
        raise Invalid(NOT_OURS)
    return way, *opened(place)
