"""Which way a run takes for which content, and what it leaves behind."""

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from cupidsshield.bootstrap import House
from data import audit, enforcements, reviews
from domain.case import Case
from domain.clock import now
from domain.content import ContentContext
from domain.ids import new_id
from domain.notification import Audience
from domain.submission import Flag, Submission
from domain.vocabulary import Action, DecisionKind, Floor, Policy, Route, SignalSource
from tests import factories
from tests.graphs.conftest import (
    AT_RISK,
    CLEAR,
    DOUBTFUL,
    MINOR,
    VIOLATING,
    Calls,
    case_of,
    decided,
    messages_of,
    moderate,
    runs_where,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")

SHORT = {"intake", "screening", "risk_assessment", "decision"}
LONG = SHORT | {"memory"}


async def fails() -> None:
    raise RuntimeError("this tool must not be needed")


@pytest.mark.parametrize(
    ("text", "kind", "path"),
    [
        (CLEAR, DecisionKind.APPROVED, SHORT),
        (DOUBTFUL, DecisionKind.ESCALATED, LONG),
        (VIOLATING, DecisionKind.REJECTED, LONG),
    ],
)
async def test_content_takes_the_path_that_it_needs(
    house: House, app_id: str, text: str, kind: DecisionKind, path: set[str]
) -> None:
    answer = await decided(house, app_id, text)
    case = await case_of(house, app_id, answer.case_id)
    assert answer.decision is case.decision is kind
    assert set(case.timings.nodes) == path
    assert case.timings.total == pytest.approx(sum(case.timings.nodes.values()))


async def test_clear_content_never_touches_memory_and_tells_nobody(house: House, app_id: str) -> None:
    dispatched = Calls()
    async with runs_where(house, wake=dispatched, recall=fails) as runs:
        answer = await moderate(runs, factories.content(CLEAR, app_id=app_id))
    assert answer.decision is DecisionKind.APPROVED
    assert await messages_of(house, app_id) == []
    assert dispatched.count == 0


async def test_clear_content_that_was_reported_is_compared_with_memory(house: House, app_id: str) -> None:
    answer = await decided(house, app_id, CLEAR, context=ContentContext(reported=True))
    assert set((await case_of(house, app_id, answer.case_id)).timings.nodes) == LONG


@pytest.mark.parametrize("text", [CLEAR, DOUBTFUL, VIOLATING])
async def test_content_that_was_decided_before_keeps_its_decision_and_needs_nothing_else(
    house: House, app_id: str, text: str
) -> None:
    content = factories.content(text, app_id=app_id)
    first = await moderate(house.runs, content)
    owed = await messages_of(house, app_id)
    dispatched = Calls()
    async with runs_where(house, wake=dispatched, screen_content=fails, recall=fails, record_decision=fails) as runs:
        again = await moderate(runs, content)
    assert not first.replayed
    assert again.replayed
    assert again.model_copy(update={"replayed": False, "processing_time_ms": first.processing_time_ms}) == first
    assert dispatched.count == 0
    assert len(await messages_of(house, app_id)) == len(owed)


async def test_changed_content_is_decided_anew(house: House, app_id: str) -> None:
    content = factories.content(CLEAR, app_id=app_id)
    edited = content.model_copy(update={"text": VIOLATING})
    answers = [await moderate(house.runs, either) for either in (content, edited)]
    assert [answer.decision for answer in answers] == [DecisionKind.APPROVED, DecisionKind.REJECTED]
    assert not answers[1].replayed


async def test_each_decision_has_one_audit_row(house: House, app_id: str) -> None:
    content = factories.content(DOUBTFUL, app_id=app_id)
    answers = [await moderate(house.runs, content) for _ in range(3)]
    [case_id] = {answer.case_id for answer in answers}
    trail = await house.database.read(lambda session: audit.for_case(session, app_id=app_id, case_id=case_id))
    assert [entry.action for entry in trail if entry.action == "decision.recorded"] == ["decision.recorded"]


# What a run leaves behind.


def threads(folder: Path) -> set[str]:
    """The runs that have a checkpoint."""
    with sqlite3.connect(folder / "checkpoints.db") as store:
        found = {row[0] for row in store.execute("SELECT thread_id FROM checkpoints")}
    store.close()
    return found


async def test_only_what_waits_for_people_leaves_a_checkpoint(house: House, app_id: str, tmp_path: Path) -> None:
    async with runs_where(house, checkpoints=tmp_path) as runs:
        answers = [
            await moderate(runs, factories.content(text, app_id=app_id)) for text in (CLEAR, DOUBTFUL, VIOLATING)
        ]
        waiting = [await runs.waits(answer.case_id) for answer in answers]
    assert waiting == [False, True, False]
    assert threads(tmp_path) == {answers[1].case_id}


async def test_a_checkpoint_holds_no_content(house: House, tmp_path: Path) -> None:
    app_id, user_id = new_id("app"), new_id("user")
    async with runs_where(house, checkpoints=tmp_path) as runs:
        answer = await moderate(runs, factories.content(DOUBTFUL, app_id=app_id, user_id=user_id))
        assert await runs.waits(answer.case_id)
        stored = b"".join(path.read_bytes() for path in tmp_path.glob("checkpoints.db*"))
    assert answer.case_id.encode() in stored
    for private in (DOUBTFUL, "frustrating", user_id, answer.reasoning):
        assert private.encode() not in stored


async def test_what_is_escalated_waits_for_a_person_and_tells_everybody(house: House, app_id: str) -> None:
    answer = await decided(house, app_id, DOUBTFUL)
    [item] = await house.database.read(lambda session: reviews.list_open(session, app_id=app_id))
    assert (item.case_id, item.route, item.priority) == (answer.case_id, answer.route, answer.priority)
    told = await messages_of(house, app_id)
    assert [entry.message.audience for entry in told] == [Audience.APP, Audience.MODERATORS, Audience.USER]


async def test_what_is_rejected_is_enforced_and_told(house: House, app_id: str) -> None:
    answer = await decided(house, app_id, VIOLATING)
    [force] = await house.database.read(lambda session: enforcements.active(session, app_id=app_id, user_id="u1"))
    assert (force.case_id, force.action) == (answer.case_id, answer.action)
    assert [entry.message.audience for entry in await messages_of(house, app_id)] == [Audience.APP, Audience.USER]


async def test_earlier_violations_are_known_to_the_next_run(house: House, app_id: str) -> None:
    await decided(house, app_id, VIOLATING)
    answer = await decided(house, app_id, DOUBTFUL)
    case = await case_of(house, app_id, answer.case_id)
    assert case.history.violations == 1
    assert "earlier_violations" in {signal.name for signal in case.assessment.signals}


# Who is protected.


async def no_penalty(house: House, case: Case) -> bool:
    read = await house.database.read(
        lambda session: enforcements.active(session, app_id=case.app_id, user_id=case.content.user_id)
    )
    return not read


@pytest.mark.parametrize("violations", [0, 4])
async def test_somebody_at_risk_is_offered_support_and_never_punished(
    house: House, app_id: str, violations: int
) -> None:
    for _ in range(violations):
        await decided(house, app_id, VIOLATING, user_id="known")
    answer = await decided(house, app_id, AT_RISK, user_id="known" if violations else "u1")
    case = await case_of(house, app_id, answer.case_id)
    assert (answer.decision, answer.action, answer.route) == (
        DecisionKind.ESCALATED,
        Action.OFFER_SUPPORT,
        Route.CARE,
    )
    assert violations or await no_penalty(house, case)
    told = [entry.message for entry in await messages_of(house, app_id) if entry.case_id == case.id]
    [support] = [message for message in told if message.audience is Audience.USER]
    assert support.event == "user.support"
    assert support.body == house.policies.guideline(Policy.SELF_HARM).user_message


async def test_a_possible_minor_goes_to_the_legal_team(house: House, app_id: str) -> None:
    answer = await decided(house, app_id, MINOR)
    case = await case_of(house, app_id, answer.case_id)
    assert (answer.decision, answer.route, answer.priority) == (DecisionKind.ESCALATED, Route.LEGAL, "urgent")
    assert await no_penalty(house, case)


@pytest.mark.parametrize("text", [CLEAR, DOUBTFUL, AT_RISK])
async def test_a_flag_always_ends_with_a_person(house: House, app_id: str, text: str) -> None:
    flag = Flag(policy=Policy.SCAMS, confidence=1.0, reasoning="I know this one.", raised_by="agent:key_1")
    content = factories.content(text, app_id=app_id)
    answer = await house.runs.moderate(Submission(content=content, flag=flag), factories.agent(app_id))
    case = await case_of(house, app_id, answer.case_id)
    assert answer.decision is DecisionKind.ESCALATED
    [seen] = [signal for signal in case.assessment.signals if signal.source is SignalSource.AGENT]
    assert (seen.weight, seen.floor) == (0.0, Floor.REVIEW)
    assert seen.reason == "flagged by agent:key_1: I know this one."
    assert answer.action in {None, Action.OFFER_SUPPORT}


async def test_no_other_app_hears_of_a_user(house: House, app_id: str) -> None:
    await decided(house, new_id("app"), VIOLATING)
    answer = await decided(house, app_id, VIOLATING)
    assert (await case_of(house, app_id, answer.case_id)).history.cases == 0


async def test_a_review_is_due_by_the_time_that_its_priority_allows(house: House, app_id: str) -> None:
    before = now()
    answer = await decided(house, app_id, DOUBTFUL)
    case = await case_of(house, app_id, answer.case_id)
    assert case.due_at is not None
    assert answer.priority is not None
    hours = house.policies.thresholds.sla_hours.of(answer.priority)
    assert before <= case.due_at - timedelta(hours=hours) == case.created_at <= now()
