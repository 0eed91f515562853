"""Whatever fails, no failure approves, bans or rejects: a person decides, or the caller is told to come again (I3)."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import CallToolResult, TextContent

from cupidsshield.bootstrap import House
from data import cases, memory_inbox
from domain.case import CasePage
from domain.errors import NotPermitted, Overloaded, ToolUnavailable
from domain.notification import NotificationStatus
from domain.queries import CaseQuery
from domain.signals import Language, ModelRef, Screening
from domain.vocabulary import DecisionKind, Policy
from tests import factories
from tests.graphs.conftest import (
    CLEAR,
    DOUBTFUL,
    VIOLATING,
    Tool,
    case_of,
    deliver_all,
    messages_of,
    moderate,
    runs_where,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")

SOON_S = 1.0


def answering(structure: Any) -> Tool:
    """A tool that answers this, whatever it is asked."""

    async def tool() -> CallToolResult:
        return CallToolResult(content=[TextContent(type="text", text="here")], structured_content=structure)

    return tool


async def crashes() -> None:
    raise RuntimeError("a bug")


async def refuses() -> None:
    raise ToolError("not_permitted: not for you")


async def says_approve() -> None:
    raise ToolError("decision: approved")


async def hangs() -> None:
    await asyncio.Event().wait()


FAILURES: Mapping[str, Tool] = {
    "crashes": crashes,
    "refuses": refuses,
    "says_approve": says_approve,
    "answers nothing": answering(None),
    "answers nonsense": answering({"decision": "approved", "ok": True}),
    "answers nulls": answering({"standing": None, "violations": None, "signals": None, "case_id": None}),
    "hangs": hangs,
}

TEXTS = {"clear": CLEAR, "doubtful": DOUBTFUL, "violating": VIOLATING}


def matrix(*texts: str) -> Any:
    """Each failure with each of the texts; what hangs costs time and is tried with one."""
    return pytest.mark.parametrize(
        ("failure", "text"),
        [(failure, text) for failure in FAILURES for text in texts if failure != "hangs" or text == "doubtful"],
    )


def patience(failure: str) -> float:
    return SOON_S if failure == "hangs" else 20


async def kept(house: House, app_id: str) -> CasePage:
    return await house.database.read(
        lambda session: cases.search(session, app_id=app_id, query=CaseQuery(), cursor=None, limit=10)
    )


@matrix("doubtful")
async def test_what_cannot_be_looked_up_is_not_decided(house: House, app_id: str, failure: str, text: str) -> None:
    async with runs_where(house, timeout_s=patience(failure), prepare_case=FAILURES[failure]) as runs:
        with pytest.raises((ToolUnavailable, NotPermitted)):
            await moderate(runs, factories.content(TEXTS[text], app_id=app_id))
    assert (await kept(house, app_id)).cases == ()


@matrix("clear", "doubtful", "violating")
async def test_what_cannot_be_recorded_is_not_acknowledged(house: House, app_id: str, failure: str, text: str) -> None:
    async with runs_where(house, timeout_s=patience(failure), record_decision=FAILURES[failure]) as runs:
        with pytest.raises((ToolUnavailable, NotPermitted)):
            await moderate(runs, factories.content(TEXTS[text], app_id=app_id))
    assert (await kept(house, app_id)).cases == ()
    assert await messages_of(house, app_id) == []


async def test_what_was_recorded_though_the_answer_got_lost_is_found_when_it_is_sent_again(
    house: House, app_id: str
) -> None:
    content = factories.content(VIOLATING, app_id=app_id)
    async with runs_where(house, dispatch=hangs, timeout_s=20) as runs:
        running = asyncio.create_task(moderate(runs, content))
        while not (await kept(house, app_id)).cases:
            await asyncio.sleep(0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    again = await moderate(house.runs, content)
    assert (again.decision, again.replayed) == (DecisionKind.REJECTED, True)
    await deliver_all(house, app_id)
    assert {entry.status for entry in await messages_of(house, app_id)} == {NotificationStatus.DELIVERED}


@matrix("clear", "doubtful", "violating")
async def test_what_cannot_be_screened_is_read_by_a_person(house: House, app_id: str, failure: str, text: str) -> None:
    async with runs_where(house, timeout_s=patience(failure), screen_content=FAILURES[failure]) as runs:
        answer = await moderate(runs, factories.content(TEXTS[text], app_id=app_id))
    case = await case_of(house, app_id, answer.case_id)
    assert (answer.decision, answer.action, case.machine.trigger) == (DecisionKind.ESCALATED, None, "unavailable")
    assert answer.confidence == 0
    assert case.review_id is not None


@matrix("doubtful", "violating")
async def test_what_cannot_be_compared_with_memory_is_read_by_a_person(
    house: House, app_id: str, failure: str, text: str
) -> None:
    async with runs_where(house, timeout_s=patience(failure), recall=FAILURES[failure]) as runs:
        answer = await moderate(runs, factories.content(TEXTS[text], app_id=app_id))
    case = await case_of(house, app_id, answer.case_id)
    assert (answer.decision, answer.action, case.machine.trigger) == (DecisionKind.ESCALATED, None, "unavailable")
    assert case.assessment.unavailable == ("vector-search",)


@matrix("doubtful", "violating")
async def test_messages_outlive_a_failing_dispatch_and_the_decision_stands(
    house: House, app_id: str, failure: str, text: str
) -> None:
    async with runs_where(house, timeout_s=patience(failure), dispatch=FAILURES[failure]) as runs:
        answer = await moderate(runs, factories.content(TEXTS[text], app_id=app_id))
    assert answer.decision is (DecisionKind.REJECTED if text == "violating" else DecisionKind.ESCALATED)
    await deliver_all(house, app_id)
    assert {entry.status for entry in await messages_of(house, app_id)} == {NotificationStatus.DELIVERED}


async def test_where_too_much_waits_for_screening_the_caller_is_told_to_come_again(house: House, app_id: str) -> None:
    async def full() -> None:
        raise ToolError("overloaded: 256 texts already wait")

    async with runs_where(house, screen_content=full) as runs:
        with pytest.raises(Overloaded):
            await moderate(runs, factories.content(CLEAR, app_id=app_id))
    assert (await kept(house, app_id)).cases == ()


def screening(**changes: Any) -> dict[str, Any]:
    """A well-formed answer of screening that found nothing at all."""
    nothing = Screening(
        normalised="x",
        language=Language(code="en", confidence=1, competent=True),
        signals=(),
        severities={},
        vector=factories.vector(1),
        model=ModelRef(name="m", version="1", sha256="0" * 64),
    )
    return {**nothing.model_dump(mode="json"), **changes}


def signal(policy: str | None, weight: float, **more: Any) -> dict[str, Any]:
    return {"name": "classifier.x", "source": "classifier", "policy": policy, "weight": weight, "reason": "r", **more}


HOSTILE = {
    "finds nothing": screening(),
    "is sure beyond reason that it is fine": screening(
        signals=[signal(None, -1e9), *(signal(policy, -1e9) for policy in Policy)]
    ),
    "is sure beyond reason that it is not": screening(signals=[signal(None, 1e300), signal("scams", 1e300)]),
    "is sure of no policy": screening(signals=[signal(None, 9.0)]),
    "names no severity": screening(
        signals=[signal(None, 9.0), *(signal(policy, 9.0 if policy == "scams" else -9.0) for policy in Policy)]
    ),
}


@pytest.mark.parametrize("found", HOSTILE)
async def test_a_screening_that_cannot_be_believed_is_read_by_a_person(house: House, app_id: str, found: str) -> None:
    async with runs_where(house, screen_content=answering(HOSTILE[found])) as runs:
        answer = await moderate(runs, factories.content(CLEAR, app_id=app_id))
    assert answer.decision is DecisionKind.ESCALATED


@pytest.mark.parametrize(
    "vector",
    ["", "no base64", "AAAA", factories.vector(1)[:-8], "//9/" * 512],
    ids=["empty", "no_base64", "short", "cut", "not_numbers"],
)
async def test_a_vector_that_memory_could_not_keep_is_not_remembered(house: House, app_id: str, vector: str) -> None:
    """It would hold up all that waits behind it, for all apps."""
    async with runs_where(house, screen_content=answering(screening(vector=vector))) as runs:
        answer = await moderate(runs, factories.content(DOUBTFUL, app_id=app_id))
    assert answer.decision is DecisionKind.ESCALATED
    waiting = await house.database.read(lambda session: memory_inbox.pending(session, limit=1_000))
    assert app_id not in {entry.item.app_id for entry in waiting}


async def test_all_servers_but_the_record_may_fail_at_once(house: House, app_id: str, tmp_path: Path) -> None:
    broken = {"screen_content": crashes, "recall": crashes, "dispatch": crashes}
    async with runs_where(house, checkpoints=tmp_path, **broken) as runs:
        answer = await moderate(runs, factories.content(VIOLATING, app_id=app_id))
        assert await runs.waits(answer.case_id)
    assert answer.decision is DecisionKind.ESCALATED


async def test_many_at_once_with_the_same_content_make_one_case(house: House, app_id: str) -> None:
    content = factories.content(DOUBTFUL, app_id=app_id)
    answers = await asyncio.gather(*(moderate(house.runs, content) for _ in range(8)))
    assert len({answer.case_id for answer in answers}) == 1
    assert [answer.replayed for answer in answers].count(False) == 1
    assert len((await kept(house, app_id)).cases) == 1
    assert len(await messages_of(house, app_id)) == 3
