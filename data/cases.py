"""Cases: recording a decision with all its consequences, and finding cases again."""

import math
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, bindparam, func
from sqlmodel import Session, col, select

from data import audit, enforcements, memory_inbox, outbox, subjects
from data.case_table import CaseRow, case_of, columns_of, summary_of
from data.cursors import cursor_of, older
from data.review_rules import still_open
from data.review_table import ReviewRow
from data.statements import dialect_of, inserting, inserting_if_new
from domain.actor import Actor
from domain.case import MACHINE, Case, CasePage, CaseRecord, Recorded
from domain.errors import NotFound
from domain.history import PastCase, SameContent, SubjectHistory
from domain.memory import MemoryItem
from domain.notification import Message
from domain.queries import CaseMetrics, CaseQuery, Prepared
from domain.review import ReviewItem
from domain.vocabulary import DecisionKind, Policy, Severity

RECORDED = "decision.recorded"


def record(
    session: Session,
    *,
    record: CaseRecord,
    review: ReviewItem | None,
    messages: Sequence[Message],
    memory: MemoryItem | None,
    actor: Actor,
) -> Recorded:
    """Keep a decision with its audit row, review item, enforcement, messages and memory, all or nothing.

    Where the same content was decided before under the same policies, that case stands: it is returned
    and nothing is written (I2), also when two record it at the same moment.
    """
    content, decision = record.content, record.decision
    if not _insert_case(session, record, review):
        standing_case = standing(
            session,
            app_id=content.app_id,
            content_id=content.content_id,
            content_hash=content.content_hash,
            policy_set=decision.policy_set,
        )
        assert standing_case is not None, "the insert found it a moment ago"
        return Recorded(case_id=standing_case.id, standing=standing_case)
    at, app_id = record.created_at, content.app_id
    rejected = decision.kind is DecisionKind.REJECTED
    subjects.count(session, app_id=app_id, user_id=content.user_id, cases=1, violations=int(rejected), at=at)
    if review is not None:
        session.execute(inserting(ReviewRow), ReviewRow.columns_of(review))
    if rejected:
        enforcements.begin(
            session,
            app_id=app_id,
            case_id=record.case_id,
            user_id=content.user_id,
            action=decision.action,
            at=at,
        )
    outbox.put(session, app_id=app_id, case_id=record.case_id, messages=messages, at=at)
    if memory is not None:
        memory_inbox.add(session, memory)
    audit.add(
        session,
        app_id=app_id,
        case_id=record.case_id,
        action=RECORDED,
        actor=actor.label,
        details={
            "decision": decision.kind,
            "violation_type": decision.policy,
            "action": decision.action,
            "confidence": record.assessment.confidence,
            "policy_set": decision.policy_set,
            "trigger": decision.trigger,
            "content_hash": content.content_hash,
            "submitted_by": record.submitted_by,
        },
    )
    return Recorded(case_id=record.case_id, standing=None)


def _insert_case(session: Session, record: CaseRecord, review: ReviewItem | None) -> bool:
    values = columns_of(Case.opened(record, review))
    return session.execute(inserting_if_new(CaseRow, dialect_of(session)), values).first() is not None


_STANDING = select(CaseRow).where(
    CaseRow.app_id == bindparam("app_id"),
    CaseRow.content_id == bindparam("content_id"),
    CaseRow.content_hash == bindparam("content_hash"),
    CaseRow.policy_set == bindparam("policy_set"),
)


def standing(session: Session, *, app_id: str, content_id: str, content_hash: str, policy_set: str) -> Case | None:
    """The case of this very content under these policies, if there is one."""
    wanted = {"app_id": app_id, "content_id": content_id, "content_hash": content_hash, "policy_set": policy_set}
    row = session.exec(_STANDING, params=wanted).first()
    return case_of(row) if row else None


def get(session: Session, *, app_id: str, case_id: str) -> Case:
    """One case, complete. Raises NotFound, alike for a foreign and an absent one (I10)."""
    return case_of(row_of(session, app_id=app_id, case_id=case_id))


def row_of(session: Session, *, app_id: str, case_id: str, to_change: bool = False) -> CaseRow:
    """The row of a case; `to_change` keeps others from it until the commit. Raises NotFound like `get`."""
    row = session.get(CaseRow, case_id, with_for_update=to_change or None, populate_existing=to_change)
    if row is None or row.app_id != app_id:
        raise NotFound(f"there is no case {case_id[:60]!r}")
    return row


def search(session: Session, *, app_id: str, query: CaseQuery, cursor: str | None, limit: int) -> CasePage:
    """Cases that match, newest first. Raises Invalid for a cursor that is not ours."""
    wanted: list[ColumnElement[bool]] = [col(CaseRow.app_id) == app_id]
    for name in ("decision", "violation_type", "user_id", "content_id"):
        value = getattr(query, name)
        if value is not None:
            wanted.append(getattr(CaseRow, name) == value)
    if query.text:
        wanted.append(col(CaseRow.content).icontains(query.text, autoescape=True))
    if query.since:
        wanted.append(col(CaseRow.created_at) >= query.since)
    if query.until:
        wanted.append(col(CaseRow.created_at) < query.until)
    if cursor:
        wanted.append(older(cursor, col(CaseRow.created_at), col(CaseRow.id)))
    newest = (col(CaseRow.created_at).desc(), col(CaseRow.id).desc())
    rows = session.exec(select(CaseRow).where(*wanted).order_by(*newest).limit(limit + 1)).all()
    page = rows[:limit]
    further = cursor_of(page[-1].created_at, page[-1].id) if len(rows) > limit else None
    return CasePage(cases=tuple(summary_of(row) for row in page), next_cursor=further)


_RECENT = (
    select(  # type: ignore[call-overload]
        CaseRow.id,
        CaseRow.decision,
        CaseRow.violation_type,
        CaseRow.severity,
        CaseRow.reviewed_by,
        CaseRow.created_at,
    )
    .where(CaseRow.app_id == bindparam("app_id"), CaseRow.user_id == bindparam("user_id"))
    .order_by(col(CaseRow.created_at).desc())
    .limit(bindparam("most"))
)


def history(session: Session, *, app_id: str, user_id: str, limit: int = 10) -> SubjectHistory:
    """A person's record: counts over all their cases, and the latest of them."""
    cases, violations = subjects.counts(session, app_id=app_id, user_id=user_id)
    if not cases:
        return SubjectHistory(user_id=user_id)
    rows = session.execute(_RECENT, {"app_id": app_id, "user_id": user_id, "most": limit})
    recent = tuple(
        PastCase(
            case_id=row.id,
            decision=DecisionKind(row.decision),
            policy=Policy(row.violation_type) if row.violation_type else None,
            severity=Severity(row.severity) if row.severity else None,
            decided_by_person=row.reviewed_by != MACHINE,
            created_at=row.created_at,
        )
        for row in rows
    )
    return SubjectHistory(user_id=user_id, cases=cases, violations=violations, recent=recent)


_DECIDED_BY_PERSON = (
    select(CaseRow.id, CaseRow.decision, CaseRow.violation_type)
    .where(
        CaseRow.app_id == bindparam("app_id"),
        CaseRow.content_hash == bindparam("content_hash"),
        CaseRow.reviewed_by != MACHINE,
        CaseRow.decision != DecisionKind.ESCALATED,
    )
    .order_by(col(CaseRow.updated_at).desc())
    .limit(1)
)


def same_content(session: Session, *, app_id: str, content_hash: str) -> SameContent | None:
    """What a person last decided about the very same text in this app."""
    row = session.execute(_DECIDED_BY_PERSON, {"app_id": app_id, "content_hash": content_hash}).first()
    if row is None:
        return None
    policy = Policy(row.violation_type) if row.violation_type else None
    return SameContent(case_id=row.id, decision=DecisionKind(row.decision), policy=policy)


def prepare(
    session: Session, *, app_id: str, content_id: str, content_hash: str, user_id: str, policy_set: str
) -> Prepared:
    """The one read of intake."""
    return Prepared(
        standing=standing(
            session, app_id=app_id, content_id=content_id, content_hash=content_hash, policy_set=policy_set
        ),
        history=history(session, app_id=app_id, user_id=user_id),
        same_content=same_content(session, app_id=app_id, content_hash=content_hash),
    )


def metrics(session: Session, *, app_id: str, since: datetime) -> CaseMetrics:
    """Numbers of an app since a moment. The 95th percentile is over the newest 10,000 cases."""
    window = (CaseRow.app_id == app_id, col(CaseRow.created_at) >= since)

    def counted(column: object) -> dict[str, int]:
        rows = session.execute(select(column, func.count()).where(*window).group_by(column))  # type: ignore[call-overload]
        return {key: number for key, number in rows if key is not None}

    by_decision = counted(CaseRow.decision)
    cases = sum(by_decision.values())
    newest = select(CaseRow.total_ms).where(*window).order_by(col(CaseRow.created_at).desc()).limit(10_000)
    times = sorted(session.exec(newest).all())
    # Who decides later changes `decision`; the review that a case was recorded with stays.
    escalated = session.exec(select(func.count(col(CaseRow.review_id))).where(*window)).one()
    waiting = select(func.count()).select_from(ReviewRow).where(col(ReviewRow.app_id) == app_id, still_open())
    return CaseMetrics(
        since=since,
        cases=cases,
        by_decision={DecisionKind(key): number for key, number in by_decision.items()},
        by_policy=counted(CaseRow.violation_type),
        by_action=counted(CaseRow.action),
        escalation_rate=escalated / cases if cases else 0.0,
        mean_ms=sum(times) / len(times) if times else None,
        p95_ms=times[math.ceil(0.95 * len(times)) - 1] if times else None,
        slowest_ms=times[-1] if times else None,
        open_reviews=session.exec(waiting).one(),
    )
