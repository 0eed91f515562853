"""Builds the notifications server."""

from collections.abc import Callable

from mcp.server import MCPServer

from data.database import Database
from mcp_servers.building import new_server
from mcp_servers.client import ServerName
from mcp_servers.expose import READS, WRITES, WRITES_ONCE, expose
from mcp_servers.guard import Guard
from mcp_servers.identity import Identify
from mcp_servers.notifications.tools import NotificationTools
from mcp_servers.notifications.webhooks import WebhookSender

INSTRUCTIONS = """Messages of a trust-and-safety service to one app, its users and its moderators. Everything sent is
kept in an outbox, delivered with retries, and can be listed. Never put raw abusive content into a message."""


def build(
    database: Database,
    sender: WebhookSender,
    identify: Identify,
    wake: Callable[[], None],
    guard: Guard | None = None,
) -> MCPServer:
    """The server over the outbox in `database`, for callers told apart by `identify`."""
    server = new_server(ServerName.NOTIFICATIONS, INSTRUCTIONS, guard)
    tools = NotificationTools(database, sender, identify, wake)
    expose(server, tools.notify_user, WRITES, title="Notify a user")
    expose(server, tools.notify_app, WRITES, title="Notify the app")
    expose(server, tools.notify_moderators, WRITES, title="Notify the moderators")
    expose(server, tools.list_notifications, READS, title="List notifications")
    expose(server, tools.dispatch, WRITES_ONCE, title="Dispatch")
    expose(server, tools.deliver_due, WRITES_ONCE, title="Deliver what is due")
    return server
