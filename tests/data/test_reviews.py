"""One person at a time holds an item, and one decision wins, by the database's clock (I7, I12)."""

import asyncio
from datetime import timedelta

import pytest
from sqlmodel import Session

from data import audit, cases, decisions, enforcements, outbox, reviews
from data.database import Database
from domain.actor import system
from domain.clock import now
from domain.errors import Invalid, NotFound, StaleVersion
from domain.review import ReviewItem, ReviewStatus
from domain.vocabulary import Action, DecisionKind, Policy, Priority
from tests import factories
from tests.data.desk import ANN, BOB, OVER, UNDO, claimed, decided, opened


async def test_a_claim_gives_a_lease_and_a_new_epoch(database: Database) -> None:
    item = await database.write(opened)
    held = await database.write(lambda s: claimed(s, item))
    assert (held.status, held.assigned_to, held.epoch) == (ReviewStatus.IN_REVIEW, "ann", 1)
    assert held.lease_until is not None
    assert timedelta(minutes=4) < held.lease_until - item.created_at < timedelta(minutes=6)


async def test_what_is_held_cannot_be_claimed_until_the_lease_is_over(database: Database) -> None:
    item = await database.write(opened)
    await database.write(lambda s: claimed(s, item))
    with pytest.raises(StaleVersion):
        await database.write(lambda s: claimed(s, item, BOB))
    other = await database.write(opened)
    await database.write(lambda s: claimed(s, other, ANN, OVER))
    taken = await database.write(lambda s: claimed(s, other, BOB))
    assert (taken.assigned_to, taken.epoch) == ("bob", 2)


async def test_a_decision_takes_effect_at_once_and_whole(database: Database) -> None:
    item = await database.write(opened)
    held = await database.write(lambda s: claimed(s, item))
    await database.write(lambda s: decided(s, held, DecisionKind.REJECTED))
    case = await database.read(lambda s: cases.get(s, app_id="app_a", case_id=item.case_id))
    assert (case.decision, case.violation_type, case.action) == (
        DecisionKind.REJECTED,
        Policy.HARASSMENT,
        Action.WARN,
    )
    assert case.reviewed_by == "ann"
    assert case.machine.kind is DecisionKind.ESCALATED
    trail = await database.read(lambda s: audit.for_case(s, app_id="app_a", case_id=case.id))
    in_force = await database.read(lambda s: enforcements.active(s, app_id="app_a", user_id="u1"))
    past = await database.read(lambda s: cases.history(s, app_id="app_a", user_id="u1"))
    owed = await database.read(lambda s: outbox.find(s, app_id="app_a", status=None, case_id=case.id, limit=5))
    assert [entry.action for entry in trail] == ["decision.recorded", "case.claimed", "decision.by_person"]
    assert [entry.action for entry in in_force] == [Action.WARN]
    assert past.violations == 1
    assert len(owed) == 1


async def test_a_stale_claim_decides_nothing(database: Database) -> None:
    item = await database.write(opened)
    old = await database.write(lambda s: claimed(s, item, ANN, OVER))
    with pytest.raises(StaleVersion):
        await database.write(lambda s: decided(s, old))
    new = await database.write(lambda s: claimed(s, item, BOB))
    with pytest.raises(StaleVersion):
        await database.write(lambda s: decided(s, old))
    await database.write(lambda s: decided(s, new, staff=BOB))
    with pytest.raises(StaleVersion):
        await database.write(lambda s: decided(s, new, staff=BOB))
    case = await database.read(lambda s: cases.get(s, app_id="app_a", case_id=item.case_id))
    assert case.reviewed_by == "bob"


async def test_of_sixteen_claims_one_wins(database: Database, url: str) -> None:
    sides = [database, *(Database(url) for _ in range(3))]
    for side in sides[1:]:
        await side.start()
    items = [await database.write(opened) for _ in range(10)]
    for item in items:
        claims = await asyncio.gather(
            *(
                sides[n % 4].write(lambda s, n=n, item=item: claimed(s, item, factories.staff(f"moderator {n}")))
                for n in range(16)
            ),
            return_exceptions=True,
        )
        won = [claim for claim in claims if isinstance(claim, ReviewItem)]
        assert len(won) == 1
        assert all(isinstance(claim, StaleVersion) for claim in claims if claim is not won[0])
        assert won[0].epoch == 1
    for side in sides[1:]:
        await side.close()


async def test_a_rejection_names_policy_severity_and_action(database: Database) -> None:
    item = await database.write(opened)
    held = await database.write(lambda s: claimed(s, item))
    vague = factories.human(item.case_id, DecisionKind.REJECTED).model_copy(update={"action": None})
    with pytest.raises(Invalid):
        await database.write(
            lambda s: decisions.decide(
                s,
                staff=factories.staff(),
                review_id=item.id,
                epoch=held.epoch,
                decision=vague,
                messages=[],
                memory=None,
                undo=UNDO,
            )
        )
    still = await database.write(lambda s: reviews.list_open(s, app_id="app_a"))
    assert [entry.status for entry in still] == [ReviewStatus.IN_REVIEW]


async def test_what_has_the_nearest_place_stands_first_whatever_came_first(database: Database) -> None:
    latest = await database.write(lambda s: opened(s, order_at=now() + timedelta(hours=9)))
    soonest = await database.write(lambda s: opened(s, order_at=now() + timedelta(hours=1)))
    between = await database.write(lambda s: opened(s, order_at=now() + timedelta(hours=4)))
    found = await database.read(lambda s: reviews.list_open(s, app_id="app_a"))
    assert [item.id for item in found] == [item.id for item in (soonest, between, latest)]


async def test_no_tenant_touches_anothers_queue(database: Database) -> None:
    item = await database.write(opened)
    with pytest.raises(NotFound):
        await database.write(lambda s: claimed(s, item, factories.staff("eve", app_ids=("app_b",))))
    assert await database.read(lambda s: reviews.list_open(s, app_id="app_b")) == ()


async def test_a_proposal_opens_the_review_that_it_brings_and_changes_no_outcome(database: Database) -> None:
    record = factories.record()
    brought = [factories.review(record, priority=priority) for priority in (Priority.URGENT, Priority.LOW)]
    await database.write(
        lambda s: cases.record(s, record=record, review=None, messages=[], memory=None, actor=system("app_a"))
    )

    def propose(session: Session, review: ReviewItem, app_id: str = "app_a") -> ReviewItem:
        return reviews.propose(
            session,
            app_id=app_id,
            case_id=record.case_id,
            decision=DecisionKind.APPROVED,
            policy=None,
            severity=None,
            action=None,
            reasoning="It quotes somebody else.",
            review=review,
            actor=factories.agent(),
        )

    proposed = [await database.write(lambda s, review=review: propose(s, review)) for review in brought]
    case = await database.read(lambda s: cases.get(s, app_id="app_a", case_id=record.case_id))
    assert proposed == [brought[0]] * 2
    assert await database.read(lambda s: reviews.list_open(s, app_id="app_a")) == (brought[0],)
    assert case.decision is DecisionKind.REJECTED
    with pytest.raises(NotFound):
        await database.write(lambda s: propose(s, brought[1], "app_b"))
