"""Each tool works for those who hold its scope, and for nobody else."""

import pytest
from mcp import Client, MCPError

from cupidsshield.bootstrap import House
from domain.actor import Actor, ActorKind, system
from domain.appeal import AppealOutcome
from domain.ids import new_id
from domain.vocabulary import Scope
from mcp_servers.client import ServerName
from tests import factories
from tests.mcp_servers.calls import BRIEF, CASE, DOUBTFUL, FOR_AGENTS, SERVICE_ONLY, VIOLATING, Good, for_the_service
from tests.mcp_servers.conftest import Connect, moderated, refusal, said

pytestmark = pytest.mark.asyncio(loop_scope="session")

SCOPED = [good for good in FOR_AGENTS if good.scope is not None]


@pytest.fixture(scope="module")
def app_id() -> str:
    """One tenant for all of these: they ask who may, not what comes of it."""
    return new_id("app")


async def case_for(house: House, app_id: str, good: Good) -> str:
    """A case to speak of, where the call speaks of one, appealed where it speaks of an appeal."""
    if good.names_an_appeal or good.tool == "file_appeal":
        case_id = (await moderated(house, app_id, VIOLATING)).case_id
        if good.names_an_appeal:
            await house.appeals.file(
                app_id=app_id, case_id=case_id, user_id="u1", explanation="I meant the song.", new_evidence=None
            )
        return case_id
    return (await moderated(house, app_id, DOUBTFUL)).case_id if CASE in good.arguments.values() else ""


@pytest.mark.parametrize("good", FOR_AGENTS, ids=lambda good: good.tool)
async def test_an_agent_with_the_one_scope_that_a_tool_needs_may_use_it(
    house: House, app_id: str, connect: Connect, good: Good
) -> None:
    case_id = await case_for(house, app_id, good)
    scopes = frozenset({good.scope}) if good.scope else frozenset()
    async with connect(good.server, factories.agent(app_id, scopes)) as client:
        await said(client, good.tool, **good.of(case_id))


@pytest.mark.parametrize("good", SCOPED, ids=lambda good: good.tool)
async def test_an_agent_with_every_other_scope_is_refused(
    house: House, app_id: str, connect: Connect, good: Good
) -> None:
    assert good.scope is not None
    case_id = await case_for(house, app_id, good)
    async with connect(good.server, factories.agent(app_id, frozenset(Scope) - {good.scope})) as client:
        error = await refusal(client, good.tool, **good.of(case_id))
    assert error == f"not_permitted: this needs the scope '{good.scope}'"


@pytest.mark.parametrize("tool", sorted(SERVICE_ONLY))
@pytest.mark.parametrize("kind", [kind for kind in ActorKind if kind is not ActorKind.SYSTEM])
async def test_what_is_reserved_to_the_service_refuses_everybody_else(
    app_id: str, connect: Connect, tool: str, kind: ActorKind
) -> None:
    [good] = [good for good in for_the_service(app_id) if good.tool == tool]
    caller = Actor(kind=kind, id="key_1", app_id=app_id, scopes=frozenset(Scope))
    async with connect(good.server, caller) as client:
        error = await refusal(client, tool, **good.of("case_1"))
    assert error == f"not_permitted: {tool} is reserved to the service's own graphs and workers"


@pytest.mark.parametrize("tool", sorted(SERVICE_ONLY))
async def test_the_service_may_use_what_is_reserved_to_it(
    house: House, app_id: str, connect: Connect, tool: str
) -> None:
    [good] = [good for good in for_the_service(app_id) if good.tool == tool]
    case_id = await case_for(house, app_id, good)
    async with connect(good.server, system(app_id)) as client:
        await said(client, tool, **good.of(case_id))


async def test_no_tool_decides_an_appeal(house: House, app_id: str, connect: Connect) -> None:
    """Not even the service's own calls move an appeal to an end: only a person's decision in SQL does (I8)."""
    case_id = (await moderated(house, app_id, VIOLATING, user_id="u7")).case_id
    appeal = await house.appeals.file(
        app_id=app_id, case_id=case_id, user_id="u7", explanation="I meant the song.", new_evidence=None
    )
    async with connect(ServerName.DATABASE, system(app_id)) as client:
        for _ in range(2):
            answer = await said(client, "settle_appeal", appeal_id=appeal.id)
            assert answer["settled"] is False
        brief = BRIEF.model_copy(update={"recommendation": AppealOutcome.OVERTURN, "score": 1.0})
        laid = await said(client, "lay_brief", appeal_id=appeal.id, brief=brief.model_dump(mode="json"))
        assert laid["status"] == "under_review"
        assert (await said(client, "get_case", case_id=case_id))["decision"] == "rejected"
        names = {tool.name for tool in (await client.list_tools()).tools}
    assert not {name for name in names if "decide" in name or "resolve" in name or "overturn" in name}


@pytest.mark.parametrize("kind", [ActorKind.AGENT, ActorKind.APP, ActorKind.PERSON])
async def test_no_token_but_the_services_writes_about_appeals(app_id: str, connect: Connect, kind: ActorKind) -> None:
    caller = Actor(kind=kind, id="key_1", app_id=app_id, scopes=frozenset(Scope))
    async with connect(ServerName.DATABASE, caller) as client:
        for tool in ("file_appeal", "lay_brief", "settle_appeal", "file_report"):
            [good] = [good for good in for_the_service(app_id) if good.tool == tool]
            assert (await refusal(client, tool, **good.of("case_1"))).startswith("not_permitted")


@pytest.mark.parametrize("server", ServerName)
async def test_no_tool_is_left_out_here(app_id: str, connect: Connect, server: ServerName) -> None:
    known = {good.tool for good in (*FOR_AGENTS, *for_the_service(app_id)) if good.server == server}
    async with connect(server, factories.agent(app_id)) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == known


async def test_the_service_records_for_no_app_but_the_one_it_works_for(app_id: str, connect: Connect) -> None:
    [good] = [good for good in for_the_service(app_id) if good.tool == "record_decision"]
    async with connect(good.server, system("app_of_somebody_else")) as client:
        assert (await refusal(client, good.tool, **good.arguments)).startswith("not_permitted: the record names")


async def test_a_case_is_no_resource_for_an_agent_that_may_not_read(
    house: House, app_id: str, connect: Connect
) -> None:
    case_id = (await moderated(house, app_id, DOUBTFUL)).case_id
    async with connect(ServerName.DATABASE, factories.agent(app_id, frozenset({Scope.MODERATE}))) as client:
        await expect_no_resource(client, f"case://{case_id}", "not_permitted: this needs the scope 'read'")


async def expect_no_resource(client: Client, uri: str, message: str) -> None:
    with pytest.raises(MCPError) as raised:
        await client.read_resource(uri)
    assert str(raised.value) == message
