"""Appeals: how many, how soon, and whose decisions they overturned."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import Session, col

from data.appeal_table import AppealRow
from data.review_table import HumanDecisionRow
from data.statistics.expressions import decided, number_of, stands, text_in, within
from domain.appeal import AppealOutcome, AppealStatus
from domain.review import ReviewKind
from domain.statistics import Appeals, Overturns, Window

FINAL = tuple(status.value for status in AppealStatus if status.is_final)


def appeals(session: Session, *, app_ids: Collection[str], window: Window, at: datetime) -> Appeals:
    """Those filed and resolved in a window, and those open now. In time is by the deadline that held at the end."""
    mine = col(AppealRow.app_id).in_(sorted(app_ids))
    filed = session.execute(
        select(func.count()).select_from(AppealRow).where(mine, *within(AppealRow.created_at, window))
    ).scalar_one()
    ended = select(
        func.count(),
        number_of(col(AppealRow.status) == AppealStatus.OVERTURNED.value),
        number_of(col(AppealRow.resolved_at) <= col(AppealRow.due_at)),
    ).where(mine, col(AppealRow.status).in_(FINAL), *within(AppealRow.resolved_at, window))
    resolved, overturned, in_time = session.execute(ended).one()
    waiting = select(func.count(), number_of(col(AppealRow.due_at) <= at)).where(
        mine, ~col(AppealRow.status).in_(FINAL)
    )
    still, overdue = session.execute(waiting).one()
    return Appeals(filed=filed, resolved=resolved, overturned=overturned, in_time=in_time, open=still, overdue=overdue)


def overturns(session: Session, *, app_ids: Collection[str], window: Window) -> tuple[Overturns, ...]:
    """How appeals ended, by who had decided the case (a person's identifier, or `machine`) and under which policy."""
    each = (
        select(
            text_in(session, HumanDecisionRow.before, "reviewed_by").label("reviewer"),
            text_in(session, HumanDecisionRow.before, "policy").label("policy"),
            (col(HumanDecisionRow.decision) == AppealOutcome.OVERTURN.value).label("overturned"),
        )
        .where(
            *decided(ReviewKind.APPEAL, app_ids, window),
            stands(),
            col(HumanDecisionRow.decision) != AppealOutcome.ESCALATE.value,
        )
        .subquery()
    )
    wanted = select(each.c.reviewer, each.c.policy, func.count(), number_of(each.c.overturned))
    return tuple(
        Overturns(reviewer=who, policy=policy, decided=number, overturned=overturned)
        for who, policy, number, overturned in session.execute(wanted.group_by(each.c.reviewer, each.c.policy))
    )
