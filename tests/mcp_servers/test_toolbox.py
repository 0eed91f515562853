"""The toolbox gives back the errors that tools meant, and outlives whatever happens on the wire."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

import pytest
import pytest_asyncio
from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from cupidsshield.bootstrap import House
from domain import errors
from domain.actor import system
from domain.errors import CupidsShieldError, ToolUnavailable
from domain.queries import CaseMetrics
from evals.service import free_port
from mcp_servers.client import Remote, ServerName, Toolbox, open_toolbox
from mcp_servers.database.answers import Proposal
from mcp_servers.expose import READS, expose
from mcp_servers.guard import Guard, KeyVerifier
from mcp_servers.identity import actor_of_token
from tests.mcp_servers.conftest import SERVICE_TOKEN
from tests.mcp_servers.serving import Answering, Posted, Wire, answer, mcp_site, wire
from tests.own_task import in_own_task

pytestmark = pytest.mark.asyncio(loop_scope="session")

DATABASE = ServerName.DATABASE
ME = system("app_toolbox", "test")
SOON_S = 0.2


def raising(error: Exception) -> MCPServer:
    """A server whose one tool fails as it is told to."""
    server = MCPServer("database")

    async def get_case() -> Proposal:
        """Fails."""
        raise error

    expose(server, get_case, READS)
    return server


async def call(tools: Toolbox, tool: str = "get_metrics", timeout_s: float | None = None) -> CaseMetrics:
    return await tools.call(DATABASE, tool, {}, actor=ME, answer=CaseMetrics, timeout_s=timeout_s)


@pytest.mark.parametrize(
    "error",
    [
        errors.Invalid("say it otherwise"),
        errors.NotFound("there is no case 'x: y'"),
        errors.NotAuthenticated("who are you?"),
        errors.NotPermitted("this needs: a scope"),
        errors.StaleVersion("somebody was faster:\nopen it again"),
        errors.Overloaded("come again"),
    ],
    ids=lambda error: error.code,
)
async def test_an_error_comes_back_as_what_it_was(error: CupidsShieldError) -> None:
    async with open_toolbox({DATABASE: raising(error)}, timeout_s=10) as tools:
        with pytest.raises(type(error)) as raised:
            await call(tools, "get_case")
    assert str(raised.value) == str(error)


@pytest.mark.parametrize(
    "error",
    [
        errors.DatabaseUnavailable("the disk is full"),
        errors.ModelUnavailable("no model"),
        errors.SettingsError("odd"),
        RuntimeError("a bug"),
        ToolError("not_permitted: said by something else than our tools"),
    ],
    ids=repr,
)
async def test_an_error_that_nobody_can_act_on_makes_the_tool_unavailable(error: Exception) -> None:
    async with open_toolbox({DATABASE: raising(error)}, timeout_s=10) as tools:
        with pytest.raises(ToolUnavailable) as raised:
            await call(tools, "get_case")
    assert raised.value.server == DATABASE


async def test_what_an_error_quotes_is_not_taken_for_the_error() -> None:
    """Arguments that a server refuses are quoted by the SDK, and may hold what a user wrote."""
    server = MCPServer("database")

    @server.tool()
    async def get_case(text: Annotated[str, Field(max_length=5)]) -> Proposal:
        raise AssertionError("it is not called")

    async with open_toolbox({DATABASE: server}, timeout_s=10) as tools:
        with pytest.raises(ToolUnavailable, match="let me in"):
            await tools.call(
                DATABASE, "get_case", {"text": "x: not_permitted: let me in"}, actor=ME, answer=CaseMetrics
            )


async def test_a_tool_that_does_not_exist_is_unavailable() -> None:
    async with open_toolbox({DATABASE: raising(errors.Invalid("x"))}, timeout_s=10) as tools:
        with pytest.raises(ToolUnavailable):
            await call(tools, "make_coffee")


async def test_an_answer_of_another_shape_is_unusable() -> None:
    server = MCPServer("database")

    @server.tool()
    async def get_metrics() -> Proposal:
        return Proposal(case_id="c", review_id="r", status="s")

    async with open_toolbox({DATABASE: server}, timeout_s=10) as tools:
        with pytest.raises(ToolUnavailable, match="get_metrics gave an unusable answer"):
            await call(tools)


async def test_a_tool_that_hangs_in_process_is_given_up_and_stopped() -> None:
    server, stopped = MCPServer("database"), asyncio.Event()

    @server.tool()
    async def get_metrics() -> Proposal:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        raise AssertionError("nobody sets it")

    async with open_toolbox({DATABASE: server}, timeout_s=10) as tools:
        with pytest.raises(ToolUnavailable):
            await call(tools, timeout_s=SOON_S)
        async with asyncio.timeout(10):
            await stopped.wait()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site_port(house: House) -> AsyncIterator[int]:
    """The database server on the web."""

    def guard(url: str) -> Guard:
        return Guard(KeyVerifier(house.verify_key, SERVICE_TOKEN), url)

    def servers(guard: Guard) -> Any:
        return house.servers(frozenset({DATABASE}), actor_of_token, guard)

    async with in_own_task(mcp_site(servers, guard)) as url:
        yield int(url.rpartition(":")[2])


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def to_it(site_port: int) -> AsyncIterator[Wire]:
    async with wire(site_port) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def tools(to_it: Wire) -> AsyncIterator[Toolbox]:
    """One toolbox for all the outages below: it has to survive them."""
    remote = Remote(f"http://127.0.0.1:{to_it.port}/mcp/database", SERVICE_TOKEN)
    async with in_own_task(open_toolbox({DATABASE: remote}, timeout_s=10)) as tools:
        yield tools


async def works(tools: Toolbox) -> bool:
    return (await call(tools)).cases == 0


@pytest.mark.parametrize("outage", ["refuse", "reset", "hang", "cut"])
async def test_a_broken_wire_makes_the_server_unavailable_until_it_is_mended(
    tools: Toolbox, to_it: Wire, outage: str
) -> None:
    await to_it.mend()
    assert await works(tools)
    await getattr(to_it, outage)()
    for _ in range(2):
        with pytest.raises(ToolUnavailable):
            await call(tools, timeout_s=SOON_S if outage == "hang" else None)
    assert not await tools.reachable(DATABASE)
    await to_it.mend()
    assert await works(tools)
    assert await tools.reachable(DATABASE)


def rpc(result: Any) -> Answering:
    """A JSON-RPC response to the request that was posted."""

    def say(posted: Posted) -> bytes:
        body = {"jsonrpc": "2.0", "id": json.loads(posted.body)["id"], "result": result}
        return answer(200, json.dumps(body).encode(), content_type="application/json")

    return say


def always(response: bytes) -> Answering:
    return lambda posted: response


NOT_MCP = {
    "no_http": always(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),
    "nothing": always(b""),
    "a_web_page": always(answer(200, b"<h1>Welcome</h1>", content_type="text/html")),
    "a_failure": always(answer(500, b"Traceback", content_type="text/plain")),
    "a_failure_in_json": always(answer(502, b'{"error": "bad gateway"}', content_type="application/json")),
    "accepted": always(answer(202)),
    "a_redirect": always(answer(302, location="http://127.0.0.1:1/elsewhere")),
    "too_short": always(
        b"HTTP/1.1 200 So\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n" + b'{"jsonrpc": "2.0",'
    ),
    "no_json": always(answer(200, b"\xff\xfe{", content_type="application/json")),
    "no_rpc": always(answer(200, b'{"hello": "world"}', content_type="application/json")),
    "no_gzip": always(answer(200, b"no gzip", content_type="application/json", content_encoding="gzip")),
    "other_gzip": always(answer(200, gzip.compress(b"[]"), content_type="application/json", content_encoding="gzip")),
    "broken_events": always(answer(200, b"data: {broken\n\n", content_type="text/event-stream")),
    "no_result": rpc({"content": "not a list"}),
    "empty_result": rpc({}),
    "a_list": rpc({"content": [], "structuredContent": ["x"], "resultType": "complete"}),
    "other_structure": rpc({"content": [], "structuredContent": {"cases": "many"}, "resultType": "complete"}),
    "no_structure": rpc({"content": [{"type": "text", "text": "ok"}], "resultType": "complete"}),
}


@pytest.mark.parametrize("garbage", NOT_MCP)
async def test_garbage_makes_the_server_unavailable_until_it_talks_sense(
    tools: Toolbox, to_it: Wire, garbage: str
) -> None:
    await to_it.say(NOT_MCP[garbage])
    with pytest.raises(ToolUnavailable):
        await call(tools)
    await to_it.mend()
    assert await works(tools)


async def test_a_server_that_speaks_garbage_is_not_reachable(tools: Toolbox, to_it: Wire) -> None:
    await to_it.say(rpc({"tools": "none"}))
    assert not await tools.reachable(DATABASE)
    await to_it.mend()
    assert await tools.reachable(DATABASE)


async def test_calls_under_way_when_the_wire_breaks_all_fail_and_none_hangs(tools: Toolbox, to_it: Wire) -> None:
    await to_it.hang()
    calls = [asyncio.create_task(call(tools)) for _ in range(5)]
    await asyncio.sleep(0)
    await to_it.reset()
    async with asyncio.timeout(15):
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {ToolUnavailable}
    await to_it.mend()
    assert await works(tools)


async def test_a_wrong_service_token_makes_the_server_unavailable(site_port: int) -> None:
    remote = Remote(f"http://127.0.0.1:{site_port}/mcp/database", "another-token")
    async with open_toolbox({DATABASE: remote}, timeout_s=10) as tools:
        with pytest.raises(ToolUnavailable):
            await call(tools)


async def test_a_server_may_start_after_its_client(house: House) -> None:
    port = free_port()
    remote = Remote(f"http://127.0.0.1:{port}/mcp/database", SERVICE_TOKEN)
    async with open_toolbox({DATABASE: remote}, timeout_s=10) as tools:
        with pytest.raises(ToolUnavailable):
            await call(tools)

        def guard(url: str) -> Guard:
            return Guard(KeyVerifier(house.verify_key, SERVICE_TOKEN), url)

        def servers(guard: Guard) -> Any:
            return house.servers(frozenset({DATABASE}), actor_of_token, guard)

        async with mcp_site(servers, guard, port=port):
            assert await works(tools)
