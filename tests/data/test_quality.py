"""Second looks and golden items: what leads see and settle, who is asked, and who must not be."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session

from data import apps, audit, cases, claims, decisions, golden, quality, reviews
from data import staff as accounts
from data.database import engine_for
from domain.clock import now
from domain.errors import Invalid, NotFound, NotPermitted, StaleVersion
from domain.estimates import Share
from domain.quality import Right
from domain.review import Decided, HumanDecision, ReviewItem, ReviewKind
from domain.staff import Role, Staff
from domain.statistics import Window
from domain.vocabulary import Action, DecisionKind, Policy, Route, Severity
from policies.loader import load
from policies.quality import AGAIN, brings_golden, decide_again, golden_look, second_look
from tests import factories
from tests.data.desk import LEASE, UNDO, opened

POLICIES = load()
APPROVED, REJECTED = DecisionKind.APPROVED, DecisionKind.REJECTED


class Floor:
    """A small app, its people, and what they do."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.app_id = apps.get_or_create(session, name="one").id
        self.ann, self.bob, self.cy = (self.hired(name, Role.MODERATOR) for name in ("Ann", "Bob", "Cy"))
        self.lead = self.hired("Lea", Role.POLICY_LEAD)

    def hired(self, name: str, role: Role, app_id: str | None = None) -> Staff:
        mail = f"{name}@example.org"
        given = [app_id or self.app_id]
        return accounts.create(
            self.session, email=mail, name=name, role=role, app_ids=given, password_hash="x", by="system:test"
        )

    def decided(self, item: ReviewItem, who: Staff, kind: DecisionKind, policy: Policy = Policy.SCAMS) -> Decided:
        held = claims.claim(self.session, staff=who, review_id=item.id, lease=LEASE)
        rejected = kind is REJECTED
        made = HumanDecision(
            case_id=item.case_id,
            reviewer=who.id,
            kind=kind,
            policy=policy if rejected else None,
            severity=Severity.HIGH if rejected else None,
            action=Action.WARN if rejected else None,
            reasoning=f"{who.name} says why.",
        )
        return decisions.decide(
            self.session,
            staff=who,
            review_id=item.id,
            epoch=held.epoch,
            decision=made,
            messages=[],
            memory=None,
            undo=UNDO,
        )

    def case(self, text: str = "hello there") -> ReviewItem:
        return opened(self.session, factories.content(text, app_id=self.app_id))

    def looked_at_twice(
        self, first: DecisionKind, second: DecisionKind, policy: Policy = Policy.SCAMS
    ) -> tuple[Decided, Decided]:
        """A case that Ann decided and Bob decided again."""
        one = self.decided(self.case(), self.ann, first)
        look = second_look(one, self.of(one.case_id), Route.MODERATOR, POLICIES, at=now())
        reviews.add(self.session, look)
        return one, self.decided(look, self.bob, second, policy)

    def of(self, case_id: str) -> Any:
        return cases.get(self.session, app_id=self.app_id, case_id=case_id)

    def disagreements(self, lead: Staff | None = None) -> tuple[int, tuple[Any, ...]]:
        who = lead or self.lead
        return quality.disagreements(self.session, lead=who, app_ids=sorted(who.app_ids))

    def handed_out(self) -> ReviewItem | None:
        return golden.hand_out(
            self.session,
            app_id=self.app_id,
            make=lambda case_id, route, turn: golden_look(self.of(case_id), route, turn, POLICIES, at=now()),
        )

    @property
    def window(self) -> Window:
        return Window(since=now() - timedelta(hours=1), until=now() + timedelta(hours=1))


@pytest.fixture
def floor(url: str) -> Iterator[Floor]:
    engine = engine_for(url, writing=True)
    with Session(engine) as session:
        yield Floor(session)
        session.rollback()
    engine.dispose()


class TestDisagreements:
    @pytest.mark.parametrize(
        ("first", "second", "policy", "differ"),
        [
            (APPROVED, APPROVED, Policy.SCAMS, 0),
            (REJECTED, REJECTED, Policy.SCAMS, 0),
            (REJECTED, REJECTED, Policy.SPAM, 1),
            (APPROVED, REJECTED, Policy.SCAMS, 1),
            (REJECTED, APPROVED, Policy.SCAMS, 1),
        ],
    )
    def test_two_who_decide_differently_disagree(
        self, floor: Floor, first: DecisionKind, second: DecisionKind, policy: Policy, differ: int
    ) -> None:
        floor.looked_at_twice(first, second, policy)
        assert floor.disagreements()[0] == differ

    def test_a_lead_reads_both_reasonings(self, floor: Floor) -> None:
        one, two = floor.looked_at_twice(REJECTED, APPROVED)
        _, (found,) = floor.disagreements()
        assert (found.first.id, found.first.reasoning) == (one.id, "Ann says why.")
        assert (found.second.id, found.second.reasoning) == (two.id, "Bob says why.")
        assert found.text == "hello there"

    def test_what_is_settled_is_settled_once_and_audited(self, floor: Floor) -> None:
        one, two = floor.looked_at_twice(REJECTED, APPROVED)
        settled = {"decision_id": two.id, "right": Right.FIRST, "becomes_golden": False, "again": None}
        assert quality.settle(floor.session, lead=floor.lead, **settled).id == one.id
        assert floor.disagreements() == (0, ())
        done = audit.for_case(floor.session, app_id=floor.app_id, case_id=one.case_id)[-1]
        assert (done.action, done.actor, done.details["right"]) == (
            "quality.settled",
            f"person:{floor.lead.id}",
            one.id,
        )
        with pytest.raises(StaleVersion, match="already"):
            quality.settle(floor.session, lead=floor.lead, **settled)

    def test_where_the_second_is_right_people_decide_the_case_again(self, floor: Floor) -> None:
        one, two = floor.looked_at_twice(REJECTED, APPROVED)
        _, (found,) = floor.disagreements()
        again = decide_again(found, floor.of(one.case_id), floor.lead, POLICIES, at=now())
        assert again is not None
        quality.settle(
            floor.session, lead=floor.lead, decision_id=two.id, right=Right.SECOND, becomes_golden=True, again=again
        )
        waiting = reviews.get(floor.session, app_id=floor.app_id, review_id=again.id)
        assert (waiting.kind, waiting.note, waiting.case_id) == (ReviewKind.CASE, AGAIN, one.case_id)
        assert floor.of(one.case_id).decision is REJECTED, "a lead measures; a person decides"
        (item,) = golden.golden_items(floor.session, lead=floor.lead, app_ids=[floor.app_id])
        assert (item.decision, item.policy) == (APPROVED, None)

    def test_a_case_that_stands_as_the_second_has_it_is_not_decided_again(self, floor: Floor) -> None:
        one, two = floor.looked_at_twice(REJECTED, APPROVED)
        found = quality.disagreement(floor.session, lead=floor.lead, decision_id=two.id)
        stands = floor.of(one.case_id).model_copy(update={"decision": APPROVED, "violation_type": None})
        assert decide_again(found, stands, floor.lead, POLICIES, at=now()) is None

    def test_another_tenants_disagreement_answers_like_none(self, floor: Floor) -> None:
        _, two = floor.looked_at_twice(REJECTED, APPROVED)
        other = floor.hired("Olaf", Role.POLICY_LEAD, apps.get_or_create(floor.session, name="two").id)
        assert floor.disagreements(other) == (0, ())
        for decision_id in (two.id, "decision_absent"):
            with pytest.raises(NotFound, match="there is no second look"):
                quality.disagreement(floor.session, lead=other, decision_id=decision_id)

    def test_only_leads_settle(self, floor: Floor) -> None:
        _, two = floor.looked_at_twice(REJECTED, APPROVED)
        with pytest.raises(NotPermitted):
            quality.settle(
                floor.session, lead=floor.cy, decision_id=two.id, right=Right.FIRST, becomes_golden=False, again=None
            )


class TestGoldenItems:
    def golden_case(self, floor: Floor) -> str:
        one = floor.decided(floor.case("buy my coin"), floor.ann, REJECTED)
        golden.mark(floor.session, lead=floor.lead, case_id=one.case_id, decision=REJECTED, policy=Policy.SCAMS)
        return one.case_id

    def test_one_is_given_out_like_any_second_look(self, floor: Floor) -> None:
        case_id = self.golden_case(floor)
        item = floor.handed_out()
        assert item is not None
        first = decisions.of_case(floor.session, app_id=floor.app_id, case_id=case_id)[0]
        look = second_look(first, floor.of(case_id), Route.MODERATOR, POLICIES, at=item.created_at)
        assert item.model_dump(exclude={"id"}) == look.model_dump(exclude={"id"})

    def test_who_decided_the_case_is_not_asked_it(self, floor: Floor) -> None:
        self.golden_case(floor)
        item = floor.handed_out()
        assert item is not None
        with pytest.raises(NotPermitted):
            claims.claim(floor.session, staff=floor.ann, review_id=item.id, lease=LEASE)

    def test_each_person_is_asked_once_and_then_nobody(self, floor: Floor) -> None:
        self.golden_case(floor)
        first = floor.handed_out()
        assert first is not None
        assert floor.handed_out() is None, "it waits already"
        floor.decided(first, floor.bob, REJECTED)
        second = floor.handed_out()
        assert second is not None
        assert second.id != first.id
        with pytest.raises(NotPermitted):
            claims.claim(floor.session, staff=floor.bob, review_id=second.id, lease=LEASE)
        floor.decided(second, floor.cy, APPROVED)
        assert floor.handed_out() is None, "everybody has answered"
        scores = golden.scores(floor.session, app_ids=[floor.app_id], window=floor.window)
        assert {s.reviewer: s.right for s in scores} == {
            floor.bob.id: Share(hits=1, of=1),
            floor.cy.id: Share(hits=0, of=1),
        }
        (item,) = golden.golden_items(floor.session, lead=floor.lead, app_ids=[floor.app_id])
        assert (item.asked, item.right) == (2, 1)

    def test_answers_to_them_are_no_disagreements_and_no_pairs(self, floor: Floor) -> None:
        self.golden_case(floor)
        item = floor.handed_out()
        assert item is not None
        floor.decided(item, floor.bob, APPROVED)
        assert floor.disagreements() == (0, ())
        assert quality.pairs(floor.session, app_ids=[floor.app_id], window=floor.window) == ()

    def test_what_is_unmarked_is_given_out_no_more(self, floor: Floor) -> None:
        case_id = self.golden_case(floor)
        golden.unmark(floor.session, lead=floor.lead, case_id=case_id)
        assert floor.handed_out() is None
        with pytest.raises(NotFound, match="not golden"):
            golden.unmark(floor.session, lead=floor.lead, case_id=case_id)

    def test_what_nobody_has_decided_has_no_right_answer(self, floor: Floor) -> None:
        with pytest.raises(Invalid, match="nobody has decided"):
            golden.mark(floor.session, lead=floor.lead, case_id=floor.case().case_id, decision=APPROVED)

    @pytest.mark.parametrize(("kind", "policy"), [(REJECTED, None), (APPROVED, Policy.SCAMS)])
    def test_an_answer_is_to_approve_or_to_reject_under_a_policy(
        self, floor: Floor, kind: DecisionKind, policy: Policy | None
    ) -> None:
        case_id = self.golden_case(floor)
        with pytest.raises(Invalid, match="the right answer"):
            golden.mark(floor.session, lead=floor.lead, case_id=case_id, decision=kind, policy=policy)

    def test_another_tenants_case_answers_like_none(self, floor: Floor) -> None:
        case_id = self.golden_case(floor)
        other = floor.hired("Olaf", Role.POLICY_LEAD, apps.get_or_create(floor.session, name="two").id)
        for wanted in (case_id, "case_absent"):
            with pytest.raises(NotFound, match="there is no case"):
                golden.mark(floor.session, lead=other, case_id=wanted, decision=APPROVED)
        assert golden.golden_items(floor.session, lead=other, app_ids=sorted(other.app_ids)) == ()

    def test_they_are_brought_as_often_as_the_policies_say(self) -> None:
        brought = sum(brings_golden(f"decision_{number}", POLICIES) for number in range(5_000))
        assert brought / 5_000 == pytest.approx(POLICIES.thresholds.quality.golden_share, abs=0.01)
