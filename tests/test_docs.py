"""The documentation cannot fall behind: every setting, route, field, error, policy and tool is in it (after datasette).

What can be worked out is: `UPDATE_GOLDEN=1 python -m pytest tests/test_docs.py` rewrites the tables between
`<!-- generated: … -->` marks, and `.env.example`.
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from mcp.server import MCPServer
from pydantic import BaseModel

from cupidsshield.settings import Settings, read_settings
from data import login_failures, staff_sessions
from data.database import Database
from domain import errors
from domain.actor import Actor
from domain.answer import ModerationAnswer
from domain.errors import CupidsShieldError
from domain.staff import MAX_PASSWORD, MIN_PASSWORD, RIGHTS, ROUTES, Right, Role
from domain.vocabulary import Action, ContentType, DecisionKind, Policy, Priority, Route, Scope, Severity
from gateway import schemas
from gateway.app import create_app
from gateway.errors import HTTP_CODES, INTERNAL, STATUS
from gateway.parts import Parts
from gateway.streaming import DECISION, ERROR, HEARTBEAT_S, STEP
from graphs.moderation.graph import build
from mcp_servers.client import ServerName
from mcp_servers.database import server as database_server
from mcp_servers.identity import Call
from mcp_servers.moderation import server as moderation_server
from mcp_servers.notifications import server as notifications_server
from mcp_servers.vector_search import server as vector_server
from policies import loader
from ui.app import ROUTERS

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
ENV_EXAMPLE = ROOT / ".env.example"

POLICIES = loader.load()


def doc(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


def said(value: object) -> str:
    """A default as a variable would say it; empty for one that is not set."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    return str(value.value if isinstance(value, Enum) else value)


def table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def settings_table() -> str:
    rows = [
        (f"`CUPIDSSHIELD_{name.upper()}`", f"`{said(field.default)}`" if said(field.default) else "", field.description)
        for name, field in Settings.model_fields.items()
    ]
    return table(("variable", "default", "meaning"), rows)


def env_example() -> str:
    lines = ["# Every setting with its default. Copy to .env and change what differs; see docs/settings.md.", ""]
    for name, field in Settings.model_fields.items():
        lines += [f"# {field.description}", f"CUPIDSSHIELD_{name.upper()}={said(field.default)}", ""]
    return "\n".join(lines).rstrip() + "\n"


def ladders_table() -> str:
    rows = [
        (
            f"`{policy}`",
            POLICIES.guideline(policy).title,
            *(f"`{a}`" for _, a in POLICIES.guideline(policy).ladder.rungs()),
        )
        for policy in Policy
    ]
    return table(("policy", "title", *Severity), rows)


def routes_table() -> str:
    rows = []
    for policy in Policy:
        if fixed := POLICIES.guideline(policy).fixed_route:
            possible = f"{fixed.possible_at:.0%}" if fixed.possible_at is not None else ""
            rows.append((f"`{policy}`", f"`{fixed.route}`", ", ".join(fixed.severities), possible))
    return table(("policy", "always goes to", "at severity", "already when possible, from"), rows)


def priorities_table() -> str:
    rules, hours = POLICIES.thresholds.priority, POLICIES.thresholds.sla_hours
    when = {
        Priority.URGENT: f"risk above {rules.urgent_above:g}",
        Priority.HIGH: f"risk above {rules.high_above:g}",
        Priority.MEDIUM: "anything else",
        Priority.LOW: f"low severity with confidence below {POLICIES.thresholds.confidence.escalate:g}",
    }
    rows = []
    for priority in Priority:
        routes = ", ".join(f"`{route}`" for route in Route if rules.at_least.get(route) is priority)
        at_least = f"; at least this for {routes}" if routes else ""
        rows.append((f"`{priority}`", f"{hours.of(priority):g} h", when[priority] + at_least))
    return table(("priority", "a person decides within", "when"), rows)


def limits_table() -> str:
    rows = []
    for policy in (None, *Policy):
        limits = POLICIES.thresholds_for(policy, "")
        if policy is None or limits != POLICIES.thresholds_for(None, ""):
            numbers = (limits.auto_approve, limits.auto_reject, limits.escalate)
            rows.append((f"`{policy}`" if policy else "all others", *(f"{number:g}" for number in numbers)))
    return table(("policy", "approve from", "act from", "escalate"), rows)


def severities_table() -> str:
    weights = POLICIES.thresholds.severity_weights
    return table(tuple(Severity), [tuple(f"{weights.of(severity):g}" for severity in Severity)])


GENERATED: dict[tuple[str, str], Callable[[], str]] = {
    ("settings.md", "settings"): settings_table,
    ("policies.md", "ladders"): ladders_table,
    ("policies.md", "routes"): routes_table,
    ("policies.md", "priorities"): priorities_table,
    ("policies.md", "limits"): limits_table,
    ("policies.md", "severity weights"): severities_table,
}


@pytest.mark.parametrize(("name", "part"), GENERATED, ids=lambda value: value)
def test_generated_parts_are_up_to_date(name: str, part: str) -> None:
    begin, end = f"<!-- generated: {part} -->\n", "\n<!-- end -->"
    before, found, rest = doc(name).partition(begin)
    written, closed, after = rest.partition(end)
    assert found, f"docs/{name} lacks {begin}"
    assert closed, f"docs/{name} lacks {end}"
    expected = GENERATED[name, part]()
    if os.environ.get("UPDATE_GOLDEN") and written != expected:
        (DOCS / name).write_text(before + begin + expected + end + after, "utf-8")
        written = expected
    assert written == expected, "see the top of this file"


class TestSettings:
    def test_every_setting_is_described(self) -> None:
        for name, field in Settings.model_fields.items():
            assert field.description, name
            assert "|" not in field.description, f"{name}: it would break the table"

    def test_the_example_holds_every_setting_with_its_default(self) -> None:
        if os.environ.get("UPDATE_GOLDEN"):
            ENV_EXAMPLE.write_text(env_example(), "utf-8")
        assert ENV_EXAMPLE.read_text("utf-8") == env_example(), "see the top of this file"

    def test_the_example_as_it_stands_changes_nothing(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        for name in [name for name in os.environ if name.startswith("CUPIDSSHIELD_")]:
            monkeypatch.delenv(name)
        monkeypatch.chdir(tmp_path)
        defaults = read_settings()
        (tmp_path / ".env").write_text(ENV_EXAMPLE.read_text("utf-8"), "utf-8")
        assert read_settings() == defaults

    def test_no_other_document_names_a_setting_that_does_not_exist(self) -> None:
        known = {name.upper() for name in Settings.model_fields} | {"API_KEY", "TEST_POSTGRES"}
        for path in [*ROOT.glob("*.md"), *DOCS.rglob("*.md")]:
            named = set(re.findall(r"CUPIDSSHIELD_([A-Z_]+[A-Z])(?![A-Z_])", path.read_text("utf-8")))
            assert named <= known, f"{path.relative_to(ROOT)} names {named - known}"


def openapi() -> dict[str, Any]:
    @asynccontextmanager
    async def never() -> Iterator[Parts]:  # type: ignore[misc]
        raise AssertionError("nothing is opened to describe the API")
        yield

    return create_app(never, version="docs").openapi()  # type: ignore[arg-type]


class TestApi:
    @pytest.mark.parametrize(
        "route", [f"{method.upper()} {path}" for path, methods in openapi()["paths"].items() for method in methods]
    )
    def test_every_route_is_described(self, route: str) -> None:
        assert f"`{route}`" in doc("api.md")

    @pytest.mark.parametrize(
        "model", [schemas.ModerateRequest, schemas.Metadata, ModerationAnswer, schemas.BatchResult]
    )
    def test_every_field_is_described(self, model: type[BaseModel]) -> None:
        missing = [name for name in model.model_fields if f"`{name}`" not in doc("api.md")]
        assert not missing

    @pytest.mark.parametrize("words", [ContentType, DecisionKind, Action, Scope], ids=lambda words: words.__name__)
    def test_every_word_of_the_closed_sets_is_described(self, words: type[Enum]) -> None:
        missing = [word.value for word in words if f"`{word.value}`" not in doc("api.md") + doc("policies.md")]
        assert not missing

    def test_every_step_and_event_of_a_stream_is_described(self) -> None:
        nodes = [node for node in build().nodes if node != "human_review"]
        assert len(nodes) >= 10, "the graph tells its nodes"
        assert [word for word in (*nodes, STEP, DECISION, ERROR) if f"`{word}`" not in doc("api.md")] == []
        assert f"After {HEARTBEAT_S:g} s of silence" in doc("api.md")

    def test_every_parameter_of_a_search_is_described(self) -> None:
        for parameter in openapi()["paths"]["/api/v1/cases"]["get"]["parameters"]:
            assert f"`{parameter['name']}`" in doc("api.md")

    def test_the_examples_are_what_the_service_takes_and_gives(self) -> None:
        blocks = re.findall(r"```json (\w+)\n(.*?)```", doc("api.md"), re.DOTALL)
        shapes = {"request": schemas.ModerateRequest, "answer": ModerationAnswer, "batch": schemas.BatchRequest}
        assert {name for name, _ in blocks} == shapes.keys()
        for name, text in blocks:
            shapes[name].model_validate_json(text)

    def test_limits_are_told_as_they_are(self) -> None:
        for limit in (
            f"{schemas.MAX_TEXT:,}",
            f"{schemas.MAX_BATCH}",
            f"{schemas.MAX_METADATA:,}",
            f"{schemas.MAX_DEPTH}",
        ):
            assert re.search(rf"(?<![\d,]){limit}(?![\d,])", doc("api.md")), limit

    def test_every_event_of_a_message_is_described(self) -> None:
        sources = [*(ROOT / "graphs").rglob("*.py"), *(ROOT / "workers").glob("*.py"), *(ROOT / "data").glob("*.py")]
        sources += (ROOT / "mcp_servers").rglob("*.py")
        pattern = re.compile(r'"((?:user|review|alert|agent|case)\.(?:[a-z_]+))"')
        events = {event for path in sources for event in pattern.findall(path.read_text("utf-8"))}
        events = {event for event in events if not event.startswith("case.")} - {"agent.flag"}
        assert {"user.decision", "review.waiting"} <= events, "the search finds something"
        missing = [event for event in {*events, "case.rejected", "case.escalated"} if f"`{event}`" not in doc("api.md")]
        assert not missing


class TestConsole:
    @pytest.mark.parametrize("path", sorted({page.path for router in ROUTERS for page in router.routes}))  # type: ignore[attr-defined]
    def test_every_page_that_is_looked_at_is_described(self, path: str) -> None:
        methods = {m for router in ROUTERS for page in router.routes if page.path == path for m in page.methods}  # type: ignore[attr-defined]
        assert "GET" not in methods or f"`{path}" in doc("console.md")

    @pytest.mark.parametrize("role", Role)
    def test_every_role_is_described(self, role: Role) -> None:
        (line,) = re.findall(rf"^\| `{role}` \|(.*)\|$", doc("console.md"), re.MULTILINE)
        reads, reviews, routes, numbers, quality, people = (cell.strip() for cell in line.split("|"))
        assert {
            Right.READ_CASES: reads == "yes",
            Right.REVIEW: reviews == "yes",
            Right.DECIDE_APPEALS: reviews == "yes",
            Right.SEE_NUMBERS: numbers == "yes",
            Right.LEAD_QUALITY: quality == "yes",
            Right.MANAGE_STAFF: people == "yes",
        } == {right: right in RIGHTS[role] for right in Right}
        assert set(filter(None, routes.split(", "))) == set(ROUTES[role])

    def test_limits_of_sign_ins_are_told_as_they_are(self) -> None:
        text = doc("console.md")
        assert (login_failures.MOST_BY_MAIL, login_failures.MOST_BY_CLIENT) == (5, 20)
        assert "Five failures for one mail address, or twenty from one network address" in text
        assert f"{MIN_PASSWORD} to {MAX_PASSWORD:,}" in text
        assert f"after {staff_sessions.IDLE.seconds // 3600} hours without a request" in text
        assert f"after {staff_sessions.ABSOLUTE.total_seconds() / 3600:g} hours in any case" in text


def all_errors(kind: type[CupidsShieldError] = CupidsShieldError) -> Iterator[type[CupidsShieldError]]:
    yield kind
    for inner in kind.__subclasses__():
        yield from all_errors(inner)


class TestErrors:
    @pytest.mark.parametrize("kind", sorted(set(all_errors()), key=lambda kind: kind.code), ids=lambda kind: kind.code)
    def test_every_error_is_described_with_its_status(self, kind: type[CupidsShieldError]) -> None:
        status = str(STATUS[kind]) if kind in STATUS else "–"
        assert re.search(rf"^\| `{kind.code}` \| [^|]*{status}", doc("errors.md"), re.MULTILINE), (kind.code, status)

    def test_every_refusal_before_a_route_is_described(self) -> None:
        for status, (code, _) in {**HTTP_CODES, 500: (INTERNAL, "")}.items():
            assert re.search(rf"^\| `{code}` \| [^|]*{status}", doc("errors.md"), re.MULTILINE), (code, status)

    def test_no_error_is_described_that_does_not_exist(self) -> None:
        known = {kind.code for kind in all_errors()} | {code for code, _ in HTTP_CODES.values()} | {INTERNAL}
        assert set(re.findall(r"^\| `([a-z_]+)` \|", doc("errors.md"), re.MULTILINE)) == known

    def test_every_error_has_a_code_of_its_own(self) -> None:
        codes = [kind.code for kind in set(all_errors())]
        assert len(codes) == len(set(codes))
        assert errors.Invalid.code == HTTP_CODES[400][0]


def of_nobody(call: Call) -> Actor:
    raise AssertionError("no tool is called here")


def servers() -> dict[ServerName, MCPServer]:
    """The four servers over nothing: enough to ask which tools they have."""
    nothing: Any = None
    database = Database("sqlite://")
    return {
        ServerName.MODERATION: moderation_server.build(nothing, of_nobody),
        ServerName.DATABASE: database_server.build(database, POLICIES, of_nobody),
        ServerName.VECTOR_SEARCH: vector_server.build(nothing, nothing, of_nobody),
        ServerName.NOTIFICATIONS: notifications_server.build(database, nothing, of_nobody, nothing),
    }


class TestMcp:
    @pytest.mark.parametrize("name", ServerName)
    async def test_every_server_and_tool_is_described(self, name: ServerName) -> None:
        server = servers()[name]
        tools = [tool.name for tool in await server.list_tools()]
        assert len(tools) >= 5, "the server tells its tools"
        text = doc("mcp.md")
        assert f"`/mcp/{name}`" in text
        assert [tool for tool in tools if f"`{tool}`" not in text] == []


class TestDocuments:
    @pytest.mark.parametrize("path", [*ROOT.glob("*.md"), *DOCS.rglob("*.md")], ids=lambda path: path.name)
    def test_links_between_documents_lead_somewhere(self, path: Path) -> None:
        for target in re.findall(r"\]\((?!https?://|#|mailto:)([^)#]+)", path.read_text("utf-8")):
            assert (path.parent / target).exists(), target
