"""Processes that share a Redis share each key's rate, and go on without it while it is away."""

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from domain.errors import RateLimited
from evals.service import free_port
from gateway.limits import RateLimit
from tests.mcp_servers.serving import LONGEST_S

pytestmark = pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed")


class Redis:
    """A redis-server of our own, which keeps nothing on disk."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"async+redis://127.0.0.1:{self.port}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        told = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._folder)]
        self._process = subprocess.Popen(["redis-server", *told], stdout=subprocess.DEVNULL)
        async with asyncio.timeout(LONGEST_S):
            while not await self._listens():
                await asyncio.sleep(0.01)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @asynccontextmanager
    async def frozen(self) -> AsyncIterator[None]:
        """It takes connections and answers nothing."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)
        yield
        os.kill(self._process.pid, signal.SIGCONT)

    async def _listens(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except ConnectionRefusedError:
            return False
        writer.close()
        await writer.wait_closed()
        return True


@pytest.fixture
async def redis(tmp_path: Path) -> AsyncIterator[Redis]:
    server = Redis(tmp_path)
    await server.start()
    yield server
    server.stop()


@asynccontextmanager
async def limits(redis: Redis, rate: str, processes: int = 1) -> AsyncIterator[list[RateLimit]]:
    """The same rate as so many processes would hold it."""
    made = [RateLimit(rate, redis.url) for _ in range(processes)]
    yield made
    for one in made:
        await one.close()


async def test_two_processes_count_together(redis: Redis) -> None:
    async with limits(redis, "4/hour", processes=2) as (one, other):
        await one.spend("key_1")
        await other.spend("key_1", cost=2)
        await one.spend("key_1")
        for limit in (one, other):
            with pytest.raises(RateLimited) as refusal:
                await limit.spend("key_1")
            assert 0 < refusal.value.retry_after <= 3_600
        await other.spend("key_2")


async def test_of_racing_requests_only_so_many_are_let_in(redis: Redis) -> None:
    async with limits(redis, "10/hour", processes=4) as sides:
        asked = (sides[number % 4].spend("key_1") for number in range(40))
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert outcomes.count(None) == 10
    assert sum(isinstance(outcome, RateLimited) for outcome in outcomes) == 30


async def test_without_redis_nobody_is_turned_away_and_counting_begins_again_by_itself(redis: Redis) -> None:
    async with limits(redis, "1/hour") as [limit]:
        await limit.spend("key_1")
        redis.stop()
        for _ in range(3):
            await limit.spend("key_1")
        await redis.start()
        await limit.spend("key_1")
        with pytest.raises(RateLimited):
            await limit.spend("key_1")


async def test_a_redis_that_hangs_holds_nobody_up(redis: Redis) -> None:
    async with limits(redis, "1/hour") as [limit]:
        await limit.spend("key_1")
        async with redis.frozen(), asyncio.timeout(LONGEST_S):
            await limit.spend("key_1")
        with pytest.raises(RateLimited):
            await limit.spend("key_1")
