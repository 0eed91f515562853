"""A person's decision holds at once; while there is time it can be undone, and everything is as before (I5-I7)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session, select

from data import audit, cases, decisions, enforcements, memory_inbox, outbox, reviews, settling
from data.case_table import CaseRow
from data.database import Database
from data.memory_inbox import MemoryInboxRow
from domain.actor import system
from domain.case import Case
from domain.errors import Invalid, NotFound, NotPermitted, StaleVersion
from domain.notification import NotificationStatus
from domain.review import Decided, ReviewItem, ReviewKind, ReviewStatus
from domain.staff import Staff
from domain.vocabulary import Action, DecisionKind, Policy
from tests import factories
from tests.data.desk import ANN, BOB, LEASE, claimed, decided, held_and_decided, opened

NO_TIME, LONG_AGO = timedelta(), timedelta(seconds=-5)


async def case_of(database: Database, item: ReviewItem) -> Case:
    return await database.read(lambda s: cases.get(s, app_id="app_a", case_id=item.case_id))


async def standing(database: Database, item: ReviewItem) -> tuple[Any, ...]:
    """Everything about a case that a decision changes."""
    case = await case_of(database, item)
    force = await database.read(lambda s: enforcements.active(s, app_id="app_a", user_id="u1"))
    past = await database.read(lambda s: cases.history(s, app_id="app_a", user_id="u1"))
    outcome = (case.decision, case.violation_type, case.severity, case.action, case.reasoning, case.reviewed_by)
    return (*outcome, force, past.violations)


async def told(database: Database, item: ReviewItem) -> list[NotificationStatus]:
    found = await database.read(lambda s: outbox.find(s, app_id="app_a", status=None, case_id=item.case_id, limit=9))
    return [each.status for each in found]


def in_memory(session: Session) -> list[str | None]:
    return list(session.exec(select(MemoryInboxRow.decision_id)))


def undoing(made: Decided, staff: Staff = ANN) -> Callable[[Session], ReviewItem]:
    return lambda s: decisions.undo(s, staff=staff, decision_id=made.id, lease=LEASE)


def ruled(session: Session, item: ReviewItem, undo: timedelta = timedelta(seconds=30)) -> Decided:
    memory = factories.memory_item(case_id=item.case_id, confirmed=True)
    return decided(session, claimed(session, item), DecisionKind.REJECTED, undo=undo, memory=memory)


async def test_what_leaves_the_house_waits_until_it_can_no_longer_be_undone(database: Database) -> None:
    item = await database.write(opened)
    made = await database.write(lambda s: ruled(s, item))
    assert made.undo_until - made.decided_at == timedelta(seconds=30)
    assert await database.write(lambda s: outbox.take(s, limit=9, lease=LEASE)) == ()
    assert await database.read(lambda s: memory_inbox.pending(s, limit=9)) == ()
    later = await database.write(opened)
    await database.write(lambda s: ruled(s, later, NO_TIME))
    [message] = await database.write(lambda s: outbox.take(s, limit=9, lease=LEASE))
    assert message.case_id == later.case_id


async def test_undoing_restores_everything_and_gives_the_item_back(database: Database) -> None:
    item = await database.write(opened)
    before = await standing(database, item)
    made = await database.write(lambda s: ruled(s, item))
    decision, *_, force, violations = await standing(database, item)
    assert (decision, [each.action for each in force], violations) == (DecisionKind.REJECTED, [Action.WARN], 1)
    again = await database.write(undoing(made))
    assert (again.status, again.assigned_to, again.epoch) == (ReviewStatus.IN_REVIEW, "ann", made.epoch + 1)
    assert await standing(database, item) == before
    assert await told(database, item) == [NotificationStatus.WITHDRAWN]
    assert await database.read(in_memory) == []
    trail = await database.read(lambda s: audit.for_case(s, app_id="app_a", case_id=item.case_id))
    assert [entry.action for entry in trail][-2:] == ["decision.by_person", "decision.undone"]
    assert trail[-1].actor == "person:ann"
    kept = await database.read(lambda s: decisions.get(s, staff=ANN, decision_id=made.id))
    assert kept.undone_at is not None


async def test_what_a_machine_had_put_in_force_is_in_force_again(database: Database) -> None:
    record = factories.record()
    item = factories.review(record)

    def reopen(session: Session) -> None:
        cases.record(session, record=record, review=None, messages=[], memory=None, actor=system("app_a"))
        reviews.add(session, item)

    await database.write(reopen)
    before = await standing(database, item)
    made = await database.write(lambda s: held_and_decided(s, item, DecisionKind.APPROVED))
    assert (await standing(database, item))[-2:] == ((), 0)
    await database.write(undoing(made))
    assert await standing(database, item) == before
    assert [each.action for each in before[-2]] == [Action.PERMANENT_BAN]


async def test_after_undoing_one_decides_again_and_only_under_the_new_claim(database: Database) -> None:
    item = await database.write(opened)
    held = await database.write(lambda s: claimed(s, item))
    made = await database.write(lambda s: decided(s, held))
    again = await database.write(undoing(made))
    with pytest.raises(StaleVersion):
        await database.write(lambda s: decided(s, held))
    second = await database.write(lambda s: decided(s, again, DecisionKind.REJECTED))
    found = await database.read(lambda s: decisions.of_case(s, app_id="app_a", case_id=item.case_id))
    assert [each.id for each in found] == [second.id, made.id]
    assert (await case_of(database, item)).violation_type is Policy.HARASSMENT


async def test_a_decision_is_undone_once_by_its_own_person_and_in_time(database: Database) -> None:
    item, late = await database.write(opened), await database.write(opened)
    made = await database.write(lambda s: ruled(s, item))
    over = await database.write(lambda s: ruled(s, late, NO_TIME))
    eve = factories.staff("eve", app_ids=("app_b",))
    for staff, error in ((BOB, NotPermitted), (eve, NotFound)):
        with pytest.raises(error):
            await database.write(undoing(made, staff))
    with pytest.raises(StaleVersion):
        await database.write(undoing(over))
    await database.write(undoing(made))
    with pytest.raises(StaleVersion):
        await database.write(undoing(made))
    with pytest.raises(NotFound):
        await database.read(lambda s: decisions.get(s, staff=eve, decision_id=made.id))


async def test_what_has_been_told_is_not_undone(database: Database) -> None:
    item = await database.write(opened)
    made = await database.write(lambda s: ruled(s, item))
    [message] = await database.read(
        lambda s: outbox.find(s, app_id="app_a", status=None, case_id=item.case_id, limit=2)
    )
    await database.write(
        lambda s: outbox.settle(s, notification_id=message.id, delivered=True, error="", again_at=None)
    )
    with pytest.raises(StaleVersion, match="told"):
        await database.write(undoing(made))
    assert (await case_of(database, item)).decision is DecisionKind.REJECTED, "nothing of it is kept"
    assert (await database.read(lambda s: decisions.get(s, staff=ANN, decision_id=made.id))).undone_at is None


async def test_a_case_that_somebody_changed_since_is_not_undone(database: Database) -> None:
    item = await database.write(opened)
    made = await database.write(lambda s: ruled(s, item))

    def overturn(session: Session) -> None:
        row = session.get(CaseRow, item.case_id)
        assert row is not None
        row.reviewed_by = "bob"
        session.add(row)

    await database.write(overturn)
    with pytest.raises(StaleVersion, match="changed"):
        await database.write(undoing(made))


async def test_support_is_no_violation_and_is_undone_without_a_trace(database: Database) -> None:
    item = await database.write(opened)
    held = await database.write(lambda s: claimed(s, item))
    of_care = factories.human(item.case_id, DecisionKind.REJECTED, reviewer="ann").model_copy(
        update={"policy": Policy.SELF_HARM, "action": Action.OFFER_SUPPORT}
    )
    made = await database.write(
        lambda s: decisions.decide(
            s,
            staff=ANN,
            review_id=item.id,
            epoch=held.epoch,
            decision=of_care,
            messages=[],
            memory=None,
            undo=LEASE,
        )
    )
    assert (await standing(database, item))[-2:] == ((), 0)
    await database.write(undoing(made))
    assert (await standing(database, item))[-2:] == ((), 0)


async def test_nobody_decides_in_anothers_name_or_an_appeal_as_a_case(database: Database) -> None:
    item = await database.write(opened)
    held = await database.write(lambda s: claimed(s, item))
    appeal = item.model_copy(update={"id": "review_appeal", "kind": ReviewKind.APPEAL})
    await database.write(lambda s: reviews.add(s, appeal))
    held_appeal = await database.write(lambda s: claimed(s, appeal, BOB))

    def ruling(held: ReviewItem, staff: Staff, name: str) -> Callable[[Session], Decided]:
        ruling = factories.human(item.case_id, reviewer=name)
        by: dict[str, Any] = {"staff": staff, "review_id": held.id, "epoch": held.epoch}
        return lambda s: decisions.decide(s, decision=ruling, messages=[], memory=None, undo=LEASE, **by)

    with pytest.raises(NotPermitted):
        await database.write(ruling(held, ANN, "bob"))
    with pytest.raises(Invalid):
        await database.write(ruling(held_appeal, BOB, "bob"))


async def test_a_second_look_is_kept_and_changes_nothing(database: Database) -> None:
    item = await database.write(opened)
    await database.write(lambda s: ruled(s, item, NO_TIME))
    before, owed = await standing(database, item), await told(database, item)
    look = item.model_copy(update={"id": "review_quality", "kind": ReviewKind.QUALITY})
    await database.write(lambda s: reviews.add(s, look))
    held = await database.write(lambda s: claimed(s, look, BOB))
    made = await database.write(lambda s: decided(s, held, DecisionKind.APPROVED, BOB))
    assert (made.kind, made.decision) == (ReviewKind.QUALITY, "approved")
    assert await standing(database, item) == before
    assert await told(database, item) == owed
    again = await database.write(undoing(made, BOB))
    assert (again.id, again.assigned_to) == (look.id, "bob")
    assert await standing(database, item) == before


async def test_what_can_no_longer_be_undone_is_settled_once(database: Database) -> None:
    items = [await database.write(opened) for _ in range(3)]
    long_ago = [await database.write(lambda s, item=item: ruled(s, item, LONG_AGO)) for item in items]
    fresh = await database.write(lambda s: ruled(s, opened(s)))
    first = await database.read(lambda s: settling.due(s, limit=2))
    rest = await database.read(lambda s: settling.due(s, after=first[-1], limit=2))
    assert [each.id for each in (*first, *rest)] == [each.id for each in long_ago]
    assert not await database.write(lambda s: settling.settle(s, decision_id=fresh.id))
    settled = [await database.write(lambda s: settling.settle(s, decision_id=long_ago[0].id)) for _ in range(2)]
    assert settled == [True, False]
    with pytest.raises(StaleVersion):
        await database.write(undoing(long_ago[0]))


async def test_what_was_undone_is_never_settled(database: Database) -> None:
    item = await database.write(opened)
    made = await database.write(lambda s: ruled(s, item))
    await database.write(undoing(made))
    past = text("UPDATE human_decisions SET undo_until = decided_at")
    await database.write(lambda s: s.execute(past))
    assert not await database.write(lambda s: settling.settle(s, decision_id=made.id))
    assert await database.read(lambda s: settling.due(s)) == ()
