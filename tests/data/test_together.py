"""What happens when callers give up, several processes write at once, or values are hostile."""

import asyncio
import base64
import itertools
import json
import threading
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session

from data import apps, cases, claims, decisions, idempotency, outbox, reviews
from data.database import Database
from data.memory import Memory
from domain.actor import system
from domain.case import CasePage
from domain.clock import now
from domain.errors import DatabaseUnavailable, Invalid, RequestInProgress, StaleVersion
from domain.ids import new_id
from domain.memory import Collection
from domain.notification import NotificationStatus
from domain.queries import CaseQuery
from domain.review import ReviewItem
from domain.vocabulary import DecisionKind, Policy
from tests import factories

GRAPH = system("app_a")
LEASE = timedelta(minutes=5)


@pytest.fixture
async def processes(database: Database, url: str) -> AsyncIterator[list[Database]]:
    """Four databases over the same store, as four processes would have them."""
    sides = [database, *(Database(url) for _ in range(3))]
    for side in sides[1:]:
        await side.start()
    yield sides
    for side in sides[1:]:
        await side.close()


class Holding:
    """A piece of work that occupies the writer until it is let go."""

    def __init__(self) -> None:
        self.entered, self.release = threading.Event(), threading.Event()

    def __call__(self, session: Session) -> None:
        self.entered.set()
        self.release.wait(10)


def failing(session: Session) -> None:
    raise LookupError("on purpose")


def naming(name: str) -> Callable[[Session], apps.App]:
    return lambda session: apps.get_or_create(session, name=name)


def recorded(session: Session, words: str = "hello", *, user_id: str = "u1", kind: str = "rejected") -> ReviewItem:
    """Record a case; the item is in the queue where the case was escalated."""
    made = factories.decision(DecisionKind(kind))
    record = factories.record(factories.content(words, user_id=user_id), made)
    item = factories.review(record)
    cases.record(
        session,
        record=record,
        review=item if made.kind is DecisionKind.ESCALATED else None,
        messages=[factories.message()],
        memory=None,
        actor=GRAPH,
    )
    return item


def searched(session: Session, query: CaseQuery, cursor: str | None = None) -> CasePage:
    return cases.search(session, app_id="app_a", query=query, cursor=cursor, limit=5)


@pytest.mark.parametrize("given_up", [naming("given up"), failing])
async def test_a_caller_who_gives_up_holds_nobody_up(database: Database, given_up: Callable[[Session], Any]) -> None:
    holding = Holding()
    running = asyncio.ensure_future(database.write(holding))
    await asyncio.to_thread(holding.entered.wait, 10)
    waiting = asyncio.ensure_future(database.write(given_up))
    beside = asyncio.ensure_future(database.write(naming("beside")))
    await asyncio.sleep(0)
    for task in (running, waiting):
        task.cancel()
    await asyncio.gather(running, waiting, return_exceptions=True)
    holding.release.set()
    async with asyncio.timeout(10):
        await beside
        await database.write(naming("later"))
    assert {app.name for app in await database.read(apps.list_apps)} == {"beside", "later"}


async def test_a_closed_database_says_so_at_once(url: str) -> None:
    closed = Database(url)
    await closed.start()
    await closed.close()
    async with asyncio.timeout(5):
        with pytest.raises(DatabaseUnavailable):
            await closed.write(naming("too late"))


async def test_processes_that_count_the_same_people_in_other_orders_all_succeed(processes: list[Database]) -> None:
    people = list(range(20)) * 3
    await asyncio.gather(
        *(processes[0].write(lambda s, n=n: recorded(s, user_id=f"u{n}")) for n in people),
        *(processes[1].write(lambda s, n=n: recorded(s, user_id=f"u{n}")) for n in reversed(people)),
    )
    for n in range(20):
        past = await processes[0].read(lambda s, n=n: cases.history(s, app_id="app_a", user_id=f"u{n}"))
        assert (past.cases, past.violations) == (6, 6)


async def test_of_racing_requests_with_one_key_one_begins(processes: list[Database]) -> None:
    for n in range(10):
        begun = await asyncio.gather(
            *(
                side.write(lambda s, n=n: idempotency.begin(s, app_id="app_a", key=f"k{n}", request_hash="h"))
                for side in processes
            ),
            return_exceptions=True,
        )
        assert begun.count(None) == 1
        assert sum(isinstance(outcome, RequestInProgress) for outcome in begun) == 3


async def test_an_app_is_made_once(processes: list[Database]) -> None:
    for n in range(10):
        made = await asyncio.gather(*(side.write(naming(f"app {n}")) for side in processes))
        assert len({app.id for app in made}) == 1


async def test_racing_proposals_share_one_review(processes: list[Database]) -> None:
    def proposing(brought: ReviewItem) -> Callable[[Session], ReviewItem]:
        return lambda session: reviews.propose(
            session,
            app_id="app_a",
            case_id=brought.case_id,
            decision=DecisionKind.APPROVED,
            policy=None,
            severity=None,
            action=None,
            reasoning="It reads like a joke between friends.",
            review=brought.model_copy(update={"id": new_id("review")}),
            actor=factories.agent(),
        )

    for _ in range(10):
        item = await processes[0].write(recorded)
        opened = await asyncio.gather(*(side.write(proposing(item)) for side in processes))
        assert len({review.id for review in opened}) == 1


def owing(count: int) -> Callable[[Session], list[str]]:
    messages = [factories.message() for _ in range(count)]
    return lambda session: outbox.put(session, app_id="app_a", case_id=None, messages=messages, at=now())


def taking(limit: int) -> Callable[[Session], list[str]]:
    return lambda session: [message.id for message in outbox.take(session, limit=limit, lease=LEASE)]


async def test_of_racing_senders_each_takes_what_no_other_has(processes: list[Database]) -> None:
    owed = await processes[0].write(owing(100))
    taken = await asyncio.gather(*(side.write(taking(2)) for _ in range(15) for side in processes))
    taken.append(await processes[0].write(taking(100)))
    assert sorted(itertools.chain(*taken)) == sorted(owed)


async def test_a_sender_takes_what_is_free_and_waits_for_nobody(processes: list[Database], url: str) -> None:
    if not url.startswith("postgresql"):
        pytest.skip("SQLite has one writer at a time")
    owed = await processes[0].write(owing(5))
    holding = Holding()

    def take_and_linger(session: Session) -> list[str]:
        found = taking(2)(session)
        holding(session)
        return found

    lingering = asyncio.ensure_future(processes[0].write(take_and_linger))
    await asyncio.to_thread(holding.entered.wait, 10)
    async with asyncio.timeout(10):
        beside = await processes[1].write(taking(9))
    assert not lingering.done()
    holding.release.set()
    assert sorted([*beside, *await lingering]) == sorted(owed)
    assert len(beside) == 3


async def test_nobody_decides_under_the_claim_of_another(database: Database) -> None:
    item = await database.write(lambda s: recorded(s, kind="escalated"))
    held = await database.write(lambda s: claims.claim(s, staff=factories.staff("ann"), review_id=item.id, lease=LEASE))
    with pytest.raises(StaleVersion):
        await database.write(lambda s: _decided(s, held, "bob"))
    made = await database.write(lambda s: _decided(s, held, "ann"))
    assert made.reviewer == "ann"


async def test_the_escalation_rate_remembers_what_people_have_decided_since(database: Database) -> None:
    item = await database.write(lambda s: recorded(s, kind="escalated"))
    held = await database.write(lambda s: claims.claim(s, staff=factories.staff("ann"), review_id=item.id, lease=LEASE))
    await database.write(lambda s: _decided(s, held, "ann"))
    hour_ago = item.created_at - timedelta(hours=1)
    numbers = await database.read(lambda s: cases.metrics(s, app_id="app_a", since=hour_ago))
    assert numbers.escalation_rate == 1.0


def _decided(session: Session, held: ReviewItem, who: str) -> Any:
    return decisions.decide(
        session,
        staff=factories.staff(who),
        review_id=held.id,
        epoch=held.epoch,
        decision=factories.human(held.case_id, reviewer=who),
        messages=[],
        memory=None,
        undo=timedelta(),
    )


async def test_a_delivered_message_stays_delivered(database: Database) -> None:
    [message] = await database.write(
        lambda s: outbox.add(s, app_id="app_a", case_id=None, messages=[factories.message()], actor=GRAPH)
    )

    def settled(session: Session, *, ok: bool) -> NotificationStatus:
        return outbox.settle(
            session, notification_id=message.id, delivered=ok, error="" if ok else "too slow", again_at=None
        )

    await database.write(lambda s: settled(s, ok=True))
    assert await database.write(lambda s: settled(s, ok=False)) == NotificationStatus.DELIVERED


async def test_searching_does_not_mind_capitals(database: Database) -> None:
    await database.write(lambda s: recorded(s, "Send MONEY"))
    page = await database.read(lambda s: searched(s, CaseQuery(text="send money")))
    assert len(page.cases) == 1


async def test_times_at_the_end_of_the_calendar_are_times(database: Database) -> None:
    await database.write(recorded)
    first = datetime.fromisoformat("0001-01-01T00:00:00+14:00")
    last = datetime.fromisoformat("9999-12-31T23:59:59-14:00")
    page = await database.read(lambda s: searched(s, CaseQuery(since=first, until=last)))
    assert len(page.cases) == 1
    cursor = base64.urlsafe_b64encode(json.dumps([first.isoformat(), "case_0"]).encode()).decode()
    page = await database.read(lambda s: searched(s, CaseQuery(), cursor))
    assert page.cases == ()


async def test_a_deeply_nested_cursor_is_refused(database: Database) -> None:
    cursor = base64.urlsafe_b64encode(b"[" * 40_000).decode()
    with pytest.raises(Invalid):
        await database.read(lambda s: searched(s, CaseQuery(), cursor))


async def test_a_nul_character_is_kept_or_refused_and_breaks_nothing(database: Database, url: str) -> None:
    asked = await asyncio.gather(
        database.read(lambda s: searched(s, CaseQuery(text="a\x00b"))),
        database.write(lambda s: recorded(s, "a\x00b")),
        database.write(lambda s: recorded(s, "beside")),
        return_exceptions=True,
    )
    refused = [isinstance(outcome, Invalid) for outcome in asked]
    assert refused == ([True, True, False] if url.startswith("postgresql") else [False] * 3)


async def test_a_failure_tells_no_values(database: Database) -> None:
    twice = text("INSERT INTO apps (id, name, created_at) VALUES (:id, :name, '2026-01-01')")
    row = {"id": "1", "name": "secret words"}
    await database.write(lambda s: s.execute(twice, row))
    with pytest.raises(Exception, match="apps") as failure:
        await database.write(lambda s: s.execute(twice, row))
    assert "secret words" not in str(failure.value)


async def test_other_holders_of_the_guidelines_see_them_replaced(tmp_path: Path) -> None:
    one, other = Memory.open(tmp_path, None), Memory.open(tmp_path, None)
    await one.index_policies([(Policy.SPAM, f"passage {n}", factories.vector(n)) for n in range(3)])
    assert len(await other.search_policies(factories.vector(0), limit=9)) == 3
    await one.index_policies([(Policy.HATE, "the only one", factories.vector(0))])
    [match] = await other.search_policies(factories.vector(0), limit=9)
    assert (match.policy, match.passage) == (Policy.HATE, "the only one")


async def test_what_nobody_has_decided_is_no_known_violation(tmp_path: Path) -> None:
    memory = Memory.open(tmp_path, None)
    await memory.add([factories.memory_item(kind=DecisionKind.ESCALATED)])
    assert await memory.search(Collection.FLAGGED_CONTENT, app_id="app_a", vector=factories.vector(1), limit=5) == ()
    assert await memory.count("app_a") == 1
