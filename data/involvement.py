"""Who had a hand in a case: nobody who did may decide an appeal against it (I8).

One condition for every statement that asks, so that a claim, a list and a decision cannot differ. Looking at a case is
no hand in it; claiming, passing over, handing over, holding or deciding it is, also where that was undone. What was
done to the appeal itself does not count, save having decided or escalated it.
"""

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlmodel import Session, col

from data.appeal_table import AppealRow
from data.audit import AuditRow
from data.review_table import HumanDecisionRow, ReviewRow, SkipRow
from data.statements import table_of
from domain.actor import ActorKind
from domain.review import ReviewKind

HANDLED = (
    "case.asked",
    "case.claimed",
    "case.handed_over",
    "case.held",
    "case.released",
    "case.reopened",
    "case.skipped",
    "case.taken_off_hold",
    "decision.by_person",
    "decision.undone",
    "quality.claimed",
    "quality.decided",
)
"""What the audit log calls the acts that make a case one's own."""


def had_a_hand(staff_id: str) -> ColumnElement[bool]:
    """For a row of `review_queue` that holds an appeal: whether this person had a hand in its case.

    False for rows of another kind.
    """
    here = (col(ReviewRow.app_id), col(ReviewRow.case_id))
    decided = exists().where(
        col(HumanDecisionRow.case_id) == here[1],
        col(HumanDecisionRow.reviewer) == staff_id,
        or_(col(HumanDecisionRow.kind) != ReviewKind.APPEAL.value, col(HumanDecisionRow.undone_at).is_(None)),
    )
    other = table_of(ReviewRow).alias("other_review").c
    elsewhere = and_(other.case_id == here[1], other.id != col(ReviewRow.id))
    held = exists().where(elsewhere, or_(other.assigned_to == staff_id, other.asked_by == staff_id))
    skipped = exists().where(elsewhere, col(SkipRow.review_id) == other.id, col(SkipRow.staff_id) == staff_id)
    acted = exists().where(
        col(AuditRow.app_id) == here[0],
        col(AuditRow.case_id) == here[1],
        col(AuditRow.actor) == f"{ActorKind.PERSON}:{staff_id}",
        col(AuditRow.action).in_(HANDLED),
    )
    appellant = exists().where(col(AppealRow.id) == col(ReviewRow.appeal_id), col(AppealRow.user_id) == staff_id)
    return and_(col(ReviewRow.kind) == ReviewKind.APPEAL.value, or_(decided, held, skipped, acted, appellant))


def is_barred(session: Session, *, review_id: str, staff_id: str) -> bool:
    """Whether somebody may not decide an appeal because they had a hand in its case."""
    found = select(col(ReviewRow.id)).where(col(ReviewRow.id) == review_id, had_a_hand(staff_id))
    return session.execute(found).first() is not None
