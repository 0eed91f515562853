"""An appeal is read by one process at a time, again where that failed, never for ever; reading changes no appeal."""

import asyncio
from datetime import timedelta

import pytest
from sqlmodel import Session, col, select, update

from data import appeal_readings, appeals, audit
from data.appeal_readings import Taken
from data.appeal_table import AppealReadingRow, AppealRow
from data.database import Database
from domain.actor import system
from domain.appeal import AppealBrief, AppealOutcome, AppealStatus
from domain.appeal_reading import KeptReading, NoReading, ReadingState
from domain.clock import now
from domain.opinion import Usage
from domain.review import ReviewItem
from domain.staff import Role
from tests import factories
from tests.data.test_appeals import APP, decide, filed, rejected

ACTOR = system(APP, "appeal_reviewer")
LEASE, MOST = timedelta(minutes=2), 3
SAM = factories.staff("sam", role=Role.SENIOR)
BRIEF = AppealBrief(
    factors=(),
    score=0.4,
    recommendation=AppealOutcome.UPHOLD,
    for_the_user=(),
    for_the_decision=(),
    prepared_by="test",
)
READING = factories.appeal_reading()
USAGE = Usage(calls=1, input_tokens=900, output_tokens=300, cost=0.01)


def prepared(session: Session) -> ReviewItem:
    """An appeal that has its brief."""
    item = filed(session, rejected(session))
    appeals.prepared(session, app_id=APP, appeal_id=str(item.appeal_id), brief=BRIEF, actor=system(APP))
    return item


def take(session: Session, app_ids: tuple[str, ...] = (APP,), limit: int = 4) -> tuple[Taken, ...]:
    return appeal_readings.take(
        session, app_ids=app_ids, limit=limit, lease=LEASE, most_attempts=MOST, actor=system("*")
    )


def keep(session: Session, taken: Taken) -> bool:
    return appeal_readings.keep(session, taken=taken, reading=READING, usage=USAGE, addresses=False, actor=ACTOR)


def fail(session: Session, taken: Taken, again: timedelta | None = LEASE, addresses: bool | None = None) -> bool:
    return appeal_readings.fail(
        session, taken=taken, why=NoReading.UNUSABLE, addresses=addresses, again=again, actor=ACTOR
    )


def kept(session: Session, item: ReviewItem, app_id: str = APP) -> KeptReading | None:
    return appeal_readings.of_appeal(session, app_id=app_id, appeal_id=str(item.appeal_id))


def later(session: Session) -> None:
    """As if the lease, or the pause, were over."""
    past = {"due_at": now() - timedelta(seconds=5)}
    session.execute(update(AppealReadingRow).where(col(AppealReadingRow.app_id) == APP).values(**past))


def row_of(session: Session, item: ReviewItem) -> dict[str, object]:
    return session.exec(select(AppealRow).where(AppealRow.id == item.appeal_id)).one().model_dump()


async def test_a_reading_is_kept_with_its_cost_and_noted_and_the_appeal_stays_as_it_was(database: Database) -> None:
    item = await database.write(prepared)
    before = await database.read(lambda s: row_of(s, item))
    assert await database.read(lambda s: appeal_readings.any_wanted(s, app_ids=(APP,)))
    [taken] = await database.write(take)
    assert (taken.appeal.id, taken.attempt) == (item.appeal_id, 1)
    assert await database.write(lambda s: keep(s, taken))
    found = await database.read(lambda s: kept(s, item))
    assert found is not None
    assert (found.state, found.reading, found.usage, found.attempts) == (ReadingState.WRITTEN, READING, USAGE, 1)
    assert await database.read(lambda s: row_of(s, item)) == before
    trail = await database.read(lambda s: audit.for_case(s, app_id=APP, case_id=item.case_id))
    [entry] = [entry for entry in trail if entry.action == appeal_readings.WRITTEN]
    assert entry.details["model"] == READING.model
    assert READING.says not in str(entry.details)
    assert not await database.read(lambda s: appeal_readings.any_wanted(s, app_ids=(APP,)))
    assert await database.write(take) == ()


async def test_what_is_not_prepared_or_of_another_app_is_not_taken_up(database: Database) -> None:
    await database.write(lambda s: filed(s, rejected(s)))
    item = await database.write(prepared)
    assert not await database.read(lambda s: appeal_readings.any_wanted(s, app_ids=("app_b",)))
    assert not await database.read(lambda s: appeal_readings.any_wanted(s, app_ids=()))
    assert await database.write(lambda s: take(s, ("app_b",))) == ()
    assert [each.appeal.id for each in await database.write(take)] == [item.appeal_id]
    assert await database.read(lambda s: kept(s, item, "app_b")) is None


async def test_two_processes_never_take_up_the_same(database: Database, url: str) -> None:
    other = Database(url)
    await other.start()
    try:
        items = [await database.write(prepared) for _ in range(6)]
        rounds = await asyncio.gather(*(side.write(take) for side in (database, other) * 4))
    finally:
        await other.close()
    taken = [each.appeal.id for found in rounds for each in found]
    assert sorted(taken) == sorted(str(item.appeal_id) for item in items)


async def test_what_a_process_died_with_is_taken_over_once_its_lease_is_over(database: Database) -> None:
    item = await database.write(prepared)
    [dead] = await database.write(take)
    assert await database.write(take) == ()
    await database.write(later)
    [second] = await database.write(take)
    assert second.attempt == 2
    assert not await database.write(lambda s: keep(s, dead)), "who comes back too late keeps nothing"
    assert not await database.write(lambda s: fail(s, dead, None))
    assert await database.write(lambda s: keep(s, second))
    found = await database.read(lambda s: kept(s, item))
    assert found is not None
    assert (found.state, found.attempts) == (ReadingState.WRITTEN, 2)
    assert not await database.write(lambda s: keep(s, second)), "twice is once"


async def test_a_failure_is_tried_again_after_its_pause_and_says_why_until_then(database: Database) -> None:
    item = await database.write(prepared)
    [taken] = await database.write(take)
    assert await database.write(lambda s: fail(s, taken, addresses=True))
    assert await database.write(take) == ()
    found = await database.read(lambda s: kept(s, item))
    assert found is not None
    assert (found.state, found.why_not) == (ReadingState.WAITING, NoReading.UNUSABLE)
    assert found.addresses_the_machine
    await database.write(later)
    [again] = await database.write(take)
    await database.write(lambda s: fail(s, again, addresses=None))
    found = await database.read(lambda s: kept(s, item))
    assert found is not None
    assert found.addresses_the_machine, "a try that did not look forgets nothing"


@pytest.mark.parametrize("dies", [True, False])
async def test_it_is_given_up_in_the_end_also_where_every_process_dies_of_it(database: Database, dies: bool) -> None:
    item = await database.write(prepared)
    for attempt in range(1, MOST + 1):
        [taken] = await database.write(take)
        assert taken.attempt == attempt
        if not dies:
            again = LEASE if attempt < MOST else None
            await database.write(lambda s, t=taken, a=again: fail(s, t, a))  # type: ignore[misc]
        await database.write(later)
    assert await database.write(take) == ()
    found = await database.read(lambda s: kept(s, item))
    assert found is not None
    why = NoReading.BROKEN_OFF if dies else NoReading.UNUSABLE
    assert (found.state, found.why_not, found.reading) == (ReadingState.GIVEN_UP, why, None)
    trail = await database.read(lambda s: audit.for_case(s, app_id=APP, case_id=item.case_id))
    assert [entry.action for entry in trail].count(appeal_readings.GIVEN_UP) == 1
    appeal = await database.read(lambda s: appeals.get(s, app_id=APP, appeal_id=str(item.appeal_id)))
    assert appeal.status is AppealStatus.UNDER_REVIEW


async def test_a_decided_appeal_keeps_what_it_has_until_the_decision_is_taken_back(database: Database) -> None:
    item = await database.write(prepared)
    [taken] = await database.write(take)
    await database.write(lambda s: decide(s, item, staff=SAM))
    assert not await database.write(lambda s: keep(s, taken))
    await database.write(later)
    assert not await database.read(lambda s: appeal_readings.any_wanted(s, app_ids=(APP,)))
    assert await database.write(take) == ()
    found = await database.read(lambda s: kept(s, item))
    assert found is not None
    assert found.reading is None
