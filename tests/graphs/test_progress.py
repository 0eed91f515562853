"""What is told of a run while it goes on: every step, in words that hold nothing of the content."""

import pytest

from cupidsshield.bootstrap import House
from domain.progress import Step
from domain.submission import Submission
from domain.vocabulary import DecisionKind
from graphs.moderation.runs import ModerationRuns
from tests import factories
from tests.graphs.conftest import CLEAR, DOUBTFUL, VIOLATING, case_of, runs_where
from tests.graphs.test_consulting import Told, runs_with, silent, violates
from tests.graphs.test_failures import crashes

pytestmark = pytest.mark.asyncio(loop_scope="session")

MARK = "zanzibarquux"


async def steps_of(runs: ModerationRuns, app_id: str, text: str) -> tuple[list[Step], str]:
    """The steps of a decision about a text, and its case."""
    steps: list[Step] = []
    content = factories.content(f"{MARK} {text}", app_id=app_id, user_id=MARK)
    answer = await runs.moderate(Submission(content=content), factories.agent(app_id), steps.append)
    assert MARK not in "".join(step.model_dump_json() for step in steps)
    return steps, answer.case_id


@pytest.mark.parametrize("text", [CLEAR, DOUBTFUL, VIOLATING])
async def test_every_node_is_told_with_its_time(house: House, app_id: str, text: str) -> None:
    steps, case_id = await steps_of(house.runs, app_id, text)
    timings = (await case_of(house, app_id, case_id)).timings.nodes
    told: dict[str, float] = {}
    for step in steps:
        told[step.node] = told.get(step.node, 0.0) + step.ms
    assert told.keys() - {"action", "notification"} == timings.keys()
    assert all(told[node] == pytest.approx(took, abs=0.01) for node, took in timings.items())


async def test_whoever_is_asked_is_named(house: House, app_id: str) -> None:
    async with runs_with(house, Told(violates)) as runs:
        steps, _ = await steps_of(runs, app_id, DOUBTFUL)
    words = {step.node: step.words for step in steps}
    assert words["supervisor"].startswith("Chose whom to ask: ")
    assert "harassment analyst" in words["supervisor"]
    asked = words["supervisor"].partition(": ")[2].rstrip(".")
    count = len(asked.split(", "))
    assert words["specialists"] == f"Heard {count} of {count}: {asked}."


async def test_what_did_not_answer_is_said(house: House, app_id: str) -> None:
    async with runs_with(house, Told(silent)) as runs:
        steps, _ = await steps_of(runs, app_id, DOUBTFUL)
    assert next(step.words for step in steps if step.node == "specialists").startswith("Heard 0 of ")
    async with runs_where(house, screen_content=crashes) as runs:
        steps, case_id = await steps_of(runs, app_id, CLEAR)
    words = {step.node: step.words for step in steps}
    assert words["screening"] == "Screening is unavailable, a person will decide."
    assert words["action"] == "Kept the case and put it before people."
    assert (await case_of(house, app_id, case_id)).decision is DecisionKind.ESCALATED
    async with runs_where(house, recall=crashes) as runs:
        steps, _ = await steps_of(runs, app_id, DOUBTFUL)
    assert {step.node: step.words for step in steps}["memory"] == "Memory is unavailable, a person will decide."
