"""`cupidsshield staff`: the accounts of the console. The first administrator is made here."""

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text
from sqlmodel import Session

from cupidsshield.cli.keys import on_database
from cupidsshield.cli.output import Output, OutputOption, cells, err, out, print_json, whole
from cupidsshield.settings import read_settings
from data import apps, passwords
from data import staff as accounts
from domain.staff import Role, Staff, require_good_password

app = typer.Typer(no_args_is_help=True, help="The accounts of the console: make, list, change and disable them.")

BY = "system:command-line"

Email = Annotated[str, typer.Argument(help="The mail address with which the person signs in.")]
Ask = Annotated[bool, typer.Option("--ask", help="Ask for a password instead of making one that is shown once.")]
AppNames = Annotated[list[str] | None, typer.Option("--app", help="Name of an app given to them; repeat for more.")]


@app.command("add")
def add(
    email: Email,
    name: Annotated[str, typer.Option(help="How colleagues know them; the mail address if left out.")] = "",
    role: Annotated[Role, typer.Option(help="What they may do.")] = Role.MODERATOR,
    app_name: AppNames = None,
    ask: Ask = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Make an account."""
    password, kept = _new_password(email, ask)

    def work(session: Session) -> Staff:
        return accounts.create(
            session,
            email=email,
            name=name or email,
            role=role,
            app_ids=_app_ids(session, app_name or []),
            password_hash=kept,
            by=BY,
        )

    made = on_database(work)
    _tell_password(made, password, output)


@app.command("list")
def list_staff(output: OutputOption = Output.TABLE) -> None:
    """List the accounts."""

    def work(session: Session) -> tuple[tuple[Staff, ...], dict[str, str]]:
        return accounts.list_staff(session), {entry.id: entry.name for entry in apps.list_apps(session)}

    found, names = on_database(work)
    if output is Output.JSON:
        for person in found:
            print_json({**person.model_dump(mode="json"), "apps": sorted(names[app_id] for app_id in person.app_ids)})
        return
    if not found:
        out.print("no accounts yet; 'cupidsshield staff add MAIL --role admin' makes the first", highlight=False)
        return
    table = Table(whole("mail address"), "name", "role", "apps", "last sign-in", "disabled")
    for person in found:
        given = ", ".join(sorted(names[app_id] for app_id in person.app_ids)) or None
        days = (moment and moment.date() for moment in (person.last_login_at, person.disabled_at))
        table.add_row(*cells(person.email, person.name, person.role, given, *days))
    out.print(table)


@app.command("role")
def set_role(email: Email, role: Annotated[Role, typer.Argument(help="The new role.")]) -> None:
    """Change what somebody may do; they sign in anew."""
    on_database(lambda s: accounts.set_role(s, staff_id=accounts.by_email(s, email=email).id, role=role, by=BY))
    _say(f"{email} is {role} now")


@app.command("apps")
def set_apps(
    email: Email, names: Annotated[list[str] | None, typer.Argument(help="Names of apps; none takes all away.")] = None
) -> None:
    """Give somebody these apps and no others."""

    def work(session: Session) -> Staff:
        person = accounts.by_email(session, email=email)
        return accounts.set_apps(session, staff_id=person.id, app_ids=_app_ids(session, names or []), by=BY)

    on_database(work)
    _say(f"{email} sees {', '.join(names) if names else 'no app'} now")


@app.command("disable")
def disable(
    email: Email, undo: Annotated[bool, typer.Option("--undo", help="Open the account again.")] = False
) -> None:
    """Shut an account: it is signed out everywhere at once."""
    on_database(
        lambda s: accounts.set_disabled(s, staff_id=accounts.by_email(s, email=email).id, disabled=not undo, by=BY)
    )
    _say(f"{email} is {'enabled again' if undo else 'disabled'}")


@app.command("password")
def set_password(email: Email, ask: Ask = False, output: OutputOption = Output.TABLE) -> None:
    """Set a new password; the person is signed out everywhere."""
    password, kept = _new_password(email, ask)

    def work(session: Session) -> Staff:
        person = accounts.by_email(session, email=email)
        accounts.set_password(session, staff_id=person.id, password_hash=kept, by=BY)
        return person

    _tell_password(on_database(work), password, output)


def _new_password(email: str, ask: bool) -> tuple[str | None, str]:
    """A password to show, None where it was typed, and what is kept of it."""
    if not ask:
        made = passwords.generated()
        return made, passwords.hashed(made)
    typed = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    require_good_password(typed, email=email)
    return None, passwords.hashed(typed)


def _app_ids(session: Session, names: list[str]) -> list[str]:
    return [apps.by_name(session, name=name).id for name in names]


def _tell_password(person: Staff, password: str | None, output: Output) -> None:
    if output is Output.JSON:
        print_json({"email": person.email, "id": person.id, "role": person.role, "password": password})
        return
    if password:
        out.print(password, markup=False, highlight=False, soft_wrap=True)
        told = f"The password of {person.email}, {person.role}. It cannot be shown again."
    else:
        told = f"{person.email} is {person.role} and has the password that was typed."
    err.print(Text(f"{told} Console: {read_settings().reached_at}", style="dim"), soft_wrap=True)


def _say(text: str) -> None:
    out.print(text, markup=False, highlight=False, soft_wrap=True)
