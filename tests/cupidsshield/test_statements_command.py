"""`cupidsshield statements export` prints valid statements of an app's restrictions, and nothing of anybody."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cupidsshield.cli.app import app
from cupidsshield.cli.keys import on_database
from data import apps, cases
from domain.actor import system
from domain.vocabulary import Action, DecisionKind
from policies.dsa import DsaStatement
from tests import factories

TEXT = "Send me money, dearest Peregrine"


@pytest.fixture
def owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An app with a ban, a warning, an approval and something that waits; another with a ban of its own."""
    monkeypatch.setenv("CUPIDSSHIELD_DATA_DIR", str(tmp_path))

    def make(name: str, *made: tuple[DecisionKind, Action]) -> str:
        found: str = on_database(lambda session: apps.get_or_create(session, name=name).id)
        for kind, action in made:
            content = factories.content(TEXT, app_id=found, user_id="user_peregrine")
            record = factories.record(content, factories.decision(kind, action=action))
            on_database(
                lambda session, record=record: cases.record(  # type: ignore[misc]
                    session, record=record, review=None, messages=[], memory=None, actor=system(found)
                )
            )
        return found

    make("theirs", (DecisionKind.REJECTED, Action.TEMP_BAN_7D))
    return make(
        "ours",
        (DecisionKind.REJECTED, Action.PERMANENT_BAN),
        (DecisionKind.REJECTED, Action.WARN),
        (DecisionKind.APPROVED, Action.WARN),
        (DecisionKind.ESCALATED, Action.WARN),
    )


def exported(*more: str) -> list[dict[str, object]]:
    result = CliRunner().invoke(app, ["statements", "export", "--app", "ours", *more])
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]


def test_each_restriction_is_one_valid_line_without_a_name_or_a_word(owner: str) -> None:
    lines = exported()
    assert len(lines) == 2
    for line in lines:
        assert DsaStatement.model_validate(line)
    assert {line.get("decision_account") for line in lines} == {"DECISION_ACCOUNT_TERMINATED", None}
    assert len({str(line["puid"]) for line in lines}) == 2
    assert "eregrine" not in json.dumps(lines)


def test_days_bound_it(owner: str) -> None:
    assert exported("--until", "2020-01-01") == []
    assert exported("--since", "2999-01-01") == []
    assert len(exported("--since", "2020-01-01", "--until", "2999-01-01")) == 2


def test_an_app_that_does_not_exist_is_named(owner: str) -> None:
    result = CliRunner().invoke(app, ["statements", "export", "--app", "nobody"])
    assert result.exit_code != 0
