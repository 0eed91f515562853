"""One loop for all workers: do a step, rest until woken or due, never die of a failed step."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from domain.errors import CupidsShieldError

logger = logging.getLogger(__name__)

LONGEST_PAUSE_S = 30.0


class Worker:
    """Repeats `step` every `interval_s` seconds, or at once when woken or when a step did `full` or more.

    `step` returns how much it did. Resting while there is a little to do lets it gather: work in batches
    costs a fraction of the same work one by one. A failing step is logged and tried again after a pause
    that doubles up to half a minute.
    """

    def __init__(self, name: str, step: Callable[[], Awaitable[int]], *, interval_s: float, full: int = 1) -> None:
        self.name = name
        self._step = step
        self._interval_s = interval_s
        self._full = full
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Ask for a step now. Safe to call from the loop's thread at any time."""
        self._woken.set()

    async def run(self) -> None:
        """Work until cancelled."""
        failures = 0
        while True:
            self._woken.clear()
            try:
                done = await self._step()
                failures = 0
            except CupidsShieldError as error:
                failures += 1
                done = 0
                logger.warning("%s is held up: %s", self.name, error)
            except Exception:
                failures += 1
                done = 0
                logger.exception("%s failed", self.name)
            if done < self._full:
                await self._rest(failures)

    async def drain(self) -> None:
        """Step until there is nothing left to do; for a clean shutdown and for tests."""
        while await self._step():
            pass

    async def _rest(self, failures: int) -> None:
        pause = min(self._interval_s * 2**failures, LONGEST_PAUSE_S)
        try:
            async with asyncio.timeout(pause):
                await self._woken.wait()
        except TimeoutError:
            return
