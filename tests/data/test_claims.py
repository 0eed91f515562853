"""People take, keep, pass over and pass on items, each under their own rights; nothing is ever held by two."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule
from sqlmodel import Session, SQLModel

from data import audit, claims, handovers, reviews
from data.database import Database, engine_for
from domain.clock import now
from domain.errors import CupidsShieldError, Invalid, NotFound, NotPermitted, StaleVersion
from domain.queue import QueueFilter
from domain.review import Place, ReviewItem, ReviewKind, ReviewStatus
from domain.staff import Role, Staff
from domain.vocabulary import DecisionKind, Priority, Route
from tests import factories
from tests.data.desk import ANN, BOB, LEASE, OVER, claimed, decided, held_and_decided, opened

SENIOR = factories.staff("sena", role=Role.SENIOR)
LEGAL = factories.staff("lex", role=Role.LEGAL)
SOON = timedelta(hours=1)
WEEK = timedelta(days=7)


def next_for(staff: Staff, wanted: QueueFilter | None = None) -> Callable[[Session], ReviewItem | None]:
    return lambda session: claims.claim_next(session, staff=staff, wanted=wanted or QueueFilter(), lease=LEASE)


def asking(held: ReviewItem, route: Route, staff: Staff = ANN) -> Callable[[Session], ReviewItem]:
    soon = now() + SOON
    place = Place(route=route, priority=Priority.HIGH, due_at=soon, order_at=soon)
    return lambda s: handovers.ask(s, staff=staff, review_id=held.id, epoch=held.epoch, place=place, text="Is it?")


def handing(held: ReviewItem, to: Staff, staff: Staff = ANN) -> Callable[[Session], ReviewItem]:
    return lambda s: handovers.hand_over(s, staff=staff, review_id=held.id, epoch=held.epoch, to=to, text="Yours.")


def holding(held: ReviewItem, until: timedelta = SOON) -> Callable[[Session], ReviewItem]:
    return lambda s: handovers.hold(
        s, staff=ANN, review_id=held.id, epoch=held.epoch, until=now() + until, reason="The app looks.", longest=WEEK
    )


async def acts(database: Database, item: ReviewItem) -> list[tuple[str, str]]:
    rows = await database.read(lambda s: audit.for_case(s, app_id="app_a", case_id=item.case_id))
    return [(row.action, row.actor) for row in rows][1:]


async def test_opening_what_one_holds_is_the_same_claim(database: Database) -> None:
    item = await database.write(opened)
    first = await database.write(lambda s: claimed(s, item, lease=timedelta(minutes=1)))
    again = await database.write(lambda s: claimed(s, item))
    assert again.epoch == first.epoch
    assert again.lease_until
    assert first.lease_until
    assert again.lease_until > first.lease_until
    assert await acts(database, item) == [("case.claimed", "person:ann")]


async def test_a_claim_is_kept_by_renewing_and_only_while_it_lasts(database: Database) -> None:
    item = await database.write(opened)
    held = await database.write(lambda s: claimed(s, item, lease=timedelta(minutes=1)))

    def renewed(epoch: int, staff: Staff = ANN) -> Callable[[Session], ReviewItem]:
        return lambda s: claims.renew(s, staff=staff, review_id=item.id, epoch=epoch, lease=WEEK)

    longer = await database.write(renewed(held.epoch))
    assert longer.lease_until
    assert held.lease_until
    assert longer.lease_until > held.lease_until + timedelta(days=6)
    for stale in (renewed(held.epoch + 1), renewed(held.epoch, BOB)):
        with pytest.raises(StaleVersion):
            await database.write(stale)
    await database.write(lambda s: claims.renew(s, staff=ANN, review_id=item.id, epoch=held.epoch, lease=OVER))
    with pytest.raises(StaleVersion):
        await database.write(renewed(held.epoch))


@pytest.mark.parametrize("role", [Role.POLICY_LEAD, Role.ADMIN])
async def test_who_does_not_review_takes_nothing(database: Database, role: Role) -> None:
    item = await database.write(opened)
    with pytest.raises(NotPermitted):
        await database.write(lambda s: claimed(s, item, factories.staff("x", role=role)))
    assert await database.write(next_for(factories.staff("x", role=role))) is None


@pytest.mark.parametrize(("route", "able"), [(Route.LEGAL, LEGAL), (Route.SENIOR, SENIOR), (Route.CARE, ANN)])
async def test_each_route_has_its_people(database: Database, route: Route, able: Staff) -> None:
    item = await database.write(lambda s: opened(s, route=route))
    for staff in {ANN, SENIOR, LEGAL} - {able}:
        if route not in staff.routes:
            with pytest.raises(NotPermitted):
                await database.write(lambda s, staff=staff: claimed(s, item, staff))
            assert await database.write(next_for(staff)) is None
    assert (await database.write(lambda s: claimed(s, item, able))).assigned_to == able.id


async def test_somebody_disabled_takes_nothing(database: Database) -> None:
    item = await database.write(opened)
    gone = ANN.model_copy(update={"disabled_at": now()})
    with pytest.raises(NotPermitted):
        await database.write(lambda s: claimed(s, item, gone))
    assert await database.write(next_for(gone)) is None


async def test_the_next_item_is_the_one_that_presses_most_among_what_is_wanted(database: Database) -> None:
    later = await database.write(lambda s: opened(s, order_at=now() + 2 * SOON, priority=Priority.URGENT))
    sooner = await database.write(lambda s: opened(s, order_at=now() + SOON))
    urgent = await database.write(next_for(ANN, QueueFilter(priority=Priority.URGENT)))
    other = await database.write(next_for(ANN))
    assert [urgent and urgent.id, other and other.id] == [later.id, sooner.id]
    assert await database.write(next_for(BOB)) is None, "both are held"


async def test_what_one_skipped_is_offered_to_others(database: Database) -> None:
    item = await database.write(opened)
    held = await database.write(next_for(ANN))
    assert held is not None
    await database.write(lambda s: claims.skip(s, staff=ANN, review_id=item.id, epoch=held.epoch, reason="I know them"))
    assert await database.write(next_for(ANN)) is None
    taken = await database.write(next_for(BOB))
    assert taken is not None
    assert taken.epoch == 2
    with pytest.raises(Invalid):
        await database.write(lambda s: claims.skip(s, staff=BOB, review_id=item.id, epoch=2, reason="  "))


async def test_a_lease_that_is_over_gives_the_item_to_the_next(database: Database) -> None:
    item = await database.write(opened)
    await database.write(lambda s: claimed(s, item, ANN, OVER))
    taken = await database.write(next_for(BOB))
    assert taken is not None
    assert (taken.id, taken.assigned_to, taken.epoch) == (item.id, "bob", 2)


async def test_what_is_handed_over_waits_for_that_person_and_comes_first(database: Database) -> None:
    await database.write(lambda s: opened(s, order_at=now()))
    item = await database.write(lambda s: opened(s, order_at=now() + SOON))
    held = await database.write(lambda s: claimed(s, item))
    given = await database.write(handing(held, BOB))
    assert (given.status, given.handed_to, given.asked_by, given.note) == (ReviewStatus.PENDING, "bob", "ann", "Yours.")
    with pytest.raises(StaleVersion, match="somebody else"):
        await database.write(lambda s: claimed(s, item, ANN))
    taken = await database.write(next_for(BOB))
    assert taken is not None
    assert (taken.id, taken.handed_to) == (item.id, None)
    assert [act for act, _ in await acts(database, item)] == ["case.claimed", "case.handed_over", "case.claimed"]


async def test_what_is_handed_over_and_overdue_is_anybodys(database: Database) -> None:
    item = await database.write(lambda s: opened(s, due_at=now() - SOON))
    held = await database.write(lambda s: claimed(s, item))
    await database.write(handing(held, BOB))
    assert (await database.write(next_for(ANN))) is not None


@pytest.mark.parametrize(
    ("to", "error"),
    [
        (ANN, Invalid),
        (LEGAL, NotPermitted),
        (factories.staff("eve", app_ids=("app_b",)), NotPermitted),
        (factories.staff("lead", role=Role.POLICY_LEAD), NotPermitted),
        (BOB.model_copy(update={"disabled_at": now()}), NotPermitted),
    ],
)
async def test_an_item_is_handed_only_to_somebody_who_may_decide_it(
    database: Database, to: Staff, error: type[CupidsShieldError]
) -> None:
    item = await database.write(opened)
    held = await database.write(lambda s: claimed(s, item))
    with pytest.raises(error):
        await database.write(handing(held, to))
    still = await database.write(lambda s: claimed(s, item))
    assert still.epoch == held.epoch, "it is still theirs"


async def test_asking_a_senior_moves_the_item_with_its_deadline(database: Database) -> None:
    item = await database.write(opened)
    held = await database.write(lambda s: claimed(s, item))
    moved = await database.write(asking(held, Route.SENIOR))
    assert (moved.route, moved.priority, moved.status) == (Route.SENIOR, Priority.HIGH, ReviewStatus.PENDING)
    assert moved.due_at < item.due_at
    with pytest.raises(NotPermitted):
        await database.write(lambda s: claimed(s, item))
    assert (await database.write(next_for(SENIOR))) is not None


@pytest.mark.parametrize(
    ("at", "to", "who"),
    [
        (Route.LEGAL, Route.SENIOR, LEGAL),
        (Route.LEGAL, Route.MODERATOR, LEGAL),
        (Route.SENIOR, Route.SENIOR, SENIOR),
        (Route.MODERATOR, Route.CARE, ANN),
    ],
)
async def test_nobody_is_asked_who_may_do_less(database: Database, at: Route, to: Route, who: Staff) -> None:
    item = await database.write(lambda s: opened(s, route=at))
    held = await database.write(lambda s: claimed(s, item, who))
    with pytest.raises(NotPermitted):
        await database.write(asking(held, to, who))


async def test_what_is_on_hold_is_offered_to_nobody_until_then(database: Database) -> None:
    item = await database.write(opened)
    held = await database.write(lambda s: claimed(s, item))
    await database.write(holding(held))
    assert await database.write(next_for(BOB)) is None
    with pytest.raises(StaleVersion, match="on hold"):
        await database.write(lambda s: claimed(s, item, BOB))
    await database.write(lambda s: handovers.take_off_hold(s, staff=BOB, review_id=item.id))
    with pytest.raises(StaleVersion):
        await database.write(lambda s: handovers.take_off_hold(s, staff=BOB, review_id=item.id))
    assert (await database.write(next_for(BOB))) is not None


async def test_a_hold_that_is_over_ends_by_itself(database: Database) -> None:
    item = await database.write(lambda s: opened(s))
    held = await database.write(lambda s: claimed(s, item))
    await database.write(holding(held, timedelta(milliseconds=1)))
    taken = None
    while taken is None:
        taken = await database.write(next_for(BOB))
    assert taken.id == item.id


@pytest.mark.parametrize("until", [-SOON, WEEK + SOON])
async def test_nothing_is_put_off_into_the_past_or_for_ever(database: Database, until: timedelta) -> None:
    item = await database.write(opened)
    held = await database.write(lambda s: claimed(s, item))
    with pytest.raises(Invalid):
        await database.write(holding(held, until))


def also(kind: ReviewKind, of: ReviewItem) -> Callable[[Session], ReviewItem]:
    """An appeal or a second look at the same case."""

    def open_it(session: Session) -> ReviewItem:
        item = of.model_copy(update={"id": f"{of.id}_{kind}", "kind": kind, "epoch": 0})
        reviews.add(session, item)
        return item

    return open_it


@pytest.mark.parametrize("kind", [ReviewKind.APPEAL, ReviewKind.QUALITY])
async def test_nobody_looks_again_at_what_they_decided(database: Database, kind: ReviewKind) -> None:
    first = await database.write(opened)
    await database.write(lambda s: held_and_decided(s, first, DecisionKind.APPROVED))
    item = await database.write(also(kind, first))
    assert await database.write(next_for(ANN)) is None
    with pytest.raises(NotPermitted):
        await database.write(lambda s: claimed(s, item, ANN))
    theirs = await database.write(next_for(BOB))
    assert theirs is not None
    with pytest.raises(NotPermitted):
        await database.write(handing(theirs, ANN, BOB))


async def test_who_passed_a_case_on_does_not_decide_an_appeal_against_it(database: Database) -> None:
    first = await database.write(opened)
    held = await database.write(lambda s: claimed(s, first))
    await database.write(handing(held, BOB))
    item = await database.write(also(ReviewKind.APPEAL, first))
    with pytest.raises(NotPermitted):
        await database.write(lambda s: claimed(s, item, ANN))
    assert (await database.write(lambda s: claimed(s, item, factories.staff("cem")))).assigned_to == "cem"


async def test_nothing_of_another_tenant_can_be_passed_on_or_put_off(database: Database) -> None:
    item = await database.write(opened)
    held = await database.write(lambda s: claimed(s, item))
    eve = factories.staff("eve", app_ids=("app_b",))
    by = {"staff": eve, "review_id": held.id, "epoch": held.epoch}
    tries: list[Callable[[Session], Any]] = [
        lambda s: claims.release(s, **by),
        lambda s: claims.renew(s, lease=LEASE, **by),
        lambda s: claims.skip(s, reason="so", **by),
        lambda s: handovers.hand_over(s, to=BOB, text="so", **by),
        asking(held, Route.SENIOR, eve),
        lambda s: handovers.take_off_hold(s, staff=eve, review_id=held.id),
    ]
    for one in tries:
        with pytest.raises(NotFound):
            await database.write(one)


class Protocol(RuleBasedStateMachine):
    """Two people do whatever they can in any order, against a plain model of who holds what."""

    tokens: Bundle[ReviewItem] = Bundle("tokens")
    people = st.sampled_from([ANN, BOB])

    @initialize(target=tokens)
    def begin(self) -> ReviewItem:
        self.session = Session(engine_for("sqlite://", writing=True))
        SQLModel.metadata.create_all(self.session.connection())
        self.item = opened(self.session)
        self.model: dict[str, Any] = {"holder": None, "over": False, "epoch": 0, "done": False}
        self.model |= {"kept_for": None, "held": False, "skipped": set()}
        return self.item

    def free_for(self, who: Staff) -> bool:
        model = self.model
        claimed_now = model["holder"] is not None and not model["over"]
        return not (model["done"] or claimed_now or model["held"] or model["kept_for"] not in (None, who.id))

    def holds(self, who: Staff, token: ReviewItem) -> bool:
        model = self.model
        mine = (model["holder"], model["over"], model["epoch"]) == (who.id, False, token.epoch)
        return mine and not model["done"]

    def took(self, who: Staff, ends: bool) -> None:
        self.model |= {"holder": who.id, "over": ends, "epoch": self.model["epoch"] + 1, "kept_for": None}

    @rule(target=tokens, who=people, ends=st.booleans())
    def claim(self, who: Staff, ends: bool) -> ReviewItem:
        mine = self.model["holder"] == who.id and not self.model["over"] and not self.model["done"]
        free = self.free_for(who)
        try:
            token = claimed(self.session, self.item, who, OVER if ends else LEASE)
        except StaleVersion:
            assert not free
            assert not mine
            return self.item
        assert free or mine
        if free:
            self.took(who, ends)
        else:
            self.model["over"] = ends
        assert token.epoch == self.model["epoch"]
        return token

    @rule(target=tokens, who=people)
    def claim_next(self, who: Staff) -> ReviewItem:
        free = self.free_for(who)
        offered = free and (self.model["kept_for"] == who.id or who.id not in self.model["skipped"])
        token = next_for(who)(self.session)
        assert (token is not None) == offered
        if token is None:
            return self.item
        self.took(who, False)
        assert token.epoch == self.model["epoch"]
        return token

    def attempt(self, who: Staff, token: ReviewItem, act: Callable[[Session], Any], **becomes: Any) -> bool:
        """Do something that only the holder may; whether it was done, as the model said."""
        may = self.holds(who, token)
        try:
            act(self.session)
        except StaleVersion:
            assert not may
            return False
        assert may
        self.model |= becomes
        return True

    @rule(who=people, token=tokens, ends=st.booleans())
    def renew(self, who: Staff, token: ReviewItem, ends: bool) -> None:
        lease = OVER if ends else LEASE
        act = {"staff": who, "review_id": token.id, "epoch": token.epoch, "lease": lease}
        self.attempt(who, token, lambda s: claims.renew(s, **act), over=ends)  # type: ignore[arg-type]

    @rule(who=people, token=tokens)
    def release(self, who: Staff, token: ReviewItem) -> None:
        act = {"staff": who, "review_id": token.id, "epoch": token.epoch}
        self.attempt(who, token, lambda s: claims.release(s, **act), holder=None)  # type: ignore[arg-type]

    @rule(who=people, token=tokens)
    def skip(self, who: Staff, token: ReviewItem) -> None:
        act = {"staff": who, "review_id": token.id, "epoch": token.epoch, "reason": "not mine"}
        if self.attempt(who, token, lambda s: claims.skip(s, **act), holder=None):  # type: ignore[arg-type]
            self.model["skipped"].add(who.id)

    @rule(who=people, token=tokens)
    def hand_over(self, who: Staff, token: ReviewItem) -> None:
        other = BOB if who is ANN else ANN
        self.attempt(who, token, handing(token, other, who), holder=None, kept_for=other.id)

    @rule(token=tokens)
    def hold(self, token: ReviewItem) -> None:
        self.attempt(ANN, token, holding(token), holder=None, held=True)

    @rule(who=people)
    def take_off_hold(self, who: Staff) -> None:
        held = self.model["held"] and not self.model["done"]
        try:
            handovers.take_off_hold(self.session, staff=who, review_id=self.item.id)
        except StaleVersion:
            assert not held
            return
        assert held
        self.model["held"] = False

    @rule(who=people, token=tokens)
    def decide(self, who: Staff, token: ReviewItem) -> None:
        self.attempt(who, token, lambda s: decided(s, token, staff=who), done=True)

    @invariant()
    def the_row_says_what_the_model_says(self) -> None:
        if not hasattr(self, "item"):
            return
        row = claims.fresh(self.session, self.item.id)
        assert row.epoch == self.model["epoch"]
        assert (row.status is ReviewStatus.COMPLETED) == self.model["done"]
        if not self.model["done"]:
            assert row.assigned_to == self.model["holder"]

    def teardown(self) -> None:
        if hasattr(self, "session"):
            bind = self.session.get_bind()
            self.session.close()
            bind.dispose()  # type: ignore[union-attr]


TestProtocol = Protocol.TestCase
TestProtocol.settings = settings(
    max_examples=40, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
