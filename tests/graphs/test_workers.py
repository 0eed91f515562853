"""What workers do with real servers: memory is told of every case, messages arrive, nothing is lost in between."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp.server import MCPServer

from cupidsshield.bootstrap import House, open_house
from cupidsshield.settings import read_settings
from data import memory_inbox, migrate
from data.database import Database
from data.memory import Memory
from domain.errors import ToolUnavailable
from domain.ids import new_id
from domain.memory import Collection, MemoryItem
from domain.notification import NotificationStatus
from domain.vocabulary import DecisionKind
from evals.service import free_port
from mcp_servers.client import ServerName, open_toolbox
from mcp_servers.identity import actor_in_meta
from mcp_servers.vector_search import server as vector_server
from tests import factories
from tests.graphs.conftest import DOUBTFUL, VIOLATING, app_told_at, decided, messages_of, shelf_of
from tests.mcp_servers.serving import LONGEST_S, answer, receiving
from tests.own_task import in_own_task
from workers import tasks
from workers.loop import Worker

pytestmark = pytest.mark.asyncio(loop_scope="session")


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite:///{path}")
    await database.start()
    yield database
    await database.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "worker.db"
    migrate.upgrade(f"sqlite:///{found}")
    return found


async def hand_in(database: Database, app_id: str, count: int) -> list[MemoryItem]:
    items = [factories.memory_item(app_id=app_id, seed=seed) for seed in range(count)]

    def add_all(session: Any) -> None:
        for item in items:
            memory_inbox.add(session, item)

    await database.write(add_all)
    return items


async def waiting(database: Database) -> int:
    return len(await database.read(lambda session: memory_inbox.pending(session, limit=10_000)))


async def no_embedding(texts: Any) -> list[str]:
    raise AssertionError("memory gets vectors, not texts")


class Outage:
    """Between the worker and the real server: refuses so many calls, then lets all through."""

    def __init__(self, memory: Memory, refusals: int) -> None:
        self.refusals = refusals
        self.over = asyncio.Event()
        self._real = vector_server.build(memory, no_embedding, actor_in_meta)

    def server(self) -> MCPServer:
        remember = shelf_of(self._real)["remember"]
        real = remember.fn

        async def guarded(*args: Any, **kwargs: Any) -> Any:
            if self.refusals:
                self.refusals -= 1
                raise ToolUnavailable("vector-search", "memory does not answer")
            done = await real(*args, **kwargs)
            self.over.set()
            return done

        remember.fn = guarded
        return self._real


async def test_memory_is_told_of_everything_once_an_outage_is_over(path: Path, tmp_path: Path) -> None:
    app_id, count = new_id("app"), tasks.MEMORY_BATCH + 3
    memory = await asyncio.to_thread(Memory.open, tmp_path / "memory", None)
    outage = Outage(memory, refusals=3)
    async with (
        opened(path) as database,
        open_toolbox({ServerName.VECTOR_SEARCH: outage.server()}, timeout_s=LONGEST_S) as tools,
    ):
        await hand_in(database, app_id, count)
        step = tasks.remember(database, tools)
        with pytest.raises(ToolUnavailable):
            await step()
        assert await waiting(database) == count, "nothing leaves the inbox before memory has it"
        worker = Worker("memory", step, interval_s=0.001)
        task = asyncio.create_task(worker.run())
        async with asyncio.timeout(LONGEST_S):
            await outage.over.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await worker.drain()
        assert await waiting(database) == 0
        assert await memory.count(app_id) == count


async def test_what_memory_had_taken_before_a_crash_is_not_there_twice(path: Path, tmp_path: Path) -> None:
    app_id = new_id("app")
    memory = await asyncio.to_thread(Memory.open, tmp_path / "memory", None)
    server = vector_server.build(memory, no_embedding, actor_in_meta)
    async with opened(path) as database:
        items = await hand_in(database, app_id, 4)
        await memory.add(items)
    async with (
        opened(path) as restarted,
        open_toolbox({ServerName.VECTOR_SEARCH: server}, timeout_s=LONGEST_S) as tools,
    ):
        await Worker("memory", tasks.remember(restarted, tools), interval_s=1).drain()
        assert await waiting(restarted) == 0
    assert await memory.count(app_id) == 4


async def test_what_a_person_decided_is_given_its_vector_by_the_memory_server(path: Path, tmp_path: Path) -> None:
    app_id, asked = new_id("app"), list[str]()

    async def embed(texts: Any) -> list[str]:
        asked.extend(texts)
        return [factories.vector(7) for _ in texts]

    memory = await asyncio.to_thread(Memory.open, tmp_path / "memory", None)
    server = vector_server.build(memory, embed, actor_in_meta)
    async with (
        opened(path) as database,
        open_toolbox({ServerName.VECTOR_SEARCH: server}, timeout_s=LONGEST_S) as tools,
    ):
        [with_vector] = await hand_in(database, app_id, 1)
        without = factories.memory_item(app_id=app_id, confirmed=True, text="so it said").model_copy(
            update={"vector": ""}
        )
        await database.write(lambda session: memory_inbox.add(session, without))
        await Worker("memory", tasks.remember(database, tools), interval_s=1).drain()
    assert asked == ["so it said"]
    found = await memory.search(Collection.CONFIRMED_CASES, app_id=app_id, vector=factories.vector(7), limit=5)
    assert [(each.case_id, round(each.similarity, 3)) for each in found] == [(without.case_id, 1.0)]
    assert await memory.count(app_id) == len({with_vector.case_id, without.case_id})


async def test_a_person_decides_while_memory_is_away_and_memory_is_told_after_a_restart(tmp_path: Path) -> None:
    app_id = new_id("app")
    nowhere = f"http://127.0.0.1:{free_port()}/mcp/vector-search"
    without = read_settings(data_dir=tmp_path, mcp_vector_search_url=nowhere, service_token="t" * 24)
    async with in_own_task(open_house(without)) as house:
        answers = [await decided(house, app_id, text) for text in (DOUBTFUL, VIOLATING)]
        assert [each.decision for each in answers] == [DecisionKind.ESCALATED] * 2
        assert await waiting(house.database) == 2
    async with in_own_task(open_house(read_settings(data_dir=tmp_path))) as house:
        assert house.memory is not None
        await Worker("memory", tasks.remember(house.database, house.tools), interval_s=1).drain()
        assert await waiting(house.database) == 0
        assert await house.memory.count(app_id) == 2


async def test_the_houses_own_worker_delivers_what_a_run_asks_for(house: House) -> None:
    arrived = asyncio.Event()

    def say(posted: object) -> bytes:
        if len(receiver.posted) == 2:
            arrived.set()
        return answer(200)

    async with receiving(say) as receiver:
        app_id = await app_told_at(house, receiver.url)
        await decided(house, app_id, VIOLATING)
        async with asyncio.timeout(LONGEST_S):
            await arrived.wait()
            # What was posted is under a lease until the worker that posted it has noted the answers.
            while {entry.status for entry in await messages_of(house, app_id)} != {NotificationStatus.DELIVERED}:
                await asyncio.sleep(0.01)
    assert len(receiver.posted) == 2
