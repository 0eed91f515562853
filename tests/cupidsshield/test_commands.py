"""The command line's contract: JSON for programs, exit codes, and errors in one line that say what to do."""

import asyncio
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import typer
from filelock import FileLock
from typer.testing import CliRunner

from cupidsshield import __version__
from cupidsshield.cli.app import app
from cupidsshield.settings import read_settings
from data import keys
from data.database import Database
from domain.actor import Actor
from domain.errors import NotAuthenticated
from domain.vocabulary import Policy, Scope
from policies.loader import SHIPPED
from tests.cupidsshield.conftest import Ran, Run

KEY = re.compile(r"cs_live_[0-9A-Za-z]{39}")


def objects_in(ran: Ran) -> list[dict[str, Any]]:
    """The JSON objects that a command printed, one a line."""
    assert ran.code == 0, ran.err
    return [json.loads(line) for line in ran.out.splitlines()]


def refused(ran: Ran) -> str:
    """What is wrong, as told in one line on stderr with exit code 2."""
    assert ran.code == 2, ran
    assert ran.out == ""
    assert ran.err.startswith("cupidsshield: ")
    assert ran.err.count("\n") == 1, ran.err
    assert "Traceback" not in ran.err
    return ran.err


def new_key(run: Run, *options: str, app: str = "shop") -> dict[str, Any]:
    (made,) = objects_in(run("keys", "create", "--app", app, *options, "--output", "json"))
    return made


def actor_of(key: str) -> Actor:
    async def ask() -> Actor:
        database = Database(read_settings().database)
        await database.start()
        try:
            return await database.read(lambda session: keys.verify(session, key=key))
        finally:
            await database.close()

    return asyncio.run(ask())


def commands(group: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, group
    for name, command in getattr(group, "commands", {}).items():
        yield from commands(command, (*path, name))


ALL = dict(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("path", ALL, ids=lambda path: " ".join(path) or "cupidsshield")
def test_every_command_and_option_says_what_it_does(path: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(app, [*path, "--help"])
    assert shown.exit_code == 0
    assert ALL[path].help
    for parameter in ALL[path].params:
        if not isinstance(parameter, click.Argument) and parameter.name not in {
            "install_completion",
            "show_completion",
        }:
            assert getattr(parameter, "help", None), parameter.name


def test_the_version_is_told(run: Run) -> None:
    assert run("--version").out.strip() == __version__


class TestKeys:
    def test_a_new_key_is_printed_as_one_json_object(self, run: Run) -> None:
        made = new_key(run, "--scopes", "moderate,read,notify", "--name", "backend")
        assert made.keys() == {"key", "id", "app", "scopes", "name"}
        assert KEY.fullmatch(made["key"])
        assert (made["app"], made["name"]) == ("shop", "backend")
        assert made["scopes"] == ["moderate", "notify", "read"]
        assert actor_of(made["key"]).scopes == {Scope.MODERATE, Scope.READ, Scope.NOTIFY}

    def test_for_people_the_key_alone_is_on_stdout(self, run: Run) -> None:
        ran = run("keys", "create", "--app", "shop")
        assert KEY.fullmatch(ran.out.strip())
        assert "cannot be shown again" in ran.err
        assert actor_of(ran.out.strip()).scopes == {Scope.MODERATE, Scope.READ}

    def test_a_key_may_expire(self, run: Run) -> None:
        new_key(run, "--days", "30")
        (listed,) = objects_in(run("keys", "list", "--app", "shop", "--output", "json"))
        assert listed["expires_at"] > listed["created_at"]

    def test_a_list_shows_each_key_and_no_secret(self, run: Run) -> None:
        made = [new_key(run), new_key(run)]
        new_key(run, app="another")
        ran = run("keys", "list", "--app", "shop", "-o", "json")
        assert {key["id"] for key in objects_in(ran)} == {key["id"] for key in made}
        table = run("keys", "list", "--app", "shop").out
        for key in made:
            assert key["key"] not in ran.out + table
            assert key["id"] in table, "an id that is cut cannot be revoked"

    def test_a_revoked_key_is_dead_and_its_sisters_live(self, run: Run) -> None:
        old, new = new_key(run), new_key(run)
        assert run("keys", "revoke", old["id"], "--app", "shop").code == 0
        with pytest.raises(NotAuthenticated):
            actor_of(old["key"])
        assert actor_of(new["key"]).id == new["id"]
        listed = {key["id"]: key for key in objects_in(run("keys", "list", "--app", "shop", "-o", "json"))}
        assert (listed[old["id"]]["revoked_at"] is None, listed[new["id"]]["revoked_at"] is None) == (False, True)

    def test_what_does_not_exist_cannot_be_revoked(self, run: Run) -> None:
        theirs = new_key(run, app="another")
        new_key(run)
        assert "no key" in refused(run("keys", "revoke", theirs["id"], "--app", "shop"))
        assert "no key" in refused(run("keys", "revoke", "key_none", "--app", "shop"))
        assert "no app named 'nobody'" in refused(run("keys", "revoke", "key_none", "--app", "nobody"))

    def test_an_unknown_scope_is_refused_with_the_ones_there_are(self, run: Run) -> None:
        assert ", ".join(Scope) in refused(run("keys", "create", "--app", "shop", "--scopes", "moderate,everything"))
        assert "scope" in refused(run("keys", "create", "--app", "shop", "--scopes", ","))

    def test_names_are_shown_as_they_are(self, run: Run) -> None:
        new_key(run, "--name", "[/b]", app="[/i]shop")
        assert "[/b]" in run("keys", "list", "--app", "[/i]shop").out
        assert "[/i]shop" in run("apps", "list").out
        assert "[/i]shop" in run("keys", "create", "--app", "[/i]shop").err
        assert "[/i]shop" in run("apps", "webhook", "[/i]shop", "").out
        assert "no app named '[/x]'" in refused(run("keys", "list", "--app", "[/x]"))


class TestApps:
    def test_a_webhook_is_set_with_a_secret_that_is_shown_once(self, run: Run) -> None:
        new_key(run)
        (made,) = objects_in(run("apps", "webhook", "shop", "https://shop.example/hook", "--output", "json"))
        assert made["secret"].startswith("whsec_")
        ran = run("apps", "list", "--output", "json")
        (listed,) = objects_in(ran)
        assert (listed["name"], listed["webhook_url"]) == ("shop", "https://shop.example/hook")
        assert made["secret"] not in ran.out

    def test_setting_it_again_makes_a_new_secret_and_nothing_switches_it_off(self, run: Run) -> None:
        new_key(run)
        first = run("apps", "webhook", "shop", "https://shop.example/hook").out.strip()
        second = run("apps", "webhook", "shop", "https://shop.example/hook").out.strip()
        assert first.startswith("whsec_") and second.startswith("whsec_") and first != second  # noqa: PT018
        (off,) = objects_in(run("apps", "webhook", "shop", "", "--output", "json"))
        assert (off["url"], off["secret"]) == (None, None)
        assert objects_in(run("apps", "list", "-o", "json"))[0]["webhook_url"] is None

    def test_an_address_that_would_never_be_delivered_to_is_refused(
        self, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        new_key(run)
        assert "https://" in refused(run("apps", "webhook", "shop", "http://127.0.0.1:1/hook"))
        monkeypatch.setenv("CUPIDSSHIELD_ALLOW_PRIVATE_WEBHOOKS", "true")
        assert run("apps", "webhook", "shop", "http://127.0.0.1:1/hook").code == 0

    def test_an_unknown_app_is_refused(self, run: Run) -> None:
        assert "no app named 'shop'" in refused(run("apps", "webhook", "shop", "https://shop.example/hook"))


class TestPolicies:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        """A copy of the shipped policy files, to be broken."""
        copy = tmp_path / "policies"
        (copy / "guidelines").mkdir(parents=True)
        shutil.copy(SHIPPED / "thresholds.yaml", copy)
        for path in (SHIPPED / "guidelines").glob("*.yaml"):
            shutil.copy(path, copy / "guidelines")
        return copy

    def test_sound_files_pass(self, run: Run, folder: Path) -> None:
        assert run("policies", "check").code == 0
        assert run("policies", "check", str(folder)).code == 0
        assert run("policies", "check", str(folder), "--output", "json").out == ""

    def test_every_problem_is_told_with_file_and_line_and_exit_code_1(self, run: Run, folder: Path) -> None:
        (folder / "guidelines" / "scams.yaml").write_text("name: [scams]\n")
        (folder / "guidelines" / "spam.yaml").unlink()
        ran = run("policies", "check", str(folder))
        assert ran.code == 1
        told = ran.out.splitlines()
        assert any(line.startswith("guidelines/scams.yaml, line 1: ") for line in told)
        assert any(line.startswith("guidelines/spam.yaml, line 1: ") for line in told)
        assert any("['scams']" in line for line in told), "what was found is shown as it is"
        as_json = [json.loads(line) for line in run("policies", "check", str(folder), "-o", "json").out.splitlines()]
        assert [f"{p['file']}, line {p['line']}: {p['message']}" for p in as_json] == told

    def test_the_folder_of_the_settings_is_checked(
        self, run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (folder / "thresholds.yaml").write_text("version: 1.0.0\n")
        monkeypatch.setenv("CUPIDSSHIELD_POLICIES_DIR", str(folder))
        assert run("policies", "check").code == 1
        assert "thresholds.yaml" in refused(run("policies", "list"))

    def test_the_list_shows_every_policy(self, run: Run) -> None:
        assert {entry["name"] for entry in objects_in(run("policies", "list", "--output", "json"))} == set(Policy)
        assert all(policy[:8] in run("policies", "list").out for policy in Policy)


class TestDatabase:
    def test_status_tells_whether_upgrade_is_needed(self, run: Run) -> None:
        before = run("db", "status")
        assert (before.code, "current none" in before.out) == (1, True)
        assert run("db", "upgrade").code == 0
        after = run("db", "status")
        assert after.code == 0
        assert run("db", "upgrade").out == run("db", "upgrade").out, "doing it again changes nothing"

    def test_a_database_that_does_not_answer_is_told_in_one_line(
        self, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CUPIDSSHIELD_DATABASE_URL", "postgresql://nobody:hunter2@127.0.0.1:9/none")
        for command in (("db", "status"), ("db", "upgrade"), ("keys", "create", "--app", "shop")):
            assert "hunter2" not in refused(run(*command))

    def test_a_bad_setting_is_told_in_one_line(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CUPIDSSHIELD_PORT", "http")
        assert "CUPIDSSHIELD_PORT" in refused(run("db", "status"))
        assert "CUPIDSSHIELD_PORT" in refused(run("serve"))


class TestStarting:
    def test_a_service_that_cannot_start_says_why_without_a_traceback(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("CUPIDSSHIELD_POLICIES_DIR", str(tmp_path))
        for command in (("serve", "--port", "0"), ("demo", "--once", "--messages", "0")):
            ran = run(*command)
            assert ran.code == 2
            assert "cupidsshield: guidelines/age_verification.yaml, line 1" in ran.err
            assert "Traceback" not in ran.err

    def test_a_second_process_on_the_same_memory_is_told_what_to_do(self, run: Run) -> None:
        folder = read_settings().data_dir / "memory"
        folder.mkdir(parents=True)
        with FileLock(folder / "owner.lock"):
            told = refused(run("moderate", "hello there"))
        assert "another process uses the memory" in told
        for remedy in ("--url", "CUPIDSSHIELD_DATA_DIR", "CUPIDSSHIELD_CHROMA_URL"):
            assert remedy in told

    def test_a_server_that_is_set_to_run_elsewhere_is_not_served_here(
        self, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CUPIDSSHIELD_MCP_DATABASE_URL", "http://elsewhere/mcp/database")
        monkeypatch.setenv("CUPIDSSHIELD_SERVICE_TOKEN", "between-us")
        assert "set to run elsewhere" in refused(run("mcp", "http", "database"))

    def test_the_graph_is_drawn_from_itself(self, run: Run) -> None:
        drawn = run("graph").out
        for node in ("intake", "screening", "risk_assessment", "memory", "decision", "action", "human_review"):
            assert node in drawn
