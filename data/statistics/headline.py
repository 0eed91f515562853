"""The few numbers that a week is judged by, for one window."""

from collections.abc import Collection

from sqlmodel import Session

from data.statistics import appeals, cases, decisions
from domain.estimates import NOTHING, Share
from domain.statistics import Headline, Window


def headline(session: Session, *, app_ids: Collection[str], window: Window) -> Headline:
    """They are counts, and the time below which nine of ten decisions of people stay."""
    escalated = cases.escalated(session, app_ids=app_ids, window=window)
    agreed = sum((one.share for one in decisions.agreement(session, app_ids=app_ids, window=window)), NOTHING)
    any_route = next(iter(decisions.speed(session, app_ids=app_ids, window=window)), None)
    reversals = decisions.reversals(session, app_ids=app_ids, window=window)
    overturns = appeals.overturns(session, app_ids=app_ids, window=window)
    return Headline(
        cases=escalated.of,
        escalated=escalated,
        agreed=agreed,
        in_time=Share(hits=any_route.in_time, of=any_route.decided) if any_route else NOTHING,
        overturned=Share(hits=sum(o.overturned for o in overturns), of=sum(o.decided for o in overturns)),
        reversed=Share(hits=sum(r.undone + r.changed for r in reversals), of=sum(r.decided for r in reversals)),
        p90_s=any_route.p90_s if any_route else None,
    )
