"""A run's turn at the processor, and stepping aside while it waits for something slow and far away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self


class Turn:
    """One of the turns that a semaphore hands out, held for the length of a block."""

    def __init__(self, turns: asyncio.Semaphore) -> None:
        self._turns = turns
        self._held = False

    async def __aenter__(self) -> Self:
        await self._turns.acquire()
        self._held = True
        return self

    async def __aexit__(self, *_: object) -> None:
        self._leave()

    @asynccontextmanager
    async def aside(self) -> AsyncIterator[None]:
        """Let others have the turn while the block waits, then wait for one again. A run that ends inside the block
        has none left to give back."""
        self._leave()
        yield
        await self.__aenter__()

    def _leave(self) -> None:
        if self._held:
            self._held = False
            self._turns.release()
