"""What people decided, beside what the machine had thought: read for calibration and for the watch over scores.

Reads no content and no author: numbers, names and decisions only. Changes nothing.
"""

from collections.abc import Sequence
from datetime import datetime

from pydantic import AwareDatetime
from sqlalchemy import ColumnElement, and_, exists, func, or_
from sqlmodel import Session, col, select

from data.appeal_table import AppealRow, ReportRow
from data.audit import AuditRow
from data.case_table import CaseRow, MachineRecord
from domain.assessment import Assessment
from domain.base import Frozen
from domain.case import MACHINE
from domain.decision import Decision
from domain.vocabulary import DecisionKind, Policy

PROPOSED = "decision.proposed"
"""The audit action of an agent that asked people to look at a case."""

PAGE = 500
"""Records that are read at once."""


class Reviewed(Frozen):
    """A case that a person decided. `machine` and `assessment` are the machine's and never change.

    `asked_for` says that somebody had a reason to look at this very case (the machine's doubt, an appeal, a report,
    an agent's proposal); where it is false, the case was picked as a sample of those that the machine decided alone.
    """

    case_id: str
    assessment: Assessment
    machine: Decision
    decision: DecisionKind
    policy: Policy | None
    asked_for: bool
    created_at: AwareDatetime


def decided_by_people(
    session: Session, *, app_id: str, since: datetime | None, after: Reviewed | None = None, limit: int = PAGE
) -> tuple[Reviewed, ...]:
    """A page of the cases of an app that a person decided, oldest first; `after` is the last of the page before."""
    wanted = [*_of(app_id, since), col(CaseRow.reviewed_by) != MACHINE]
    if after is not None:
        same_moment = and_(col(CaseRow.created_at) == after.created_at, col(CaseRow.id) > after.case_id)
        wanted.append(or_(col(CaseRow.created_at) > after.created_at, same_moment))
    appealed = exists().where(col(AppealRow.case_id) == col(CaseRow.id))
    reported = exists().where(col(ReportRow.case_id) == col(CaseRow.id))
    proposed = exists().where(
        col(AuditRow.app_id) == app_id, col(AuditRow.case_id) == col(CaseRow.id), col(AuditRow.action) == PROPOSED
    )
    page = (
        select(  # type: ignore[call-overload]
            CaseRow.id,
            CaseRow.record,
            CaseRow.decision,
            CaseRow.violation_type,
            CaseRow.created_at,
            or_(col(CaseRow.review_id).is_not(None), appealed, reported, proposed).label("asked_for"),
        )
        .where(*wanted)
        .order_by(col(CaseRow.created_at), col(CaseRow.id))
        .limit(limit)
    )
    return tuple(_reviewed(*row) for row in session.execute(page))


def left_to_the_machine(session: Session, *, app_id: str, since: datetime | None) -> dict[DecisionKind, int]:
    """How many cases of an app no person has decided, by the machine's decision; the escalated ones still wait."""
    counted = (
        select(CaseRow.decision, func.count())
        .where(*_of(app_id, since), col(CaseRow.reviewed_by) == MACHINE)
        .group_by(CaseRow.decision)
    )
    return {DecisionKind(decision): number for decision, number in session.exec(counted)}


def recent_assessments(
    session: Session, *, app_id: str, since: datetime, most: int
) -> tuple[int, tuple[Assessment, ...]]:
    """How many cases an app has had since, and the machine's assessment of at most so many of them, drawn evenly.

    Identifiers of cases are digests, so the first by identifier are as good as drawn by lot, and the same each time.
    """
    wanted = _of(app_id, since)
    cases = session.exec(select(func.count()).select_from(CaseRow).where(*wanted)).one()
    drawn = session.exec(select(CaseRow.id).where(*wanted).order_by(col(CaseRow.id)).limit(most)).all()
    found: list[Assessment] = []
    for start in range(0, len(drawn), PAGE):
        records = select(CaseRow.record).where(col(CaseRow.id).in_(drawn[start : start + PAGE]))
        found += [MachineRecord.model_validate_json(record).assessment for record in session.exec(records)]
    return cases, tuple(found)


def _of(app_id: str, since: datetime | None) -> Sequence[ColumnElement[bool]]:
    wanted = [col(CaseRow.app_id) == app_id]
    return [*wanted, col(CaseRow.created_at) >= since] if since else wanted


def _reviewed(
    case_id: str, record: str, decision: str, policy: str | None, created_at: datetime, asked_for: bool
) -> Reviewed:
    kept = MachineRecord.model_validate_json(record)
    return Reviewed(
        case_id=case_id,
        assessment=kept.assessment,
        machine=kept.decision,
        decision=DecisionKind(decision),
        policy=Policy(policy) if policy else None,
        asked_for=bool(asked_for),
        created_at=created_at,
    )
