"""The review queue of one app, for agents and for the service: what waits, opened by proposals and by samples.

Nothing here claims or decides; people do that under their own rights (`claims`, `decisions`).
"""

from sqlmodel import Session, col, select

from data import audit, cases
from data.review_rules import still_open
from data.review_table import ReviewRow
from data.statements import dialect_of, inserting, inserting_if_new
from domain.actor import Actor
from domain.errors import NotFound
from domain.review import ReviewItem, ReviewKind
from domain.vocabulary import Action, DecisionKind, Policy, Severity


def add(session: Session, item: ReviewItem) -> bool:
    """Put an item before people; whether it is new. Twice the same identifier is one item."""
    made = session.execute(inserting_if_new(ReviewRow, dialect_of(session)), ReviewRow.columns_of(item))
    return made.first() is not None


def get(session: Session, *, app_id: str, review_id: str) -> ReviewItem:
    """One item, open or not. Raises NotFound, alike for a foreign and an absent one (I10)."""
    row = session.get(ReviewRow, review_id, populate_existing=True)
    if row is None or row.app_id != app_id:
        raise NotFound(f"there is no review item {review_id[:60]!r}")
    return row.item()


def waiting(session: Session, *, app_id: str, case_id: str) -> bool:
    """Whether anything is asked of people about a case."""
    asked = select(ReviewRow.id).where(ReviewRow.app_id == app_id, ReviewRow.case_id == case_id, still_open())
    return session.exec(asked.limit(1)).first() is not None


def list_open(session: Session, *, app_id: str, limit: int = 50) -> tuple[ReviewItem, ...]:
    """What waits or is being looked at, by the place that deadline and harm give it."""
    rows = session.exec(
        select(ReviewRow)
        .where(ReviewRow.app_id == app_id, still_open())
        .order_by(col(ReviewRow.order_at), col(ReviewRow.id))
        .limit(limit)
    )
    return tuple(row.item() for row in rows)


def propose(
    session: Session,
    *,
    app_id: str,
    case_id: str,
    decision: DecisionKind,
    policy: Policy | None,
    severity: Severity | None,
    action: Action | None,
    reasoning: str,
    review: ReviewItem,
    actor: Actor,
) -> ReviewItem:
    """Put an agent's opinion before a person: the open review of the case, else `review`. Changes no outcome."""
    row = cases.row_of(session, app_id=app_id, case_id=case_id, to_change=True)
    found = session.exec(
        select(ReviewRow).where(ReviewRow.case_id == row.id, ReviewRow.kind == ReviewKind.CASE, still_open())
    ).first()
    item = found.item() if found else review
    if found is None:
        session.execute(inserting(ReviewRow), ReviewRow.columns_of(review))
    audit.add(
        session,
        app_id=app_id,
        case_id=row.id,
        action="decision.proposed",
        actor=actor.label,
        details={
            "decision": decision,
            "violation_type": policy,
            "severity": severity,
            "action": action,
            "reasoning": reasoning,
            "review": item.id,
        },
    )
    return item
