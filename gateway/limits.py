"""Limits: requests per key over time, and decisions being made at once.

Rates are counted by the `limits` library, in memory or shared by many processes through Redis.
"""

import asyncio
import logging
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter
from limits.errors import ConfigurationError, StorageError
from limits.storage import storage_from_string

from domain.errors import Overloaded, RateLimited

logger = logging.getLogger(__name__)

IN_MEMORY = "async+memory://"

COUNTED_WITHIN_S = 0.5
"""How long a request waits to be counted."""


def storage_at(url: str) -> MemoryStorage | RedisStorage:
    """Where requests are counted; connects to nothing yet. Raises ValueError where the address cannot be used."""
    try:
        # The library's default client for Redis, coredis, connects only within a context manager of its own.
        storage = storage_from_string(url, implementation="redispy", wrap_exceptions=True)
    except ConfigurationError as error:
        raise ValueError(str(error)) from error
    if not isinstance(storage, MemoryStorage | RedisStorage):
        raise ValueError(f"{type(storage).__name__} is not supported")
    return storage


class RateLimit:
    """At most so many requests per key, e.g. `300/second` or `10000/minute`."""

    def __init__(self, rate: str, storage_url: str = IN_MEMORY) -> None:
        self._storage = storage_at(storage_url)
        self._item: RateLimitItem = parse(rate)
        self._limiter = FixedWindowRateLimiter(self._storage)

    async def spend(self, key_id: str, cost: int = 1) -> None:
        """Count `cost` requests. Raises RateLimited, with the seconds to wait, where there are too many.

        Nobody is turned away because Redis does not answer: the gate still bounds what is decided at once.
        """
        try:
            async with asyncio.timeout(COUNTED_WITHIN_S):
                if await self._limiter.hit(self._item, key_id, cost=cost):
                    return
                window = await self._limiter.get_window_stats(self._item, key_id)
        except (StorageError, TimeoutError) as error:
            logger.warning("a request is not counted, Redis does not answer (%s)", type(error).__name__)
            return
        wait = max(0.0, window.reset_time - time.time())
        raise RateLimited(f"more than {self._item} with this key; wait {math.ceil(wait)} s", retry_after=wait)

    async def close(self) -> None:
        """Let go of the connections to Redis, if there are any."""
        if isinstance(self._storage, RedisStorage):
            await self._storage.bridge.storage.aclose()  # type: ignore[attr-defined]


class Gate:
    """Lets so many in at once and turns the rest away: a queue that grows without bound helps nobody (I11)."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self.inside = 0

    @contextmanager
    def enter(self) -> Iterator[None]:
        """Be inside for the length of the block. Raises Overloaded when full."""
        if self.inside >= self._capacity:
            raise Overloaded("too many decisions are being made at once; send it again in a moment")
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1
