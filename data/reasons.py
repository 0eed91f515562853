"""What statements of reasons are made from: a case with its restriction and its appeal, and decided cases in order.

Named so because `data.statements` holds statements of SQL.
"""

from datetime import datetime

from sqlalchemy import and_, exists, or_
from sqlmodel import Session, col, select

from data import appeals, cases, enforcements
from data.appeal_table import ReportRow
from data.case_table import CaseRow, case_of
from domain.appeal import Appeal
from domain.base import Frozen
from domain.case import Case
from domain.enforcement import Enforcement
from domain.vocabulary import DecisionKind

PAGE = 200


class Grounds(Frozen):
    """A case, the last enforcement that it put in force and nobody took back, and its appeal."""

    case: Case
    restriction: Enforcement | None
    appeal: Appeal | None


class Restricted(Frozen):
    """A rejection that stands, and whether users had reported the content before it."""

    case: Case
    reported: bool


def grounds(session: Session, *, app_id: str, case_id: str) -> Grounds:
    """What a user's statement is made from. Raises NotFound, alike for a foreign and an absent case."""
    case = cases.get(session, app_id=app_id, case_id=case_id)
    put_in_force = enforcements.standing(session, app_id=app_id, case_id=case_id)
    appeal = appeals.for_case(session, app_id=app_id, case_id=case_id)
    return Grounds(case=case, restriction=next(iter(put_in_force), None), appeal=appeal)


def restricted(
    session: Session,
    *,
    app_id: str,
    since: datetime | None,
    until: datetime | None,
    after: Restricted | None = None,
    limit: int = PAGE,
) -> tuple[Restricted, ...]:
    """A page of an app's rejections that stand, by when they were decided; `after` is the last of the page before."""
    wanted = [col(CaseRow.app_id) == app_id, col(CaseRow.decision) == DecisionKind.REJECTED.value]
    if since is not None:
        wanted.append(col(CaseRow.updated_at) >= since)
    if until is not None:
        wanted.append(col(CaseRow.updated_at) < until)
    if after is not None:
        same = and_(col(CaseRow.updated_at) == after.case.updated_at, col(CaseRow.id) > after.case.id)
        wanted.append(or_(col(CaseRow.updated_at) > after.case.updated_at, same))
    told = exists().where(
        col(ReportRow.case_id) == col(CaseRow.id), col(ReportRow.created_at) <= col(CaseRow.updated_at)
    )
    rows = session.execute(
        select(CaseRow, told).where(*wanted).order_by(col(CaseRow.updated_at), col(CaseRow.id)).limit(limit)
    )
    return tuple(Restricted(case=case_of(row), reported=bool(reported)) for row, reported in rows)
