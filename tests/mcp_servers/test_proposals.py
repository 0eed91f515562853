"""An agent proposes, a person decides: no tool of an agent changes an outcome or sways one (I4, I8)."""

from datetime import timedelta
from typing import Any

import pytest

from cupidsshield.bootstrap import House
from data import appeals, audit, cases, enforcements, reviews
from data.audit import AuditRecord
from domain.actor import system
from domain.appeal import Appeal, AppealStatus
from domain.case import Case
from domain.content import Content
from domain.enforcement import Enforcement
from domain.ids import new_id
from domain.review import ReviewItem
from domain.vocabulary import Action, DecisionKind, Policy, Priority, Route, SignalSource
from mcp_servers.client import ServerName
from tests import factories
from tests.mcp_servers.calls import CASE, CLEAR, DOUBTFUL, FOR_AGENTS, VIOLATING
from tests.mcp_servers.conftest import Connect, moderated, said

pytestmark = pytest.mark.asyncio(loop_scope="session")

OUTCOMES = {CLEAR: "approved", DOUBTFUL: "escalated", VIOLATING: "rejected"}

PROPOSALS: list[tuple[ServerName, str, dict[str, Any]]] = [
    (ServerName.MODERATION, "apply_action", {"action": Action.PERMANENT_BAN, "reasoning": "I am sure."}),
    (ServerName.MODERATION, "apply_action", {"action": Action.FLAG_FOR_REVIEW, "reasoning": "I am not sure."}),
    (
        ServerName.DATABASE,
        "propose_decision",
        {
            "decision": "rejected",
            "policy": "scams",
            "severity": "high",
            "action": "permanent_ban",
            "reasoning": "Sure.",
        },
    ),
    (ServerName.DATABASE, "propose_decision", {"decision": "approved", "reasoning": "It is fine."}),
]


async def record_of(house: House, app_id: str, case_id: str) -> tuple[Case, tuple[AuditRecord, ...]]:
    case = await house.database.read(lambda session: cases.get(session, app_id=app_id, case_id=case_id))
    trail = await house.database.read(lambda session: audit.for_case(session, app_id=app_id, case_id=case_id))
    return case, trail


async def waiting(house: House, app_id: str) -> tuple[ReviewItem, ...]:
    return await house.database.read(lambda session: reviews.list_open(session, app_id=app_id))


async def in_force(house: House, app_id: str) -> tuple[Enforcement, ...]:
    return await house.database.read(lambda session: enforcements.active(session, app_id=app_id, user_id="u1"))


@pytest.mark.parametrize("text", OUTCOMES, ids=OUTCOMES.get)
@pytest.mark.parametrize(("server", "tool", "arguments"), PROPOSALS)
async def test_a_proposal_changes_no_outcome_and_puts_the_case_before_a_person(
    house: House, app_id: str, connect: Connect, server: ServerName, tool: str, arguments: dict[str, Any], text: str
) -> None:
    case_id = (await moderated(house, app_id, text)).case_id
    before, force = (await record_of(house, app_id, case_id))[0], await in_force(house, app_id)
    assert before.decision == OUTCOMES[text]
    async with connect(server, factories.agent(app_id)) as client:
        proposal = await said(client, tool, case_id=case_id, **arguments)
    after, trail = await record_of(house, app_id, case_id)
    assert after == before
    assert await in_force(house, app_id) == force
    assert [item.id for item in await waiting(house, app_id)] == [proposal["review_id"]]
    [proposed] = [entry for entry in trail if entry.action == "decision.proposed"]
    assert proposed.actor == "agent:key_1"
    assert proposed.details["reasoning"] == arguments["reasoning"]


async def test_a_second_proposal_joins_the_review_that_waits(house: House, app_id: str, connect: Connect) -> None:
    case_id = (await moderated(house, app_id, CLEAR)).case_id
    async with connect(ServerName.MODERATION, factories.agent(app_id)) as client:
        said_twice = [
            await said(client, "apply_action", case_id=case_id, action="warn", reasoning="Look.") for _ in range(2)
        ]
    assert said_twice[0] == said_twice[1]


async def rejected(house: House, content: Content, policy: Policy) -> str:
    """A case that the machine rejected for a policy, and that waits for nobody."""
    record = factories.record(content, factories.decision(policy=policy, policy_set=house.policies.set_hash))
    await house.database.write(
        lambda session: cases.record(
            session, record=record, review=None, messages=[], memory=None, actor=system(content.app_id)
        )
    )
    return record.case_id


@pytest.mark.parametrize(
    ("about", "named", "route", "priority", "hours"),
    [
        (Policy.SCAMS, {}, Route.MODERATOR, Priority.MEDIUM, 24),
        (Policy.SCAMS, {"policy": "age_verification"}, Route.LEGAL, Priority.URGENT, 1),
        (Policy.SCAMS, {"policy": "hate", "severity": "low"}, Route.MODERATOR, Priority.MEDIUM, 24),
        (Policy.SELF_HARM, {}, Route.CARE, Priority.URGENT, 1),
    ],
)
async def test_who_looks_at_a_proposal_and_how_soon_is_the_policies_to_say(
    house: House,
    app_id: str,
    connect: Connect,
    about: Policy,
    named: dict[str, str],
    route: Route,
    priority: Priority,
    hours: int,
) -> None:
    case_id = await rejected(house, factories.content(app_id=app_id), about)
    async with connect(ServerName.DATABASE, factories.agent(app_id)) as client:
        await said(client, "propose_decision", case_id=case_id, decision="approved", reasoning="Look again.", **named)
    [item] = await waiting(house, app_id)
    assert (item.route, item.priority) == (route, priority)
    assert item.due_at - item.created_at == timedelta(hours=hours)


async def test_a_flag_on_what_was_decided_before_goes_where_the_flagged_policy_goes(
    house: House, app_id: str, connect: Connect
) -> None:
    content = factories.content("I finish school next summer", app_id=app_id)
    case_id = await rejected(house, content, Policy.SPAM)
    reported = flag(content.text, content_id=content.content_id, violation_type="age_verification")
    async with connect(ServerName.MODERATION, factories.agent(app_id)) as client:
        answer = await said(client, "flag_content", **reported)
    assert (answer["case_id"], answer["replayed"]) == (case_id, True)
    [item] = await waiting(house, app_id)
    assert (item.route, item.priority) == (Route.LEGAL, Priority.URGENT)


async def test_nothing_that_an_agent_can_do_counts_as_a_persons_decision(
    house: House, app_id: str, connect: Connect
) -> None:
    case_id = (await moderated(house, app_id, DOUBTFUL)).case_id
    appealed = (await moderated(house, app_id, VIOLATING)).case_id
    appeal = await house.appeals.file(
        app_id=app_id, case_id=appealed, user_id="u1", explanation="I meant the song.", new_evidence=None
    )
    for good in FOR_AGENTS:
        about = good.of(appealed if good.names_an_appeal else case_id)
        async with connect(good.server, factories.agent(app_id)) as client:
            await said(client, good.tool, **{**about, **({"user_id": "u9"} if "user_id" in good.arguments else {})})
    assert (await stored_appeal(house, appeal)).status is AppealStatus.UNDER_REVIEW
    case, trail = await record_of(house, app_id, case_id)
    assert case.reviewed_by == "machine"
    assert "decision.by_person" not in {entry.action for entry in trail}
    assert case.review_id in {item.id for item in await waiting(house, app_id)}


async def stored_appeal(house: House, appeal: Appeal) -> Appeal:
    return await house.database.read(lambda session: appeals.get(session, app_id=appeal.app_id, appeal_id=appeal.id))


async def test_no_tool_takes_what_only_a_claim_can_give(app_id: str, connect: Connect) -> None:
    for server in ServerName:
        async with connect(server, factories.agent(app_id)) as client:
            for tool in (await client.list_tools()).tools:
                taken = set(tool.input_schema.get("properties", {}))
                assert not taken & {"reviewer", "epoch", "actor", "app_id", "scopes", "confirmed"}, tool.name


def flag(text: str, **more: Any) -> dict[str, Any]:
    return {
        "text": text,
        "user_id": "u1",
        "violation_type": "harassment",
        "severity": "critical",
        "confidence": 1.0,
        "reasoning": "I have seen this before.",
        **more,
    }


@pytest.mark.parametrize("text", OUTCOMES, ids=OUTCOMES.get)
async def test_a_flag_always_reaches_a_person(house: House, app_id: str, connect: Connect, text: str) -> None:
    async with connect(ServerName.MODERATION, factories.agent(app_id)) as client:
        answer = await said(client, "flag_content", **flag(text))
    assert answer["decision"] != "approved"
    assert [item.case_id for item in await waiting(house, app_id)] == [answer["case_id"]]


@pytest.mark.parametrize("text", OUTCOMES, ids=OUTCOMES.get)
async def test_a_flag_weighs_nothing(house: House, app_id: str, connect: Connect, text: str) -> None:
    plain = await moderated(house, new_id("app"), text)
    async with connect(ServerName.MODERATION, factories.agent(app_id)) as client:
        answer = await said(client, "flag_content", **flag(text))
    assert answer["confidence"] == plain.confidence
    assert answer["risk_score"] == plain.risk_score
    assert answer["violation_type"] == plain.violation_type
    assert answer["action"] == (plain.action if plain.decision is DecisionKind.REJECTED else None)


@pytest.mark.parametrize("text", OUTCOMES, ids=OUTCOMES.get)
async def test_a_flag_on_content_that_was_decided_before_still_reaches_a_person(
    house: House, app_id: str, connect: Connect, text: str
) -> None:
    async with connect(ServerName.MODERATION, factories.agent(app_id)) as client:
        first = await said(client, "moderate_content", text=text, user_id="u1", content_id="c1")
        answer = await said(client, "flag_content", **flag(text, content_id="c1"))
    assert (answer["case_id"], answer["decision"], answer["replayed"]) == (first["case_id"], OUTCOMES[text], True)
    assert [item.case_id for item in await waiting(house, app_id)] == [first["case_id"]]
    _, trail = await record_of(house, app_id, first["case_id"])
    [proposed] = [entry for entry in trail if entry.action == "decision.proposed"]
    assert proposed.details["reasoning"] == "flagged as harassment: I have seen this before."


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("add_flagged_content", {"violation_type": "harassment", "severity": "critical", "confidence": 1}),
        ("add_historical_case", {"decision": "approved", "confidence": 1}),
        ("add_historical_case", {"decision": "rejected", "violation_type": "harassment", "severity": "critical"}),
    ],
)
async def test_what_an_agent_remembers_is_shown_and_never_votes(
    house: House, app_id: str, connect: Connect, tool: str, arguments: dict[str, Any]
) -> None:
    plain = await moderated(house, new_id("app"), DOUBTFUL)
    async with connect(ServerName.VECTOR_SEARCH, factories.agent(app_id)) as client:
        for _ in range(3):
            await said(client, tool, text=DOUBTFUL, **arguments)
        found = await said(client, "search_similar_cases", text=DOUBTFUL)
    assert [entry["confirmed"] for entry in found["precedents"]] == [False] * 3
    swayed = await moderated(house, app_id, DOUBTFUL)
    assert (swayed.decision, swayed.confidence, swayed.violation_type) == (
        plain.decision,
        plain.confidence,
        plain.violation_type,
    )
    case, _ = await record_of(house, app_id, swayed.case_id)
    shown = [signal for signal in case.assessment.signals if signal.source is SignalSource.MEMORY]
    assert shown, "the look-alikes are shown"
    assert {signal.weight for signal in shown} == {0.0}


async def test_every_good_call_about_a_case_names_one() -> None:
    """Keeps the list of calls honest: those that take a case get one."""
    assert {good.tool for good in FOR_AGENTS if CASE in good.arguments.values()} >= {"apply_action", "get_case"}
