"""An outbox with everything that delivers it, and no worker that does so by itself."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx2
from sqlmodel import Session, col, update

from data import apps, outbox
from data.database import Database
from data.outbox import OutboxRow
from domain.actor import system
from domain.clock import now
from domain.ids import new_id
from domain.notification import Audience, Notification
from mcp_servers.client import ServerName, Toolbox, open_toolbox
from mcp_servers.identity import actor_in_meta
from mcp_servers.notifications import server as notifications_server
from mcp_servers.notifications.answers import Delivered, NotificationList
from mcp_servers.notifications.webhooks import WebhookSender
from tests import factories
from tests.mcp_servers.serving import LONGEST_S, answer
from tests.own_task import in_own_task

ALL = system("*", "delivery")
OK = answer(200)


@dataclass
class Desk:
    """What one process has of an outbox."""

    database: Database
    tools: Toolbox

    async def app(self, url: str | None) -> tuple[str, str]:
        """A new app that wants to be told at `url`: its identifier and the secret."""

        def make(session: Session) -> tuple[str, str]:
            owner = apps.get_or_create(session, name=new_id("name"))
            return owner.id, apps.set_webhook(session, name=owner.name, url=url) or ""

        return await self.database.write(make)

    async def owe(self, app_id: str, *audiences: Audience) -> list[str]:
        messages = [factories.message(audience) for audience in audiences or (Audience.USER,)]
        return await self.database.write(
            lambda session: outbox.put(session, app_id=app_id, case_id="case_1", messages=messages, at=now())
        )

    async def deliver(self, limit: int = 64) -> Delivered:
        async with asyncio.timeout(LONGEST_S):
            return await self.tools.call(
                ServerName.NOTIFICATIONS,
                "deliver_due",
                {"limit": limit},
                actor=ALL,
                answer=Delivered,
                timeout_s=LONGEST_S,
            )

    async def all_of(self, app_id: str) -> dict[str, Notification]:
        found = await self.tools.call(
            ServerName.NOTIFICATIONS,
            "list_notifications",
            {"limit": 100},
            actor=system(app_id),
            answer=NotificationList,
        )
        return {entry.id: entry for entry in found.notifications}

    async def let_time_pass(self, app_id: str, **changes: object) -> None:
        """Make what waits due now."""
        changed = {"next_attempt_at": now(), **changes}
        await self.database.write(
            lambda session: session.execute(update(OutboxRow).where(col(OutboxRow.app_id) == app_id).values(**changed))
        )


@asynccontextmanager
async def desk_at(url: str) -> AsyncIterator[Desk]:
    """A desk over the database at `url`, as a process of its own would have it."""
    database = Database(url)
    await database.start()
    async with httpx2.AsyncClient() as http:
        sender = WebhookSender(http, allow_private=True)
        server = notifications_server.build(database, sender, actor_in_meta, lambda: None)
        async with in_own_task(open_toolbox({ServerName.NOTIFICATIONS: server}, timeout_s=LONGEST_S)) as tools:
            yield Desk(database, tools)
    await database.close()


def in_turn(*responses: bytes) -> Callable[[object], bytes]:
    """Each response once, the last one ever after."""
    left = list(responses)
    return lambda posted: left.pop(0) if len(left) > 1 else left[0]
