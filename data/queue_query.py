"""What a filter of the queue means in SQL: shared by the list of the queue and by `claim next`."""

from sqlalchemy import ColumnElement, and_, literal_column, or_, select
from sqlmodel import Session, col

from data.case_table import CaseRow
from data.clock import database_now
from data.review_rules import on_hold, under_claim, visible
from data.review_table import ReviewRow
from data.statements import table_of
from domain.queue import QueueFilter, QueueStatus
from domain.staff import Staff

SEARCHED = 2_000
"""Words are looked for in so many of the items that press most: a search must not grow with the queue."""

EXACT = ("app_id", "route", "policy", "severity", "priority", "kind")


def narrowed(session: Session, staff: Staff, wanted: QueueFilter) -> list[ColumnElement[bool]]:
    """The conditions of a filter, to be added to what a person may see."""
    conditions: list[ColumnElement[bool]] = [
        getattr(ReviewRow, name) == value for name in EXACT if (value := getattr(wanted, name)) is not None
    ]
    if wanted.status is not None:
        conditions.append(standing(session, staff, wanted.status))
    if wanted.overdue:
        conditions.append(col(ReviewRow.due_at) <= database_now(session))
    if wanted.min_risk is not None:
        conditions.append(col(ReviewRow.risk) >= wanted.min_risk)
    if wanted.text:
        conditions.append(_found(staff, wanted.text.strip()))
    return conditions


def standing(session: Session, staff: Staff, status: QueueStatus) -> ColumnElement[bool]:
    """How an item stands for the person who looks."""
    match status:
        case QueueStatus.HELD:
            return on_hold(session)
        case QueueStatus.PENDING:
            return and_(~under_claim(session), ~on_hold(session))
        case QueueStatus.IN_REVIEW:
            return under_claim(session)
        case QueueStatus.MINE:
            mine = and_(under_claim(session), col(ReviewRow.assigned_to) == staff.id)
            return or_(mine, col(ReviewRow.handed_to) == staff.id)


def _found(staff: Staff, text: str) -> ColumnElement[bool]:
    """By identifiers in all that is open, by words in what presses most; each by an index."""
    item, written = table_of(ReviewRow).alias("pressing").c, table_of(CaseRow).alias("written").c
    pressing = (
        select(item.id, item.case_id)
        .where(literal_column("pressing.status <> 'completed'"), visible(staff, item))
        .order_by(item.order_at, item.id)
        .limit(SEARCHED)
        .subquery()
    )
    # A scalar subquery is looked up for each of these few; a join may be turned round and read every case.
    content = select(written.content).where(written.id == pressing.c.case_id).scalar_subquery()
    by_author = select(written.id).where(written.app_id.in_(sorted(staff.app_ids)), written.user_id == text)
    return or_(
        col(ReviewRow.case_id) == text,
        col(ReviewRow.case_id).in_(by_author),
        col(ReviewRow.id).in_(select(pressing.c.id).where(content.icontains(text, autoescape=True))),
    )
