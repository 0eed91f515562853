"""Numbers of an app for its leads' own tools. Not by person: who decides well is for the console, where rights hold."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from sqlmodel import Session

from data.statistics import appeals, cases, decisions, work
from data.statistics.headline import headline
from domain.base import Frozen
from domain.clock import now
from domain.estimates import Share
from domain.statistics import Agreement, Appeals, Bin, Headline, Outcomes, Speed, Waiting, Window
from domain.vocabulary import Policy
from gateway.access import Reading
from gateway.errors import described
from gateway.parts import Has

router = APIRouter(prefix="/api/v1", tags=["numbers"], responses=described(401, 403, 422, 429, 500, 503))

MOST_HOURS = 24 * 366


class Overturned(Frozen):
    """Appeals against decisions under one policy, and how many were overturned."""

    policy: Policy | None
    share: Share


class Numbers(Frozen):
    """The numbers of one app over a window. Shares are counts, so that you can tell how little they rest on."""

    window: Window
    headline: Headline
    before: Headline
    decisions: tuple[Outcomes, ...]
    agreement: tuple[Agreement, ...]
    speed: tuple[Speed, ...]
    queue: tuple[Waiting, ...]
    appeals: Appeals
    overturned: tuple[Overturned, ...]
    calibration: tuple[Bin, ...]


@router.get("/metrics")
async def numbers(
    actor: Reading,
    parts: Has,
    hours: Annotated[int, Query(ge=1, le=MOST_HOURS, description="How far back the window reaches.")] = 168,
) -> Numbers:
    """Volume, escalation, agreement, time to a decision, queue, appeals and calibration, beside the window before."""
    at = now()
    window, mine = Window(since=at - timedelta(hours=hours), until=at), (actor.app_id,)

    def read(session: Session) -> Numbers:
        by_policy: dict[Policy | None, Share] = {}
        for one in appeals.overturns(session, app_ids=mine, window=window):
            share = Share(hits=one.overturned, of=one.decided)
            by_policy[one.policy] = by_policy.get(one.policy, Share(hits=0, of=0)) + share
        return Numbers(
            window=window,
            headline=headline(session, app_ids=mine, window=window),
            before=headline(session, app_ids=mine, window=window.before),
            decisions=cases.outcomes(session, app_ids=mine, window=window),
            agreement=decisions.agreement(session, app_ids=mine, window=window),
            speed=decisions.speed(session, app_ids=mine, window=window),
            queue=work.waiting(session, app_ids=mine),
            appeals=appeals.appeals(session, app_ids=mine, window=window, at=at),
            overturned=tuple(Overturned(policy=policy, share=share) for policy, share in by_policy.items()),
            calibration=decisions.calibration(session, app_ids=mine, window=window),
        )

    return await parts.database.read(read)
