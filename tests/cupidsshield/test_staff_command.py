"""`cupidsshield staff`: the first administrator, and all that can be changed without the console."""

import asyncio
import json
from pathlib import Path
from typing import Any

import click
import pytest
from typer.testing import CliRunner

from cupidsshield.cli.app import app
from cupidsshield.cli.demo import demo_address, demo_staff
from cupidsshield.cli.keys import on_database
from cupidsshield.settings import read_settings
from data import passwords
from data import staff as accounts
from data.database import Database
from domain.staff import Role, Staff
from tests.cupidsshield.conftest import Ran, Run

ADA = "ada@example.org"


def told(ran: Ran) -> list[dict[str, Any]]:
    assert ran.code == 0, ran.err
    return [json.loads(line) for line in ran.out.splitlines()]


def opens(email: str, password: str) -> bool:
    async def ask() -> bool:
        database = Database(read_settings().database)
        await database.start()
        try:
            _, kept = await database.read(lambda s: accounts.password_of(s, email=email))
        finally:
            await database.close()
        return passwords.matches(kept, password)

    return asyncio.run(ask())


def everybody() -> tuple[Staff, ...]:
    return on_database(accounts.list_staff)


def test_the_first_administrator_is_made_with_a_password_that_opens(run: Run) -> None:
    (made,) = told(run("staff", "add", "Ada@Example.org", "--name", "Ada", "--role", "admin", "-o", "json"))
    assert (made["email"], made["role"]) == (ADA, "admin")
    assert opens(ADA, made["password"])
    (listed,) = told(run("staff", "list", "-o", "json"))
    assert (listed["name"], listed["role"], listed["apps"]) == ("Ada", "admin", [])
    assert made["password"] not in json.dumps(listed)
    assert "argon" not in json.dumps(listed)


def test_a_password_for_people_stands_alone_on_stdout(run: Run) -> None:
    ran = run("staff", "add", ADA)
    assert ran.code == 0
    assert opens(ADA, ran.out.strip())
    assert "cannot be shown again" in ran.err


def test_a_password_can_be_typed(nothing_set: Path) -> None:
    runner = CliRunner()
    typed = "four words in a row\n" * 2
    result = runner.invoke(app, ["staff", "add", ADA, "--ask"], input=typed)
    assert result.exit_code == 0, result.output
    assert opens(ADA, "four words in a row")
    assert "four words in a row" not in result.output
    weak = runner.invoke(app, ["staff", "password", ADA, "--ask"], input="short\nshort\n")
    assert "at least 12" in str(weak.exception)
    assert opens(ADA, "four words in a row")


def test_apps_are_given_by_their_names(run: Run) -> None:
    run("keys", "create", "--app", "shop")
    run("keys", "create", "--app", "club")
    told(run("staff", "add", ADA, "--app", "shop", "-o", "json"))
    assert told(run("staff", "list", "-o", "json"))[0]["apps"] == ["shop"]
    assert run("staff", "apps", ADA, "club", "shop").code == 0
    assert told(run("staff", "list", "-o", "json"))[0]["apps"] == ["club", "shop"]
    assert run("staff", "apps", ADA).code == 0
    assert told(run("staff", "list", "-o", "json"))[0]["apps"] == []


def test_role_access_and_password_are_changed(run: Run) -> None:
    (first,) = told(run("staff", "add", ADA, "-o", "json"))
    assert run("staff", "role", ADA, "legal").code == 0
    assert everybody()[0].role is Role.LEGAL
    assert run("staff", "disable", ADA).code == 0
    assert everybody()[0].disabled_at is not None
    assert run("staff", "disable", ADA, "--undo").code == 0
    assert everybody()[0].disabled_at is None
    (second,) = told(run("staff", "password", ADA, "-o", "json"))
    assert opens(ADA, second["password"])
    assert not opens(ADA, first["password"])


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (("add", "not-an-address"), "mail address"),
        (("add", ADA, "--app", "nowhere"), "no app named"),
        (("role", "nobody@example.org", "legal"), "no account"),
        (("role", "boss@example.org", "legal"), "last administrator"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(run: Run, command: tuple[str, ...], reason: str) -> None:
    run("staff", "add", "boss@example.org", "--role", "admin")
    ran = run("staff", *command)
    assert ran.code == 2
    assert reason in ran.err
    assert ran.err.count("\n") == 1
    assert len(everybody()) == 1


def test_an_empty_list_says_how_to_begin(run: Run) -> None:
    assert "staff add MAIL --role admin" in click.unstyle(run("staff", "list").out)


def test_the_demo_makes_an_account_of_each_role_and_may_run_again(nothing_set: Path) -> None:
    before = demo_staff()
    after = demo_staff()
    people = {person.email: person for person in everybody()}
    assert people.keys() == {demo_address(role) for role in Role}
    for role in Role:
        person = people[demo_address(role)]
        assert person.role is role
        assert len(person.app_ids) == 1
    assert opens(demo_address(Role.ADMIN), after[Role.ADMIN])
    assert not opens(demo_address(Role.ADMIN), before[Role.ADMIN])
