"""Workers repeat their step, rest when there is nothing to do, and survive failures."""

import asyncio

import pytest

from domain.errors import ToolUnavailable
from workers.loop import Worker


class Steps:
    """Answers in turn with what it was given, and notes how often it was asked."""

    def __init__(self, *answers: int | Exception) -> None:
        self.answers = list(answers)
        self.done = asyncio.Event()
        self.calls = 0

    async def __call__(self) -> int:
        self.calls += 1
        answer = self.answers.pop(0) if self.answers else 0
        if not self.answers:
            self.done.set()
        if isinstance(answer, Exception):
            raise answer
        return answer


async def run_until(steps: Steps, worker: Worker) -> None:
    task = asyncio.create_task(worker.run())
    async with asyncio.timeout(5):
        await steps.done.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_step_that_found_work_is_followed_by_another_at_once() -> None:
    steps = Steps(3, 2, 0)
    await run_until(steps, Worker("eager", steps, interval_s=3600))
    assert steps.calls == 3


@pytest.mark.parametrize("failure", [ToolUnavailable("notifications", "down"), RuntimeError("a bug")])
async def test_a_failed_step_is_tried_again(failure: Exception) -> None:
    steps = Steps(failure, failure, 0)
    await run_until(steps, Worker("stubborn", steps, interval_s=0.001))
    assert steps.calls == 3


async def test_waking_ends_the_rest() -> None:
    first, again = asyncio.Event(), asyncio.Event()

    async def step() -> int:
        (again if first.is_set() else first).set()
        return 0

    worker = Worker("sleeper", step, interval_s=3600)
    task = asyncio.create_task(worker.run())
    async with asyncio.timeout(5):
        await first.wait()
        worker.wake()
        await again.wait()
    task.cancel()


async def test_draining_works_until_nothing_is_left() -> None:
    steps = Steps(2, 1, 0)
    await Worker("last", steps, interval_s=1).drain()
    assert steps.calls == 3
