"""A run waits for a person, goes on once they have decided, and does nothing twice."""

import asyncio
import sqlite3
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from cupidsshield.bootstrap import House
from domain.errors import ToolUnavailable
from domain.notification import NotificationStatus
from domain.review import ReviewKind
from domain.vocabulary import DecisionKind
from tests import factories
from tests.graphs.conftest import (
    DOUBTFUL,
    Calls,
    app_told_at,
    case_of,
    decided,
    deliver_all,
    messages_of,
    moderate,
    person_decides,
    runs_where,
)
from tests.mcp_servers.serving import answer, receiving
from workers.settle import settle

LONG_AGO = timedelta(seconds=-5)

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_persons_decision_ends_the_run_and_has_the_messages_delivered(house: House, app_id: str) -> None:
    asked = Calls()
    async with runs_where(house, wake=asked) as runs:
        waiting = await moderate(runs, factories.content(DOUBTFUL, app_id=app_id))
        assert await runs.waits(waiting.case_id)
        asked.count = 0
        await person_decides(house, waiting, app_id)
        await runs.resume(app_id=app_id, case_id=waiting.case_id)
        assert not await runs.waits(waiting.case_id)
    assert asked.count == 1, "delivery was asked for at once"
    await deliver_all(house, app_id)
    assert {entry.status for entry in await messages_of(house, app_id)} == {NotificationStatus.DELIVERED}
    case = await case_of(house, app_id, waiting.case_id)
    assert (case.decision, case.reviewed_by) == (DecisionKind.APPROVED, "moderator_001")
    assert case.machine.kind is DecisionKind.ESCALATED, "what the machine decided never changes"


async def test_resuming_twice_does_nothing_more(house: House, app_id: str) -> None:
    asked = Calls()
    async with runs_where(house, wake=asked) as runs:
        waiting = await moderate(runs, factories.content(DOUBTFUL, app_id=app_id))
        await person_decides(house, waiting, app_id)
        await runs.resume(app_id=app_id, case_id=waiting.case_id)
        before, asked_before = await case_of(house, app_id, waiting.case_id), asked.count
        owed = len(await messages_of(house, app_id))
        await runs.resume(app_id=app_id, case_id=waiting.case_id)
        assert await case_of(house, app_id, waiting.case_id) == before
        assert len(await messages_of(house, app_id)) == owed
        assert asked.count == asked_before
        assert not await runs.waits(waiting.case_id)


async def test_a_lost_checkpoint_is_rebuilt_from_the_case(house: House, app_id: str, tmp_path: Path) -> None:
    waiting = await decided(house, app_id, DOUBTFUL)
    await person_decides(house, waiting, app_id)
    asked = Calls()
    async with runs_where(house, wake=asked, checkpoints=tmp_path) as runs:
        assert not await runs.waits(waiting.case_id)
        await runs.resume(app_id=app_id, case_id=waiting.case_id)
        assert asked.count >= 1
        assert not await runs.waits(waiting.case_id)
        asked.count = 0
        await runs.resume(app_id=app_id, case_id=waiting.case_id)
        assert asked.count == 0


async def test_a_run_can_be_resumed_by_another_process_over_the_same_checkpoints(
    house: House, app_id: str, tmp_path: Path
) -> None:
    async with runs_where(house, checkpoints=tmp_path) as first:
        waiting = await moderate(first, factories.content(DOUBTFUL, app_id=app_id))
    await person_decides(house, waiting, app_id)
    async with runs_where(house, checkpoints=tmp_path) as second:
        assert await second.waits(waiting.case_id)
        await second.resume(app_id=app_id, case_id=waiting.case_id)
        assert not await second.waits(waiting.case_id)


async def test_a_run_that_could_not_be_parked_is_answered_and_resumed_all_the_same(
    house: House, app_id: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The record is what counts: a full disk under the checkpoints takes no decision back."""
    async with runs_where(house, checkpoints=tmp_path) as runs:
        store = sqlite3.connect(tmp_path / "checkpoints.db")
        store.execute("ALTER TABLE checkpoints RENAME TO gone")
        store.commit()
        waiting = await moderate(runs, factories.content(DOUBTFUL, app_id=app_id))
        assert waiting.decision is DecisionKind.ESCALATED
        await runs.close()
        assert "could not be parked" in caplog.text
        store.execute("ALTER TABLE gone RENAME TO checkpoints")
        store.commit()
        store.close()
        await person_decides(house, waiting, app_id)
        await runs.resume(app_id=app_id, case_id=waiting.case_id)
        assert not await runs.waits(waiting.case_id)


async def test_two_who_resume_at_once_have_each_message_delivered_once(house: House) -> None:
    async with receiving(lambda posted: answer(200)) as receiver:
        app_id = await app_told_at(house, receiver.url)
        waiting = await decided(house, app_id, DOUBTFUL)
        await person_decides(house, waiting, app_id)
        await asyncio.gather(*(house.runs.resume(app_id=app_id, case_id=waiting.case_id) for _ in range(2)))
        await asyncio.gather(deliver_all(house, app_id), deliver_all(house, app_id))
        told = await messages_of(house, app_id)
    assert {entry.status for entry in told} == {NotificationStatus.DELIVERED}
    for_the_app = {entry.id for entry in told if entry.message.audience != "moderators"}
    assert Counter(posted.headers["webhook-id"] for posted in receiver.posted) == Counter(for_the_app)
    assert len(for_the_app) == 3, "two when it was escalated, one when it was decided"
    assert not await house.runs.waits(waiting.case_id)


async def test_a_person_is_needed_once_only_though_notification_is_down_when_they_decide(
    house: House, app_id: str
) -> None:
    async def down() -> None:
        raise ToolUnavailable("notifications", "down")

    async with runs_where(house, dispatch=down) as runs:
        waiting = await moderate(runs, factories.content(DOUBTFUL, app_id=app_id))
        await person_decides(house, waiting, app_id)
        await runs.resume(app_id=app_id, case_id=waiting.case_id)
        assert not await runs.waits(waiting.case_id)
    await deliver_all(house, app_id)
    assert {entry.status for entry in await messages_of(house, app_id)} == {NotificationStatus.DELIVERED}


async def test_a_decision_that_stands_ends_its_run_though_two_settle_it(house: House) -> None:
    async with receiving(lambda posted: answer(200)) as receiver:
        app_id = await app_told_at(house, receiver.url)
        waiting = await decided(house, app_id, DOUBTFUL)
        await person_decides(house, waiting, app_id, undo=LONG_AGO)
        step = settle(house.database, house.policies, {ReviewKind.CASE: house.resume})
        await asyncio.gather(step(), step())
        assert not await house.runs.waits(waiting.case_id)
        await asyncio.gather(deliver_all(house, app_id), deliver_all(house, app_id))
    posted = Counter(each.headers["webhook-id"] for each in receiver.posted)
    told = [entry for entry in await messages_of(house, app_id) if entry.message.audience != "moderators"]
    assert posted == Counter(entry.id for entry in told)


async def test_while_it_can_be_undone_the_run_waits(house: House, app_id: str) -> None:
    waiting = await decided(house, app_id, DOUBTFUL)
    await person_decides(house, waiting, app_id, undo=timedelta(hours=1))
    await settle(house.database, house.policies, {ReviewKind.CASE: house.resume})()
    assert await house.runs.waits(waiting.case_id)
