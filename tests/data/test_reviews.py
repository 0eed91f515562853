"""One person at a time holds an item, and one decision wins, by the database's clock (I7, I12)."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, rule
from sqlmodel import Session, SQLModel

from data import audit, cases, enforcements, outbox, reviews
from data.database import Database, engine_for
from domain.actor import system
from domain.case import Case
from domain.errors import Invalid, NotFound, StaleVersion
from domain.review import ReviewItem, ReviewStatus
from domain.vocabulary import Action, DecisionKind, Policy, Priority
from tests import factories

LEASE = timedelta(minutes=5)
OVER = timedelta(seconds=-1)


def opened(session: Session, **review: Any) -> ReviewItem:
    """Record an escalated case and give its review item."""
    record = factories.record(made=factories.decision(DecisionKind.ESCALATED))
    item = factories.review(record, **review)
    cases.record(session, record=record, review=item, messages=[], memory=None, actor=system("app_a"))
    return item


def claimed(session: Session, item: ReviewItem, moderator: str = "ann", lease: timedelta = LEASE) -> ReviewItem:
    return reviews.claim(session, app_id="app_a", review_id=item.id, moderator=moderator, lease=lease)


def decided(session: Session, item: ReviewItem, kind: DecisionKind = DecisionKind.APPROVED, who: str = "ann") -> Case:
    return reviews.decide(
        session,
        app_id="app_a",
        review_id=item.id,
        epoch=item.epoch,
        decision=factories.human(item.case_id, kind, reviewer=who),
        messages=[factories.message()],
        memory=None,
        actor=factories.person(name=who),
    )


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
        await database.write(lambda s: claimed(s, item, "bob"))
    other = await database.write(opened)
    await database.write(lambda s: claimed(s, other, "ann", OVER))
    taken = await database.write(lambda s: claimed(s, other, "bob"))
    assert (taken.assigned_to, taken.epoch) == ("bob", 2)


async def test_a_decision_takes_effect_at_once_and_whole(database: Database) -> None:
    item = await database.write(opened)
    held = await database.write(lambda s: claimed(s, item))
    case = await database.write(lambda s: decided(s, held, DecisionKind.REJECTED))
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
    assert [entry.action for entry in trail] == ["decision.recorded", "decision.by_person"]
    assert [entry.action for entry in in_force] == [Action.WARN]
    assert past.violations == 1
    assert len(owed) == 1


async def test_a_stale_claim_decides_nothing(database: Database) -> None:
    item = await database.write(opened)
    old = await database.write(lambda s: claimed(s, item, "ann", OVER))
    with pytest.raises(StaleVersion):
        await database.write(lambda s: decided(s, old))
    new = await database.write(lambda s: claimed(s, item, "bob"))
    with pytest.raises(StaleVersion):
        await database.write(lambda s: decided(s, old))
    await database.write(lambda s: decided(s, new, who="bob"))
    with pytest.raises(StaleVersion):
        await database.write(lambda s: decided(s, new, who="bob"))
    case = await database.read(lambda s: cases.get(s, app_id="app_a", case_id=item.case_id))
    assert case.reviewed_by == "bob"


async def test_of_sixteen_claims_one_wins(database: Database, url: str) -> None:
    sides = [database, *(Database(url) for _ in range(3))]
    for side in sides[1:]:
        await side.start()
    items = [await database.write(opened) for _ in range(10)]
    for item in items:
        claims = await asyncio.gather(
            *(sides[n % 4].write(lambda s, n=n, item=item: claimed(s, item, f"moderator {n}")) for n in range(16)),
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
            lambda s: reviews.decide(
                s,
                app_id="app_a",
                review_id=item.id,
                epoch=held.epoch,
                decision=vague,
                messages=[],
                memory=None,
                actor=factories.person(),
            )
        )
    still = await database.write(lambda s: reviews.list_open(s, app_id="app_a"))
    assert [entry.status for entry in still] == [ReviewStatus.IN_REVIEW]


async def test_what_has_the_nearest_place_stands_first_whatever_came_first(database: Database) -> None:
    latest = await database.write(lambda s: opened(s, due_in=timedelta(hours=9)))
    soonest = await database.write(lambda s: opened(s, due_in=timedelta(hours=1)))
    between = await database.write(lambda s: opened(s, due_in=timedelta(hours=4)))
    found = await database.read(lambda s: reviews.list_open(s, app_id="app_a"))
    assert [item.id for item in found] == [item.id for item in (soonest, between, latest)]


async def test_no_tenant_touches_anothers_queue(database: Database) -> None:
    item = await database.write(opened)
    with pytest.raises(NotFound):
        await database.write(
            lambda s: reviews.claim(s, app_id="app_b", review_id=item.id, moderator="eve", lease=LEASE)
        )
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


class Claims(RuleBasedStateMachine):
    """Claims, releases and decisions in any order, against a plain model of who holds what."""

    tokens: Bundle[ReviewItem] = Bundle("tokens")

    @initialize()
    def begin(self) -> None:
        self.session = Session(engine_for("sqlite://", writing=True))
        SQLModel.metadata.create_all(self.session.connection())
        self.item = opened(self.session)
        self.holder: int | None = None
        self.epoch, self.over, self.done = 0, False, False

    @rule(target=tokens, ends=st.booleans())
    def claim(self, ends: bool) -> Any:
        free = not self.done and (self.holder is None or self.over)
        try:
            token = claimed(self.session, self.item, "ann", OVER if ends else LEASE)
        except StaleVersion:
            assert not free
            return self.item
        assert free
        self.epoch, self.over = self.epoch + 1, ends
        self.holder = self.epoch
        assert token.epoch == self.epoch
        return token

    @rule(token=tokens)
    def release(self, token: ReviewItem) -> None:
        holds = not self.done and self.holder == token.epoch
        try:
            reviews.release(self.session, app_id="app_a", review_id=token.id, epoch=token.epoch)
        except StaleVersion:
            assert not holds
            return
        assert holds
        self.holder = None

    @rule(token=tokens)
    def decide(self, token: ReviewItem) -> None:
        holds = not self.done and self.holder == token.epoch and not self.over
        try:
            decided(self.session, token)
        except StaleVersion:
            assert not holds
            return
        assert holds
        self.done = True

    def teardown(self) -> None:
        if hasattr(self, "session"):
            bind = self.session.get_bind()
            self.session.close()
            bind.dispose()  # type: ignore[union-attr]


TestClaims = Claims.TestCase
TestClaims.settings = settings(
    max_examples=40, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
