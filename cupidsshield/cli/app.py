"""All commands, in the order in which a newcomer meets them."""

from typing import Annotated

import typer

from cupidsshield import __version__
from cupidsshield.cli import (
    apps,
    calibrate,
    calibrate_agents,
    database,
    demo,
    graph,
    keys,
    mcp,
    memory,
    moderate,
    policies,
    serve,
    staff,
    statements,
)

app = typer.Typer(
    name="cupidsshield",
    help="Trust and safety for dating and social apps: explained decisions, and people for the rest.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = (
        False
    ),
) -> None:
    """Settings come from CUPIDSSHIELD_… variables and .env; see docs/settings.md."""


app.command("demo")(demo.demo)
app.command("serve")(serve.serve)
app.command("moderate")(moderate.moderate)
app.add_typer(keys.app, name="keys")
app.add_typer(apps.app, name="apps")
app.add_typer(staff.app, name="staff")
app.add_typer(policies.app, name="policies")
app.command("calibrate")(calibrate.calibrate)
app.command("calibrate-agents")(calibrate_agents.calibrate_agents)
app.command("drift")(calibrate.drift)
app.add_typer(database.app, name="db")
app.add_typer(memory.app, name="memory")
app.add_typer(statements.app, name="statements")
app.add_typer(mcp.app, name="mcp")
app.command("graph")(graph.graph)
