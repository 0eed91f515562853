"""Sixteen moderators, 1,000 items, leases of 200 ms, processes that stand still: each item is decided once (I7, I12).

Four processes with four moderators each share one database. While they work, one after the other is stopped for longer
than a lease, wherever it stands, also inside a transaction.
"""

import asyncio
import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session

from data.database import GROUP, Database
from domain.errors import StaleVersion
from domain.review import Decided, ReviewKind
from gateway.errors import STATUS
from policies.loader import load
from tests import factories
from tests.data.desk import opened
from tests.slow.four_moderators import LEASE, decide
from workers.settle import settle

ITEMS = 1_000
PROCESSES = 4
STOPPED_S = 1.5 * LEASE.total_seconds()
LONGEST_S = 240
ROOT = Path(__file__).parent.parent.parent

pytestmark = pytest.mark.alone


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    await database.start()
    yield database
    await database.close()


def work_through(url: str) -> list[dict[str, Any]]:
    """Let the processes work, and stop one after the other; what each try came to."""
    command = [sys.executable, "-m", "tests.slow.four_moderators", url]
    with ExitStack() as stack:
        # Files, not pipes: a full pipe that nobody reads would hold a process up for ever.
        told = [stack.enter_context(TemporaryFile("w+")) for _ in range(PROCESSES)]
        running = [subprocess.Popen([*command, str(n)], cwd=ROOT, stdout=file) for n, file in enumerate(told)]
        let_work(running)
        assert {process.returncode for process in running} == {0}
        for file in told:
            file.seek(0)
        return [tried for file in told for tried in json.load(file)]


def let_work(running: list[subprocess.Popen[bytes]]) -> None:
    """Until all have come to an end, stop one of those at work for longer than a lease, and again."""
    chance, until = random.Random(20_261_128), time.monotonic() + LONGEST_S
    try:
        while alive := [process for process in running if process.poll() is None]:
            assert time.monotonic() < until, "they never came to an end"
            stopped = chance.choice(alive)
            stopped.send_signal(signal.SIGSTOP)
            time.sleep(STOPPED_S)
            stopped.send_signal(signal.SIGCONT)
            time.sleep(0.1)
    finally:
        for process in running:
            process.kill()
            process.wait()


async def counted(database: Database, query: str) -> list[tuple[Any, ...]]:
    return await database.read(lambda s: [tuple(row) for row in s.execute(text(query))])


async def test_each_of_a_thousand_items_is_decided_once(database: Database, url: str) -> None:
    def fill(session: Session) -> None:
        for n in range(ITEMS):
            opened(session, factories.content(f"text {n}", user_id=f"u{n}"))

    await database.write(fill)
    tried = await asyncio.to_thread(work_through, url)
    won = [each for each in tried if each["won"]]
    stale = [each for each in tried if not each["won"]]

    assert Counter(each["review"] for each in won) == dict.fromkeys({each["review"] for each in won}, 1)
    assert len(won) == ITEMS, "0 double decisions, and none left"
    late = [each for each in tried if each["late"]]
    assert len(late) > ITEMS // 20
    assert not any(each["won"] for each in late), "a lease that is over decides nothing"
    assert len(stale) > len(late), "some lost their claim because their process stood still"
    winners = {each["review"]: (each["who"], each["epoch"]) for each in won}
    assert len({who for who, _ in winners.values()}) == 16

    rows = await counted(database, "SELECT id, assigned_to, epoch FROM review_queue WHERE status = 'completed'")
    assert {review: (who, epoch) for review, who, epoch in rows} == winners
    decided = await counted(database, "SELECT review_id, reviewer, epoch FROM human_decisions")
    assert len(decided) == ITEMS
    assert {review: (who, epoch) for review, who, epoch in decided} == winners
    for once in ("audit_log WHERE action = 'decision.by_person'", "outbox"):
        found = await counted(database, f"SELECT case_id, count(*) FROM {once} GROUP BY case_id")
        assert Counter(number for _, number in found) == {1: ITEMS}, once

    await every_old_claim_is_refused(database, tried)
    await settling_by_two_has_one_effect(database, url)


async def every_old_claim_is_refused(database: Database, tried: list[dict[str, Any]]) -> None:
    """Whatever claim there ever was, of the winner too, decides nothing any more; the API says 409 to that."""
    assert STATUS[StaleVersion] == 409

    def again(each: dict[str, Any]) -> Any:
        held = factories.review(factories.record()).model_copy(
            update={"id": each["review"], "case_id": each["case"], "epoch": each["epoch"]}
        )
        return lambda session: decide(session, held, factories.staff(each["who"]))

    for start in range(0, len(tried), GROUP):
        writes = (database.write(again(each)) for each in tried[start : start + GROUP])
        answers = await asyncio.gather(*writes, return_exceptions=True)
        assert {type(answer) for answer in answers} == {StaleVersion}


async def settling_by_two_has_one_effect(database: Database, url: str) -> None:
    """Two workers settle all of it at once: runs may be resumed twice, what follows happens once."""
    followed: Counter[str] = Counter()

    async def resume(decided: Decided) -> None:
        await asyncio.sleep(0)

    def follow(session: Session, decided: Decided) -> None:
        followed[decided.id] += 1

    other = Database(url)
    await other.start()
    steps = [settle(side, load(None), {ReviewKind.CASE: resume}, also=[follow]) for side in (database, other)]
    done = await asyncio.gather(*(step() for step in steps))
    await other.close()
    assert sum(done) == ITEMS
    assert len(followed) == ITEMS
    looks = await counted(database, "SELECT case_id FROM review_queue WHERE kind = 'quality'")
    assert len(looks) == len(set(looks))
    assert ITEMS // 20 < len(looks) < ITEMS // 5
