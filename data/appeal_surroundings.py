"""What stands round an appealed case in the record: the conversation, other texts of its author, and how appeals in
similar cases ended. What is for the legal team alone stays out."""

from collections.abc import Collection

from sqlalchemy import ColumnElement, or_
from sqlmodel import Session, col, select

from data import guideline_editions
from data.appeal_table import AppealRow
from data.case_table import CaseRow, case_of
from domain.appeal import AppealStatus
from domain.base import Frozen
from domain.case import Case
from domain.errors import NotFound
from domain.vocabulary import DecisionKind, Route

BEFORE, AFTER, OWN = 6, 3, 6
"""Texts of the conversation before and after, and other texts of the author, that are given at most."""


class Line(Frozen):
    """A text from around an appealed one. `own`: the author of that one wrote it; `decision` is what became of it."""

    text: str
    own: bool
    decision: DecisionKind


class Surroundings(Frozen):
    """What stands round one case: its conversation before and after it, other texts of its author, newest first, and
    the body of the guideline that it was decided by, where that edition was kept."""

    case: Case
    before: tuple[Line, ...]
    after: tuple[Line, ...]
    own: tuple[Line, ...]
    edition: str | None


def around(session: Session, *, app_id: str, case_id: str) -> Surroundings:
    """What stands round a case; texts of its author that stand in the conversation are given there alone. Raises
    NotFound, alike for a foreign and an absent case."""
    row = session.get(CaseRow, case_id)
    if row is None or row.app_id != app_id:
        raise NotFound(f"there is no case {case_id[:60]!r}")
    at, newest = col(CaseRow.created_at), (col(CaseRow.created_at).desc(), col(CaseRow.id).desc())
    others = (col(CaseRow.app_id) == app_id, col(CaseRow.id) != case_id, _for_all())
    before: tuple[CaseRow, ...] = ()
    after: tuple[CaseRow, ...] = ()
    if row.conversation_id is not None:
        talk = select(CaseRow).where(*others, col(CaseRow.conversation_id) == row.conversation_id)
        before = tuple(session.exec(talk.where(at <= row.created_at).order_by(*newest).limit(BEFORE)).all())[::-1]
        after = tuple(session.exec(talk.where(at > row.created_at).order_by(at, col(CaseRow.id)).limit(AFTER)).all())
    case, shown = case_of(row), [each.id for each in (*before, *after)]
    theirs = select(CaseRow).where(*others, col(CaseRow.user_id) == row.user_id, col(CaseRow.id).not_in(shown))
    own = session.exec(theirs.order_by(*newest).limit(OWN)).all()
    return Surroundings(
        case=case,
        before=tuple(_line(each, row) for each in before),
        after=tuple(_line(each, row) for each in after),
        own=tuple(_line(each, row) for each in own),
        edition=guideline_editions.applied(session, case),
    )


def endings(session: Session, *, app_id: str, case_ids: Collection[str]) -> dict[str, AppealStatus]:
    """How the appeals against these cases ended, by case; without those that nobody has decided."""
    final = [status.value for status in AppealStatus if status.is_final]
    rows = session.exec(
        select(AppealRow.case_id, AppealRow.status).where(
            col(AppealRow.app_id) == app_id,
            col(AppealRow.case_id).in_(sorted(case_ids)),
            col(AppealRow.status).in_(final),
        )
    )
    return {case_id: AppealStatus(status) for case_id, status in rows}


def _for_all() -> ColumnElement[bool]:
    route = col(CaseRow.review_route)
    return or_(route.is_(None), route != Route.LEGAL.value)


def _line(row: CaseRow, about: CaseRow) -> Line:
    return Line(text=row.content, own=row.user_id == about.user_id, decision=DecisionKind(row.decision))
