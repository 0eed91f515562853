"""Users' reports: one for each reporter and case, what they weigh together, and how far each reporter was right (I10).

A report changes nothing about a case. It is upheld or dismissed by what a person decides about the case, once that can
no longer be undone.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, update
from sqlmodel import Session, col, select

from data import audit, outbox
from data.appeal_table import ReporterRow, ReportRow
from data.review_table import ReviewRow
from data.statements import counting, dialect_of, inserting, inserting_if_new
from domain.actor import Actor
from domain.clock import now
from domain.notification import Message
from domain.report import Report, ReporterRecord, ReportStatus
from domain.review import ReviewItem, ReviewKind, ReviewStatus
from domain.vocabulary import Policy

FILED = "report.filed"
RESOLVED = "report.resolved"


def file(session: Session, *, report: Report, actor: Actor) -> Report:
    """Keep a report; where this reporter reported this case before, that report is returned and nothing is written."""
    values = {
        **report.model_dump(include={"id", "app_id", "case_id", "content_id", "subject_id", "reporter_id"}),
        "reason": report.reason.value if report.reason else None,
        "details": report.details,
        "weight": report.weight,
        "status": report.status.value,
        "created_at": report.created_at,
        "resolved_at": report.resolved_at,
    }
    if session.execute(inserting_if_new(ReportRow, dialect_of(session)), values).first() is None:
        return _report(
            session.exec(
                select(ReportRow).where(
                    ReportRow.app_id == report.app_id,
                    ReportRow.case_id == report.case_id,
                    ReportRow.reporter_id == report.reporter_id,
                )
            ).one()
        )
    audit.add(
        session,
        app_id=report.app_id,
        case_id=report.case_id,
        action=FILED,
        actor=actor.label,
        details={"report": report.id, "reason": report.reason, "weight": report.weight},
    )
    return report


def of_case(session: Session, *, app_id: str, case_id: str) -> tuple[Report, ...]:
    """The reports of a case, oldest first; nothing for a foreign or absent case."""
    wanted = select(ReportRow).where(ReportRow.app_id == app_id, ReportRow.case_id == case_id)
    return tuple(_report(row) for row in session.exec(wanted.order_by(col(ReportRow.created_at), col(ReportRow.id))))


def open_weight(session: Session, *, app_id: str, case_id: str) -> float:
    """What the open reports of a case weigh together."""
    total = select(func.sum(ReportRow.weight)).where(
        ReportRow.app_id == app_id, ReportRow.case_id == case_id, ReportRow.status == ReportStatus.OPEN
    )
    return float(session.execute(total).scalar() or 0.0)


def record_of(session: Session, *, app_id: str, user_id: str) -> ReporterRecord:
    """How often a reporter was right in an app."""
    row = session.get(ReporterRow, (app_id, user_id), populate_existing=True)
    return (
        ReporterRecord(user_id=user_id, upheld=row.upheld, dismissed=row.dismissed)
        if row
        else ReporterRecord(user_id=user_id)
    )


def open_review(session: Session, *, app_id: str, case_id: str) -> ReviewItem | None:
    """What people are asked about a case already, if anything; kept from others until the commit."""
    row = session.exec(
        select(ReviewRow)
        .where(
            ReviewRow.app_id == app_id,
            ReviewRow.case_id == case_id,
            ReviewRow.kind == ReviewKind.CASE,
            ReviewRow.status != ReviewStatus.COMPLETED,
        )
        .with_for_update()
    ).first()
    return row.item() if row else None


def bring_before_people(session: Session, *, review: ReviewItem) -> None:
    """Put a reported case into the queue."""
    session.execute(inserting(ReviewRow), ReviewRow.columns_of(review))


def move_up(session: Session, *, review_id: str, reports: float, order_at: datetime) -> None:
    """Give an open item the place that its reports make for it; it never moves down."""
    session.execute(
        update(ReviewRow)
        .where(col(ReviewRow.id) == review_id, col(ReviewRow.order_at) >= order_at)
        .values(reports=reports, order_at=order_at)
    )


def open_until(session: Session, *, app_id: str, case_id: str, at: datetime) -> tuple[Report, ...]:
    """The open reports that came up to a moment, kept from others until the commit."""
    rows = session.exec(
        select(ReportRow)
        .where(
            ReportRow.app_id == app_id,
            ReportRow.case_id == case_id,
            ReportRow.status == ReportStatus.OPEN,
            ReportRow.created_at <= at,
        )
        .order_by(col(ReportRow.id))
        .with_for_update()
    )
    return tuple(_report(row) for row in rows)


def resolve(session: Session, *, reports: Sequence[Report], status: ReportStatus, messages: Sequence[Message]) -> None:
    """Uphold or dismiss reports of one case, count that for each reporter, and owe them the outcome."""
    if not reports:
        return
    at, app_id, case_id = now(), reports[0].app_id, reports[0].case_id
    settled = update(ReportRow).where(col(ReportRow.id).in_([report.id for report in reports]))
    session.execute(settled.values(status=status.value, resolved_at=at))
    count = counting(ReporterRow, dialect_of(session), ("app_id", "user_id"), ("upheld", "dismissed"))
    upheld = int(status is ReportStatus.UPHELD)
    for report in reports:
        more = {"upheld": upheld, "dismissed": 1 - upheld}
        session.execute(count, {"app_id": app_id, "user_id": report.reporter_id, **more})
    outbox.put(session, app_id=app_id, case_id=case_id, messages=messages, at=at)
    audit.add(
        session,
        app_id=app_id,
        case_id=case_id,
        action=RESOLVED,
        actor="system:reports",
        details={"status": status, "reports": len(reports)},
    )


def _report(row: ReportRow) -> Report:
    return Report(
        id=row.id,
        app_id=row.app_id,
        case_id=row.case_id,
        content_id=row.content_id,
        subject_id=row.subject_id,
        reporter_id=row.reporter_id,
        reason=Policy(row.reason) if row.reason else None,
        details=row.details,
        weight=row.weight,
        status=ReportStatus(row.status),
        created_at=row.created_at,
        resolved_at=row.resolved_at,
    )
