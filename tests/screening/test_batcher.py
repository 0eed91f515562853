"""Concurrent requests share passes; nobody waits for company; a bad text fails only its caller."""

import asyncio
import threading
from collections.abc import Sequence

import numpy as np
import pytest

from domain.errors import ModelUnavailable, Overloaded
from domain.signals import ModelRef
from screening.batcher import Batcher
from screening.model import ModelOutput


class Slow:
    """An encoder that waits for leave before each pass and remembers what it was given."""

    ref = ModelRef(name="slow", version="1", sha256="")

    def __init__(self, *, open_gate: bool = True) -> None:
        self.passes: list[list[str]] = []
        self.begun = threading.Event()
        self.gate = threading.Event()
        if open_gate:
            self.gate.set()

    def score(self, texts: Sequence[str]) -> list[ModelOutput]:
        self.begun.set()
        assert self.gate.wait(10)
        self.passes.append(list(texts))
        if "bad" in texts:
            raise ValueError("cannot read this")
        return [ModelOutput((0.0,) * 9, float(len(text)), (0.0,) * 4, np.zeros(384, np.float32)) for text in texts]


async def begun(model: Slow) -> None:
    assert await asyncio.to_thread(model.begun.wait, 10)


async def all_idle(batcher: Batcher, workers: int) -> None:
    while batcher.idle < workers:
        await asyncio.sleep(0)


async def test_each_caller_gets_the_answer_to_its_own_texts() -> None:
    batcher = Batcher(Slow())
    answers = await asyncio.gather(*(batcher.score(["x" * n, "x" * (n + 300)]) for n in range(1, 60)))
    batcher.close()
    assert [[o.violation for o in answer] for answer in answers] == [[n, n + 300] for n in range(1, 60)]


async def test_more_of_a_request_that_was_let_in_is_not_turned_away() -> None:
    model = Slow(open_gate=False)
    batcher = Batcher(model, queue_limit=1)
    first = asyncio.create_task(batcher.score(["first"]))
    await begun(model)
    waiting = asyncio.create_task(batcher.score(["waiting"]))
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await batcher.score(["too many"])
    more = asyncio.create_task(batcher.score(["its passage", "another"], admitted=True))
    await asyncio.sleep(0)
    model.gate.set()
    assert [len(answer) for answer in await asyncio.gather(first, waiting, more)] == [1, 1, 2]
    batcher.close()


async def test_what_queues_up_meanwhile_becomes_the_next_batch() -> None:
    model = Slow(open_gate=False)
    batcher = Batcher(model, max_batch=8)
    first = asyncio.create_task(batcher.score(["first"]))
    await begun(model)
    others = [asyncio.create_task(batcher.score([f"text{n}"])) for n in range(12)]
    await asyncio.sleep(0)
    model.gate.set()
    await asyncio.gather(first, *others)
    batcher.close()
    assert [len(texts) for texts in model.passes] == [1, 8, 4]


class Paired(Slow):
    """An encoder whose passes end only when two have begun."""

    def __init__(self) -> None:
        super().__init__()
        self.met = threading.Barrier(2)

    def score(self, texts: Sequence[str]) -> list[ModelOutput]:
        self.met.wait(10)
        return super().score(texts)


async def test_workers_pass_at_once() -> None:
    batcher = Batcher(Paired(), workers=2)
    await all_idle(batcher, 2)
    answers = await asyncio.gather(batcher.score(["one"]), batcher.score(["other"]))
    batcher.close()
    assert [answer[0].violation for answer in answers] == [3, 5]


async def test_idle_workers_share_what_waits() -> None:
    model = Paired()
    batcher = Batcher(model, workers=2)
    await all_idle(batcher, 2)
    await batcher.score([f"text{n}" for n in range(12)])
    batcher.close()
    assert [len(texts) for texts in model.passes] == [6, 6]


async def test_short_texts_are_answered_before_a_long_one_is_begun() -> None:
    model = Slow(open_gate=False)
    batcher = Batcher(model)
    first = asyncio.create_task(batcher.score(["first"]))
    await begun(model)
    long, short = "long " * 400, "short"
    others = [asyncio.create_task(batcher.score([text])) for text in (long, short)]
    await asyncio.sleep(0)
    model.gate.set()
    await asyncio.gather(first, *others)
    batcher.close()
    assert model.passes == [["first"], [short], [long]]


async def test_a_failing_text_fails_only_its_caller() -> None:
    model = Slow(open_gate=False)
    batcher = Batcher(model)
    first = asyncio.create_task(batcher.score(["first"]))
    await begun(model)
    good, bad = asyncio.create_task(batcher.score(["good"])), asyncio.create_task(batcher.score(["bad"]))
    await asyncio.sleep(0)
    model.gate.set()
    await first
    assert (await good)[0].violation == 4
    with pytest.raises(ValueError, match="cannot read this"):
        await bad
    assert (await batcher.score(["after"]))[0].violation == 5
    batcher.close()


async def test_a_full_queue_refuses_and_says_when_to_return() -> None:
    model = Slow(open_gate=False)
    batcher = Batcher(model, queue_limit=2)
    first = asyncio.create_task(batcher.score(["first"]))
    await begun(model)
    waiting = asyncio.create_task(batcher.score(["a", "b"]))
    await asyncio.sleep(0)
    with pytest.raises(Overloaded) as refused:
        await batcher.score(["c"])
    assert refused.value.retry_after > 0
    model.gate.set()
    await asyncio.gather(first, waiting)
    batcher.close()


async def test_a_caller_who_gives_up_costs_no_pass() -> None:
    model = Slow(open_gate=False)
    batcher = Batcher(model)
    first = asyncio.create_task(batcher.score(["first"]))
    await begun(model)
    gone = asyncio.create_task(batcher.score(["gone"]))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    model.gate.set()
    await first
    await batcher.score(["last"])
    batcher.close()
    assert model.passes == [["first"], ["last"]]


async def test_closing_fails_what_still_waits_and_what_comes_later() -> None:
    model = Slow(open_gate=False)
    batcher = Batcher(model)
    first = asyncio.create_task(batcher.score(["first"]))
    await begun(model)
    waiting = asyncio.create_task(batcher.score(["waiting"]))
    await asyncio.sleep(0)
    closing = asyncio.create_task(asyncio.to_thread(batcher.close))
    with pytest.raises(ModelUnavailable):
        await waiting
    model.gate.set()
    await closing
    assert (await first)[0].violation == 5
    with pytest.raises(ModelUnavailable, match="shut down"):
        await batcher.score(["later"])
