"""`cupidsshield keys`: make, list and revoke API keys. A key is shown once and kept only as a hash."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, TypeVar

import typer
from rich.table import Table
from rich.text import Text
from sqlmodel import Session

from cupidsshield.cli.output import Output, OutputOption, cells, err, out, print_json, whole
from cupidsshield.settings import read_settings
from data import apps, keys, migrate
from data.database import Database
from domain.clock import now
from domain.errors import Invalid
from domain.vocabulary import Scope

app = typer.Typer(no_args_is_help=True, help="Make, list and revoke API keys.")

T = TypeVar("T")

AppName = Annotated[str, typer.Option("--app", help="Name of the app; made if it does not exist yet.")]


def on_database(work: Callable[[Session], T]) -> T:
    """Do one piece of work on the database of the settings, upgraded first."""
    settings = read_settings()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    migrate.upgrade(settings.database)

    async def run() -> T:
        database = Database(settings.database)
        await database.start()
        try:
            return await database.write(work)
        finally:
            await database.close()

    return asyncio.run(run())


def scopes_in(text: str) -> frozenset[Scope]:
    """The scopes of `moderate,read`. Raises Invalid naming the ones that exist."""
    try:
        return frozenset(Scope(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise Invalid(f"{error}; scopes are {', '.join(Scope)}") from error


@app.command("create")
def create(
    app_name: AppName,
    scopes: Annotated[str, typer.Option(help=f"Comma-separated: {', '.join(Scope)}.")] = "moderate,read",
    name: Annotated[str, typer.Option(help="What the key is for.")] = "default",
    days: Annotated[int | None, typer.Option(min=1, help="Days until it expires; never if left out.")] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Make a key for an app. It is shown this once: keep it safe."""
    wanted = scopes_in(scopes)

    def work(session: Session) -> keys.NewKey:
        owner = apps.get_or_create(session, name=app_name)
        expires_at = now() + timedelta(days=days) if days else None
        return keys.create(session, app_id=owner.id, name=name, scopes=wanted, expires_at=expires_at)

    made = on_database(work)
    if output is Output.JSON:
        print_json({"key": made.key, "id": made.id, "app": app_name, "scopes": sorted(wanted), "name": name})
        return
    out.print(made.key, highlight=False, soft_wrap=True)
    told = f"{made.id} for {app_name}: {', '.join(sorted(wanted))}. It cannot be shown again."
    err.print(Text(told, style="dim"), soft_wrap=True)


@app.command("list")
def list_keys(app_name: AppName, output: OutputOption = Output.TABLE) -> None:
    """List an app's keys, without the secrets."""
    found = on_database(lambda session: keys.list_keys(session, app_id=apps.by_name(session, name=app_name).id))
    if output is Output.JSON:
        for key in found:
            print_json(key.model_dump(mode="json"))
        return
    if not found:
        out.print(f"{app_name} has no keys; 'cupidsshield keys create' makes one", markup=False, highlight=False)
        return
    table = Table(whole("id"), "name", "scopes", "expires", "revoked", "last used")
    for key in found:
        days = (moment and moment.date() for moment in (key.expires_at, key.revoked_at, key.last_used_at))
        table.add_row(*cells(key.id, key.name, ", ".join(sorted(key.scopes)), *days))
    out.print(table)


@app.command("revoke")
def revoke(key_id: Annotated[str, typer.Argument(help="The key's id, from 'keys list'.")], app_name: AppName) -> None:
    """Revoke a key; it stops working within seconds."""
    on_database(lambda session: keys.revoke(session, app_id=apps.by_name(session, name=app_name).id, key_id=key_id))
    out.print(f"{key_id} is revoked", markup=False, highlight=False)
