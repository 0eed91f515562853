"""No tenant sees or touches another's by any tool or resource; foreign and absent answer alike (I10)."""

from typing import Any

import pytest
from mcp import MCPError

from cupidsshield.bootstrap import House
from data import cases, reviews
from domain.ids import new_id
from domain.submission import Flag, Submission
from domain.vocabulary import Action, DecisionKind, Policy
from mcp_servers.client import ServerName
from mcp_servers.vector_search.answers import Precedents
from tests import factories
from tests.mcp_servers.calls import DOUBTFUL, VIOLATING
from tests.mcp_servers.conftest import Connect, moderated, refusal, said
from tests.readings import appeal_read

pytestmark = pytest.mark.asyncio(loop_scope="session")

ABSENT = "case_00000000000000000000000000000000"
SECRET = "You're frustrating me by not responding, Peregrine..."

BY_CASE: list[tuple[ServerName, str, dict[str, Any]]] = [
    (ServerName.DATABASE, "get_case", {}),
    (ServerName.DATABASE, "propose_decision", {"decision": DecisionKind.APPROVED, "reasoning": "It is fine."}),
    (ServerName.MODERATION, "explain_decision", {}),
    (ServerName.MODERATION, "apply_action", {"action": Action.PERMANENT_BAN, "reasoning": "A scam."}),
]

LISTS: list[tuple[ServerName, str, dict[str, Any]]] = [
    (ServerName.DATABASE, "search_cases", {"text": "Peregrine"}),
    (ServerName.DATABASE, "search_cases", {"user_id": "peregrine"}),
    (ServerName.DATABASE, "get_user_history", {"user_id": "peregrine"}),
    (ServerName.DATABASE, "list_review_queue", {}),
    (ServerName.DATABASE, "get_metrics", {}),
    (ServerName.NOTIFICATIONS, "list_notifications", {}),
    (ServerName.VECTOR_SEARCH, "search_similar_cases", {"text": SECRET}),
    (ServerName.VECTOR_SEARCH, "search_similar_violations", {"text": SECRET}),
]


@pytest.fixture(scope="module")
def theirs() -> str:
    return new_id("app")


@pytest.fixture(scope="module")
def ours() -> str:
    return new_id("app")


async def secret_case(house: House, theirs: str) -> str:
    """The one case of the other tenant, the same each time, remembered and awaiting review."""
    found = await house.database.read(
        lambda session: cases.history(session, app_id=theirs, user_id="peregrine", limit=1)
    )
    if found.recent:
        return found.recent[0].case_id
    flag = Flag(policy=Policy.HARASSMENT, confidence=0.5, reasoning="Somebody should look.")
    content = factories.content(SECRET, app_id=theirs, user_id="peregrine")
    answer = await house.runs.moderate(Submission(content=content, flag=flag), factories.agent(theirs))
    [vector] = await house.screener.embed([SECRET]) if house.screener else [""]
    for kind in (DecisionKind.REJECTED, DecisionKind.APPROVED):
        item = factories.memory_item(app_id=theirs, text=SECRET, kind=kind)
        assert house.memory is not None
        await house.memory.add([item.model_copy(update={"vector": vector})])
    return answer.case_id


async def test_a_foreign_appeal_answers_like_one_that_is_not_there(
    house: House, connect: Connect, ours: str, theirs: str
) -> None:
    case_id = (await moderated(house, theirs, VIOLATING)).case_id
    appeal = await house.appeals.file(
        app_id=theirs, case_id=case_id, user_id="u1", explanation="I meant Peregrine.", new_evidence=None
    )
    reading = factories.appeal_reading(says="It was Peregrine.")
    await house.database.write(
        lambda session: appeal_read(session, app_id=theirs, appeal_id=appeal.id, reading=reading)
    )
    async with connect(ServerName.DATABASE, factories.agent(theirs)) as client:
        told = await said(client, "get_appeal", appeal_id=appeal.id)
    assert told["reading"]["reading"]["says"] == "It was Peregrine.", "their own agents read it"
    absent = "appeal_00000000000000000000000000000000"
    async with connect(ServerName.DATABASE, factories.agent(ours)) as client:
        about_foreign = await refusal(client, "get_appeal", appeal_id=appeal.id)
        about_absent = await refusal(client, "get_appeal", appeal_id=absent)
    assert about_foreign.startswith("not_found: ")
    assert about_foreign.replace(appeal.id, absent) == about_absent


@pytest.mark.parametrize(("server", "tool", "arguments"), BY_CASE, ids=lambda value: value if value else None)
async def test_a_foreign_case_answers_like_one_that_is_not_there(
    house: House, connect: Connect, ours: str, theirs: str, server: ServerName, tool: str, arguments: dict[str, Any]
) -> None:
    foreign = await secret_case(house, theirs)
    async with connect(server, factories.agent(ours)) as client:
        about_foreign = await refusal(client, tool, case_id=foreign, **arguments)
        about_absent = await refusal(client, tool, case_id=ABSENT, **arguments)
    assert about_foreign.startswith("not_found: ")
    assert about_foreign.replace(foreign, ABSENT) == about_absent


async def test_a_foreign_case_has_no_audit_trail(house: House, connect: Connect, ours: str, theirs: str) -> None:
    foreign = await secret_case(house, theirs)
    async with connect(ServerName.DATABASE, factories.agent(ours)) as client:
        assert (await said(client, "get_audit_trail", case_id=foreign))["entries"] == []
    async with connect(ServerName.DATABASE, factories.agent(theirs)) as client:
        assert (await said(client, "get_audit_trail", case_id=foreign))["entries"] != []


async def test_a_foreign_case_is_a_resource_that_is_not_there(
    house: House, connect: Connect, ours: str, theirs: str
) -> None:
    foreign, told = await secret_case(house, theirs), {}
    async with connect(ServerName.DATABASE, factories.agent(ours)) as client:
        for case_id in (foreign, ABSENT):
            with pytest.raises(MCPError) as raised:
                await client.read_resource(f"case://{case_id}")
            told[case_id] = (raised.value.code, str(raised.value))
    assert told[foreign] == (-32602, f"not_found: there is no case {foreign!r}")
    assert (told[foreign][0], told[foreign][1].replace(foreign, ABSENT)) == told[ABSENT]
    async with connect(ServerName.DATABASE, factories.agent(theirs)) as client:
        [part] = (await client.read_resource(f"case://{foreign}")).contents
    assert "Peregrine" in part.text


@pytest.mark.parametrize(("server", "tool", "arguments"), LISTS, ids=lambda value: value if value else None)
async def test_what_a_tool_lists_is_the_callers_own(
    house: House, connect: Connect, ours: str, theirs: str, server: ServerName, tool: str, arguments: dict[str, Any]
) -> None:
    foreign = await secret_case(house, theirs)
    async with connect(server, factories.agent(ours)) as client:
        seen_here = await said(client, tool, **arguments)
    async with connect(server, factories.agent(theirs)) as client:
        seen_there = await said(client, tool, **arguments)
    asked = str(arguments.get("text", arguments.get("user_id", "")))
    for mark in ("Peregrine", foreign):
        assert mark not in str(seen_here).replace(asked, ""), f"{tool} shows another tenant's {mark}"
    assert seen_there != seen_here, "the owner sees more, so there was something to hide"


async def test_what_an_agent_remembers_is_remembered_for_its_own_app(
    house: House, connect: Connect, ours: str, theirs: str
) -> None:
    text = "A wholly unlike sentence about a lighthouse keeper's soup."
    async with connect(ServerName.VECTOR_SEARCH, factories.agent(theirs)) as client:
        await said(client, "add_historical_case", text=text, decision="approved")
    found = {}
    for app_id in (ours, theirs):
        async with connect(ServerName.VECTOR_SEARCH, factories.agent(app_id)) as client:
            answer = Precedents.model_validate(await said(client, "search_similar_cases", text=text))
            found[app_id] = text in {precedent.text for precedent in answer.precedents}
    assert found == {ours: False, theirs: True}


async def test_a_message_about_a_foreign_case_stays_with_its_sender(
    house: House, connect: Connect, ours: str, theirs: str
) -> None:
    foreign = await secret_case(house, theirs)
    async with connect(ServerName.NOTIFICATIONS, factories.agent(ours)) as client:
        sent = await said(client, "notify_app", subject="About yours", body="Hello.", case_id=foreign)
    async with connect(ServerName.NOTIFICATIONS, factories.agent(theirs)) as client:
        listed = await said(client, "list_notifications", case_id=foreign, limit=100)
    assert sent["notification_id"] not in str(listed)


async def test_the_same_content_in_two_apps_makes_two_cases(house: House, ours: str, theirs: str) -> None:
    answers = [await moderated(house, app_id, DOUBTFUL) for app_id in (ours, theirs)]
    assert answers[0].case_id != answers[1].case_id
    for app_id in (ours, theirs):
        waiting = await house.database.read(lambda session, app_id=app_id: reviews.list_open(session, app_id=app_id))
        assert {item.app_id for item in waiting} == {app_id}
