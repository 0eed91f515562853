"""Asks the models in turn, with patience that ends: cache, primary, one retry, backup, and then an error.

Whoever calls sets a deadline for all of it. An answer that cannot be used is not asked for again from the same model,
which would say the same again; the backup is asked. A retry waits a random while, so that many do not come at once.
"""

import asyncio
import random
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from agents.breaker import Breaker
from agents.judge import Check, Judge, Question, Reply
from agents.spending import Spending
from domain.errors import ModelUnavailable, UnusableAnswer
from domain.opinion import Usage
from domain.tracing import SILENCE, Tracer, Words

Form = TypeVar("Form", bound=BaseModel)
Checked = TypeVar("Checked")
Checked_co = TypeVar("Checked_co", covariant=True)

TRIES = 2
"""Times that one model is asked the same before the next one is."""

QUICK_S = 0.3
"""Only what failed faster than this is tried again: what hung once would use up the backup's time."""

LONGEST_PAUSE_S = 0.5
KEPT_FOR_S = 3_600.0
AT_ONCE = 16
"""Questions under way at the same time; more wait within their deadline."""


@dataclass(frozen=True)
class Settled(Generic[Checked_co]):
    """What came of a question, and what it cost (nothing where it had been asked before)."""

    value: Checked_co
    usage: Usage


class Steady:
    """The models of one service, the primary first. Safe to share between tasks of one event loop."""

    def __init__(
        self,
        judges: Sequence[Judge],
        spending: Spending,
        *,
        cache: int = 2_048,
        clock: Callable[[], float] = monotonic,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        tracer: Tracer = SILENCE,
    ) -> None:
        self.spending = spending
        self._judges = [(judge, Breaker(clock)) for judge in judges]
        self._cache: OrderedDict[str, tuple[float, Any]] = OrderedDict()
        self._most_cached = cache
        self._clock = clock
        self._pause = pause
        self._tracer = tracer
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def ask(
        self, question: Question[Form], check: Check[Form, Checked], *, key: str, app_id: str, within_s: float
    ) -> Settled[Checked]:
        """The checked answer to a question. `key` says which questions are the same, the app's among them.

        Raises ModelUnavailable or UnusableAnswer, within `within_s` seconds, where no model gave a usable answer.
        """
        if (known := self._remembered(key)) is not None:
            self.spending.note(app_id, Usage(cached=1))
            return Settled(known, Usage(cached=1))
        try:
            async with asyncio.timeout(within_s), self._turns:
                settled = await self._ask_in_turn(question, check, app_id)
        except TimeoutError as error:
            raise ModelUnavailable(f"no language model answered within {within_s:g} s") from error
        self._remember(key, settled.value)
        return settled

    async def close(self) -> None:
        """End all connections."""
        for judge, _ in self._judges:
            await judge.close()

    async def _ask_in_turn(
        self, question: Question[Form], check: Check[Form, Checked], app_id: str
    ) -> Settled[Checked]:
        why: ModelUnavailable | UnusableAnswer = ModelUnavailable(
            "every language model is being left alone for a while"
        )
        spent = Usage()
        for judge, breaker in self._judges:
            started = self._clock()
            for turn in range(TRIES):
                if turn and self._clock() - started > QUICK_S:
                    break
                if turn:
                    await self._pause(random.uniform(0, LONGEST_PAUSE_S))
                admitted = breaker.admits()
                call = self._tracer.span(f"chat {_model(judge.name)}", _told_of(judge.name, breaker), outward=True)
                if not admitted:
                    with call as span:
                        span.fail("left_alone")
                    break
                used = Usage(calls=1, input_tokens=question.tokens, cost=judge.cost_of(question.tokens, 0))
                try:
                    with call as span:
                        reply = await judge.ask(question)
                        used = reply.usage
                        span.note(_told_by(reply))
                        breaker.succeeded()
                        return Settled(check(reply.answer, reply.model), spent + used)
                except UnusableAnswer as error:
                    breaker.succeeded()
                    why = error
                    break
                except ModelUnavailable as error:
                    breaker.failed()
                    why = error
                except asyncio.CancelledError:
                    breaker.given_up()
                    raise
                finally:
                    spent += used
                    self.spending.note(app_id, used)
        raise why

    def _remembered(self, key: str) -> Any | None:
        found = self._cache.get(key)
        if found is None or self._clock() - found[0] > KEPT_FOR_S:
            self._cache.pop(key, None)
            return None
        self._cache.move_to_end(key)
        return found[1]

    def _remember(self, key: str, value: Any) -> None:
        self._cache[key] = (self._clock(), value)
        while len(self._cache) > self._most_cached:
            self._cache.popitem(last=False)


def _model(name: str) -> str:
    return name.partition(":")[2] or name


def _told_of(name: str, breaker: Breaker) -> Words:
    """What traces say of a call, in the words of OpenTelemetry's conventions for generative models."""
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": name.partition(":")[0],
        "gen_ai.request.model": _model(name),
        "cupidsshield.breaker": breaker.state,
    }


def _told_by(reply: Reply[Any]) -> Words:
    return {
        "gen_ai.usage.input_tokens": reply.usage.input_tokens,
        "gen_ai.usage.output_tokens": reply.usage.output_tokens,
    }
