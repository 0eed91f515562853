"""The house stands as designed: each room imports only from rooms below it, and each name is ours."""

import ast
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

FLOORS = {
    "domain": 1,
    "policies": 2,
    "screening": 2,
    "data": 2,
    "mcp_servers": 3,
    "agents": 3,
    "graphs": 4,
    "workers": 5,
    "ui": 5,
    "gateway": 6,
    "cupidsshield": 7,
    "evals": 8,
}
STRANGERS = {"agents": {"data", "mcp_servers", "policies", "screening"}}
"""Rooms that may not know some rooms below them."""

PURE = {"domain": {"pydantic"}, "policies": {"pydantic", "yaml"}}
"""Rooms that may use no third party but these."""

ROOMS = [room for room in FLOORS if (ROOT / room).is_dir() and any((ROOT / room).glob("**/*.py"))]
MODULES = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def imported(path: Path) -> set[str]:
    """Top-level names that a module imports, wherever in the module."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_imports_only_from_rooms_below_it(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0]
    for name in imported(path) & FLOORS.keys() - {room}:
        assert FLOORS[name] < FLOORS[room], f"{room} (floor {FLOORS[room]}) imports {name} (floor {FLOORS[name]})"
        assert name not in STRANGERS.get(room, set()), f"{room} must not know {name}"


@pytest.mark.parametrize("room", PURE)
def test_pure_rooms_use_nothing_but_pydantic(room: str) -> None:
    standard = {"__future__", *__import__("sys").stdlib_module_names}
    for path in (ROOT / room).rglob("*.py"):
        strangers = imported(path) - standard - FLOORS.keys() - PURE[room]
        assert not strangers, f"{path.name} imports {strangers}"


@pytest.mark.parametrize("room", ROOMS)
def test_each_top_level_name_resolves_to_this_repository(room: str) -> None:
    module = importlib.import_module(room)
    assert Path(module.__path__[0]).resolve() == (ROOT / room).resolve()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_says_why_it_exists_and_stays_readable(path: Path) -> None:
    text = path.read_text("utf-8")
    if not text.strip():
        pytest.fail("an empty module has no reason to exist")
    if "migrations/versions" not in str(path):
        assert ast.get_docstring(ast.parse(text)), "no docstring"
    assert text.count("\n") <= 350, "longer than 350 lines"


def test_graph_nodes_are_short() -> None:
    for path in (ROOT / "graphs").rglob("nodes.py"):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                length = node.end_lineno - node.lineno + 1
                assert length <= 30, f"{node.name} has {length} lines"


def test_nothing_heavy_is_imported_by_the_service() -> None:
    """Training tools and model clients stay out of what the service needs to start."""
    heavy = {"torch", "sentence_transformers", "sklearn", "langchain_openai", "langchain_ollama", "onnx"}
    for path in MODULES:
        if "training" in path.parts or path.parts[-2] == "evals":
            continue
        top = {
            alias
            for node in ast.parse(path.read_text("utf-8")).body
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in (
                [a.name.partition(".")[0] for a in node.names]
                if isinstance(node, ast.Import)
                else [(node.module or "").partition(".")[0]]
            )
        }
        assert not top & heavy, f"{path} imports {top & heavy}"
