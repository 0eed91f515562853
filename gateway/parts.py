"""What the gateway is put together from; made by the bootstrap, reached by routes through the app's state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from mcp.server import MCPServer

from data.database import Database
from domain.tracing import Tracer
from gateway.auth import KeyRing
from gateway.limits import Gate, RateLimit
from gateway.metrics import Metrics
from gateway.streaming import Streams
from graphs.appeals.runs import AppealRuns
from graphs.moderation.runs import ModerationRuns
from mcp_servers.client import ServerName, Toolbox
from mcp_servers.guard import Guard
from policies.model import PolicySet
from ui.parts import UiParts


@dataclass(frozen=True)
class Parts:
    """Everything a request may need. `deadline_s` bounds one decision, `gate` all at once."""

    runs: ModerationRuns
    appeals: AppealRuns
    tools: Toolbox
    database: Database
    keys: KeyRing
    rate_limit: RateLimit
    metrics: Metrics
    streams: Streams
    tracer: Tracer
    servers: Mapping[ServerName, MCPServer]
    guard: Guard
    allowed_hosts: Sequence[str]
    version: str
    deadline_s: float
    gate: Gate
    policies: PolicySet
    ui: UiParts


def parts_of(request: Request) -> Parts:
    """The parts of the application that answers this request."""
    parts: Parts = request.app.state.parts
    return parts


Has = Annotated[Parts, Depends(parts_of)]
