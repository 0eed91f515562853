"""`cupidsshield db`: the database's schema."""

import typer

from cupidsshield.cli.output import out
from cupidsshield.settings import read_settings
from data import migrate

app = typer.Typer(no_args_is_help=True, help="Look after the database's schema.")


@app.command("upgrade")
def upgrade() -> None:
    """Bring the schema up to date. 'serve' does this by itself."""
    settings = read_settings()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    migrate.upgrade(settings.database)
    out.print(f"schema {migrate.current(settings.database)}")


@app.command("status")
def status() -> None:
    """Tell the schema's revision, and whether it is the newest. Exit code 1 where it is not."""
    settings = read_settings()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    current, head = migrate.current(settings.database), migrate.head()
    out.print(f"current {current or 'none'}, newest {head}")
    if current != head:
        raise typer.Exit(1)
