"""What people decided is settled once it stands: the run goes on, and a share of it is looked at again, blind."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlmodel import Session

from data import decisions, reviews
from data.database import Database
from domain.review import Decided, ReviewItem, ReviewKind
from domain.vocabulary import DecisionKind, Policy, Priority, Severity
from policies.loader import load
from policies.model import PolicySet
from policies.quality import is_sampled
from tests.data.desk import ANN, BOB, UNDO, claimed, decided, opened
from workers.settle import SETTLE_BATCH, settle
from workers.tasks import Step

LONG_AGO = timedelta(seconds=-5)
SHIPPED = load(None)


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    await database.start()
    yield database
    await database.close()


class Runs:
    """Remembers which runs were to go on; fails for some."""

    def __init__(self, failing: frozenset[str] = frozenset()) -> None:
        self.resumed: list[str] = []
        self.failing = failing

    async def resume(self, decided: Decided) -> None:
        self.resumed.append(decided.case_id)
        if decided.case_id in self.failing:
            raise ConnectionError("the checkpoints are away")


def sampling(share: float) -> PolicySet:
    quality = SHIPPED.thresholds.quality.model_copy(update={"sample_share": share})
    return SHIPPED.model_copy(update={"thresholds": SHIPPED.thresholds.model_copy(update={"quality": quality})})


def settling(database: Database, runs: Runs, share: float = 0.0) -> Step:
    return settle(database, sampling(share), {ReviewKind.CASE: runs.resume})


async def stands(database: Database, undo: timedelta = LONG_AGO, kind: DecisionKind = DecisionKind.APPROVED) -> Decided:
    def decide(session: Session) -> Decided:
        return decided(session, claimed(session, opened(session)), kind, undo=undo)

    return await database.write(decide)


async def waiting(database: Database) -> list[ReviewItem]:
    return list(await database.read(lambda s: reviews.list_open(s, app_id="app_a", limit=1_000)))


async def test_what_can_still_be_undone_is_left_alone(database: Database) -> None:
    await stands(database, UNDO)
    stood, runs = await stands(database), Runs()
    step = settling(database, runs)
    assert [await step(), await step()] == [1, 0]
    assert runs.resumed == [stood.case_id]
    kept = await database.read(lambda s: decisions.get(s, staff=ANN, decision_id=stood.id))
    assert kept.settled_at is not None


async def test_one_that_fails_holds_up_no_other_and_is_tried_again(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    made = [await stands(database) for _ in range(5)]
    runs = Runs(frozenset({made[0].case_id}))
    assert await settling(database, runs)() == 4
    assert "could not be settled" in caplog.text
    runs.failing = frozenset()
    assert await settling(database, runs)() == 1
    assert runs.resumed.count(made[0].case_id) == 2


async def test_more_than_a_batch_is_settled_in_one_step(database: Database) -> None:
    def many(session: Session) -> None:
        for _ in range(SETTLE_BATCH + 5):
            decided(session, claimed(session, opened(session)), undo=LONG_AGO)

    await database.write(many)
    assert await settling(database, Runs())() == SETTLE_BATCH + 5


async def test_two_workers_settle_each_decision_once(database: Database, url: str) -> None:
    other, runs = Database(url), Runs()
    await other.start()
    for _ in range(20):
        await stands(database)
    told: list[str] = []

    def tell(session: Session, decided: Decided) -> None:
        told.append(decided.id)

    steps = [settle(side, sampling(1.0), {ReviewKind.CASE: runs.resume}, also=[tell]) for side in (database, other)]
    done = await asyncio.gather(*(step() for step in steps))
    assert sum(done) == 20
    assert len(set(told)) == 20
    assert len(await waiting(database)) == 20
    await other.close()


async def test_a_second_look_is_for_somebody_else_and_shows_what_the_machine_thought(database: Database) -> None:
    made = await stands(database, kind=DecisionKind.REJECTED)
    await settling(database, Runs(), share=1.0)()
    [look] = await waiting(database)
    assert (look.kind, look.case_id, look.priority) == (ReviewKind.QUALITY, made.case_id, Priority.LOW)
    assert (look.policy, look.severity) == (Policy.SCAMS, Severity.HIGH), "not what the first person made of it"
    assert "ann" not in look.model_dump_json()

    def looked(session: Session) -> Decided:
        return decided(session, claimed(session, look, BOB), staff=BOB, undo=LONG_AGO)

    second = await database.write(looked)
    runs = Runs()
    assert await settling(database, runs, share=1.0)() == 1
    assert (second.kind, runs.resumed) == (ReviewKind.QUALITY, [])
    assert await waiting(database) == [], "a second look is not looked at a third time"


async def test_what_follows_from_settling_is_kept_with_it_or_not_at_all(database: Database) -> None:
    await stands(database)

    def fail(session: Session, decided: Decided) -> None:
        raise ConnectionError("on purpose")

    assert await settle(database, sampling(1.0), {}, also=[fail])() == 0
    assert await waiting(database) == []
    assert await settle(database, sampling(1.0), {})() == 1
    assert len(await waiting(database)) == 1


def test_the_sample_is_a_tenth_by_lot_and_the_same_each_time() -> None:
    ids = [f"decision_{n}" for n in range(5_000)]
    drawn = [each for each in ids if is_sampled(each, SHIPPED)]
    assert 400 < len(drawn) < 600
    assert drawn == [each for each in ids if is_sampled(each, SHIPPED)]
    assert not any(is_sampled(each, sampling(0.0)) for each in ids)
    assert all(is_sampled(each, sampling(1.0)) for each in ids)
