"""One house for all tests here, a tenant of its own for each, and MCP clients in memory."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from mcp import Client
from mcp.server import MCPServer
from mcp.types import TextContent

from cupidsshield.bootstrap import House, open_house
from cupidsshield.settings import read_settings
from domain.actor import Actor
from domain.answer import ModerationAnswer
from domain.ids import new_id
from domain.submission import Submission
from mcp_servers.client import ServerName
from mcp_servers.identity import Identify, always
from tests import factories
from tests.own_task import in_own_task

SERVICE_TOKEN = "the-token-that-only-the-service-has"

Connect = Callable[[ServerName, Actor], AbstractAsyncContextManager[Client]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    settings = read_settings(
        data_dir=Path(tmp_path_factory.mktemp("house")),
        service_token=SERVICE_TOKEN,
        allow_private_webhooks=True,
        tool_timeout_s=10,
    )
    async with in_own_task(open_house(settings)) as house:
        yield house


@pytest.fixture
def app_id() -> str:
    """A tenant that no other test has."""
    return new_id("app")


@pytest.fixture(scope="session")
def connect(house: House) -> Connect:
    """Opens a client of one server for one caller at a time. Servers are kept: building their schemas takes a while."""
    callers: dict[ServerName, Actor] = {}
    built: dict[ServerName, MCPServer] = {}

    def caller_of(name: ServerName) -> Identify:
        return lambda call: always(callers[name])(call)

    @asynccontextmanager
    async def opened(name: ServerName, actor: Actor) -> AsyncIterator[Client]:
        assert name not in callers, f"somebody else is talking to {name}"
        if name not in built:
            built[name] = house.servers(frozenset({name}), caller_of(name))[name]
        callers[name] = actor
        try:
            async with Client(built[name]) as client:
                yield client
        finally:
            del callers[name]

    return opened


async def moderated(house: House, app_id: str, text: str, *, user_id: str = "u1") -> ModerationAnswer:
    """A text of the app, decided by the whole graph."""
    content = factories.content(text, app_id=app_id, user_id=user_id)
    return await house.runs.moderate(Submission(content=content), factories.agent(app_id))


async def said(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """What a tool answers; the client checks it against the tool's output schema."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, told(result)
    assert isinstance(result.structured_content, dict)
    return result.structured_content


async def refusal(client: Client, tool: str, **arguments: Any) -> str:
    """The error of a tool that must not do what it is asked."""
    result = await client.call_tool(tool, arguments)
    assert result.is_error, result.structured_content
    return told(result).removeprefix(f"Error executing tool {tool}: ")


def told(result: Any) -> str:
    """The text of a result."""
    return " ".join(block.text for block in result.content if isinstance(block, TextContent))
