"""Limits: requests per key over time, and decisions being made at once.

Rates are counted by the `limits` library, in memory or shared by many processes through Redis.
"""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

from limits import RateLimitItem, parse
from limits.aio.storage import Storage
from limits.aio.strategies import FixedWindowRateLimiter
from limits.storage import storage_from_string

from domain.errors import Overloaded, RateLimited


class RateLimit:
    """At most so many requests per key, e.g. `300/second` or `10000/minute`."""

    def __init__(self, rate: str, storage_url: str = "async+memory://") -> None:
        storage = storage_from_string(storage_url)
        if not isinstance(storage, Storage):
            raise TypeError(f"{storage_url} names no async storage; it must begin with async+")
        self._item: RateLimitItem = parse(rate)
        self._limiter = FixedWindowRateLimiter(storage)

    async def spend(self, key_id: str, cost: int = 1) -> None:
        """Count `cost` requests. Raises RateLimited, with the seconds to wait, where there are too many."""
        if await self._limiter.hit(self._item, key_id, cost=cost):
            return
        window = await self._limiter.get_window_stats(self._item, key_id)
        wait = max(0.0, window.reset_time - time.time())
        raise RateLimited(f"more than {self._item} with this key; wait {math.ceil(wait)} s", retry_after=wait)


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
