"""What a filter of the queue means in SQL: shared by the list of the queue and by `claim next`."""

from sqlalchemy import ColumnElement, and_, exists, or_
from sqlmodel import Session, col

from data.case_table import CaseRow
from data.clock import database_now
from data.review_rules import on_hold, under_claim
from data.review_table import ReviewRow
from domain.queue import QueueFilter, QueueStatus
from domain.staff import Staff

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
        conditions.append(_found(wanted.text.strip()))
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


def _found(text: str) -> ColumnElement[bool]:
    return or_(
        col(ReviewRow.case_id).startswith(text, autoescape=True),
        exists().where(
            col(CaseRow.id) == col(ReviewRow.case_id),
            or_(col(CaseRow.user_id) == text, col(CaseRow.content).icontains(text, autoescape=True)),
        ),
    )
