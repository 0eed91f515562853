"""What an agent reads before it chooses a tool is complete, and changes only on purpose."""

import json
import os
from pathlib import Path

import pytest
from mcp.types import Tool

from domain.vocabulary import DecisionKind, Policy
from mcp_servers.client import ServerName
from tests import factories
from tests.mcp_servers.calls import SERVICE_ONLY
from tests.mcp_servers.conftest import Connect

pytestmark = pytest.mark.asyncio(loop_scope="session")

GOLDEN = Path(__file__).parent.parent / "golden" / "tools"
DOCS = Path(__file__).parent.parent.parent / "docs" / "mcp.md"
AGENT = factories.agent("app_descriptions")


async def tools_of(connect: Connect, server: ServerName) -> list[Tool]:
    async with connect(server, AGENT) as client:
        return (await client.list_tools()).tools


@pytest.mark.parametrize("server", ServerName)
async def test_tools_are_described_as_the_golden_file_says(connect: Connect, server: ServerName) -> None:
    """`UPDATE_GOLDEN=1 pytest …` writes the files anew; read the difference before you commit it."""
    described = {
        tool.name: tool.model_dump(mode="json", by_alias=True, exclude_none=True)
        for tool in await tools_of(connect, server)
    }
    path = GOLDEN / f"{server}.json"
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(described, indent=1, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")
    assert described == json.loads(path.read_text("utf-8"))


async def test_prompts_are_worded_as_the_golden_file_says(connect: Connect) -> None:
    async with connect(ServerName.MODERATION, AGENT) as client:
        worded = {
            "how_to_moderate": await client.get_prompt("how_to_moderate"),
            "look_into_person": await client.get_prompt("look_into_person", {"user_id": "u-4711"}),
        }
        assert {prompt.name for prompt in (await client.list_prompts()).prompts} == set(worded)
    text = "\n".join(f"# {name}\n\n{prompt.messages[0].content.text}" for name, prompt in worded.items())
    path = GOLDEN / "moderation-prompts.md"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text + "\n", "utf-8")
    assert text + "\n" == path.read_text("utf-8")


@pytest.mark.parametrize("server", ServerName)
async def test_each_tool_has_title_description_hints_and_output_schema(connect: Connect, server: ServerName) -> None:
    for tool in await tools_of(connect, server):
        hints = tool.annotations
        assert tool.title, tool.name
        assert tool.description, tool.name
        assert len(tool.description.split()) >= 4, f"{tool.name} says too little to be chosen by"
        assert hints is not None, tool.name
        assert None not in (hints.read_only_hint, hints.idempotent_hint, hints.open_world_hint), tool.name
        assert hints.read_only_hint or hints.destructive_hint is not None, tool.name
        assert tool.output_schema, tool.name
        assert tool.output_schema["type"] == "object", tool.name
        assert tool.output_schema.get("properties"), tool.name


@pytest.mark.parametrize("server", ServerName)
async def test_only_moderation_itself_is_called_destructive(connect: Connect, server: ServerName) -> None:
    destructive = {
        tool.name for tool in await tools_of(connect, server) if tool.annotations and tool.annotations.destructive_hint
    }
    assert destructive == ({"moderate_content"} if server is ServerName.MODERATION else set())


@pytest.mark.parametrize("server", ServerName)
async def test_what_is_reserved_to_the_service_says_so(connect: Connect, server: ServerName) -> None:
    for tool in await tools_of(connect, server):
        says_so = "reserved to the service" in " ".join((tool.description or "").lower().split())
        assert says_so == (tool.name in SERVICE_ONLY), tool.name


@pytest.mark.parametrize("server", ServerName)
async def test_a_server_says_what_it_is_for(connect: Connect, server: ServerName) -> None:
    async with connect(server, AGENT) as client:
        assert client.server_info is not None
        assert client.server_info.name == server
        assert len((client.instructions or "").split()) > 15


async def test_each_guideline_is_a_resource(connect: Connect) -> None:
    async with connect(ServerName.MODERATION, AGENT) as client:
        for policy in Policy:
            [part] = (await client.read_resource(f"policy://{policy}")).contents
            assert json.loads(part.text)["policy"] == policy


async def test_the_prompt_names_the_person_and_the_tools_that_exist(connect: Connect) -> None:
    async with connect(ServerName.MODERATION, AGENT) as client:
        prompt = await client.get_prompt("look_into_person", {"user_id": "u-4711"})
    [message] = prompt.messages
    known = {tool.name for server in ServerName for tool in await tools_of(connect, server)}
    assert "'u-4711'" in message.content.text
    assert {"get_user_history", "explain_decision", "list_policies", "apply_action"} <= known
    for tool in ("get_user_history", "explain_decision", "list_policies", "apply_action"):
        assert tool in message.content.text


async def test_how_to_moderate_names_tools_decisions_and_arguments_that_exist(connect: Connect) -> None:
    async with connect(ServerName.MODERATION, AGENT) as client:
        [message] = (await client.get_prompt("how_to_moderate")).messages
    tools = {tool.name: tool for tool in await tools_of(connect, ServerName.MODERATION)}
    text = message.content.text
    for tool in ("moderate_content", "screen_content", "explain_decision", "flag_content", "apply_action"):
        assert tool in tools
        assert tool in text
    assert all(f"- {decision}:" in text for decision in DecisionKind)
    arguments = json.dumps(tools["moderate_content"].input_schema)
    assert all(
        f'"{name}"' in arguments for name in ("content_type", "verified", "account_created_at", "conversation_id")
    )


async def test_the_documentation_tells_of_every_server_tool_resource_and_prompt(connect: Connect) -> None:
    text = DOCS.read_text("utf-8")
    for server in ServerName:
        assert f"/mcp/{server}" in text
        async with connect(server, AGENT) as client:
            templates = (await client.list_resource_templates()).resource_templates
            names = {
                *(tool.name for tool in (await client.list_tools()).tools),
                *(template.uri_template for template in templates),
                *(prompt.name for prompt in (await client.list_prompts()).prompts),
            }
        for name in names:
            assert f"`{name}`" in text, f"docs/mcp.md does not tell of {name}"
