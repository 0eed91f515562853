"""Appeals: one for each case at most, what the machine prepared for it, and how it stands (I10).

What a person decides about one is in `appeal_decisions`; nothing here ever ends an appeal.
"""

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from data import audit
from data.appeal_table import AppealRow
from data.cursors import cursor_of, older
from data.review_table import ReviewRow
from data.statements import dialect_of, inserting, inserting_if_new
from domain.actor import Actor
from domain.appeal import Appeal, AppealBrief, AppealPage, AppealStatus
from domain.errors import NotFound
from domain.review import ReviewItem

FILED = "appeal.filed"
PREPARED = "appeal.prepared"


def file(session: Session, *, appeal: Appeal, review: ReviewItem, actor: Actor) -> Appeal:
    """Keep an appeal and put it before people, in one transaction.

    A case is appealed once: where that happened already, also at this very moment, the appeal that stands is returned
    and nothing is written.
    """
    values = {
        "id": appeal.id,
        "app_id": appeal.app_id,
        "case_id": appeal.case_id,
        "user_id": appeal.user_id,
        "user_explanation": appeal.explanation,
        "new_evidence": appeal.new_evidence,
        "status": appeal.status.value,
        "needs_senior": appeal.needs_senior,
        "sets_precedent": False,
        "due_at": appeal.due_at,
        "created_at": appeal.created_at,
    }
    if session.execute(inserting_if_new(AppealRow, dialect_of(session)), values).first() is None:
        standing = for_case(session, app_id=appeal.app_id, case_id=appeal.case_id)
        assert standing is not None, "the insert found it a moment ago"
        return standing
    session.execute(inserting(ReviewRow), ReviewRow.columns_of(review))
    audit.add(
        session,
        app_id=appeal.app_id,
        case_id=appeal.case_id,
        action=FILED,
        actor=actor.label,
        details={"appeal": appeal.id, "review": review.id, "route": review.route, "needs_senior": appeal.needs_senior},
    )
    return appeal


def get(session: Session, *, app_id: str, appeal_id: str) -> Appeal:
    """One appeal. Raises NotFound, alike for a foreign and an absent one."""
    return appeal_of(row_of(session, app_id=app_id, appeal_id=appeal_id))


def of_apps(session: Session, *, app_ids: frozenset[str], appeal_id: str) -> Appeal:
    """One appeal of any of these apps. Raises NotFound, alike for a foreign and an absent one."""
    row = session.get(AppealRow, appeal_id)
    if row is None or row.app_id not in app_ids:
        raise NotFound(f"there is no appeal {appeal_id[:60]!r}")
    return appeal_of(row)


def for_case(session: Session, *, app_id: str, case_id: str) -> Appeal | None:
    """The appeal against a case, if there is one."""
    row = session.exec(select(AppealRow).where(AppealRow.app_id == app_id, AppealRow.case_id == case_id)).first()
    return appeal_of(row) if row else None


def search(
    session: Session, *, app_ids: frozenset[str], status: AppealStatus | None, cursor: str | None, limit: int
) -> AppealPage:
    """Appeals of these apps, newest first. Raises Invalid for a cursor that is not ours."""
    wanted: list[ColumnElement[bool]] = [col(AppealRow.app_id).in_(sorted(app_ids))]
    if status is not None:
        wanted.append(col(AppealRow.status) == status.value)
    if cursor:
        wanted.append(older(cursor, col(AppealRow.created_at), col(AppealRow.id)))
    newest = (col(AppealRow.created_at).desc(), col(AppealRow.id).desc())
    rows = session.exec(select(AppealRow).where(*wanted).order_by(*newest).limit(limit + 1)).all()
    page = rows[:limit]
    further = cursor_of(page[-1].created_at, page[-1].id) if len(rows) > limit else None
    return AppealPage(appeals=tuple(appeal_of(row) for row in page), next_cursor=further)


def prepared(session: Session, *, app_id: str, appeal_id: str, brief: AppealBrief, actor: Actor) -> Appeal:
    """Lay the machine's brief beside an appeal that nobody has decided; a decided one keeps what it has.

    Doing it twice changes nothing more. Raises NotFound.
    """
    row = row_of(session, app_id=app_id, appeal_id=appeal_id, to_change=True)
    if row.status == AppealStatus.PENDING:
        row.brief, row.status = brief.model_dump_json(), AppealStatus.UNDER_REVIEW.value
        session.add(row)
        session.flush()
        audit.add(
            session,
            app_id=app_id,
            case_id=row.case_id,
            action=PREPARED,
            actor=actor.label,
            details={
                "appeal": appeal_id,
                "recommendation": brief.recommendation,
                "score": brief.score,
                "unavailable": list(brief.unavailable),
            },
        )
    return appeal_of(row)


def unprepared(session: Session, *, limit: int) -> tuple[Appeal, ...]:
    """Appeals of all apps that no brief was laid beside yet, the oldest first."""
    rows = session.exec(
        select(AppealRow)
        .where(AppealRow.status == AppealStatus.PENDING)
        .order_by(col(AppealRow.created_at))
        .limit(limit)
    )
    return tuple(appeal_of(row) for row in rows)


def row_of(session: Session, *, app_id: str, appeal_id: str, to_change: bool = False) -> AppealRow:
    """The row of an appeal; `to_change` keeps others from it until the commit. Raises NotFound like `get`."""
    row = session.get(AppealRow, appeal_id, with_for_update=to_change or None, populate_existing=to_change)
    if row is None or row.app_id != app_id:
        raise NotFound(f"there is no appeal {appeal_id[:60]!r}")
    return row


def appeal_of(row: AppealRow) -> Appeal:
    """The appeal that a row holds."""
    return Appeal(
        id=row.id,
        app_id=row.app_id,
        case_id=row.case_id,
        user_id=row.user_id,
        explanation=row.user_explanation,
        new_evidence=row.new_evidence,
        status=AppealStatus(row.status),
        brief=AppealBrief.model_validate_json(row.brief) if row.brief else None,
        needs_senior=row.needs_senior,
        sets_precedent=row.sets_precedent,
        reasoning=row.appeal_reasoning,
        resolved_by=row.resolved_by,
        due_at=row.due_at,
        created_at=row.created_at,
        resolved_at=row.resolved_at,
    )
