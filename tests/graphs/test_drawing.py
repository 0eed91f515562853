"""The graph is drawn from itself, and is what the golden file and the README say."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cupidsshield.cli.app import app

GOLDEN = Path(__file__).parent.parent / "golden" / "graph.mmd"
README = Path(__file__).parent.parent.parent / "README.md"
BEGIN, END = "<!-- graph -->", "<!-- /graph -->"


@pytest.fixture(scope="module")
def drawn() -> str:
    return CliRunner().invoke(app, ["graph"]).stdout.removesuffix("\n")


def test_the_graph_is_the_golden_one(drawn: str) -> None:
    """`UPDATE_GOLDEN=1 pytest …` draws it anew; a change of the flow is meant to be seen."""
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(drawn, "utf-8")
    assert drawn == GOLDEN.read_text("utf-8")


def test_the_readme_shows_the_same_graph(drawn: str) -> None:
    text = README.read_text("utf-8")
    if BEGIN not in text:
        pytest.skip("the README has no diagram")
    shown = text.partition(BEGIN)[2].partition(END)[0]
    assert shown.strip().removeprefix("```mermaid").removesuffix("```").strip() == drawn.strip()


def test_every_way_to_a_decision_leads_through_screening_and_assessment(drawn: str) -> None:
    edges = {
        (start, end.rstrip(";"))
        for line in drawn.splitlines()
        for start, arrow, end in [
            line.strip().partition(" -.-> ") if "-.->" in line else line.strip().partition(" --> ")
        ]
        if arrow
    }
    into = {end: {start for start, other in edges if other == end} for _, end in edges}
    assert into["decision"] == {"risk_assessment"}
    assert into["action"] == {"decision"}
    assert into["risk_assessment"] == {"screening", "memory", "specialists"}
    assert into["human_review"] == {"notification"}
