"""`cupidsshield apps`: the apps that use the service, and their webhooks."""

from typing import Annotated

import typer
from rich.table import Table

from cupidsshield.cli.keys import on_database
from cupidsshield.cli.output import Output, OutputOption, cells, err, out, print_json, whole
from cupidsshield.settings import read_settings
from data import apps
from domain.errors import Invalid

app = typer.Typer(no_args_is_help=True, help="List apps and set their webhooks.")


@app.command("list")
def list_apps(output: OutputOption = Output.TABLE) -> None:
    """List the apps."""
    found = on_database(apps.list_apps)
    if output is Output.JSON:
        for entry in found:
            print_json(entry.model_dump(mode="json"))
        return
    table = Table(whole("id"), "name", "webhook", "made")
    for entry in found:
        table.add_row(*cells(entry.id, entry.name, entry.webhook_url, entry.created_at.date()))
    out.print(table if found else "no apps yet; 'cupidsshield keys create --app NAME' makes the first")


@app.command("webhook")
def webhook(
    name: Annotated[str, typer.Argument(help="The app's name.")],
    url: Annotated[str, typer.Argument(help="An https address; empty to switch the webhook off.")],
    output: OutputOption = Output.TABLE,
) -> None:
    """Set where an app is told of decisions (Standard Webhooks). Prints the signing secret, this once."""
    if url and not url.startswith("https://") and not read_settings().allow_private_webhooks:
        raise Invalid(
            "a webhook's address must begin with https:// (while developing, CUPIDSSHIELD_ALLOW_PRIVATE_WEBHOOKS=true)"
        )
    secret = on_database(lambda session: apps.set_webhook(session, name=name, url=url or None))
    if output is Output.JSON:
        print_json({"app": name, "url": url or None, "secret": secret})
    elif secret:
        out.print(secret, highlight=False, soft_wrap=True)
        err.print("[dim]Verify signatures with this secret; it cannot be shown again.[/]", soft_wrap=True)
    else:
        told = f"{name} has no webhook now; its messages can be fetched from /api/v1/notifications"
        out.print(told, markup=False, highlight=False, soft_wrap=True)
