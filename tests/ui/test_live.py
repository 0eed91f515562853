"""The stream of what changed: told at once for this process, soon for others, and it ends."""

import asyncio

import pytest

from cupidsshield.bootstrap import House
from data import changes
from tests.ui.conftest import Hire
from tests.ui.working import waiting
from ui import live
from ui.live import Live


async def never_newer() -> int:
    return 0


async def test_a_change_of_this_process_is_told_at_once() -> None:
    told = Live(never_newer)
    stream = told.changes()
    waits = asyncio.create_task(anext(stream))
    while not told._listeners:
        await asyncio.sleep(0)
    told.tell()
    await asyncio.wait_for(waits, 5)
    await stream.aclose()  # type: ignore[attr-defined]


async def test_a_change_of_another_process_is_told_by_the_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LOOK_EVERY_S", 0.0)
    seen = iter(range(1, 10_000))

    async def newer() -> int:
        return next(seen)

    stream = Live(newer).changes()
    await asyncio.wait_for(anext(stream), 5)
    await stream.aclose()  # type: ignore[attr-defined]


async def test_a_stream_ends_when_the_service_stops() -> None:
    told = Live(never_newer)
    told.close()
    assert [each async for each in told.changes()] == []


async def test_whatever_is_done_makes_the_record_newer(house: House, hire: Hire) -> None:
    person = await hire()
    before = await house.database.read(changes.newest)
    await waiting(house, person)
    assert await house.database.read(changes.newest) > before
