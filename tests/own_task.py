"""A context that is entered and left in a task of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeVar

T = TypeVar("T")


@asynccontextmanager
async def in_own_task(opened: AbstractAsyncContextManager[T]) -> AsyncIterator[T]:
    """Enter and leave in one task, as servers and MCP clients must; pytest sets fixtures up and down in two."""
    ready: asyncio.Future[T] = asyncio.get_running_loop().create_future()
    over = asyncio.Event()

    async def live() -> None:
        async with opened as value:
            ready.set_result(value)
            await over.wait()

    task = asyncio.create_task(live())
    done, _ = await asyncio.wait({task, asyncio.ensure_future(ready)}, return_when=asyncio.FIRST_COMPLETED)
    if task in done:
        await task
    yield ready.result()
    over.set()
    await task
