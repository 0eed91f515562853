"""How each of the four servers is made: named, versioned, guarded where it is open to the network."""

from mcp.server import MCPServer

from mcp_servers.client import ServerName
from mcp_servers.guard import Guard

VERSION = "1"


def new_server(name: ServerName, instructions: str, guard: Guard | None) -> MCPServer:
    """A server without tools. With a `guard`, every HTTP request needs a bearer token it accepts."""
    if guard is None:
        return MCPServer(name, version=VERSION, instructions=instructions, log_level="WARNING")
    return MCPServer(
        name,
        version=VERSION,
        instructions=instructions,
        log_level="WARNING",
        token_verifier=guard.verifier,
        auth=guard.settings_for(name),
    )
