"""The four servers over real HTTP: who gets in, who one may be, and what is the same as in process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from sqlmodel import Session

from cupidsshield.bootstrap import House
from data import apps, audit, cases, keys
from domain.actor import Actor, system
from domain.answer import ModerationAnswer
from domain.clock import now
from domain.vocabulary import Scope
from mcp_servers.client import PROTOCOL, ServerName
from mcp_servers.guard import Guard, KeyVerifier
from mcp_servers.identity import ACTOR_META, actor_of_token
from tests import factories
from tests.mcp_servers.calls import CLEAR, DOUBTFUL, VIOLATING
from tests.mcp_servers.conftest import SERVICE_TOKEN, refusal, said, told
from tests.mcp_servers.serving import all_of, mcp_site
from tests.own_task import in_own_task

pytestmark = pytest.mark.asyncio(loop_scope="session")

HELLO = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
ACCEPT = {"accept": "application/json, text/event-stream"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(house: House) -> AsyncIterator[str]:
    def guard(url: str) -> Guard:
        return Guard(KeyVerifier(house.verify_key, SERVICE_TOKEN), url)

    def servers(guard: Guard) -> Any:
        return house.servers(all_of(), actor_of_token, guard)

    async with in_own_task(mcp_site(servers, guard)) as url:
        yield url


@asynccontextmanager
async def over_http(site: str, server: ServerName, token: str, mode: str = PROTOCOL) -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=20) as http,
        Client(streamable_http_client(f"{site}/mcp/{server}", http_client=http), mode=mode) as client,  # type: ignore[arg-type]
    ):
        yield client


async def new_key(house: House, name: str, *scopes: Scope, ended: str = "") -> tuple[str, str]:
    """A key of the app of this name, and the app's identifier."""

    def make(session: Session) -> tuple[str, str]:
        owner = apps.get_or_create(session, name=name)
        past = now() - timedelta(seconds=1) if ended == "expired" else None
        made = keys.create(session, app_id=owner.id, name="test", scopes=frozenset(scopes), expires_at=past)
        if ended == "revoked":
            keys.revoke(session, app_id=owner.id, key_id=made.id)
        return made.key, owner.id

    return await house.database.write(make)


@pytest.mark.parametrize("server", ServerName)
async def test_without_a_token_one_is_told_where_to_read_how_to_get_one(site: str, server: ServerName) -> None:
    async with httpx2.AsyncClient() as http:
        response = await http.post(f"{site}/mcp/{server}", json=HELLO, headers=ACCEPT)
        assert response.status_code == 401
        told_where = response.headers["www-authenticate"]
        assert told_where.startswith("Bearer ")
        metadata = told_where.partition('resource_metadata="')[2].partition('"')[0]
        described = await http.get(metadata)
    assert described.status_code == 200
    assert described.json()["resource"] == f"{site}/mcp/{server}"
    assert described.json()["scopes_supported"] == ["moderate", "read", "notify"]
    assert described.json()["bearer_methods_supported"] == ["header"]


@pytest.mark.parametrize(
    "header",
    [
        "Bearer cs_live_nonsense",
        f"Bearer {SERVICE_TOKEN}x",
        f"Bearer {SERVICE_TOKEN[:-1]}",
        "Bearer",
        "Bearer \xe9\xff",
        f"Basic {SERVICE_TOKEN}",
        SERVICE_TOKEN,
    ],
)
async def test_a_token_that_is_not_good_opens_nothing(site: str, header: str) -> None:
    async with httpx2.AsyncClient() as http:
        response = await http.post(
            f"{site}/mcp/database", json=HELLO, headers={**ACCEPT, "authorization": header.encode("latin-1")}
        )
    assert response.status_code == 401
    assert "resource_metadata=" in response.headers["www-authenticate"]


@pytest.mark.parametrize("ended", ["revoked", "expired"])
async def test_a_key_whose_time_is_over_opens_nothing(house: House, site: str, ended: str) -> None:
    key, _ = await new_key(house, "over", *Scope, ended=ended)
    async with httpx2.AsyncClient(headers={**ACCEPT, "authorization": f"Bearer {key}"}) as http:
        assert (await http.post(f"{site}/mcp/database", json=HELLO)).status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"host": "127.0.0.1.evil.example:80"}, 421),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1:3000"}, 200),
        ({}, 200),
    ],
)
async def test_only_known_hosts_and_origins_are_answered(
    house: House, site: str, headers: dict[str, str], status: int
) -> None:
    key, _ = await new_key(house, "browser", Scope.READ)
    async with httpx2.AsyncClient(headers={**ACCEPT, "authorization": f"Bearer {key}", **headers}) as http:
        response = await http.post(f"{site}/mcp/database", json=HELLO)
    assert response.status_code == status


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
@pytest.mark.parametrize("server", ServerName)
async def test_both_protocols_are_spoken(house: House, site: str, server: ServerName, mode: str) -> None:
    key, _ = await new_key(house, "polyglot", *Scope)
    call = {
        ServerName.MODERATION: ("screen_content", {"text": CLEAR}),
        ServerName.DATABASE: ("get_metrics", {}),
        ServerName.VECTOR_SEARCH: ("search_policies", {"text": CLEAR}),
        ServerName.NOTIFICATIONS: ("list_notifications", {}),
    }[server]
    async with over_http(site, server, key, mode) as client:
        assert client.protocol_version == ("2026-07-28" if mode == PROTOCOL else "2025-11-25")
        assert (await client.list_tools()).tools
        await said(client, call[0], **call[1])


async def test_resources_and_prompts_are_there_over_http(house: House, site: str) -> None:
    key, _ = await new_key(house, "reader", Scope.READ, Scope.MODERATE)
    async with over_http(site, ServerName.MODERATION, key) as client:
        case_id = (await said(client, "moderate_content", text=DOUBTFUL, user_id="u1"))["case_id"]
        assert "guideline" in str(await client.list_resource_templates())
        assert "u1" in str((await client.get_prompt("look_into_person", {"user_id": "u1"})).messages)
        assert "scams" in str((await client.read_resource("policy://scams")).contents)
    async with over_http(site, ServerName.DATABASE, key) as client:
        assert case_id in str((await client.read_resource(f"case://{case_id}")).contents)


def naming(actor: Actor) -> Any:
    return {ACTOR_META: actor.model_dump(mode="json")}


async def test_the_service_token_may_name_an_actor(house: House, site: str) -> None:
    arguments = {"content_id": "c1", "content_hash": "0" * 64, "user_id": "u1", "policy_set": "set1"}
    async with over_http(site, ServerName.DATABASE, SERVICE_TOKEN) as client:
        named = await client.call_tool("prepare_case", arguments, meta=naming(system("app_x")))
        assert not named.is_error, told(named)
        unnamed = await client.call_tool("prepare_case", arguments)
        assert "not_authenticated" in told(unnamed)
        lesser = await client.call_tool("prepare_case", arguments, meta=naming(factories.agent("app_x")))
        assert "not_permitted" in told(lesser)


async def test_an_api_key_may_name_nobody(house: House, site: str) -> None:
    key, ours = await new_key(house, "pretender", *Scope)
    _, theirs = await new_key(house, "victim", *Scope)
    async with over_http(site, ServerName.MODERATION, key) as client:
        result = await client.call_tool(
            "moderate_content", {"text": DOUBTFUL, "user_id": "u1"}, meta=naming(system(theirs))
        )
        answer = ModerationAnswer.model_validate(result.structured_content)
    case = await house.database.read(lambda session: cases.get(session, app_id=ours, case_id=answer.case_id))
    assert case.app_id == ours
    async with over_http(site, ServerName.NOTIFICATIONS, key) as client:
        result = await client.call_tool("deliver_due", {}, meta=naming(system(ours)))
        assert "not_permitted: deliver_due is reserved" in told(result)


@pytest.mark.parametrize("scope", [scope for scope in Scope if scope is not Scope.READ])
async def test_the_scopes_of_a_key_hold_over_http(house: House, site: str, scope: Scope) -> None:
    key, _ = await new_key(house, "narrow", scope)
    async with over_http(site, ServerName.DATABASE, key) as client:
        assert await refusal(client, "get_metrics") == "not_permitted: this needs the scope 'read'"


@pytest.mark.parametrize(("text", "decision"), [(CLEAR, "approved"), (DOUBTFUL, "escalated"), (VIOLATING, "rejected")])
async def test_an_agents_content_runs_through_the_whole_graph_as_the_services_own_work(
    house: House, site: str, text: str, decision: str
) -> None:
    """The agent may only moderate; the graph reads, records and dispatches for it without its token."""
    key, app_id = await new_key(house, "moderating agent", Scope.MODERATE)
    async with over_http(site, ServerName.MODERATION, key) as client:
        answer = await said(client, "moderate_content", text=text, user_id="u1")
    assert answer["decision"] == decision

    def recorded(session: Session) -> Any:
        case = cases.get(session, app_id=app_id, case_id=answer["case_id"])
        return case, audit.for_case(session, app_id=app_id, case_id=case.id)

    case, trail = await house.database.read(recorded)
    assert case.decision == decision
    assert case.submitted_by.startswith("agent:key_"), "who asked is kept all the same"
    assert (trail[0].action, trail[0].actor) == ("decision.recorded", "system:graph")


async def test_agents_of_two_apps_at_once_each_act_for_their_own(house: House, site: str) -> None:
    async def one(name: str) -> tuple[str, str]:
        key, app_id = await new_key(house, name, Scope.MODERATE)
        async with over_http(site, ServerName.MODERATION, key) as client:
            return app_id, (await said(client, "moderate_content", text=DOUBTFUL, user_id="u1"))["case_id"]

    for app_id, case_id in await asyncio.gather(*(one(f"crowd {number}") for number in range(6))):
        case = await house.database.read(
            lambda session, app_id=app_id, case_id=case_id: cases.get(session, app_id=app_id, case_id=case_id)
        )
        assert case.app_id == app_id
