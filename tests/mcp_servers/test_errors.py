"""Errors are `code: message` for whoever can do something about them, and tell nothing of what lies within."""

import logging
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, MCPError

from cupidsshield.bootstrap import House
from data.database import Database
from domain.actor import Actor
from domain.content import Content
from domain.signals import Screening
from mcp_servers.client import ServerName
from mcp_servers.database import server as database_server
from mcp_servers.identity import actor_in_meta, always
from mcp_servers.moderation import server as moderation_server
from mcp_servers.moderation.tools import Powers
from policies.loader import load
from tests import factories
from tests.mcp_servers.conftest import Connect, refusal

pytestmark = pytest.mark.asyncio(loop_scope="session")

AGENT = factories.agent("app_errors")
ABUSE = "a text that nobody should find in a log"


class Broken:
    """Powers that fail in a way nobody foresaw, with what must not be told in the message."""

    async def screen(self, content: Content) -> Screening:
        raise RuntimeError(f"/etc/secret says {content.text}")

    async def anything(self, *_: Any) -> Any:
        raise KeyError("postgresql://admin:hunter2@db")

    def powers(self) -> Powers:
        return Powers(
            screen=self.screen,
            policies=load(None),
            moderate=self.anything,
            get_case=self.anything,
            propose=self.anything,
        )


@pytest.mark.parametrize(
    ("tool", "arguments", "told"),
    [
        ("screen_content", {"text": ABUSE}, "internal: screen_content failed (RuntimeError)"),
        ("moderate_content", {"text": ABUSE, "user_id": "u1"}, "internal: moderate_content failed (KeyError)"),
        ("explain_decision", {"case_id": "case_1"}, "internal: explain_decision failed (KeyError)"),
    ],
)
async def test_an_unforeseen_failure_tells_its_kind_and_nothing_else(
    caplog: pytest.LogCaptureFixture, tool: str, arguments: dict[str, Any], told: str
) -> None:
    async with Client(moderation_server.build(Broken().powers(), always(AGENT))) as client:
        assert await refusal(client, tool, **arguments) == told
    assert [record.message for record in caplog.records if record.levelno == logging.ERROR] == [f"tool {tool} failed"]


async def test_a_broken_database_is_told_without_its_sql(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'empty.db'}")
    await database.start()
    async with Client(database_server.build(database, load(None), always(AGENT))) as client:
        read = await refusal(client, "get_case", case_id="case_1")
        write = await refusal(client, "propose_decision", case_id="case_1", decision="approved", reasoning=ABUSE)
    await database.close()
    expected = "database_unavailable: the database cannot be used at present (SQLITE_ERROR)"
    assert read == write == expected


async def test_content_that_cannot_be_taken_is_the_callers_fault_and_is_not_repeated(
    connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    async with connect(ServerName.MODERATION, AGENT) as client:
        error = await refusal(client, "moderate_content", text=ABUSE, user_id="u1", content_id="c" * 201)
    assert error == ("invalid: this content cannot be taken: content_id: String should have at most 200 characters")
    assert ABUSE not in caplog.text


@pytest.mark.parametrize(
    ("server", "tool", "arguments"),
    [
        (ServerName.DATABASE, "search_cases", {"since": "2026-01-01T00:00:00"}),
        (ServerName.DATABASE, "search_cases", {"limit": 0}),
        (ServerName.DATABASE, "get_case", {}),
        (ServerName.MODERATION, "moderate_content", {"text": "", "user_id": "u1"}),
        (ServerName.MODERATION, "get_policy", {"name": "rudeness"}),
        (ServerName.NOTIFICATIONS, "notify_app", {"subject": "", "body": "x"}),
        (ServerName.VECTOR_SEARCH, "search_policies", {"text": "x", "limit": 51}),
    ],
)
async def test_wrong_arguments_are_named_and_are_no_crash(
    connect: Connect, caplog: pytest.LogCaptureFixture, server: ServerName, tool: str, arguments: dict[str, Any]
) -> None:
    async with connect(server, AGENT) as client:
        error = await refusal(client, tool, **arguments)
    assert "1 validation error" in error
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_a_cursor_that_is_not_ours_is_refused_in_words(connect: Connect) -> None:
    async with connect(ServerName.DATABASE, AGENT) as client:
        error = await refusal(client, "search_cases", cursor="bm9uc2Vuc2U=")
    assert error == "invalid: this cursor is not one of ours; begin again without a cursor"


async def test_a_case_that_is_not_there_is_no_crash_of_ours(connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    async with connect(ServerName.DATABASE, AGENT) as client:
        with pytest.raises(MCPError, match=r"^not_found: there is no case 'case_1'$"):
            await client.read_resource("case://case_1")
    assert not [record for record in caplog.records if record.exc_info]


async def test_a_call_that_names_nobody_is_not_authenticated(house: House) -> None:
    """In process, the service names who it works for; whoever does not is nobody."""
    server = house.servers(frozenset({ServerName.DATABASE}), actor_in_meta)[ServerName.DATABASE]
    async with Client(server) as client:
        for meta in (None, {"cupidsshield/actor": None}, {"cupidsshield/actor": {"kind": "system"}}):
            result = await client.call_tool("get_metrics", {}, meta=meta)  # type: ignore[arg-type]
            assert result.is_error
            assert "not_authenticated: the call names no valid actor" in str(result.content)


async def test_an_actor_with_a_scope_that_does_not_exist_is_nobody() -> None:
    with pytest.raises(ValueError, match="scopes"):
        Actor.model_validate({"kind": "agent", "id": "x", "app_id": "app_a", "scopes": ["decide"]})
