"""Tells open pages that something changed: at once for what this process did, within seconds for what others did.

It says that something changed, never what: each page asks again for what its own person may see.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

from domain.errors import DatabaseUnavailable

LOOK_EVERY_S = 2.0
QUIET_S = 1.0
"""What happens within so much time is told together."""

LIFETIME_S = 300.0
"""A stream ends after so long and the browser opens it anew: so a session that was ended is not told for long."""


class Live:
    """One for each process. `newest` gives a number that grows with whatever was done, in any process."""

    def __init__(self, newest: Callable[[], Awaitable[int]]) -> None:
        self._newest = newest
        self._listeners: set[asyncio.Event] = set()
        self._looking: asyncio.Task[None] | None = None
        self._closed = False

    def tell(self) -> None:
        """Something changed."""
        for listener in self._listeners:
            listener.set()

    def close(self) -> None:
        """End all streams, so that the server can stop."""
        self._closed = True
        self.tell()

    async def changes(self) -> AsyncIterator[None]:
        """Comes round whenever something changed, for as long as a stream lives."""
        listener = asyncio.Event()
        self._listeners.add(listener)
        if self._looking is None:
            self._looking = asyncio.create_task(self._look(), name="live")
        clock = asyncio.get_running_loop().time
        until = clock() + LIFETIME_S
        try:
            while not self._closed and (left := until - clock()) > 0:
                with suppress(TimeoutError):
                    await asyncio.wait_for(listener.wait(), left)
                if listener.is_set() and not self._closed:
                    listener.clear()
                    yield
                    await asyncio.sleep(QUIET_S)
        finally:
            self._listeners.discard(listener)

    async def _look(self) -> None:
        """Watch what other processes did, while anybody listens."""
        seen: int | None = None
        try:
            while self._listeners and not self._closed:
                with suppress(DatabaseUnavailable):
                    newest = await self._newest()
                    if seen is not None and newest != seen:
                        self.tell()
                    seen = newest
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            self._looking = None
