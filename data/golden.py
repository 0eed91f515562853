"""Cases whose right answer is known. They are given out among the second looks, so that nobody can tell them apart.

Any second look that was opened after its case became golden is an answer that can be scored.
"""

from collections.abc import Callable, Collection

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select
from sqlmodel import Session, col

from data import audit, cases
from data.case_table import CaseRow
from data.review_rules import still_open
from data.review_table import HumanDecisionRow, ReviewRow
from data.reviews import add
from data.staff_table import GoldenRow, StaffAppRow, StaffRow
from data.statistics.expressions import decided, number_of, stands
from domain.clock import now
from domain.errors import Invalid, NotFound
from domain.estimates import Share
from domain.quality import Golden, Scored
from domain.review import ReviewItem, ReviewKind
from domain.staff import RIGHTS, ROUTES, Right, Role, Staff
from domain.statistics import Window
from domain.vocabulary import DecisionKind, Policy, Route, Severity

Make = Callable[[str, Route, int], ReviewItem]
"""Makes the second look of a case on a route, the so-manieth of that case."""


def mark(
    session: Session,
    *,
    lead: Staff,
    case_id: str,
    decision: DecisionKind,
    policy: Policy | None = None,
    severity: Severity | None = None,
) -> Golden:
    """Say what the right answer to a case is; what was said before is forgotten, with the answers given to it.

    Raises NotFound, alike for a foreign and an absent case, and Invalid for a case that nobody has decided, and for an
    answer that is none.
    """
    lead.require(Right.LEAD_QUALITY)
    row = seen_by(session, lead=lead, case_id=case_id)
    if row.decision == DecisionKind.ESCALATED:
        raise Invalid("nobody has decided this case yet; it can become golden once somebody has")
    if decision is DecisionKind.ESCALATED or (decision is DecisionKind.REJECTED) != (policy is not None):
        raise Invalid("the right answer is to approve, or to reject under a policy")
    session.execute(delete(GoldenRow).where(col(GoldenRow.case_id) == row.id))
    made = GoldenRow(
        case_id=row.id,
        app_id=row.app_id,
        decision=decision.value,
        policy=policy,
        severity=severity if decision is DecisionKind.REJECTED else None,
        set_by=lead.id,
        created_at=now(),
    )
    session.add(made)
    session.flush()
    _audit(session, lead, row, "marked")
    return _golden(made)


def unmark(session: Session, *, lead: Staff, case_id: str) -> None:
    """Give a golden item out no more, and score it no more. Raises NotFound."""
    lead.require(Right.LEAD_QUALITY)
    row = seen_by(session, lead=lead, case_id=case_id)
    gone = session.execute(delete(GoldenRow).where(col(GoldenRow.case_id) == row.id))
    if gone.rowcount != 1:  # type: ignore[attr-defined]
        raise NotFound(f"the case {case_id[:60]!r} is not golden")
    _audit(session, lead, row, "unmarked")


def golden_items(session: Session, *, lead: Staff, app_ids: Collection[str]) -> tuple[Golden, ...]:
    """The golden items of these tenants that a lead may see, the newest first, with how often each was got right."""
    answered = (
        select(
            col(GoldenRow.case_id).label("case_id"), func.count().label("asked"), number_of(_is_right()).label("right")
        )
        .select_from(HumanDecisionRow)
        .join(ReviewRow, col(ReviewRow.id) == col(HumanDecisionRow.review_id))
        .join(GoldenRow, _answers_golden())
        .where(col(HumanDecisionRow.kind) == ReviewKind.QUALITY.value, stands())
        .group_by(col(GoldenRow.case_id))
        .subquery()
    )
    wanted = (
        select(GoldenRow, func.coalesce(answered.c.asked, 0), func.coalesce(answered.c.right, 0))
        .join(CaseRow, col(CaseRow.id) == col(GoldenRow.case_id))
        .outerjoin(answered, answered.c.case_id == col(GoldenRow.case_id))
        .where(col(GoldenRow.app_id).in_(sorted(app_ids)), shown_to(lead))
        .order_by(col(GoldenRow.created_at).desc(), col(GoldenRow.case_id))
    )
    return tuple(_golden(row, asked, right) for row, asked, right in session.execute(wanted))


def scores(session: Session, *, app_ids: Collection[str], window: Window) -> tuple[Scored, ...]:
    """How each reviewer answered golden items within a window."""
    wanted = (
        select(col(HumanDecisionRow.reviewer), func.count(), number_of(_is_right()))
        .join(ReviewRow, col(ReviewRow.id) == col(HumanDecisionRow.review_id))
        .join(GoldenRow, _answers_golden())
        .where(*decided(ReviewKind.QUALITY, app_ids, window), stands())
        .group_by(col(HumanDecisionRow.reviewer))
    )
    return tuple(
        Scored(reviewer=who, right=Share(hits=right, of=number)) for who, number, right in session.execute(wanted)
    )


def hand_out(session: Session, *, app_id: str, make: Make) -> ReviewItem | None:
    """Put a golden item of an app among the second looks: the one that was given out least often. None where each
    waits already, or where nobody is left who has not decided it."""
    looks = ReviewRow.case_id == GoldenRow.case_id, ReviewRow.kind == ReviewKind.QUALITY.value
    times = select(func.count()).select_from(ReviewRow).where(*looks).scalar_subquery()  # type: ignore[arg-type]
    waits = exists().where(*looks, still_open())  # type: ignore[arg-type]
    wanted = (
        select(col(GoldenRow.case_id), col(CaseRow.review_route), times)
        .join(CaseRow, col(CaseRow.id) == col(GoldenRow.case_id))
        .where(col(GoldenRow.app_id) == app_id, ~waits, _somebody_is_left())
        .order_by(times, col(GoldenRow.created_at), col(GoldenRow.case_id))
        .limit(1)
    )
    found = session.execute(wanted).first()
    if found is None:
        return None
    item = make(found[0], Route(found[1] or Route.MODERATOR), found[2])
    add(session, item)
    return item


def seen_by(session: Session, *, lead: Staff, case_id: str) -> CaseRow:
    """A case of one of a lead's tenants, on a route that they may look at. Raises NotFound otherwise (I10)."""
    row = session.get(CaseRow, case_id)
    if row is None or row.app_id not in lead.app_ids or not lead.may_see(_route(row)):
        raise NotFound(f"there is no case {case_id[:60]!r}")
    return cases.row_of(session, app_id=row.app_id, case_id=case_id, to_change=True)


def shown_to(lead: Staff) -> ColumnElement[bool]:
    """Cases of routes that somebody may look at."""
    hidden = [route.value for route in Route if not lead.may_see(route)]
    return or_(col(CaseRow.review_route).is_(None), col(CaseRow.review_route).not_in(hidden))


def is_golden(session: Session, *, case_id: str) -> bool:
    """Whether the right answer to a case is known."""
    return session.get(GoldenRow, case_id) is not None


def _somebody_is_left() -> ColumnElement[bool]:
    """Somebody takes items of this route for this app, and has not decided this case."""
    route = func.coalesce(CaseRow.review_route, Route.MODERATOR.value)
    may = [
        and_(route == one.value, col(StaffRow.role).in_([role.value for role in Role if _takes(role, one)]))
        for one in Route
    ]
    decided_it = exists().where(
        HumanDecisionRow.case_id == GoldenRow.case_id,  # type: ignore[arg-type]
        HumanDecisionRow.reviewer == StaffRow.id,  # type: ignore[arg-type]
    )
    return exists().where(
        col(StaffAppRow.staff_id) == col(StaffRow.id),
        col(StaffAppRow.app_id) == col(GoldenRow.app_id),
        col(StaffRow.disabled_at).is_(None),
        or_(*may),
        ~decided_it,
    )


def _takes(role: Role, route: Route) -> bool:
    return route in ROUTES[role] and Right.REVIEW in RIGHTS[role]


def _answers_golden() -> ColumnElement[bool]:
    return and_(
        col(GoldenRow.case_id) == col(HumanDecisionRow.case_id), col(GoldenRow.created_at) <= col(ReviewRow.created_at)
    )


def _is_right() -> ColumnElement[bool]:
    same = func.coalesce(HumanDecisionRow.policy, "") == func.coalesce(GoldenRow.policy, "")
    rejected_alike = and_(col(HumanDecisionRow.decision) == DecisionKind.REJECTED.value, same)
    approved = col(HumanDecisionRow.decision) == DecisionKind.APPROVED.value
    return and_(col(HumanDecisionRow.decision) == col(GoldenRow.decision), or_(rejected_alike, approved))


def _route(row: CaseRow) -> Route | None:
    return Route(row.review_route) if row.review_route else None


def _golden(row: GoldenRow, asked: int = 0, right: int = 0) -> Golden:
    return Golden(
        case_id=row.case_id,
        app_id=row.app_id,
        decision=DecisionKind(row.decision),
        policy=Policy(row.policy) if row.policy else None,
        severity=Severity(row.severity) if row.severity else None,
        set_by=row.set_by,
        created_at=row.created_at,
        asked=asked,
        right=right,
    )


def _audit(session: Session, lead: Staff, row: CaseRow, done: str) -> None:
    actor = lead.acting_for(row.app_id).label
    audit.add(session, app_id=row.app_id, case_id=row.id, action=f"golden.{done}", actor=actor, details={})
