"""`cupidsshield statements`: what the EU's transparency database is owed, as JSON lines."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from sqlmodel import Session

from cupidsshield.cli.keys import on_database
from cupidsshield.cli.output import err
from cupidsshield.settings import read_settings
from data import apps, reasons
from policies.dsa import dsa_statement
from policies.loader import load

app = typer.Typer(no_args_is_help=True, help="Export statements of reasons.")

Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="A day in UTC, e.g. 2026-01-31.")]


@app.command("export")
def export(
    app_name: Annotated[str, typer.Option("--app", help="The app's name.")],
    since: Day = None,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The first day that is left out, in UTC.")
    ] = None,
) -> None:
    """Print the statements of reasons of an app's decisions, one JSON object a line, without personal data.

    The shape is that of the Digital Services Act's transparency database; 100 lines make one `POST /statements`.
    """
    policies = load(read_settings().policies_dir)
    begin, end = _utc(since), _utc(until)

    def work(session: Session) -> int:
        owner, count, last = apps.by_name(session, name=app_name), 0, None
        while page := reasons.restricted(session, app_id=owner.id, since=begin, until=end, after=last):
            for one in page:
                if statement := dsa_statement(one.case, reported=one.reported, policies=policies):
                    typer.echo(statement.model_dump_json(exclude_none=True))
                    count += 1
            last = page[-1]
        return count

    err.print(f"[dim]{on_database(work)} statements[/]")


def _utc(day: datetime | None) -> datetime | None:
    return day.replace(tzinfo=UTC) if day else None
