"""Verdicts are held against policy, become messages that can be read beforehand, and go in bulk or not at all."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest
from sqlmodel import Session

from data import cases, claims, decisions, memory_inbox, outbox, queue
from data.database import Database
from domain.case import Case
from domain.clock import now
from domain.errors import CupidsShieldError, Invalid, NotPermitted, StaleVersion
from domain.notification import Audience, Message
from domain.queue import QueueFilter
from domain.review import BulkOutcome, Decided, ReviewItem, ReviewKind, Verdict
from domain.staff import Role, Staff
from domain.vocabulary import Action, DecisionKind, Policy, Priority, Route, Severity
from graphs.moderation.desk import MOST, Desk
from policies.loader import load
from tests import factories
from tests.data.desk import ANN, BOB, LEASE, claimed, opened

POLICIES = load(None)
APPEAL_AT = "https://shield.example.org/decisions/t0ken"
DESK = Desk(POLICIES, appeal_url=lambda case: APPEAL_AT)
FINE = Verdict(kind=DecisionKind.APPROVED, reasoning="They quote a film.")
SPAM = Verdict(
    kind=DecisionKind.REJECTED,
    policy=Policy.SPAM,
    severity=Severity.LOW,
    action=Action.WARN,
    reasoning="The walnut message again.",
)


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    await database.start()
    yield database
    await database.close()


def ruling(held: ReviewItem, verdict: Verdict, staff: Staff = ANN, desk: Desk = DESK) -> Callable[[Session], Decided]:
    return lambda s: desk.decide(s, staff=staff, review_id=held.id, epoch=held.epoch, verdict=verdict)


async def held(database: Database, text: str = "hello there", **changed: object) -> ReviewItem:
    item = await database.write(lambda s: opened(s, factories.content(text), **changed))
    return await database.write(lambda s: claimed(s, item))


async def case_of(database: Database, item: ReviewItem) -> Case:
    return await database.read(lambda s: cases.get(s, app_id="app_a", case_id=item.case_id))


async def owed(database: Database, item: ReviewItem) -> dict[Audience, Message]:
    found = await database.read(lambda s: outbox.find(s, app_id="app_a", status=None, case_id=item.case_id, limit=9))
    return {each.message.audience: each.message for each in found}


async def test_what_was_previewed_is_what_the_user_reads(database: Database) -> None:
    item = await held(database)
    before = await case_of(database, item)
    preview = DESK.preview(before, SPAM)
    await database.write(ruling(item, SPAM))
    messages = await owed(database, item)
    assert preview is not None
    assert messages[Audience.USER] == preview
    assert messages[Audience.APP].event == "case.rejected"
    assert all("walnut" not in message.model_dump_json() for message in messages.values())


async def test_what_the_action_is_stays_within_the_ladder(database: Database) -> None:
    item = await held(database)
    with pytest.raises(Invalid, match="offers"):
        await database.write(ruling(item, SPAM.model_copy(update={"action": Action.CAMPAIGN_LOCK})))
    with pytest.raises(Invalid, match="names"):
        await database.write(ruling(item, SPAM.model_copy(update={"policy": None})))
    assert (await case_of(database, item)).decision is DecisionKind.ESCALATED


async def test_what_is_for_the_legal_team_is_decided_by_nobody_else(database: Database) -> None:
    item = await held(database)
    minor = SPAM.model_copy(
        update={"policy": Policy.AGE_VERIFICATION, "severity": Severity.HIGH, "action": Action.WARN}
    )
    with pytest.raises(NotPermitted, match="legal"):
        await database.write(ruling(item, minor))
    at = now()
    moved = await database.write(
        lambda s: DESK.ask(s, staff=ANN, review_id=item.id, epoch=item.epoch, route=Route.LEGAL, text="A minor?", at=at)
    )
    assert (moved.route, moved.priority, moved.due_at) == (Route.LEGAL, Priority.URGENT, at + timedelta(hours=1))
    lex = factories.staff("lex", role=Role.LEGAL)
    taken = await database.write(lambda s: claimed(s, item, lex))
    made = await database.write(ruling(taken, minor, lex))
    assert made.policy is Policy.AGE_VERIFICATION


async def test_memory_is_told_what_a_person_decided(database: Database) -> None:
    def at_once(session: Session) -> None:
        policies = POLICIES.model_copy(
            update={
                "thresholds": POLICIES.thresholds.model_copy(
                    update={"queue": POLICIES.thresholds.queue.model_copy(update={"undo_seconds": -60.0})}
                )
            }
        )
        ruling(item, SPAM, desk=Desk(policies))(session)

    item = await held(database, "buy my coins")
    await database.write(at_once)
    [waiting] = await database.read(lambda s: memory_inbox.pending(s, limit=9))
    memory = waiting.item
    assert (memory.text, memory.policy, memory.confirmed, memory.vector) == ("buy my coins", Policy.SPAM, True, "")


def in_bulk(ids: list[str], verdict: Verdict = SPAM, staff: Staff = ANN) -> Callable[[Session], BulkOutcome]:
    return lambda s: DESK.decide_many(s, staff=staff, review_ids=ids, verdict=verdict)


async def test_a_bulk_act_decides_what_it_can_and_says_what_it_lost(database: Database) -> None:
    mine, free, theirs = await held(database), await database.write(opened), await database.write(opened)
    await database.write(lambda s: claimed(s, theirs, BOB))
    look = await database.write(lambda s: opened(s, kind=ReviewKind.QUALITY))
    ids = [mine.id, free.id, theirs.id, look.id, "review_absent"]
    outcome = await database.write(in_bulk([*ids, free.id]))
    assert outcome.done == (mine.id, free.id)
    assert set(outcome.lost) == {theirs.id, look.id, "review_absent"}
    assert "somebody else" in outcome.lost[theirs.id]
    page = await database.read(lambda s: queue.page(s, staff=BOB, wanted=QueueFilter()))
    assert {line.item.id: line.item.assigned_to for line in page.lines} == {theirs.id: "bob", look.id: None}


async def test_a_bulk_act_is_undone_as_one(database: Database) -> None:
    items = [await database.write(opened) for _ in range(3)]
    outcome = await database.write(in_bulk([item.id for item in items]))

    def undo(session: Session, staff: Staff = ANN) -> BulkOutcome:
        return decisions.undo_bulk(session, staff=staff, bulk_id=outcome.bulk_id, lease=LEASE)

    with pytest.raises(CupidsShieldError):
        await database.write(lambda s: undo(s, BOB))
    one = await database.read(lambda s: decisions.of_case(s, app_id="app_a", case_id=items[0].case_id))
    await database.write(lambda s: decisions.undo(s, staff=ANN, decision_id=one[0].id, lease=LEASE))
    undone = await database.write(undo)
    assert set(undone.done) == {items[1].id, items[2].id}
    assert list(undone.lost) == [items[0].id]
    for item in items:
        assert (await case_of(database, item)).decision is DecisionKind.ESCALATED
        fresh = await database.read(lambda s, item=item: claims.fresh(s, item.id))
        assert (fresh.assigned_to, fresh.epoch) == ("ann", 2)


@pytest.mark.parametrize("count", [0, MOST + 1])
async def test_a_bulk_act_is_over_as_many_as_one_can_have_seen(database: Database, count: int) -> None:
    with pytest.raises(Invalid):
        await database.write(in_bulk([f"review_{n}" for n in range(count)]))


async def test_a_stale_claim_is_refused_with_all_its_messages(database: Database) -> None:
    item = await held(database)
    await database.write(lambda s: claims.release(s, staff=ANN, review_id=item.id, epoch=item.epoch))
    with pytest.raises(StaleVersion):
        await database.write(ruling(item, FINE))
    assert await owed(database, item) == {}
