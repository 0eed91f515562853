"""The steps that workers repeat."""

from collections.abc import Awaitable, Callable

from data import enforcements, idempotency, keys, memory_inbox
from data.database import Database
from domain.actor import system
from mcp_servers.client import ServerName, Toolbox
from mcp_servers.notifications.answers import Delivered
from mcp_servers.vector_search.answers import Remembered

ALL_APPS = "*"
"""The tenant in whose name work across all tenants is done; it owns nothing."""

MEMORY_BATCH = 256
DELIVERY_BATCH = 64

Step = Callable[[], Awaitable[int]]


def deliver(tools: Toolbox) -> Step:
    """Deliver the messages that are due."""

    async def step() -> int:
        done = await tools.call(
            ServerName.NOTIFICATIONS,
            "deliver_due",
            {"limit": DELIVERY_BATCH},
            actor=system(ALL_APPS, "delivery"),
            answer=Delivered,
            timeout_s=60,
        )
        return done.delivered + done.retrying + done.dead

    return step


def remember(database: Database, tools: Toolbox) -> Step:
    """Move decided cases from the database into the vector memory; kept until memory has them."""

    async def step() -> int:
        pending = await database.read(lambda session: memory_inbox.pending(session, limit=MEMORY_BATCH))
        if not pending:
            return 0
        await tools.call(
            ServerName.VECTOR_SEARCH,
            "remember",
            {"items": [entry.item.model_dump(mode="json") for entry in pending]},
            actor=system(ALL_APPS, "memory"),
            answer=Remembered,
            timeout_s=60,
        )
        ids = [entry.id for entry in pending]
        await database.write(lambda session: memory_inbox.done(session, ids=ids))
        return len(pending)

    return step


def expire(database: Database) -> Step:
    """End the enforcements whose term is over, and forget the answers that need not be kept any longer."""

    async def step() -> int:
        ended = await database.write(enforcements.expire)
        return ended + await database.write(idempotency.forget_expired)

    return step


def note_used_keys(database: Database, used: set[str]) -> Step:
    """Note in the database which keys were used since the last step; `used` gathers them in between."""

    async def step() -> int:
        ids = [used.pop() for _ in range(len(used))]
        for key_id in ids:
            await database.write(lambda session, key_id=key_id: keys.touch(session, key_id=key_id))  # type: ignore[misc]
        return 0

    return step
