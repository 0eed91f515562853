"""LangSmith is switched on by its own variables alone; a start then says that content leaves the house."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.collector import Collector, collecting

pytestmark = pytest.mark.slow

MARK = "zanzibarquux"
ROOT = Path(__file__).parents[2]
DECIDE = f"""
import asyncio, logging, sys
from pathlib import Path

from cupidsshield.bootstrap import open_house
from cupidsshield.settings import read_settings
from domain.submission import Submission
from tests import factories

async def main():
    async with open_house(read_settings(data_dir=Path(sys.argv[1]))) as house:
        for text in ("Hello", "Send me money on WhatsApp for crypto investment!"):
            content = factories.content(text + " {MARK}", user_id="{MARK}-u")
            answer = await house.runs.moderate(Submission(content=content), factories.agent(content.app_id))
            print(answer.decision)

logging.basicConfig(level="WARNING")
asyncio.run(main())
"""
UNHIDDEN = "LEAVES THIS SERVICE"


def decided(folder: Path, **variables: str) -> tuple[Collector, str]:
    """What a LangSmith on this machine gets while a service with these variables decides, and what the service logs."""
    with collecting() as langsmith:
        here = {name: value for name, value in os.environ.items() if not name.startswith(("LANGSMITH_", "LANGCHAIN_"))}
        there = {"LANGSMITH_ENDPOINT": langsmith.url, "LANGSMITH_API_KEY": "a-key"}
        told = subprocess.run(
            [sys.executable, "-c", DECIDE, str(folder)],
            cwd=ROOT,
            env={**here, **there, **variables},
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert told.returncode == 0, told.stderr
    assert len(told.stdout.split()) == 2
    return langsmith, told.stderr


@pytest.mark.parametrize("variables", [{}, {"LANGSMITH_TRACING": "false"}])
def test_without_its_variable_nothing_is_sent(tmp_path: Path, variables: dict[str, str]) -> None:
    langsmith, log = decided(tmp_path, **variables)
    assert langsmith.received == []
    assert "LANGSMITH" not in log


@pytest.mark.parametrize("name", ["LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2"])
def test_with_its_variable_runs_arrive_and_the_start_warns_of_it(tmp_path: Path, name: str) -> None:
    langsmith, log = decided(tmp_path, **{name: "true"})
    assert "risk_assessment" in langsmith.text()
    assert MARK in langsmith.text(), "this is what the warning is about"
    assert log.count(UNHIDDEN) == 1


def test_where_content_is_hidden_none_arrives(tmp_path: Path) -> None:
    langsmith, log = decided(
        tmp_path, LANGSMITH_TRACING="true", LANGSMITH_HIDE_INPUTS="true", LANGSMITH_HIDE_OUTPUTS="true"
    )
    assert "risk_assessment" in langsmith.text()
    assert MARK not in langsmith.text()
    assert UNHIDDEN not in log
    assert "content is hidden" in log


def test_a_langsmith_that_is_not_there_harms_nothing(tmp_path: Path) -> None:
    _, log = decided(tmp_path, LANGSMITH_TRACING="true", LANGSMITH_ENDPOINT="http://127.0.0.1:9")
    assert UNHIDDEN in log
