"""Gathers concurrent requests into common forward passes.

Nobody ever waits for company: whatever has queued up while the workers were busy is the next batch, in even shares
where several are idle, so an idle service answers at once and a busy one batches by itself.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from domain.errors import ModelUnavailable, Overloaded
from screening.model import Encoder, ModelOutput

MAX_BATCH = 32
QUEUE_LIMIT = 4096
"""Texts and passages that may wait; more are refused, so that the caller hears of overload while it still matters."""

LENGTHS = (80, 200, 500)
"""Characters at which batches are cut, so that short texts are answered before long ones are begun."""

Answer = ModelOutput | Exception


@dataclass(frozen=True)
class _Item:
    """A text, and who waits for it in which event loop."""

    text: str
    loop: asyncio.AbstractEventLoop
    result: asyncio.Future[ModelOutput]

    def settle(self, answer: Answer) -> None:
        """Give the answer to whoever still waits; from the loop's own thread."""
        if self.result.done():
            return
        if isinstance(answer, Exception):
            self.result.set_exception(answer)
        else:
            self.result.set_result(answer)


class Batcher:
    """Worker threads in front of an encoder, which share what waits evenly. Close it when done."""

    def __init__(
        self, model: Encoder, *, workers: int = 1, max_batch: int = MAX_BATCH, queue_limit: int = QUEUE_LIMIT
    ) -> None:
        self._model = model
        self._max_batch = max_batch
        self._queue_limit = queue_limit
        self._waiting: deque[_Item] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self.idle = 0
        """Workers without work."""
        self._workers = [
            threading.Thread(target=self._work, name=f"screening-batcher-{number}", daemon=True)
            for number in range(workers)
        ]
        for worker in self._workers:
            worker.start()

    async def score(self, texts: Sequence[str], *, admitted: bool = False) -> list[ModelOutput]:
        """Score texts together with whatever else is waiting. `admitted`: more of a request that was let in before,
        which no limit turns away.

        Raises Overloaded when the queue is full, ModelUnavailable after closing, and whatever the model
        raises for one of these very texts.
        """
        loop = asyncio.get_running_loop()
        items = [_Item(text, loop, loop.create_future()) for text in texts]
        with self._changed:
            if self._closed:
                raise ModelUnavailable("the classifier has been shut down; start the service again")
            if not admitted and len(self._waiting) + len(items) > self._queue_limit:
                raise Overloaded(f"{len(self._waiting)} texts already wait for the classifier; try again shortly")
            self._waiting.extend(items)
            self._changed.notify(len(items))
        return list(await asyncio.gather(*(item.result for item in items)))

    def close(self) -> None:
        """Stop the workers; what still waits fails with ModelUnavailable."""
        with self._changed:
            self._closed = True
            left = list(self._waiting)
            self._waiting.clear()
            self._changed.notify_all()
        _deliver(left, [ModelUnavailable("the classifier was shut down; send the text again") for _ in left])
        for worker in self._workers:
            worker.join()

    def _work(self) -> None:
        while True:
            with self._changed:
                self.idle += 1
                while not self._waiting and not self._closed:
                    self._changed.wait()
                if self._closed:
                    return
                share = -(-len(self._waiting) // self.idle)
                self.idle -= 1
                taken = [self._waiting.popleft() for _ in range(min(self._max_batch, share))]
            wanted = [item for item in taken if not item.result.cancelled()]
            for lowest, highest in zip((-1, *LENGTHS), (*LENGTHS, None), strict=True):
                group = [i for i in wanted if lowest < len(i.text) and (highest is None or len(i.text) <= highest)]
                if group:
                    self._answer(group)

    def _answer(self, items: Sequence[_Item]) -> None:
        """Score a group in one call; if that fails, each alone, so that a bad text fails only its caller."""
        try:
            _deliver(items, self._model.score([item.text for item in items]))
        except Exception as error:  # the worker must outlive any text; the caller gets the error
            if len(items) == 1:
                _deliver(items, [error])
                return
            for item in items:
                self._answer([item])


def _deliver(items: Sequence[_Item], answers: Sequence[Answer]) -> None:
    """Settle items in their loops, each loop woken once; a loop that has ended has nobody left who waits."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[_Item, Answer]]] = {}
    for item, answer in zip(items, answers, strict=True):
        by_loop.setdefault(item.loop, []).append((item, answer))
    for loop, settled in by_loop.items():
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_settle, settled)


def _settle(settled: Sequence[tuple[_Item, Answer]]) -> None:
    for item, answer in settled:
        item.settle(answer)
