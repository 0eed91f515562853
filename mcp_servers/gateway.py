"""Mounts the four servers under `/mcp/<name>` of a web application and keeps their sessions running."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from mcp.server import MCPServer
from mcp.server.auth.routes import create_protected_resource_routes
from mcp.server.transport_security import TransportSecuritySettings
from pydantic import AnyHttpUrl
from starlette.routing import BaseRoute, Route

from mcp_servers.client import ServerName
from mcp_servers.guard import AGENT_SCOPES, Guard


def routes(servers: Mapping[ServerName, MCPServer], guard: Guard, allowed_hosts: Sequence[str]) -> list[BaseRoute]:
    """The routes of the servers and of their protected-resource metadata (RFC 9728).

    `allowed_hosts` are the Host headers that are answered; others get 421, against DNS rebinding.
    """
    security = TransportSecuritySettings(
        allowed_hosts=list(allowed_hosts),
        allowed_origins=[f"{scheme}://{host}" for host in allowed_hosts for scheme in ("http", "https")],
    )
    found: list[BaseRoute] = []
    for name, server in servers.items():
        found += create_protected_resource_routes(
            resource_url=guard.resource_url(name),
            authorization_servers=[AnyHttpUrl(guard.public_url)],
            scopes_supported=[scope.value for scope in AGENT_SCOPES],
            resource_name=f"CupidsShield {name}",
        )
        app = server.streamable_http_app(
            streamable_http_path=f"/mcp/{name}", transport_security=security, stateless_http=True, json_response=True
        )
        found.append(Route(f"/mcp/{name}", endpoint=app))
    return found


@asynccontextmanager
async def running(servers: Mapping[ServerName, MCPServer]) -> AsyncIterator[None]:
    """Run the session managers of mounted servers, whose own lifespans never run."""
    async with AsyncExitStack() as stack:
        for server in servers.values():
            await stack.enter_async_context(server.session_manager.run())
        yield
