"""After a change of model every case is remembered anew, by the vectors of the model in use."""

import asyncio

from cupidsshield.bootstrap import open_house
from cupidsshield.settings import read_settings
from data import memory_inbox
from data.database import Database
from data.memory import unpacked
from tests.cupidsshield.conftest import Run
from tests.graphs.conftest import decided
from workers import tasks
from workers.loop import Worker

TEXTS = {"I love hiking! What trails do you recommend?", "Send me 200 dollars in gift cards"}


async def decide_and_remember() -> None:
    async with open_house(read_settings()) as house:
        for text in sorted(TEXTS):
            await decided(house, "app-1", text)
        await Worker("memory", tasks.remember(house.database, house.tools), interval_s=1).drain()


async def waiting() -> dict[str, int]:
    """Texts that wait for memory, and how long their vectors are."""
    database = Database(read_settings().database)
    await database.start()
    try:
        found = await database.read(lambda session: memory_inbox.pending(session, limit=10))
        return {entry.item.text: len(unpacked(entry.item.vector)) for entry in found}
    finally:
        await database.close()


def test_every_case_is_embedded_anew_and_waits_for_memory(run: Run) -> None:
    asyncio.run(decide_and_remember())
    assert asyncio.run(waiting()) == {}
    ran = run("memory", "rebuild")
    assert (ran.code, "2 cases" in ran.out) == (0, True)
    assert asyncio.run(waiting()) == dict.fromkeys(TEXTS, 384)


def test_without_cases_there_is_nothing_to_do(run: Run) -> None:
    ran = run("memory", "rebuild")
    assert (ran.code, "0 cases" in ran.out) == (0, True)
