"""How much was posted, how it stands, and how often people were needed."""

from collections.abc import Collection

from sqlalchemy import func, select
from sqlmodel import Session, col

from data.case_table import CaseRow
from data.statistics.expressions import number_of, period, within
from domain.estimates import Share
from domain.statistics import Outcomes, Volume, Window
from domain.vocabulary import DecisionKind, Policy


def volume(session: Session, *, app_ids: Collection[str], window: Window, hourly: bool = False) -> tuple[Volume, ...]:
    """Cases by hour or day, the oldest first. Hours and days without any are left out."""
    posted = (
        select(
            period(session, CaseRow.created_at, hourly=hourly).label("at"),
            col(CaseRow.review_id).is_not(None).label("to_people"),
        )
        .where(col(CaseRow.app_id).in_(sorted(app_ids)), *within(CaseRow.created_at, window))
        .subquery()
    )
    counted = select(posted.c.at, func.count(), number_of(posted.c.to_people)).group_by(posted.c.at)
    return tuple(
        Volume(at=at, cases=cases, to_people=people)
        for at, cases, people in session.execute(counted.order_by(posted.c.at))
    )


def escalated(session: Session, *, app_ids: Collection[str], window: Window) -> Share:
    """The cases that the machine left to people, out of all. Who decides later does not change it."""
    wanted = select(func.count(), func.count(col(CaseRow.review_id))).where(
        col(CaseRow.app_id).in_(sorted(app_ids)), *within(CaseRow.created_at, window)
    )
    cases, people = session.execute(wanted).one()
    return Share(hits=people, of=cases)


def outcomes(session: Session, *, app_ids: Collection[str], window: Window) -> tuple[Outcomes, ...]:
    """How the cases of a window stand now, by policy; those without a violation come last."""
    wanted = (
        select(col(CaseRow.violation_type), col(CaseRow.decision), func.count())
        .where(col(CaseRow.app_id).in_(sorted(app_ids)), *within(CaseRow.created_at, window))
        .group_by(col(CaseRow.violation_type), col(CaseRow.decision))
    )
    found: dict[Policy | None, dict[str, int]] = {}
    for policy, decision, number in session.execute(wanted):
        found.setdefault(Policy(policy) if policy else None, {})[DecisionKind(decision).value] = number
    return tuple(Outcomes(policy=policy, **found[policy]) for policy in (*Policy, None) if policy in found)
