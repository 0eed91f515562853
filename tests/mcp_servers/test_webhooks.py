"""Messages reach the app signed, are tried again as long as that makes sense, and go nowhere they should not."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from sqlmodel import col, update
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from data import migrate
from data.apps import AppRow
from domain.actor import system
from domain.clock import now
from domain.notification import Audience, NotificationStatus
from mcp_servers.client import ServerName
from mcp_servers.notifications.answers import Delivered, NotificationList
from mcp_servers.notifications.webhooks import FIRST_RETRY, GIVE_UP_AFTER
from tests.mcp_servers.desk import OK, Desk, desk_at, in_turn
from tests.mcp_servers.serving import answer, receiving

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    url = f"sqlite:///{Path(tmp_path_factory.mktemp('desk')) / 'desk.db'}"
    await asyncio.to_thread(migrate.upgrade, url)
    async with desk_at(url) as desk:
        yield desk


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
