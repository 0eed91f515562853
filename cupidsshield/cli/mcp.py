"""`cupidsshield mcp`: one MCP server by itself, over stdio for an agent, or over HTTP for other machines."""

import asyncio
import signal
from typing import Annotated

import typer
import uvicorn
from starlette.applications import Starlette

from cupidsshield.bootstrap import House, open_house
from cupidsshield.cli import logs
from cupidsshield.cli.output import err
from cupidsshield.cli.serve import Host, Port
from cupidsshield.settings import read_settings
from data import apps
from domain.actor import Actor, ActorKind
from domain.errors import NotFound, SettingsError
from domain.vocabulary import Scope
from mcp_servers import gateway
from mcp_servers.client import ServerName
from mcp_servers.identity import actor_of_token, always

app = typer.Typer(no_args_is_help=True, help="Run one MCP server by itself.")

Name = Annotated[ServerName, typer.Argument(help="Which server.")]


@app.command("stdio")
def stdio(
    name: Name,
    app_name: Annotated[str, typer.Option("--app", help="The app for which the agent acts.")] = "local",
    scopes: Annotated[str, typer.Option(help=f"What it may do: {', '.join(Scope)}.")] = "moderate,read",
) -> None:
    """Speak MCP on stdin and stdout, for an agent on this machine. Whoever starts it acts for the app."""
    from cupidsshield.cli.keys import scopes_in

    settings = read_settings()
    logs.configure("WARNING")
    granted = scopes_in(scopes)

    async def run() -> None:
        async with open_house(settings, serving=[name]) as house:
            app_id = await _app_id(house, app_name)
            agent = Actor(kind=ActorKind.AGENT, id="stdio", app_id=app_id, scopes=granted)
            await house.servers(frozenset({name}), always(agent))[name].run_stdio_async()

    asyncio.run(run())


@app.command("http")
def http(name: Name, host: Host = None, port: Port = None) -> None:
    """Serve one MCP server under /mcp/<server>, with bearer tokens, for a service elsewhere."""
    settings = read_settings(host=host, port=port)
    logs.configure(settings.log_level)
    if name in settings.remote_urls:
        raise SettingsError(f"the {name} server is set to run elsewhere ({settings.remote_urls[name]})")

    async def run() -> None:
        async with open_house(settings, serving=[name]) as house:
            guard = house.guard()
            servers = house.servers(frozenset({name}), actor_of_token, guard)
            hosts = [entry.strip() for entry in settings.allowed_hosts.split(",")]
            web = Starlette(routes=gateway.routes(servers, guard, hosts))
            config = uvicorn.Config(web, host=settings.host, port=settings.port, log_config=None, access_log=False)
            async with gateway.running(servers):
                err.print(f"[dim]{name} at {guard.resource_url(name)}[/]")
                await uvicorn.Server(config).serve()

    # After a clean stop uvicorn raises the signal again, for whoever handled it before: the house must still close.
    signal.signal(signal.SIGTERM, lambda *_: None)
    asyncio.run(run())


async def _app_id(house: House, app_name: str) -> str:
    try:
        found = await house.database.read(lambda session: apps.by_name(session, name=app_name))
    except NotFound:
        found = await house.database.write(lambda session: apps.get_or_create(session, name=app_name))
    return found.id
