"""Models are asked with patience that ends: breaker, backup, cache, and what each app may spend."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import BaseModel

from agents.breaker import FAILURES, OPEN_S, WITHIN_S, Breaker
from agents.judge import Question, Reply
from agents.spending import Allowance, Spending
from agents.steady import KEPT_FOR_S, Settled, Steady
from domain.errors import ModelUnavailable, UnusableAnswer
from domain.opinion import Usage

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
DOWN = ModelUnavailable("down")
NONSENSE = UnusableAnswer("nonsense")


class Word(BaseModel):
    said: str


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Scripted:
    """A judge that does what it is told, one thing a call; at last the same for ever."""

    def __init__(self, name: str, *script: Exception | str) -> None:
        self.name = name
        self.script = list(script)
        self.calls = 0

    async def ask(self, question: Question[Word]) -> Reply[Word]:
        self.calls += 1
        does = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(does, Exception):
            raise does
        return Reply(Word(said=does), self.name, Usage(calls=1, input_tokens=10, output_tokens=5, cost=0.01))

    async def close(self) -> None:
        pass

    def cost_of(self, input_tokens: int, output_tokens: int) -> float:
        return 0.001


class House:
    """Steady over scripted judges, under a clock that only we move."""

    def __init__(self, *judges: Scripted, cache: int = 10) -> None:
        self.clock, self.pauses = Clock(), list[float]()
        self.today = NOON
        self.steady = Steady(
            judges,
            Spending(lambda: self.today),
            cache=cache,
            clock=self.clock,
            pause=self._pause,  # type: ignore[arg-type]
        )

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    async def ask(
        self,
        key: str = "k",
        app_id: str = "app",
        check: Callable[[Word, str], str] = lambda word, by: f"{by}: {word.said}",
    ) -> Settled[str]:
        question = Question("instructions", "facts", "material " * 40, Word)
        return await self.steady.ask(question, check, key=key, app_id=app_id, within_s=5)


async def test_a_passing_fault_is_tried_once_more_after_a_random_pause() -> None:
    house = House(Scripted("first", DOWN, "hello"))
    assert (await house.ask()).value == "first: hello"
    assert len(house.pauses) == 1


async def test_an_unusable_answer_is_not_asked_for_again_but_of_the_backup() -> None:
    first, backup = Scripted("first", NONSENSE), Scripted("backup", "hello")
    house = House(first, backup)
    assert (await house.ask()).value == "backup: hello"
    assert first.calls == 1


async def test_an_answer_that_does_not_stand_the_check_is_unusable() -> None:
    def check(word: Word, by: str) -> str:
        raise NONSENSE

    with pytest.raises(UnusableAnswer):
        await House(Scripted("first", "hello")).ask(check=check)


async def test_the_same_question_is_asked_once_an_hour_and_app() -> None:
    judge = Scripted("first", "hello")
    house = House(judge)
    usages = [(await house.ask(key)).usage for key in ("k", "k", "other")]
    assert [usage.calls for usage in usages] == [1, 0, 1]
    assert usages[1].cached == 1
    house.clock.now += KEPT_FOR_S + 1
    assert (await house.ask("k")).usage.calls == 1


async def test_failures_are_not_remembered_and_the_oldest_answers_are_forgotten() -> None:
    judge = Scripted("first", NONSENSE, "hello")
    house = House(judge, cache=1)
    with pytest.raises(UnusableAnswer):
        await house.ask("k")
    await house.ask("k")
    await house.ask("other")
    await house.ask("k")
    assert judge.calls == 4


async def test_a_model_that_keeps_failing_is_left_alone_then_probed_once() -> None:
    first, backup = Scripted("first", DOWN), Scripted("backup", "hello")
    house = House(first, backup)
    for number in range(10):
        await house.ask(f"k{number}")
    assert first.calls == FAILURES
    house.clock.now += OPEN_S
    await house.ask("later")
    await house.ask("later still")
    assert first.calls == FAILURES + 1
    house.clock.now += OPEN_S
    first.script = ["back"]
    assert (await house.ask("recovered")).value == "first: back"
    assert (await house.ask("and stays")).value == "first: back"


async def test_where_every_model_is_left_alone_there_is_an_error_at_once() -> None:
    first = Scripted("first", DOWN)
    house = House(first)
    for number in range(4):
        with pytest.raises(ModelUnavailable):
            await house.ask(f"k{number}")
    assert first.calls == FAILURES


async def test_answers_that_cannot_be_used_switch_no_model_off() -> None:
    """Whoever writes texts could otherwise make it refuse, and switch it off for everybody."""
    first, backup = Scripted("first", NONSENSE), Scripted("backup", "hello")
    house = House(first, backup)
    for number in range(3 * FAILURES):
        await house.ask(f"k{number}")
    assert first.calls == 3 * FAILURES


def test_failures_that_are_far_apart_do_not_open_the_breaker() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    for _ in range(3 * FAILURES):
        breaker.failed()
        clock.now += WITHIN_S / 2
    assert breaker.admits()


def test_a_probe_that_is_given_up_lets_another_try() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    for _ in range(FAILURES):
        breaker.failed()
    clock.now += OPEN_S
    assert breaker.admits()
    assert not breaker.admits()
    breaker.given_up()
    assert breaker.admits()


async def test_what_is_spent_counts_for_its_app_and_day_failures_too() -> None:
    house = House(Scripted("first", NONSENSE, "hello"))
    spending = house.steady.spending
    with pytest.raises(UnusableAnswer):
        await house.ask("a")
    await house.ask("b")
    spent = spending.today("app")
    assert spent.calls == 2
    assert spent.tokens > 15
    assert spent.cost == pytest.approx(0.011)
    assert spending.today("another") == Usage()
    assert not spending.allows("app", Allowance(tokens=15, cost=1.0))
    assert not spending.allows("app", Allowance(tokens=10_000, cost=0.01))
    assert spending.allows("app", Allowance(tokens=10_000, cost=1.0))
    house.today += timedelta(days=1)
    assert spending.today("app") == Usage()
    assert spending.total == spent


@pytest.mark.parametrize("allowance", [Allowance(tokens=0, cost=1.0), Allowance(tokens=1, cost=0.0)])
def test_nothing_allowed_is_nothing_spent(allowance: Allowance) -> None:
    assert not Spending(lambda: NOON).allows("app", allowance)
