"""One house for all tests here, a tenant of its own for each, and toolboxes in which one tool misbehaves."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from mcp.server import MCPServer
from sqlmodel import Session

from cupidsshield.bootstrap import House, open_house
from cupidsshield.checkpoints import open_checkpointer
from cupidsshield.settings import read_settings
from data import apps, cases, claims, decisions, outbox
from domain.answer import ModerationAnswer
from domain.case import Case
from domain.clock import now
from domain.content import Content
from domain.ids import new_id
from domain.notification import Notification, NotificationStatus
from domain.staff import Staff
from domain.submission import Submission
from domain.tracing import SILENCE, Tracer
from graphs.moderation.runs import ModerationRuns
from graphs.moderation.state import Services
from mcp_servers.client import ServerName, Toolbox, open_toolbox
from mcp_servers.identity import actor_in_meta
from mcp_servers.notifications import server as notifications_server
from tests import factories
from tests.own_task import in_own_task
from workers import tasks
from workers.loop import Worker

CLEAR = "I love hiking! What trails do you recommend?"
DOUBTFUL = "Why do you ignore me after all I have done for you"
VIOLATING = "Send me money on WhatsApp for crypto investment!"
AT_RISK = "sometimes i wish i could fall asleep and just not wake up"
MINOR = "i'm 15 but don't tell anyone, i turn 16 in june"

Tool = Callable[..., Awaitable[Any]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    settings = read_settings(
        data_dir=Path(tmp_path_factory.mktemp("house")), allow_private_webhooks=True, tool_timeout_s=20
    )
    async with in_own_task(open_house(settings)) as house:
        yield house


@pytest.fixture
def app_id() -> str:
    """A tenant that no other test has."""
    return new_id("app")


class Calls:
    """Counts how often it was called."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


class Standing:
    """The house's own servers for the service, built once: their schemas take a while."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.wake: Callable[[], None] = lambda: None
        self.servers = house.servers(frozenset(ServerName), actor_in_meta)
        self.servers[ServerName.NOTIFICATIONS] = notifications_server.build(
            house.database, house.sender, actor_in_meta, lambda: self.wake()
        )

    @contextmanager
    def where(self, misbehaving: Mapping[str, Tool]) -> Iterator[dict[ServerName, MCPServer]]:
        """The servers, with some tools replaced for the length of the block."""
        honest: list[tuple[dict[str, Any], str, Any]] = []
        for name, tool in misbehaving.items():
            [shelf] = [found for found in map(shelf_of, self.servers.values()) if name in found]
            honest.append((shelf, name, shelf[name]))
            server = MCPServer("misbehaving")
            server.add_tool(tool, name=name, structured_output=False)
            shelf[name] = shelf_of(server)[name]
        yield self.servers
        for shelf, name, tool in honest:
            shelf[name] = tool


_STANDING: list[Standing] = []


def standing_in(house: House) -> Standing:
    """The house's servers, the same each time."""
    for known in _STANDING:
        if known.house is house:
            return known
    _STANDING.append(Standing(house))
    return _STANDING[-1]


def shelf_of(server: MCPServer) -> dict[str, Any]:
    """Where a server keeps its tools, by name."""
    return server._tool_manager._tools


@asynccontextmanager
async def tools_where(
    house: House,
    *,
    wake: Callable[[], None] = lambda: None,
    timeout_s: float = 20,
    tracer: Tracer = SILENCE,
    **misbehaving: Tool,
) -> AsyncIterator[Toolbox]:
    """A toolbox over the house's own servers, with some tools replaced by these; `wake` hears each dispatch."""
    standing = standing_in(house)
    standing.wake = wake
    with standing.where(misbehaving) as servers:
        async with open_toolbox(servers, timeout_s=timeout_s, tracer=tracer) as tools:
            yield tools


@asynccontextmanager
async def runs_where(
    house: House,
    *,
    wake: Callable[[], None] = lambda: None,
    timeout_s: float = 20,
    checkpoints: Path | None = None,
    **misbehaving: Tool,
) -> AsyncIterator[ModerationRuns]:
    """The graph over `tools_where`, with checkpoints in a folder of its own where one is given."""
    folder = checkpoints or house.settings.data_dir
    async with (
        tools_where(house, wake=wake, timeout_s=timeout_s, **misbehaving) as tools,
        open_checkpointer(house.settings.database, folder) as saver,
    ):
        runs = ModerationRuns(Services(tools=tools, policies=house.policies, clock=now, link=house.links.to), saver)
        yield runs
        await runs.close()


async def moderate(runs: ModerationRuns, content: Content) -> ModerationAnswer:
    return await runs.moderate(Submission(content=content), factories.agent(content.app_id))


async def decided(house: House, app_id: str, text: str, **more: Any) -> ModerationAnswer:
    """A text of the app, decided by the house's own graph."""
    return await moderate(house.runs, factories.content(text, app_id=app_id, **more))


async def case_of(house: House, app_id: str, case_id: str) -> Case:
    return await house.database.read(lambda session: cases.get(session, app_id=app_id, case_id=case_id))


async def messages_of(house: House, app_id: str) -> list[Notification]:
    """All messages of the app, by audience."""
    found = await house.database.read(
        lambda session: outbox.find(session, app_id=app_id, status=None, case_id=None, limit=100)
    )
    return sorted(found, key=lambda entry: entry.message.audience)


async def deliver_all(house: House, app_id: str) -> None:
    """Deliver all that an app is owed. The house's own worker may have some of it in hand: what that settles a moment
    later is waited for."""
    await Worker("delivery", tasks.deliver(house.tools), interval_s=1).drain()
    for _ in range(100):
        if all(entry.status is not NotificationStatus.PENDING for entry in await messages_of(house, app_id)):
            return
        await asyncio.sleep(0.05)


async def app_told_at(house: House, url: str) -> str:
    """A new app with a webhook."""

    def make(session: Session) -> str:
        owner = apps.get_or_create(session, name=new_id("name"))
        apps.set_webhook(session, name=owner.name, url=url)
        return owner.id

    return await house.database.write(make)


async def person_decides(
    house: House, answer: ModerationAnswer, app_id: str, by: Staff | None = None, undo: timedelta = timedelta()
) -> Case:
    """A moderator claims the case's review, approves it, and has the user told; the run is not resumed yet."""
    by = by or factories.staff(app_ids=(app_id,))
    case = await case_of(house, app_id, answer.case_id)
    assert case.review_id is not None
    review_id = case.review_id

    def decide(session: Session) -> None:
        item = claims.claim(session, staff=by, review_id=review_id, lease=timedelta(minutes=5))
        decisions.decide(
            session,
            staff=by,
            review_id=review_id,
            epoch=item.epoch,
            decision=factories.human(answer.case_id, reviewer=by.id),
            messages=[factories.message()],
            memory=None,
            undo=undo,
        )

    await house.database.write(decide)
    return await case_of(house, app_id, answer.case_id)
