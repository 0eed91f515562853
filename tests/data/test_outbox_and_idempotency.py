"""Messages wait until they are delivered or given up, and the first answer to a request is kept."""

from datetime import timedelta

import pytest
from sqlmodel import Session

from data import audit, cases, enforcements, idempotency, memory_inbox, outbox
from data.database import Database
from domain.actor import system
from domain.clock import now
from domain.errors import IdempotencyMismatch, NotFound, RequestInProgress
from domain.notification import Notification, NotificationStatus
from domain.vocabulary import Action
from tests import factories

LEASE = timedelta(minutes=2)
OVER = timedelta(seconds=-1)


async def owed(database: Database) -> Notification:
    found = await database.write(
        lambda s: outbox.add(s, app_id="app_a", case_id=None, messages=[factories.message()], actor=factories.agent())
    )
    return found[0]


async def taken(database: Database, lease: timedelta = LEASE) -> tuple[Notification, ...]:
    return await database.write(lambda s: outbox.take(s, limit=9, lease=lease))


async def settled(
    database: Database, message: Notification, *, ok: bool, again: timedelta | None
) -> NotificationStatus:
    return await database.write(
        lambda s: outbox.settle(
            s,
            notification_id=message.id,
            delivered=ok,
            error="" if ok else "down",
            again_at=now() + again if again else None,
        )
    )


async def test_a_delivered_message_is_owed_no_more(database: Database) -> None:
    message = await owed(database)
    assert await settled(database, message, ok=True, again=None) is NotificationStatus.DELIVERED
    assert await taken(database) == ()


async def test_a_failed_message_waits_for_its_next_try(database: Database) -> None:
    message = await owed(database)
    assert await settled(database, message, ok=False, again=timedelta(hours=1)) is NotificationStatus.PENDING
    assert await taken(database) == ()
    assert await settled(database, message, ok=False, again=timedelta(seconds=-1)) is NotificationStatus.PENDING
    [due] = await taken(database)
    assert (due.attempts, due.last_error) == (2, "down")


async def test_what_is_taken_is_left_to_its_taker_until_the_lease_is_over(database: Database) -> None:
    message = await owed(database)
    assert [each.id for each in await taken(database, OVER)] == [message.id]
    assert [each.id for each in await taken(database)] == [message.id], "its first taker's lease was over"
    assert await taken(database) == ()
    [waiting] = await database.read(lambda s: outbox.find(s, app_id="app_a", status=None, case_id=None, limit=9))
    assert (waiting.status, waiting.attempts) == (NotificationStatus.PENDING, 0)
    assert waiting.next_attempt_at > waiting.created_at + LEASE / 2


async def test_the_longest_due_are_taken_first_and_so_many_at_most(database: Database) -> None:
    early = now() - timedelta(hours=1)
    last, first, middle = await database.write(
        lambda s: [
            outbox.put(s, app_id="app_a", case_id=None, messages=[factories.message()], at=at)[0]
            for at in (early + timedelta(minutes=2), early, early + timedelta(minutes=1))
        ]
    )
    found = await database.write(lambda s: outbox.take(s, limit=2, lease=LEASE))
    assert [each.id for each in found] == [first, middle]
    assert [each.id for each in await taken(database)] == [last]


async def test_a_given_up_message_stays_visible(database: Database) -> None:
    message = await owed(database)
    assert await settled(database, message, ok=False, again=None) is NotificationStatus.DEAD
    dead = await database.read(
        lambda s: outbox.find(s, app_id="app_a", status=NotificationStatus.DEAD, case_id=None, limit=9)
    )
    assert [entry.id for entry in dead] == [message.id]


async def test_settling_an_absent_message_is_an_error(database: Database) -> None:
    message = await owed(database)
    with pytest.raises(NotFound):
        await settled(database, message.model_copy(update={"id": "msg_x"}), ok=True, again=None)


async def test_memory_waits_until_it_is_done(database: Database) -> None:
    items = [factories.memory_item() for _ in range(3)]
    for item in items:
        await database.write(lambda s, item=item: memory_inbox.add(s, item))
    waiting = await database.read(lambda s: memory_inbox.pending(s, limit=2))
    assert [entry.item for entry in waiting] == items[:2]
    await database.write(lambda s: memory_inbox.done(s, ids=[entry.id for entry in waiting]))
    left = await database.read(lambda s: memory_inbox.pending(s, limit=9))
    assert [entry.item for entry in left] == items[2:]


async def test_a_term_ends_by_itself(database: Database) -> None:
    made = factories.decision(action=Action.TEMP_BAN_24H)
    for age in (timedelta(hours=25), timedelta(hours=1)):
        record = factories.record(made=made).model_copy(update={"created_at": now() - age})
        await database.write(
            lambda s, record=record: cases.record(
                s, record=record, review=None, messages=[], memory=None, actor=system("app_a")
            )
        )
    assert len(await database.read(lambda s: enforcements.active(s, app_id="app_a", user_id="u1"))) == 1
    assert await database.write(enforcements.expire) == 1
    assert await database.write(enforcements.expire) == 0


def begun(session: Session, request_hash: str = "hash", key: str = "key") -> idempotency.Replay | None:
    return idempotency.begin(session, app_id="app_a", key=key, request_hash=request_hash)


def finished(session: Session) -> None:
    idempotency.finish(session, app_id="app_a", key="key", status=200, body='{"a": 1}')


async def test_the_first_answer_is_given_again(database: Database) -> None:
    assert await database.write(begun) is None
    await database.write(finished)
    assert await database.write(begun) == idempotency.Replay(status=200, body='{"a": 1}')


async def test_other_parameters_under_the_same_key_are_an_error(database: Database) -> None:
    await database.write(begun)
    await database.write(finished)
    with pytest.raises(IdempotencyMismatch):
        await database.write(lambda s: begun(s, "other"))


async def test_a_request_being_worked_on_is_not_begun_twice(database: Database) -> None:
    await database.write(begun)
    with pytest.raises(RequestInProgress):
        await database.write(begun)
    await database.write(lambda s: idempotency.abandon(s, app_id="app_a", key="key"))
    assert await database.write(begun) is None


async def test_keys_of_two_tenants_do_not_meet(database: Database) -> None:
    await database.write(begun)
    other = await database.write(lambda s: idempotency.begin(s, app_id="app_b", key="key", request_hash="anything"))
    assert other is None


async def test_expired_answers_are_forgotten(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    await database.write(begun)
    await database.write(finished)
    assert await database.write(idempotency.forget_expired) == 0
    later = now() + idempotency.KEPT + timedelta(seconds=1)
    monkeypatch.setattr(idempotency, "now", lambda: later)
    assert await database.write(idempotency.forget_expired) == 1


async def test_what_agents_send_is_in_the_audit_log(database: Database) -> None:
    record = factories.record()
    await database.write(
        lambda s: cases.record(s, record=record, review=None, messages=[], memory=None, actor=system("app_a"))
    )
    await database.write(
        lambda s: outbox.add(
            s, app_id="app_a", case_id=record.case_id, messages=[factories.message()], actor=factories.agent()
        )
    )
    trail = await database.read(lambda s: audit.for_case(s, app_id="app_a", case_id=record.case_id))
    assert [(entry.action, entry.actor) for entry in trail][-1] == ("message.sent", "agent:key_1")
