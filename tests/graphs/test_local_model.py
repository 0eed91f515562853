"""A real language model, small enough for any machine, behind the real path from the graph to its protocol and back.

Its answers are nonsense. What counts is that each is an opinion that holds or leads to a person, in time and counted.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Literal

import pytest

pytest.importorskip("xllamacpp", reason="a real language model is tested by `make test-model`, which installs one")

from pydantic import BaseModel

from agents.judge import Question
from agents.models import LanguageModel, ModelChoice, made
from agents.panel import Dossier, Panel
from agents.spending import Spending
from agents.steady import Steady
from cupidsshield.bootstrap import House
from cupidsshield.panel import prompts_for
from domain.clock import now
from domain.errors import ModelUnavailable, UnusableAnswer
from domain.ids import new_id
from domain.opinion import REMIT, AskReason, Opinion, Reading, Specialist, Usage
from domain.vocabulary import DecisionKind
from evals.local_models import serving, smallest
from policies.decide import Trigger
from policies.model import PolicySet
from tests import factories
from tests.graphs.conftest import DOUBTFUL, case_of, decided, moderate
from tests.graphs.test_consulting import always, runs_with

pytestmark = [pytest.mark.model, pytest.mark.asyncio(loop_scope="session")]

WHO = Specialist.HARASSMENT_ANALYST
INSULTING = "You are a worthless ugly cow, no wonder nobody wants you"
"""For the same specialist as the doubtful text, so that its instructions are read once."""

PATIENCE_S = 120.0
SHORT = 160
"""Tokens of an answer here: one that goes on for ever is broken off sooner than in the product."""


class Small(BaseModel):
    """A form that no answer of a strict server can miss."""

    colour: Literal["red", "green"]
    number: Literal[1, 2, 3]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(smallest()) as url:
        yield url


@asynccontextmanager
async def model_at(url: str, timeout_s: float = PATIENCE_S, most_tokens: int = SHORT) -> AsyncIterator[LanguageModel]:
    choice = ModelChoice(
        "openai:smollm2", url, price_in=1.0, price_out=4.0, timeout_s=timeout_s, most_tokens=most_tokens
    )
    model = made(choice)
    try:
        yield model
    finally:
        await model.close()


@asynccontextmanager
async def panel_at(
    url: str, policies: PolicySet, spending: Spending, timeout_s: float = PATIENCE_S
) -> AsyncIterator[Panel]:
    async with model_at(url, timeout_s) as model:
        yield Panel(Steady([model], spending), prompts_for(policies))


def with_one_specialist(policies: PolicySet) -> PolicySet:
    rules = policies.thresholds.agents.model_copy(update={"most_specialists": 1, "most_rounds": 1})
    return policies.model_copy(update={"thresholds": policies.thresholds.model_copy(update={"agents": rules})})


def holds(opinion: Opinion, text: str) -> bool:
    """Whether an opinion keeps to its remit and quotes what was written."""
    quoted = all(evidence.quote.lower() in text.lower() for evidence in opinion.evidence)
    named = opinion.policy in REMIT[opinion.specialist] if opinion.reading is Reading.VIOLATES else not opinion.policy
    return quoted and named


@pytest.mark.parametrize("number", [1, 2, 3])
async def test_a_strict_form_is_kept_and_its_tokens_are_counted(url: str, number: int) -> None:
    question = Question("Name a colour and a number.", f"The number is {number}.", "Answer.", Small)
    async with model_at(url) as model:
        reply = await model.ask(question)
        assert isinstance(reply.answer, Small)
        assert (reply.model, reply.usage.calls) == ("openai:smollm2", 1)
        assert 20 < reply.usage.input_tokens < 120
        assert 5 < reply.usage.output_tokens < SHORT
        assert reply.usage.cost == model.cost_of(reply.usage.input_tokens, reply.usage.output_tokens) > 0


async def test_an_answer_that_is_cut_short_is_no_answer(url: str) -> None:
    async with model_at(url, most_tokens=4) as model:
        with pytest.raises(UnusableAnswer):
            await model.ask(Question("Name a colour and a number.", "The number is 1.", "Answer.", Small))


async def test_a_model_that_takes_too_long_gave_no_answer(url: str) -> None:
    async with model_at(url, timeout_s=0.1) as model:
        with pytest.raises(ModelUnavailable, match="did not answer within"):
            await model.ask(Question("Count. " * 500, "From 1.", "To 1,000.", Small))


async def test_what_it_says_of_a_text_is_an_opinion_that_holds_or_is_missing(house: House, url: str) -> None:
    spending = Spending(now)
    async with panel_at(url, house.policies, spending) as panel, asyncio.timeout(PATIENCE_S + 0.25):
        heard = await panel.hear([WHO], Dossier("app", DOUBTFUL, DOUBTFUL), within_s=PATIENCE_S)
    assert len(heard.opinions) + len(heard.missing) == 1
    assert all(holds(opinion, DOUBTFUL) for opinion in heard.opinions)
    assert spending.total.calls == 1
    assert spending.total.input_tokens > 1_000, "instructions alone are longer"
    assert heard.usage == (spending.total if heard.opinions else Usage())


@pytest.mark.parametrize(
    ("text", "alone"),
    [(DOUBTFUL, DecisionKind.ESCALATED), (INSULTING, DecisionKind.REJECTED)],
    ids=["doubted", "flagged"],
)
async def test_nothing_it_says_approves_what_is_flagged_and_without_an_opinion_a_person_decides(
    house: House, app_id: str, url: str, text: str, alone: DecisionKind
) -> None:
    assert (await decided(house, new_id("app"), text)).decision is alone
    policies = with_one_specialist(always(house.policies))
    async with (
        panel_at(url, policies, Spending(now)) as panel,
        runs_with(house, panel, policies, asking_s=PATIENCE_S) as runs,
    ):
        answer = await moderate(runs, factories.content(text, app_id=app_id))
    case = await case_of(house, app_id, answer.case_id)
    asked = case.assessment.consultation
    assert asked is not None
    assert (asked.reason, asked.rounds, asked.specialists) == (AskReason.ALWAYS, 1, (WHO,))
    assert len(asked.opinions) + len(asked.missing) == 1
    assert all(holds(opinion, text) for opinion in asked.opinions)
    if asked.missing:
        assert (case.decision, case.machine.trigger) == (DecisionKind.ESCALATED, Trigger.UNAVAILABLE)
    else:
        assert asked.usage.input_tokens > 1_000
        assert asked.usage.output_tokens > 20
    if alone is DecisionKind.REJECTED:
        assert case.decision is not DecisionKind.APPROVED


async def test_a_run_does_not_wait_longer_than_it_may(house: House, app_id: str, url: str) -> None:
    async with (
        panel_at(url, house.policies, Spending(now)) as panel,
        runs_with(house, panel, asking_s=0.5) as runs,
    ):
        answer = await moderate(runs, factories.content(DOUBTFUL, app_id=app_id))
    case = await case_of(house, app_id, answer.case_id)
    assert (case.decision, case.machine.trigger) == (DecisionKind.ESCALATED, Trigger.UNAVAILABLE)
    assert case.timings.nodes["specialists"] < 750
