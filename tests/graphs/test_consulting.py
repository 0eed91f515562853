"""When the graph asks language models, what it tells them, and what becomes of what they say."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from agents.models import ModelChoice, made
from agents.panel import Dossier, Heard, Panel
from agents.spending import Allowance, Spending
from agents.steady import Steady
from cupidsshield.bootstrap import House
from cupidsshield.checkpoints import open_checkpointer
from cupidsshield.panel import prompts_for
from data import cases
from domain.clock import now
from domain.content import ContentContext
from domain.opinion import AskReason, Need, Opinion, Reading, Specialist, Usage
from domain.vocabulary import DecisionKind, Policy, Severity
from graphs.moderation.runs import ModerationRuns
from graphs.moderation.state import Services
from policies.decide import Trigger
from policies.model import PolicySet
from tests import factories
from tests.agents.model_server import FAULTS, serving
from tests.graphs.conftest import CLEAR, DOUBTFUL, MINOR, VIOLATING, case_of, decided, moderate, tools_where

pytestmark = pytest.mark.asyncio(loop_scope="session")

Says = Callable[[Specialist, Dossier], Opinion | None]


class Told(Panel):
    """A panel that says what the test says, and remembers what it was asked."""

    def __init__(self, says: Says, affords: bool = True) -> None:
        self.says, self.rich = says, affords
        self.rounds: list[tuple[tuple[Specialist, ...], Dossier]] = []

    def affords(self, app_id: str, allowance: Allowance) -> bool:
        return self.rich

    async def hear(self, specialists: Sequence[Specialist], dossier: Dossier, *, within_s: float) -> Heard:
        self.rounds.append((tuple(specialists), dossier))
        said = {who: self.says(who, dossier) for who in specialists}
        opinions = tuple(opinion for opinion in said.values() if opinion)
        missing = tuple(who for who, opinion in said.items() if opinion is None)
        return Heard(opinions, missing, Usage(calls=len(said), input_tokens=100, output_tokens=10))


def fine(who: Specialist, dossier: Dossier, **other: Any) -> Opinion:
    fields = {"reading": Reading.FINE, "certainty": 5, "reasoning": "It is an honest question.", "model": "m"}
    return Opinion(specialist=who, prompt="p", **{**fields, **other})


def violates(who: Specialist, dossier: Dossier) -> Opinion:
    return fine(who, dossier, reading=Reading.VIOLATES, policy=Policy.HARASSMENT, severity=Severity.MEDIUM)


def silent(who: Specialist, dossier: Dossier) -> None:
    return None


@asynccontextmanager
async def runs_with(
    house: House, panel: Panel | None, policies: PolicySet | None = None, asking_s: float = 5.0
) -> AsyncIterator[ModerationRuns]:
    async with (
        tools_where(house) as tools,
        open_checkpointer(house.settings.database, house.settings.data_dir) as saver,
    ):
        services = Services(
            tools=tools,
            policies=policies or house.policies,
            clock=now,
            link=house.links.to,
            panel=panel,
            asking_s=asking_s,
        )
        runs = ModerationRuns(services, saver)
        yield runs
        await runs.close()


def always(policies: PolicySet) -> PolicySet:
    rules = policies.thresholds.agents
    changed = rules.model_validate({**rules.model_dump(), "when": "always"})
    return policies.model_copy(update={"thresholds": policies.thresholds.model_copy(update={"agents": changed})})


async def test_doubt_is_settled_and_the_record_says_how(house: House, app_id: str) -> None:
    unasked = await decided(house, app_id, DOUBTFUL)
    assert unasked.decision is DecisionKind.ESCALATED
    panel = Told(violates)
    async with runs_with(house, panel) as runs:
        answer = await moderate(runs, factories.content(DOUBTFUL, app_id=app_id))
    case = await case_of(house, app_id, answer.case_id)
    consultation = case.assessment.consultation
    assert consultation is not None
    assert (consultation.reason, consultation.rounds) == (AskReason.DOUBT, 1)
    assert Specialist.HARASSMENT_ANALYST in consultation.specialists
    assert consultation.usage.tokens == 110
    assert {"supervisor", "specialists"} <= set(case.timings.nodes)
    assert "agent.harassment_analyst" in {signal.name for signal in case.assessment.signals}


@pytest.mark.parametrize("text", [CLEAR, MINOR])
async def test_what_is_settled_without_them_asks_nobody(house: House, app_id: str, text: str) -> None:
    panel = Told(fine)
    async with runs_with(house, panel) as runs:
        answer = await moderate(runs, factories.content(text, app_id=app_id))
    assert panel.rounds == []
    case = await case_of(house, app_id, answer.case_id)
    assert case.assessment.consultation is None


async def test_an_app_may_have_all_asked_about(house: House, app_id: str) -> None:
    panel = Told(fine)
    async with runs_with(house, panel, always(house.policies)) as runs:
        answer = await moderate(runs, factories.content(CLEAR, app_id=app_id))
    assert answer.decision is DecisionKind.APPROVED
    assert len(panel.rounds) == 1


@pytest.mark.parametrize("text", [CLEAR, DOUBTFUL, VIOLATING])
async def test_where_no_answer_came_a_person_decides(house: House, app_id: str, text: str) -> None:
    async with runs_with(house, Told(silent), always(house.policies)) as runs:
        answer = await moderate(runs, factories.content(text, app_id=app_id))
    case = await case_of(house, app_id, answer.case_id)
    assert (case.decision, case.machine.trigger) == (DecisionKind.ESCALATED, Trigger.UNAVAILABLE)
    assert "agents" in case.reasoning


async def test_an_app_that_has_spent_its_day_goes_on_without(house: House, app_id: str) -> None:
    panel = Told(fine, affords=False)
    async with runs_with(house, panel) as runs:
        answer = await moderate(runs, factories.content(DOUBTFUL, app_id=app_id))
    case = await case_of(house, app_id, answer.case_id)
    assert panel.rounds == []
    assert case.machine.trigger == Trigger.DOUBT


async def test_a_violation_stays_one_whatever_they_say(house: House, app_id: str) -> None:
    async with runs_with(house, Told(fine), always(house.policies)) as runs:
        answer = await moderate(runs, factories.content(VIOLATING, app_id=app_id))
    assert answer.decision is not DecisionKind.APPROVED


async def test_more_evidence_is_gathered_for_those_who_ask_and_for_them_alone(house: House, app_id: str) -> None:
    def says(who: Specialist, dossier: Dossier) -> Opinion:
        known = any(piece.text.startswith("We were talking") for piece in dossier.others)
        need = Need.NOTHING if known else Need.EARLIER_TEXTS
        return fine(who, dossier, reading=Reading.UNCLEAR, certainty=1, needs=need)

    await decided(house, app_id, "We were talking about the garden, remember?", user_id="u7")
    await decided(house, app_id, "We were talking about you", user_id="another")
    panel = Told(says)
    async with runs_with(house, panel) as runs:
        answer = await moderate(runs, factories.content(DOUBTFUL, app_id=app_id, user_id="u7"))
    case = await case_of(house, app_id, answer.case_id)
    assert [len(dossier.others) > 0 for _, dossier in panel.rounds] == [False, True]
    assert case.assessment.consultation is not None
    assert case.assessment.consultation.rounds == 2
    shown = [piece.text for piece in panel.rounds[1][1].others]
    assert shown == ["We were talking about the garden, remember?"]
    assert answer.decision is DecisionKind.ESCALATED


async def test_asking_ends_after_three_rounds(house: House, app_id: str) -> None:
    needs = iter([Need.SIMILAR_CASES, Need.EARLIER_TEXTS, Need.SIMILAR_CASES, Need.EARLIER_TEXTS] * 9)
    rounds: dict[int, Need] = {}

    def says(who: Specialist, dossier: Dossier) -> Opinion:
        need = rounds.setdefault(len(panel.rounds), next(needs))
        return fine(who, dossier, reading=Reading.UNCLEAR, certainty=1, needs=need)

    panel = Told(says)
    async with runs_with(house, panel) as runs:
        await moderate(runs, factories.content(DOUBTFUL, app_id=app_id))
    assert len(panel.rounds) == 3


async def test_they_are_told_facts_apart_from_what_people_wrote_and_no_number_of_the_classifier(
    house: House, app_id: str
) -> None:
    panel = Told(fine)
    context = ContentContext(reported=True)
    async with runs_with(house, panel) as runs:
        await moderate(runs, factories.content(DOUBTFUL, app_id=app_id, context=context))
    [(_, dossier), *_] = panel.rounds
    told = "\n".join(dossier.facts)
    assert dossier.posted == DOUBTFUL
    assert DOUBTFUL not in told
    assert "Somebody reported the text." in told
    assert "classifier" not in told


async def test_waiting_for_models_holds_up_nobody_else(house: House, app_id: str) -> None:
    """More runs wait for a model than may share the processor, and a clear text goes through all the same."""
    released, waiting = asyncio.Event(), asyncio.Semaphore(0)

    class Slow(Told):
        async def hear(self, specialists: Sequence[Specialist], dossier: Dossier, *, within_s: float) -> Heard:
            waiting.release()
            await released.wait()
            return await super().hear(specialists, dossier, within_s=within_s)

    async with runs_with(house, Slow(fine)) as runs:
        slow = [
            asyncio.create_task(moderate(runs, factories.content(DOUBTFUL, app_id=app_id, user_id=f"u{n}")))
            for n in range(20)
        ]
        for _ in slow:
            await waiting.acquire()
        clear = await moderate(runs, factories.content(CLEAR, app_id=app_id))
        assert not any(task.done() for task in slow)
        released.set()
        await asyncio.gather(*slow)
    assert clear.decision is DecisionKind.APPROVED


@pytest.mark.parametrize("fault", ["hangs", "500", "wrong enum", "connection reset"])
async def test_a_model_that_fails_ends_with_a_person_in_time(house: House, app_id: str, fault: str) -> None:
    async with serving() as server:
        server.fault = FAULTS[fault]
        choice = ModelChoice("openai:m", server.openai, timeout_s=0.5)
        panel = Panel(Steady([made(choice)], Spending(now)), prompts_for(house.policies))
        async with runs_with(house, panel, asking_s=1.0) as runs:
            answer = await moderate(runs, factories.content(DOUBTFUL, app_id=app_id))
        await panel.close()
    case = await case_of(house, app_id, answer.case_id)
    assert case.machine.trigger == Trigger.UNAVAILABLE
    assert case.timings.nodes["specialists"] < 1_250


async def test_what_was_asked_survives_in_the_database(house: House, app_id: str) -> None:
    async with runs_with(house, Told(violates)) as runs:
        answer = await moderate(runs, factories.content(DOUBTFUL, app_id=app_id))
    kept = await house.database.read(lambda session: cases.get(session, app_id=app_id, case_id=answer.case_id))
    assert kept.assessment.consultation is not None
    assert kept.assessment.consultation.opinions[0].prompt == "p"
