"""What people decided: beside what the machine proposed, whether it stood, how soon, and how sure the machine was."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, and_, case, exists, func, literal_column, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from data.case_table import CaseRow
from data.review_table import HumanDecisionRow, ReviewRow
from data.statistics.expressions import decided, number_of, seconds, stands, text_in
from domain.estimates import Share
from domain.review import ReviewKind
from domain.statistics import Agreement, Bin, Reversals, Speed, Window
from domain.vocabulary import DecisionKind, Policy, Route

BINS = 10
REJECTED, APPROVED = DecisionKind.REJECTED.value, DecisionKind.APPROVED.value


def agreement(session: Session, *, app_ids: Collection[str], window: Window) -> tuple[Agreement, ...]:
    """How often people confirmed what the machine proposed, by the policy that it proposed."""
    proposed, kind, policy = col(ReviewRow.policy), col(HumanDecisionRow.decision), col(HumanDecisionRow.policy)
    rejected = kind == REJECTED
    confirmed = or_(and_(rejected, policy == proposed), and_(kind == APPROVED, proposed.is_(None)))
    otherwise = and_(rejected, or_(proposed.is_(None), policy != proposed))
    wanted = (
        select(proposed, func.count(), number_of(confirmed), number_of(otherwise))
        .join(ReviewRow, col(ReviewRow.id) == col(HumanDecisionRow.review_id))
        .where(*decided(ReviewKind.CASE, app_ids, window), stands())
        .group_by(proposed)
    )
    found = {policy: counts for policy, *counts in session.execute(wanted)}
    return tuple(
        Agreement(policy=policy, decided=counts[0], confirmed=counts[1], otherwise=counts[2])
        for policy in (*Policy, None)
        if (counts := found.get(policy))
    )


def reversals(session: Session, *, app_ids: Collection[str], window: Window) -> tuple[Reversals, ...]:
    """What did not stand, by reviewer and policy: that of the decision, else the one that the machine proposed."""
    later = aliased(HumanDecisionRow)
    differs = or_(
        later.decision != HumanDecisionRow.decision,  # type: ignore[arg-type]
        func.coalesce(later.policy, "") != func.coalesce(HumanDecisionRow.policy, ""),
    )
    changed = exists().where(
        later.app_id == HumanDecisionRow.app_id,  # type: ignore[arg-type]
        later.case_id == HumanDecisionRow.case_id,  # type: ignore[arg-type]
        later.kind == ReviewKind.CASE.value,  # type: ignore[arg-type]
        later.undone_at.is_(None),  # type: ignore[union-attr]
        later.decided_at > HumanDecisionRow.decided_at,  # type: ignore[arg-type]
        differs,
    )
    each = (
        select(
            col(HumanDecisionRow.reviewer),
            func.coalesce(HumanDecisionRow.policy, ReviewRow.policy).label("policy"),
            stands().label("stands"),
            changed.label("changed"),
        )
        .join(ReviewRow, col(ReviewRow.id) == col(HumanDecisionRow.review_id))
        .where(*decided(ReviewKind.CASE, app_ids, window))
        .subquery()
    )
    wanted = select(
        each.c.reviewer,
        each.c.policy,
        func.count(),
        number_of(~each.c.stands),
        number_of(and_(each.c.stands, each.c.changed)),
    ).group_by(each.c.reviewer, each.c.policy)
    return tuple(
        Reversals(reviewer=who, policy=policy, decided=number, undone=undone, changed=changed)
        for who, policy, number, undone, changed in session.execute(wanted)
    )


def speed(session: Session, *, app_ids: Collection[str], window: Window) -> tuple[Speed, ...]:
    """How soon people decided, on each route, and first of all on any of them together."""
    each = (
        select(
            col(ReviewRow.route).label("route"),
            seconds(session, ReviewRow.created_at, HumanDecisionRow.decided_at).label("took"),
            (col(HumanDecisionRow.decided_at) <= col(ReviewRow.due_at)).label("in_time"),
        )
        .join(ReviewRow, col(ReviewRow.id) == col(HumanDecisionRow.review_id))
        .where(*decided(ReviewKind.CASE, app_ids, window), stands())
        .subquery()
    )
    together = session.execute(_ranked(each, literal_column("'any'")))
    by_route = session.execute(_ranked(each, each.c.route))
    found = [_speed(None, row) for row in together] + [_speed(Route(row[0]), row) for row in by_route]
    return tuple(sorted(found, key=lambda speed: list(Route).index(speed.route) if speed.route else -1))


def calibration(session: Session, *, app_ids: Collection[str], window: Window) -> tuple[Bin, ...]:
    """How often the machine's verdict was right where people decided, by its confidence, in tenths.

    Right is: rejected under the policy of the verdict, or approved where it was that nothing is wrong.
    """
    verdict = text_in(session, CaseRow.record, "assessment", "policy")
    confirmed = or_(
        and_(col(HumanDecisionRow.decision) == REJECTED, func.coalesce(verdict == HumanDecisionRow.policy, False)),
        and_(col(HumanDecisionRow.decision) == APPROVED, verdict.is_(None)),
    )
    tenth: Any = 0
    for step in range(1, BINS):
        tenth = tenth + case((col(CaseRow.confidence) >= step / BINS, 1), else_=0)
    each = (
        select(tenth.label("tenth"), col(CaseRow.confidence).label("told"), confirmed.label("right"))
        .select_from(HumanDecisionRow)
        .join(CaseRow, col(CaseRow.id) == col(HumanDecisionRow.case_id))
        .where(*decided(ReviewKind.CASE, app_ids, window), stands())
        .subquery()
    )
    wanted = select(each.c.tenth, func.avg(each.c.told), number_of(each.c.right), func.count())
    rows = session.execute(wanted.group_by(each.c.tenth).order_by(each.c.tenth))
    return tuple(
        Bin(low=tenth / BINS, high=(tenth + 1) / BINS, told=told, right=Share(hits=right, of=number))
        for tenth, told, right, number in rows
    )


def _ranked(each: Any, group: Any) -> Select[Any]:
    """Counts and nearest-rank percentiles of each group: SQLite knows no other."""
    ranked = select(
        group.label("of"),
        each.c.took,
        each.c.in_time,
        func.row_number().over(partition_by=group, order_by=each.c.took).label("rank"),
        func.count().over(partition_by=group).label("number"),
    ).subquery()

    def at(part: int) -> Any:
        """The least value that so many tenths of all do not exceed."""
        reached = ranked.c.rank * 10 >= ranked.c.number * part
        return func.min(case((reached, ranked.c.took)))

    return select(ranked.c.of, func.count(), number_of(ranked.c.in_time), at(5), at(9)).group_by(ranked.c.of)


def _speed(route: Route | None, row: Any) -> Speed:
    _, number, in_time, median, p90 = row
    return Speed(route=route, decided=number, in_time=in_time, median_s=median, p90_s=p90)
