"""Several processes deliver from one outbox: no message is posted twice, and none is lost with who took it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from sqlmodel import Session, select

from data import outbox
from data.outbox import OutboxRow
from domain.notification import Audience, NotificationStatus
from mcp_servers.notifications import tools
from mcp_servers.notifications.answers import Delivered
from mcp_servers.notifications.tools import LEASE
from mcp_servers.notifications.webhooks import TIMEOUT_S
from tests.mcp_servers.desk import OK, Desk, desk_at, in_turn
from tests.mcp_servers.serving import Receiver, receiving

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def desks(url: str) -> AsyncIterator[tuple[Desk, Desk]]:
    """Two processes over one database."""
    async with desk_at(url) as one, desk_at(url) as other:
        yield one, other


def posts(receiver: Receiver) -> Counter[str]:
    return Counter(posted.headers["webhook-id"] for posted in receiver.posted)


async def pass_by(desk: Desk, time: timedelta) -> None:
    """Let so much time go by for all that waits."""

    def shift(session: Session) -> None:
        for row in session.exec(select(OutboxRow)):
            row.next_attempt_at -= time

    await desk.database.write(shift)


async def test_two_senders_at_once_post_each_message_once(desks: tuple[Desk, Desk]) -> None:
    async with receiving(in_turn(OK)) as receiver:
        app_id, _ = await desks[0].app(receiver.url)
        owed = await desks[0].owe(app_id, *[Audience.USER] * 60)
        delivered = 0
        while done := sum(each.delivered for each in await asyncio.gather(*(desk.deliver(8) for desk in desks))):
            delivered += done
    assert delivered == 60
    assert posts(receiver) == Counter(owed)


async def test_what_a_dead_sender_had_taken_is_delivered_after_its_lease(desks: tuple[Desk, Desk]) -> None:
    dying, living = desks
    async with receiving(in_turn(OK)) as receiver:
        app_id, _ = await living.app(receiver.url)
        [identifier] = await living.owe(app_id)
        taken = await dying.database.write(lambda session: outbox.take(session, limit=9, lease=LEASE))
        assert [message.id for message in taken] == [identifier]
        assert await living.deliver() == Delivered()
        await pass_by(living, LEASE / 2)
        assert await living.deliver() == Delivered()
        await pass_by(living, LEASE / 2)
        assert await living.deliver() == Delivered(delivered=1)
        assert await living.deliver() == Delivered()
    assert posts(receiver) == Counter([identifier])


async def test_a_sender_whose_lease_is_nearly_over_leaves_the_message_to_the_next(
    desks: tuple[Desk, Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    late, punctual = desks
    async with receiving(in_turn(OK)) as receiver:
        app_id, _ = await late.app(receiver.url)
        [identifier] = await late.owe(app_id)
        with monkeypatch.context() as patched:
            patched.setattr(tools, "LEASE", timedelta(seconds=TIMEOUT_S))
            assert await late.deliver() == Delivered(retrying=1)
        waiting = (await late.all_of(app_id))[identifier]
        assert (waiting.status, waiting.attempts, receiver.posted) == (NotificationStatus.PENDING, 0, [])
        await pass_by(punctual, timedelta(seconds=TIMEOUT_S))
        assert await punctual.deliver() == Delivered(delivered=1)
    assert posts(receiver) == Counter([identifier])


async def test_what_is_not_posted_is_settled_beside_what_is(desks: tuple[Desk, Desk]) -> None:
    desk = desks[0]
    async with receiving(in_turn(OK)) as one, receiving(in_turn(OK)) as other:
        first, second, silent = [(await desk.app(url))[0] for url in (one.url, other.url, None)]
        for_first = await desk.owe(first, Audience.USER, Audience.MODERATORS)
        for_second = await desk.owe(second, Audience.APP)
        for_silent = await desk.owe(silent, Audience.USER, Audience.APP)
        assert await desk.deliver() == Delivered(delivered=5)
        assert (posts(one), posts(other)) == (Counter(for_first[:1]), Counter(for_second))
    for app_id, owed in ((first, for_first), (second, for_second), (silent, for_silent)):
        found = await desk.all_of(app_id)
        assert {identifier: entry.status for identifier, entry in found.items()} == dict.fromkeys(
            owed, NotificationStatus.DELIVERED
        )
