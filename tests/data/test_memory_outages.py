"""An outage of memory is told as one, whatever it looks like; a fault of ours is never taken for one."""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import chromadb
import pytest
from chromadb.errors import InternalError

from data.memory import Memory
from domain.errors import Invalid, ToolUnavailable
from domain.memory import Collection, MemoryItem
from evals.service import START_WITHIN_S, free_port
from tests import factories
from tests.mcp_servers.serving import Wire, answer, wire

pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning")
"""Chroma's client closes no connection of its own."""

WHOLE = factories.memory_item()
TOO_SHORT = WHOLE.model_copy(update={"vector": WHOLE.vector[:64]})


@pytest.fixture(scope="module")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a Chroma server of our own."""
    port, program = free_port(), Path(sys.executable).parent / "chroma"
    told = ["run", "--path", str(tmp_path_factory.mktemp("chroma")), "--port", str(port)]
    process = subprocess.Popen([program, *told], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield port
    process.kill()
    process.wait()


async def opened(url: str) -> Memory:
    return await asyncio.to_thread(Memory.open, None, url)


async def answers(cable: Wire) -> bool:
    try:
        await opened(f"http://127.0.0.1:{cable.port}")
    except ToolUnavailable:
        return False
    return True


@pytest.fixture
async def cable(chroma: int) -> AsyncIterator[Wire]:
    """The way to the server, once it answers."""
    async with wire(chroma) as made:
        async with asyncio.timeout(START_WITHIN_S):
            while not await answers(made):
                await asyncio.sleep(0.05)
        yield made


async def found(memory: Memory, item: MemoryItem = WHOLE) -> list[str]:
    near = await memory.search(Collection.HISTORICAL_CASES, app_id=WHOLE.app_id, vector=item.vector, limit=5)
    return [precedent.case_id for precedent in near]


def saying(response: bytes) -> Callable[[Wire], Awaitable[None]]:
    return lambda cable: cable.say(lambda posted: response)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data.memory.ANSWERS_WITHIN_S", 2.0)


BREAKS: dict[str, Callable[[Wire], Awaitable[None]]] = {
    "refused": Wire.refuse,
    "reset": Wire.reset,
    "cut short": Wire.cut,
    "no answer": Wire.hang,
    "a proxy's 503": saying(answer(503)),
    "an error of Chroma's": saying(answer(500, b'{"error": "InternalError", "message": "the disk is full"}')),
    "a web page": saying(answer(200, b"<html>")),
    "no gzip": saying(answer(200, b"no gzip", content_encoding="gzip")),
    "no http": saying(b"no http\r\n\r\n"),
}


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("how", BREAKS.values(), ids=BREAKS)
async def test_an_outage_is_one_and_ends_by_itself(cable: Wire, how: Callable[[Wire], Awaitable[None]]) -> None:
    memory = await opened(f"http://127.0.0.1:{cable.port}")
    await memory.add([WHOLE])
    await how(cable)
    asked: list[Awaitable[Any]] = [found(memory), memory.add([WHOLE]), memory.count(WHOLE.app_id)]
    for outcome in await asyncio.gather(*asked, return_exceptions=True):
        assert isinstance(outcome, ToolUnavailable)
        assert "memory does not answer" in str(outcome)
    with pytest.raises(ToolUnavailable, match="memory cannot be opened"):
        await opened(f"http://127.0.0.1:{cable.port}")
    await cable.mend()
    assert WHOLE.case_id in await found(memory)


async def test_two_servers_are_two_memories(cable: Wire, chroma: int) -> None:
    for port in (cable.port, chroma):
        await (await opened(f"http://127.0.0.1:{port}")).count("app_a")


@pytest.fixture
async def here_and_there(cable: Wire, tmp_path: Path) -> list[Memory]:
    return [Memory.open(tmp_path, None), await opened(f"http://127.0.0.1:{cable.port}")]


async def test_an_index_that_is_half_there_is_asked_again(
    here_and_there: list[Memory], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, asked = chromadb.Collection.query, 0

    def half(collection: chromadb.Collection, **how: Any) -> Any:
        nonlocal asked
        asked += 1
        if asked % 2:
            raise InternalError("Error creating hnsw segment reader: Nothing found on disk")
        return whole(collection, **how)

    monkeypatch.setattr(chromadb.Collection, "query", half)
    for memory in here_and_there:
        await memory.add([WHOLE])
        assert WHOLE.case_id in await found(memory)


async def test_a_vector_of_another_model_is_refused_in_words(here_and_there: list[Memory]) -> None:
    for memory in here_and_there:
        await memory.add([WHOLE])
        for asked in (found(memory, TOO_SHORT), memory.add([TOO_SHORT])):
            with pytest.raises(Invalid, match=r"384.*model that memory was filled with"):
                await asked


async def test_a_fault_of_ours_is_no_outage(here_and_there: list[Memory]) -> None:
    for memory in here_and_there:
        with pytest.raises(ValueError, match="buffer size"):
            await memory.search(Collection.HISTORICAL_CASES, app_id="app_a", vector="no base64", limit=5)
        with pytest.raises(TypeError):
            await memory.search(Collection.HISTORICAL_CASES, app_id="app_a", vector=WHOLE.vector, limit=0)
        with pytest.raises(AttributeError):
            await memory.add([None])  # type: ignore[list-item]


async def test_a_damaged_folder_cannot_be_opened(tmp_path: Path) -> None:
    await Memory.open(tmp_path / "whole", None).add([WHOLE])
    shutil.copytree(tmp_path / "whole", tmp_path / "damaged")
    (tmp_path / "damaged" / "chroma.sqlite3").write_bytes(b"garbage" * 5_000)
    with pytest.raises(ToolUnavailable, match="memory cannot be opened"):
        Memory.open(tmp_path / "damaged", None)


async def test_a_folder_damaged_under_an_open_memory_is_an_outage(tmp_path: Path) -> None:
    memory = Memory.open(tmp_path, None)
    await memory.add([WHOLE])
    for file in tmp_path.rglob("*"):
        if file.is_file():
            file.write_bytes(b"garbage" * 5_000)
    with pytest.raises(ToolUnavailable, match="memory does not answer"):
        await found(memory)
    with pytest.raises(ToolUnavailable, match="memory does not answer"):
        await memory.add([WHOLE])


async def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "memory").write_text("a file")
    with pytest.raises(ToolUnavailable, match="memory cannot be opened"):
        Memory.open(tmp_path / "memory", None)
