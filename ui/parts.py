"""What the pages are put together from; made by the bootstrap, reached by routes through the app's state."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from data.database import Database
from domain.statistics import Alarm
from graphs.appeals.runs import AppealRuns
from graphs.moderation.desk import Desk
from graphs.moderation.runs import ModerationRuns
from mcp_servers.client import Toolbox
from policies.model import PolicySet
from ui.links import DecisionLinks
from ui.live import Live
from ui.oidc import Provider

AT_ONCE = 2
"""Comparing a password takes 64 MiB for a moment."""


@dataclass(frozen=True)
class UiParts:
    """Everything a page may need.

    `secret` signs what browsers keep and bring back. `secure_cookies` is off only over plain http in development.
    `links` are those that users are sent; `spend_link` counts how often one is opened, and raises RateLimited.
    `oidc` is who else may vouch for people, `desk` is where people decide, `live` tells open pages that something
    changed. `alarms` tells what is the matter with some apps now, `drift` how far the scores of one have moved.
    `hashing` bounds how many passwords are compared at once, `reads_appeals` says that a language model reads appeals.
    """

    database: Database
    desk: Desk
    policies: PolicySet
    runs: ModerationRuns
    appeals: AppealRuns
    live: Live
    tools: Toolbox
    secret: str
    public_url: str
    secure_cookies: bool
    clock: Callable[[], datetime]
    links: DecisionLinks
    spend_link: Callable[[str], Awaitable[None]]
    oidc: Provider | None = None
    alarms: Callable[[Collection[str]], Mapping[str, tuple[Alarm, ...]]] = lambda app_ids: {}
    drift: Callable[[str], float | None] = lambda app_id: None
    reads_appeals: bool = False
    hashing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))


def parts_of(request: Request) -> UiParts:
    """The parts of the application that answers this request."""
    parts: UiParts = request.app.state.ui
    return parts


Has = Annotated[UiParts, Depends(parts_of)]
