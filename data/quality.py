"""Second looks: how far people agree who decided the same case, and what leads make of it where they did not.

A second look belongs to the last decision before it was opened. Answers to golden items are left out: they measure one
person against the right answer, not two against each other.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, literal, select
from sqlalchemy import case as case_when
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from data import audit, golden, reviews
from data.audit import AuditRow
from data.case_table import CaseRow
from data.clock import database_now
from data.review_rules import still_open
from data.review_table import HumanDecisionRow, ReviewRow
from data.staff_table import GoldenRow
from data.statistics.expressions import decided, number_of, stands
from domain.errors import NotFound, StaleVersion
from domain.quality import Disagreement, Right, Stream
from domain.review import Decided, ReviewItem, ReviewKind
from domain.staff import Right as StaffRight
from domain.staff import Staff
from domain.statistics import Pairs, Window
from domain.vocabulary import DecisionKind, Route

SETTLED = "quality.settled"
PAGE = 10

_First = aliased(HumanDecisionRow)


def pairs(session: Session, *, app_ids: Collection[str], window: Window) -> tuple[Pairs, ...]:
    """The answers of second looks of a window beside the first, counted by who gave them."""
    each = _looked_twice(
        col(_First.reviewer).label("first"),
        col(HumanDecisionRow.reviewer).label("second"),
        _answer(_First).label("said"),
        _answer(HumanDecisionRow).label("replied"),
    ).where(*decided(ReviewKind.QUALITY, app_ids, window))
    rows = each.subquery()
    columns = (rows.c.first, rows.c.second, rows.c.said, rows.c.replied)
    counted = select(*columns, func.count()).group_by(*columns)
    return tuple(
        Pairs(first=first, second=second, answers=(said, replied), number=number)
        for first, second, said, replied, number in session.execute(counted)
    )


def stream(session: Session, *, app_ids: Collection[str], window: Window) -> Stream:
    """How many decisions a window had, how many second looks were opened in it, and what of those is open now."""
    mine = col(ReviewRow.app_id).in_(sorted(app_ids))
    firsts = select(func.count()).select_from(HumanDecisionRow)
    first = session.execute(firsts.where(*decided(ReviewKind.CASE, app_ids, window), stands())).scalar_one()
    looks = select(func.count()).select_from(ReviewRow).where(mine, col(ReviewRow.kind) == ReviewKind.QUALITY.value)
    opened = (col(ReviewRow.created_at) >= window.since, col(ReviewRow.created_at) < window.until)
    second = session.execute(looks.where(*opened, ~_asks_golden())).scalar_one()
    still = select(func.count(), number_of(col(ReviewRow.due_at) <= database_now(session))).where(
        mine, col(ReviewRow.kind) == ReviewKind.QUALITY.value, still_open()
    )
    waiting, overdue = session.execute(still).one()
    return Stream(decided=first, looked_twice=second, open=waiting, overdue=overdue)


def disagreements(
    session: Session, *, lead: Staff, app_ids: Collection[str], limit: int = PAGE
) -> tuple[int, tuple[Disagreement, ...]]:
    """How many cases two people decided differently and no lead has settled, and the oldest of them."""
    differ = _answer(_First) != _answer(HumanDecisionRow)
    open_ones = (
        col(HumanDecisionRow.kind) == ReviewKind.QUALITY.value,
        col(HumanDecisionRow.app_id).in_(sorted(app_ids)),
        differ,
        ~_is_settled(),
        golden.shown_to(lead),
    )
    whole = _looked_twice(_First, HumanDecisionRow, CaseRow).where(*open_ones)
    number = session.execute(select(func.count()).select_from(_looked_twice(_First.id).where(*open_ones).subquery()))
    oldest = whole.order_by(col(HumanDecisionRow.decided_at), col(HumanDecisionRow.id)).limit(limit)
    return number.scalar_one(), tuple(_disagreement(*row) for row in session.execute(oldest))


def disagreement(session: Session, *, lead: Staff, decision_id: str) -> Disagreement:
    """The disagreement that a second look made. Raises NotFound, alike for a foreign and an absent one (I10), and
    StaleVersion where it is settled."""
    wanted = _looked_twice(_First, HumanDecisionRow, CaseRow, _is_settled()).where(
        col(HumanDecisionRow.id) == decision_id,
        col(HumanDecisionRow.kind) == ReviewKind.QUALITY.value,
        col(HumanDecisionRow.app_id).in_(sorted(lead.app_ids)),
        golden.shown_to(lead),
    )
    found = session.execute(wanted).first()
    if found is None:
        raise NotFound(f"there is no second look {decision_id[:60]!r}")
    first, second, case, is_settled = found
    if is_settled:
        raise StaleVersion("a lead has settled this already")
    return _disagreement(first, second, case)


def settle(
    session: Session, *, lead: Staff, decision_id: str, right: Right, becomes_golden: bool, again: ReviewItem | None
) -> Decided:
    """Say who was right where two disagreed; gives the decision that was. `again` puts the case before people once
    more: a lead measures and does not decide. Raises as `disagreement`."""
    lead.require(StaffRight.LEAD_QUALITY)
    found = disagreement(session, lead=lead, decision_id=decision_id)
    won = found.first if right is Right.FIRST else found.second
    golden.seen_by(session, lead=lead, case_id=found.case_id)
    audit.add(
        session,
        app_id=found.app_id,
        case_id=found.case_id,
        action=SETTLED,
        actor=lead.acting_for(found.app_id).label,
        details={"first": found.first.id, "second": found.second.id, "right": won.id},
    )
    if again is not None:
        reviews.add(session, again)
    if becomes_golden:
        golden.mark(
            session,
            lead=lead,
            case_id=found.case_id,
            decision=DecisionKind(won.decision),
            policy=won.policy if won.decision == DecisionKind.REJECTED else None,
            severity=won.severity,
        )
    return won


def _looked_twice(*columns: Any) -> Any:
    """Second looks that stand, each with the decision that it is about, with its item and its case."""
    about = aliased(HumanDecisionRow)
    last = (
        select(about.id)  # type: ignore[call-overload]
        .where(
            about.app_id == HumanDecisionRow.app_id,
            about.case_id == HumanDecisionRow.case_id,
            about.kind == ReviewKind.CASE.value,
            about.undone_at.is_(None),  # type: ignore[union-attr]
            about.decided_at <= ReviewRow.created_at,
        )
        .order_by(about.decided_at.desc(), about.id)  # type: ignore[attr-defined]
        .limit(1)
        .correlate(HumanDecisionRow, ReviewRow)
        .scalar_subquery()
    )
    return (
        select(*columns)
        .select_from(HumanDecisionRow)
        .join(ReviewRow, col(ReviewRow.id) == col(HumanDecisionRow.review_id))
        .join(CaseRow, col(CaseRow.id) == col(HumanDecisionRow.case_id))
        .join(_First, col(_First.id) == last)
        .where(stands(), ~_asks_golden())
    )


def _asks_golden() -> ColumnElement[bool]:
    """The item was opened after its case became golden."""
    return exists().where(
        col(GoldenRow.case_id) == col(ReviewRow.case_id), col(GoldenRow.created_at) <= col(ReviewRow.created_at)
    )


def _is_settled() -> ColumnElement[bool]:
    """A lead has spoken since the second look."""
    return exists().where(
        and_(
            col(AuditRow.app_id) == col(HumanDecisionRow.app_id),
            col(AuditRow.case_id) == col(HumanDecisionRow.case_id),
            col(AuditRow.action) == SETTLED,
            col(AuditRow.timestamp) >= col(HumanDecisionRow.decided_at),
        )
    )


def _answer(row: Any) -> ColumnElement[str]:
    """`approved`, or the policy under which it was rejected."""
    rejected = and_(row.decision == DecisionKind.REJECTED.value, row.policy.is_not(None))
    return case_when((rejected, row.policy), else_=literal(DecisionKind.APPROVED.value))


def _disagreement(first: HumanDecisionRow, second: HumanDecisionRow, case: CaseRow) -> Disagreement:
    return Disagreement(
        case_id=case.id,
        app_id=case.app_id,
        text=case.content,
        route=Route(case.review_route or Route.MODERATOR),
        first=first.decided(),
        second=second.decided(),
    )
