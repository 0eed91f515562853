"""Messages reach the app signed, are tried again as long as that makes sense, and go nowhere they should not."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
from sqlmodel import Session, col, update
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from data import apps, migrate, outbox
from data.apps import AppRow
from data.database import Database
from data.outbox import OutboxRow
from domain.actor import system
from domain.clock import now
from domain.ids import new_id
from domain.notification import Audience, Notification, NotificationStatus
from mcp_servers.client import ServerName, Toolbox, open_toolbox
from mcp_servers.identity import actor_in_meta
from mcp_servers.notifications import server as notifications_server
from mcp_servers.notifications.answers import Delivered, NotificationList
from mcp_servers.notifications.webhooks import (
    FIRST_RETRY,
    GIVE_UP_AFTER,
    WebhookSender,
)
from tests import factories
from tests.mcp_servers.serving import LONGEST_S, answer, in_own_task, receiving

pytestmark = pytest.mark.asyncio(loop_scope="session")

ALL = system("*", "delivery")
OK = answer(200)


@dataclass
class Desk:
    """An outbox with everything that delivers it, and no worker that does so by itself."""

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

    async def deliver(self) -> Delivered:
        async with asyncio.timeout(LONGEST_S):
            return await self.tools.call(
                ServerName.NOTIFICATIONS, "deliver_due", {}, actor=ALL, answer=Delivered, timeout_s=LONGEST_S
            )

    async def all_of(self, app_id: str) -> dict[str, Notification]:
        found = await self.tools.call(
            ServerName.NOTIFICATIONS, "list_notifications", {}, actor=system(app_id), answer=NotificationList
        )
        return {entry.id: entry for entry in found.notifications}

    async def let_time_pass(self, app_id: str, **changes: object) -> None:
        """Make what waits due now."""
        changed = {"next_attempt_at": now(), **changes}
        await self.database.write(
            lambda session: session.execute(update(OutboxRow).where(col(OutboxRow.app_id) == app_id).values(**changed))
        )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    url = f"sqlite:///{Path(tmp_path_factory.mktemp('desk')) / 'desk.db'}"
    await asyncio.to_thread(migrate.upgrade, url)
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


async def test_what_arrives_is_signed_with_the_apps_own_secret(desk: Desk) -> None:
    async with receiving(in_turn(OK)) as receiver:
        app_id, secret = await desk.app(receiver.url)
        _, others_secret = await desk.app(receiver.url)
        [identifier] = await desk.owe(app_id)
        assert await desk.deliver() == Delivered(delivered=1)
    [posted] = receiver.posted
    told = Webhook(secret).verify(posted.body, posted.headers)
    assert told == json.loads(posted.body)
    assert (told["type"], told["data"]["case_id"], told["data"]["audience"]) == ("user.decision", "case_1", "user")
    assert posted.headers["webhook-id"] == identifier
    assert posted.head.startswith("POST / ")
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(posted.body + b" ", posted.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(others_secret).verify(posted.body, posted.headers)
    assert (await desk.all_of(app_id))[identifier].status is NotificationStatus.DELIVERED


async def test_a_message_keeps_its_identifier_until_it_has_arrived(desk: Desk) -> None:
    async with receiving(in_turn(answer(500), answer(503), OK)) as receiver:
        app_id, secret = await desk.app(receiver.url)
        [identifier] = await desk.owe(app_id)
        outcomes = []
        for _ in range(4):
            outcomes.append(await desk.deliver())
            await desk.let_time_pass(app_id)
    assert outcomes == [Delivered(retrying=1), Delivered(retrying=1), Delivered(delivered=1), Delivered()]
    assert [posted.headers["webhook-id"] for posted in receiver.posted] == [identifier] * 3
    for posted in receiver.posted:
        Webhook(secret).verify(posted.body, posted.headers)
    settled = (await desk.all_of(app_id))[identifier]
    assert (settled.status, settled.attempts, settled.last_error) == (NotificationStatus.DELIVERED, 3, None)


async def test_what_failed_is_not_due_again_at_once(desk: Desk) -> None:
    async with receiving(in_turn(answer(500))) as receiver:
        app_id, _ = await desk.app(receiver.url)
        [identifier] = await desk.owe(app_id)
        assert await desk.deliver() == Delivered(retrying=1)
        assert await desk.deliver() == Delivered()
        assert len(receiver.posted) == 1
        waiting = (await desk.all_of(app_id))[identifier]
        assert waiting.next_attempt_at - waiting.created_at >= FIRST_RETRY * 0.8
        assert waiting.last_error == "the webhook answered 500"
    await desk.let_time_pass(app_id, status=NotificationStatus.DEAD)


async def test_gone_means_that_nobody_tries_again(desk: Desk) -> None:
    async with receiving(in_turn(answer(410))) as receiver:
        app_id, _ = await desk.app(receiver.url)
        [identifier] = await desk.owe(app_id)
        assert await desk.deliver() == Delivered(dead=1)
        await desk.let_time_pass(app_id)
        assert await desk.deliver() == Delivered()
    assert len(receiver.posted) == 1
    assert (await desk.all_of(app_id))[identifier].status is NotificationStatus.DEAD


async def test_after_three_days_a_message_is_a_dead_letter_that_can_be_seen(desk: Desk) -> None:
    async with receiving(in_turn(answer(500))) as receiver:
        app_id, _ = await desk.app(receiver.url)
        [identifier] = await desk.owe(app_id)
        await desk.let_time_pass(app_id, created_at=now() - GIVE_UP_AFTER - timedelta(seconds=1))
        assert await desk.deliver() == Delivered(dead=1)
    dead = await desk.tools.call(
        ServerName.NOTIFICATIONS,
        "list_notifications",
        {"status": "dead"},
        actor=system(app_id),
        answer=NotificationList,
    )
    assert [entry.id for entry in dead.notifications] == [identifier]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 304])
async def test_a_redirect_is_a_failure_and_is_not_followed(desk: Desk, status: int) -> None:
    async with receiving(in_turn(OK)) as elsewhere, receiving(in_turn(answer(status, location=elsewhere.url))) as at:
        app_id, _ = await desk.app(at.url)
        await desk.owe(app_id)
        assert await desk.deliver() == Delivered(retrying=1)
        assert (len(at.posted), len(elsewhere.posted)) == (1, 0)
    await desk.let_time_pass(app_id, status=NotificationStatus.DEAD)


async def test_moderators_are_told_here_and_not_by_the_app(desk: Desk) -> None:
    async with receiving(in_turn(OK)) as receiver:
        app_id, _ = await desk.app(receiver.url)
        for_user, for_app, for_moderators = await desk.owe(app_id, *[Audience.USER, Audience.APP, Audience.MODERATORS])
        assert await desk.deliver() == Delivered(delivered=3)
    assert {posted.headers["webhook-id"] for posted in receiver.posted} == {for_user, for_app}
    assert (await desk.all_of(app_id))[for_moderators].status is NotificationStatus.DELIVERED


async def test_an_app_without_a_webhook_fetches_its_messages(desk: Desk) -> None:
    app_id, _ = await desk.app(None)
    [identifier] = await desk.owe(app_id)
    assert await desk.deliver() == Delivered(delivered=1)
    assert (await desk.all_of(app_id))[identifier].status is NotificationStatus.DELIVERED


async def test_two_passes_at_once_send_each_message_once(desk: Desk) -> None:
    async with receiving(in_turn(OK)) as receiver:
        app_id, _ = await desk.app(receiver.url)
        owed = await desk.owe(app_id, *[Audience.USER] * 5)
        passes = await asyncio.gather(desk.deliver(), desk.deliver())
    assert sum(done.delivered for done in passes) == 5
    assert sorted(posted.headers["webhook-id"] for posted in receiver.posted) == sorted(owed)


@pytest.mark.parametrize(
    "response",
    [
        answer(503, retry_after="²"),
        answer(503, retry_after="9" * 400),
        answer(503, retry_after="-1"),
        answer(503, retry_after="tomorrow"),
        answer(503, retry_after="Wed, 21 Oct 99999 07:28:00 GMT"),
        b"HTTP/1.1 999 \xff\r\n\r\n",
        b"no http\r\n\r\n",
        b"",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        answer(500, b"no gzip", content_encoding="gzip"),
    ],
)
async def test_nothing_that_an_app_answers_upsets_the_delivery(desk: Desk, response: bytes) -> None:
    async with receiving(in_turn(response)) as receiver, receiving(in_turn(OK)) as good:
        odd_app, _ = await desk.app(receiver.url)
        good_app, _ = await desk.app(good.url)
        await desk.owe(odd_app)
        await desk.owe(good_app)
        assert await desk.deliver() == Delivered(delivered=1, retrying=1)
    await desk.let_time_pass(odd_app, status=NotificationStatus.DEAD)


async def test_an_endless_answer_is_not_listened_to(desk: Desk) -> None:
    endless = b"HTTP/1.1 200 So\r\ncontent-length: 1000000000000\r\n\r\n" + b"x" * 100_000
    async with receiving(in_turn(endless), hold=True) as receiver:
        app_id, _ = await desk.app(receiver.url)
        await desk.owe(app_id)
        assert await desk.deliver() == Delivered(delivered=1)


@pytest.mark.parametrize(
    "url",
    [
        "https://[half",
        "https://host:99999/x",
        "no url",
        "ftp://example.org",
        f"https://{'a' * 70}.example",
        "https://\x00",
    ],
)
async def test_an_address_that_cannot_be_used_holds_up_nobody_else(desk: Desk, url: str) -> None:
    async with receiving(in_turn(OK)) as receiver:
        bad_app, _ = await desk.app(url)
        good_app, _ = await desk.app(receiver.url)
        await desk.owe(bad_app)
        await desk.owe(good_app)
        assert await desk.deliver() == Delivered(delivered=1, retrying=1)
    await desk.let_time_pass(bad_app, status=NotificationStatus.DEAD)


async def test_a_secret_that_cannot_be_used_holds_up_nobody_else(desk: Desk) -> None:
    async with receiving(in_turn(OK)) as receiver:
        bad_app, _ = await desk.app(receiver.url)
        good_app, _ = await desk.app(receiver.url)
        await desk.database.write(
            lambda session: session.execute(
                update(AppRow).where(col(AppRow.id) == bad_app).values(webhook_secret="whsec_%%%")
            )
        )
        await desk.owe(bad_app)
        [good] = await desk.owe(good_app)
        assert await desk.deliver() == Delivered(delivered=1, retrying=1)
        assert [posted.headers["webhook-id"] for posted in receiver.posted] == [good]
    await desk.let_time_pass(bad_app, status=NotificationStatus.DEAD)
