"""The worker that settles what people decided: once it can no longer be undone, the paused run goes on.

A crash at any point loses nothing and does nothing twice: resuming a run again has no effect, and what follows from
settling is written in the transaction that marks the decision.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

from sqlmodel import Session

from data import cases, golden, reviews, settling
from data.database import Database
from domain.clock import now
from domain.review import Decided, ReviewItem, ReviewKind
from domain.vocabulary import Route
from policies.model import PolicySet
from policies.quality import brings_golden, golden_look, is_sampled, second_look
from workers.tasks import Step

logger = logging.getLogger(__name__)

SETTLE_BATCH = 100

Resume = Callable[[Decided], Awaitable[None]]
Settled = Callable[[Session, Decided], None]


def settle(
    database: Database, policies: PolicySet, resume: Mapping[ReviewKind, Resume], *, also: Sequence[Settled] = ()
) -> Step:
    """Settle what is due. `resume` lets the run of a kind go on, where it has one; `also` is done once, in the
    transaction that settles. What fails is logged and tried again in the next step; it holds up nothing else."""

    def mark(session: Session, decided: Decided) -> bool:
        if not settling.settle(session, decision_id=decided.id):
            return False
        if decided.kind is ReviewKind.CASE and is_sampled(decided.id, policies):
            _look_twice(session, decided, policies)
        if decided.kind is ReviewKind.CASE and brings_golden(decided.id, policies):
            _hand_out_golden(session, decided.app_id, policies)
        for follow in also:
            follow(session, decided)
        return True

    async def one(decided: Decided) -> bool:
        try:
            if go_on := resume.get(decided.kind):
                await go_on(decided)
            return await database.write(lambda session: mark(session, decided))
        except Exception:
            logger.exception("decision %s could not be settled; it is tried again", decided.id)
            return False

    async def step() -> int:
        done, last = 0, None
        while page := await database.read(
            lambda session, last=last: settling.due(session, after=last, limit=SETTLE_BATCH)  # type: ignore[misc]
        ):
            done += sum([await one(decided) for decided in page])
            last = page[-1]
        return done

    return step


def _look_twice(session: Session, decided: Decided, policies: PolicySet) -> None:
    case = cases.get(session, app_id=decided.app_id, case_id=decided.case_id)
    route = reviews.get(session, app_id=decided.app_id, review_id=decided.review_id).route
    reviews.add(session, second_look(decided, case, route, policies, at=now()))


def _hand_out_golden(session: Session, app_id: str, policies: PolicySet) -> None:
    def made(case_id: str, route: Route, turn: int) -> ReviewItem:
        case = cases.get(session, app_id=app_id, case_id=case_id)
        return golden_look(case, route, turn, policies, at=now())

    golden.hand_out(session, app_id=app_id, make=made)
