"""An appeal is filed once, is decided by a person with no hand in the case, and overturning it restores everything."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select, update

from data import appeal_decisions, appeals, audit, cases, claims, decisions, enforcements, handovers, outbox
from data.appeal_decisions import DecidedAppeal
from data.case_table import CaseRow
from data.database import Database
from data.memory_inbox import MemoryInboxRow
from data.outbox import OutboxRow
from data.review_table import HumanDecisionRow, ReviewRow
from domain.actor import system
from domain.appeal import Appeal, AppealBrief, AppealDecision, AppealOutcome, AppealStatus
from domain.case import Case
from domain.clock import now
from domain.errors import Invalid, NotFound, NotPermitted, StaleVersion
from domain.ids import new_id
from domain.notification import NotificationStatus
from domain.review import Place, ReviewItem, ReviewKind, ReviewStatus
from domain.staff import Role, Staff
from domain.vocabulary import Action, DecisionKind, Priority, Route
from graphs.appeals.messages import false_positive, outcome_messages
from tests import factories
from tests.data.desk import ANN, BOB, LEASE, UNDO, decided, held_and_decided, opened

APP = "app_a"
SAM = factories.staff("sam", role=Role.SENIOR)
LINK = "https://us.test/decisions/x"


def rejected(session: Session, action: Action = Action.TEMP_BAN_7D) -> Case:
    """A case that the machine rejected, with its enforcement in force."""
    record = factories.record(made=factories.decision(action=action))
    cases.record(session, record=record, review=None, messages=[], memory=None, actor=system(APP))
    return cases.get(session, app_id=APP, case_id=record.case_id)


def filed(session: Session, case: Case, *, route: Route = Route.MODERATOR, senior: bool = False) -> ReviewItem:
    """An appeal against a case, and the item that waits for a person."""
    appeal = Appeal(
        id=new_id("appeal"),
        app_id=APP,
        case_id=case.id,
        user_id=case.content.user_id,
        explanation="I meant the song.",
        status=AppealStatus.PENDING,
        needs_senior=senior,
        due_at=now() + timedelta(hours=24),
        created_at=now(),
    )
    review = ReviewItem(
        id=new_id("review"),
        app_id=APP,
        case_id=case.id,
        kind=ReviewKind.APPEAL,
        appeal_id=appeal.id,
        priority=Priority.MEDIUM,
        route=route,
        status=ReviewStatus.PENDING,
        due_at=appeal.due_at,
        order_at=appeal.due_at,
        created_at=appeal.created_at,
    )
    kept = appeals.file(session, appeal=appeal, review=review, actor=system(APP))
    assert kept.id == appeal.id
    return review


def asked(item: ReviewItem, outcome: AppealOutcome, staff: Staff, **more: Any) -> AppealDecision:
    assert item.appeal_id is not None
    return AppealDecision(
        appeal_id=item.appeal_id, reviewer=staff.id, outcome=outcome, reasoning="It was a song.", **more
    )


def decide(
    session: Session,
    item: ReviewItem,
    outcome: AppealOutcome = AppealOutcome.OVERTURN,
    staff: Staff = BOB,
    *,
    epoch: int | None = None,
    undo: timedelta = UNDO,
    **more: Any,
) -> DecidedAppeal:
    """Claim an appeal and decide it."""
    held = claims.claim(session, staff=staff, review_id=item.id, lease=LEASE) if epoch is None else item
    decision = asked(item, outcome, staff, **more)
    case = cases.get(session, app_id=APP, case_id=item.case_id)
    appeal = appeals.get(session, app_id=APP, appeal_id=decision.appeal_id)
    return appeal_decisions.decide(
        session,
        staff=staff,
        review_id=item.id,
        epoch=held.epoch if epoch is None else epoch,
        decision=decision,
        messages=outcome_messages(case, appeal, decision, LINK),
        memory=false_positive(case, now()) if outcome is AppealOutcome.OVERTURN else None,
        undo=undo,
    )


def world(session: Session, case: Case) -> dict[str, Any]:
    """All that a decision about an appeal may touch, as it stands."""
    session.expire_all()
    row = session.get_one(CaseRow, case.id)
    history = cases.history(session, app_id=APP, user_id=case.content.user_id)
    appeal = appeals.for_case(session, app_id=APP, case_id=case.id)
    return {
        "case": (row.decision, row.violation_type, row.severity, row.action, row.reasoning, row.reviewed_by),
        "record": (history.cases, history.violations),
        "in force": [e.id for e in enforcements.active(session, app_id=APP, user_id=case.content.user_id)],
        "appeal": appeal.model_dump(exclude={"brief"}) if appeal else None,
        "owed": session.exec(select(OutboxRow.id).where(OutboxRow.status == NotificationStatus.PENDING)).all(),
        "for memory": session.exec(select(MemoryInboxRow.id)).all(),
    }


class TestFiling:
    async def test_a_case_is_appealed_once(self, database: Database) -> None:
        def work(session: Session) -> None:
            case = rejected(session)
            first = filed(session, case)
            again = appeals.get(session, app_id=APP, appeal_id=first.appeal_id or "")
            other = again.model_copy(update={"id": new_id("appeal"), "explanation": "Another try."})
            review = first.model_copy(update={"id": new_id("review"), "appeal_id": other.id})
            assert appeals.file(session, appeal=other, review=review, actor=system(APP)) == again
            waiting = session.exec(select(ReviewRow.id).where(ReviewRow.case_id == case.id)).all()
            assert waiting == [first.id]

        await database.write(work)

    async def test_an_appeal_is_found_in_its_own_app_alone(self, database: Database) -> None:
        def work(session: Session) -> None:
            item = filed(session, rejected(session))
            for app_id, appeal_id in (("app_b", item.appeal_id or ""), (APP, "appeal_of_nobody")):
                with pytest.raises(NotFound, match="there is no appeal"):
                    appeals.get(session, app_id=app_id, appeal_id=appeal_id)
            assert appeals.for_case(session, app_id="app_b", case_id=item.case_id) is None
            own = appeals.search(session, app_ids=frozenset({APP}), status=None, cursor=None, limit=10)
            foreign = appeals.search(session, app_ids=frozenset({"app_b"}), status=None, cursor=None, limit=10)
            assert (len(own.appeals), len(foreign.appeals)) == (1, 0)

        await database.write(work)

    async def test_pages_of_appeals_hold_each_once(self, database: Database) -> None:
        def work(session: Session) -> None:
            made = {filed(session, rejected(session)).appeal_id for _ in range(5)}
            seen, cursor = [], None
            while True:
                page = appeals.search(session, app_ids=frozenset({APP}), status=None, cursor=cursor, limit=2)
                seen += [appeal.id for appeal in page.appeals]
                if (cursor := page.next_cursor) is None:
                    break
            assert len(seen) == 5
            assert set(seen) == made

        await database.write(work)

    async def test_a_brief_is_laid_once_and_never_beside_a_decided_appeal(self, database: Database) -> None:
        brief = AppealBrief(
            factors=(),
            score=0.9,
            recommendation=AppealOutcome.OVERTURN,
            for_the_user=(),
            for_the_decision=(),
            prepared_by="test",
        )

        def work(session: Session) -> None:
            item = filed(session, rejected(session))
            appeal_id = item.appeal_id or ""
            assert [a.id for a in appeals.unprepared(session, limit=9)] == [appeal_id]
            for laid in (brief, brief.model_copy(update={"score": 0.1})):
                appeals.prepared(session, app_id=APP, appeal_id=appeal_id, brief=laid, actor=system(APP))
            found = appeals.get(session, app_id=APP, appeal_id=appeal_id)
            assert (found.brief, found.status) == (brief, AppealStatus.UNDER_REVIEW)
            assert appeals.unprepared(session, limit=9) == ()
            bare = filed(session, rejected(session))
            decide(session, bare, AppealOutcome.UPHOLD)
            late = appeals.prepared(session, app_id=APP, appeal_id=bare.appeal_id or "", brief=brief, actor=system(APP))
            assert (late.brief, late.status) == (None, AppealStatus.UPHELD)

        await database.write(work)


class TestDeciding:
    async def test_overturning_restores_everything(self, database: Database) -> None:
        def work(session: Session) -> None:
            case = rejected(session, Action.TEMP_BAN_7D)
            item = filed(session, case)
            before = world(session, case)
            assert before["case"][:4] == ("rejected", "scams", "high", "temp_ban_7d")
            assert (before["record"], len(before["in force"])) == ((1, 1), 1)
            done = decide(session, item)
            after = world(session, case)
            assert after["case"] == ("approved", None, None, None, "It was a song.", "bob")
            assert after["record"] == (1, 0), "the violation is off the record, the case stays"
            assert after["in force"] == []
            assert done.appeal.status is AppealStatus.OVERTURNED
            told = [n.message for n in outbox.find(session, app_id=APP, status=None, case_id=case.id, limit=9)]
            assert {message.audience for message in told} == {"user", "app"}
            assert any("apologise" in message.body for message in told)
            assert not any("bob" in message.model_dump_json().lower() for message in told), "nobody learns who"
            [learnt] = session.exec(select(MemoryInboxRow)).all()
            assert learnt.due_at > done.undo_until
            row = session.get_one(ReviewRow, item.id)
            assert row.status == ReviewStatus.COMPLETED

        await database.write(work)

    async def test_upholding_changes_nothing_but_the_appeal_and_tells_why(self, database: Database) -> None:
        def work(session: Session) -> None:
            case = rejected(session)
            item = filed(session, case)
            before = world(session, case)
            done = decide(session, item, AppealOutcome.UPHOLD)
            after = world(session, case)
            assert {key: after[key] for key in ("case", "record", "in force", "for memory")} == {
                key: before[key] for key in ("case", "record", "in force", "for memory")
            }
            assert done.appeal.status is AppealStatus.UPHELD
            to_user = outbox.find(session, app_id=APP, status=None, case_id=case.id, limit=9)
            assert any("It was a song." in n.message.body for n in to_user)

        await database.write(work)

    async def test_undoing_puts_everything_back_and_nothing_was_told(self, database: Database) -> None:
        def work(session: Session) -> None:
            case = rejected(session)
            item = filed(session, case)
            before = world(session, case)
            done = decide(session, item)
            assert world(session, case) != before
            back = appeal_decisions.undo(session, staff=BOB, decision_id=done.id, lease=LEASE)
            assert world(session, case) == before
            assert (back.assigned_to, back.status, back.epoch) == ("bob", ReviewStatus.IN_REVIEW, 2)
            with pytest.raises(StaleVersion):
                appeal_decisions.undo(session, staff=BOB, decision_id=done.id, lease=LEASE)
            again = decide(session, back, AppealOutcome.UPHOLD, epoch=back.epoch)
            assert again.appeal.status is AppealStatus.UPHELD, "who undid it may decide it anew"

        await database.write(work)

    async def test_nobody_else_undoes_it_and_nobody_once_it_stands(self, database: Database) -> None:
        def work(session: Session) -> None:
            item = filed(session, rejected(session))
            done = decide(session, item, undo=timedelta(seconds=-2))
            with pytest.raises(NotPermitted):
                appeal_decisions.undo(session, staff=SAM, decision_id=done.id, lease=LEASE)
            with pytest.raises(StaleVersion):
                appeal_decisions.undo(session, staff=BOB, decision_id=done.id, lease=LEASE)

        await database.write(work)

    async def test_a_stale_epoch_decides_nothing(self, database: Database) -> None:
        def work(session: Session) -> None:
            case = rejected(session)
            item = filed(session, case)
            held = claims.claim(session, staff=BOB, review_id=item.id, lease=timedelta(seconds=-1))
            cid = factories.staff("cid")
            taken = claims.claim(session, staff=cid, review_id=item.id, lease=LEASE)
            before = world(session, case)
            for staff, epoch in ((BOB, held.epoch), (BOB, taken.epoch), (cid, held.epoch)):
                with pytest.raises(StaleVersion):
                    decide(session, item, staff=staff, epoch=epoch)
            assert world(session, case) == before
            assert decide(session, item, staff=cid, epoch=taken.epoch).appeal.resolved_by == "cid"
            with pytest.raises(StaleVersion):
                decide(session, item, staff=cid, epoch=taken.epoch)

        await database.write(work)

    async def test_each_decision_has_one_audit_row(self, database: Database) -> None:
        def work(session: Session) -> None:
            case = rejected(session)
            decide(session, filed(session, case))
            done = [row.action for row in audit.for_case(session, app_id=APP, case_id=case.id)]
            assert done.count("appeal.overturned") == 1

        await database.write(work)

    async def test_it_is_settled_once_and_only_when_it_stands(self, database: Database) -> None:
        def work(session: Session) -> None:
            case = rejected(session)
            item = filed(session, case)
            appeal_id = item.appeal_id or ""
            appeal_decisions.settle(session, app_id=APP, appeal_id=appeal_id, actor=system(APP))
            assert not appeal_decisions.is_settled(session, app_id=APP, appeal_id=appeal_id), "nobody has decided"
            decide(session, item)
            appeal_decisions.settle(session, app_id=APP, appeal_id=appeal_id, actor=system(APP))
            assert not appeal_decisions.is_settled(session, app_id=APP, appeal_id=appeal_id), "it can be undone"
            over = {"undo_until": now() - timedelta(seconds=5)}
            session.execute(update(HumanDecisionRow).where(col(HumanDecisionRow.appeal_id) == appeal_id).values(**over))
            for _ in range(2):
                appeal_decisions.settle(session, app_id=APP, appeal_id=appeal_id, actor=system(APP))
            assert appeal_decisions.is_settled(session, app_id=APP, appeal_id=appeal_id)
            rows = [row.action for row in audit.for_case(session, app_id=APP, case_id=case.id)]
            assert rows.count("appeal.settled") == 1

        await database.write(work)


class TestEscalating:
    async def test_it_goes_to_a_senior_with_two_days_and_the_first_one_is_out(self, database: Database) -> None:
        def work(session: Session) -> None:
            case = rejected(session)
            item = filed(session, case)
            before = world(session, case)
            self.escalate(session, item)
            after = world(session, case)
            assert (after["case"], after["in force"]) == (before["case"], before["in force"])
            row = session.get_one(ReviewRow, item.id).item()
            assert (row.route, row.status, row.assigned_to) == (Route.SENIOR, ReviewStatus.PENDING, None)
            assert after["appeal"]["status"] is AppealStatus.ESCALATED
            assert after["appeal"]["needs_senior"]
            done = decide(session, item, staff=SAM, sets_precedent=True)
            assert (done.appeal.status, done.appeal.sets_precedent) == (AppealStatus.OVERTURNED, True)
            appeal_decisions.undo(session, staff=SAM, decision_id=done.id, lease=LEASE)
            assert world(session, case)["appeal"] == after["appeal"], "it is escalated again, not new"

        await database.write(work)

    async def test_seniors_cannot_pass_it_on_for_ever(self, database: Database) -> None:
        def work(session: Session) -> None:
            item = filed(session, rejected(session), route=Route.SENIOR, senior=True)
            with pytest.raises(Invalid, match="last ones to ask"):
                self.escalate(session, item, SAM)

        await database.write(work)

    @staticmethod
    def escalate(session: Session, item: ReviewItem, staff: Staff = BOB) -> Appeal:
        held = claims.claim(session, staff=staff, review_id=item.id, lease=LEASE)
        due = now() + timedelta(hours=48)
        place = Place(route=Route.SENIOR, priority=Priority.HIGH, due_at=due, order_at=due)
        return appeal_decisions.escalate(
            session,
            staff=staff,
            review_id=item.id,
            epoch=held.epoch,
            decision=asked(item, AppealOutcome.ESCALATE, staff),
            place=place,
            messages=[factories.message()],
        )


def decided_it(session: Session, item: ReviewItem) -> None:
    held_and_decided(session, item, DecisionKind.REJECTED, ANN)


def decided_and_undid_it(session: Session, item: ReviewItem) -> None:
    held = claims.claim(session, staff=ANN, review_id=item.id, lease=LEASE)
    done = decided(session, held, DecisionKind.APPROVED, ANN)
    decisions.undo(session, staff=ANN, decision_id=done.id, lease=timedelta(seconds=-1))


def claimed_it(session: Session, item: ReviewItem) -> None:
    claims.claim(session, staff=ANN, review_id=item.id, lease=timedelta(seconds=-1))


def skipped_it(session: Session, item: ReviewItem) -> None:
    held = claims.claim(session, staff=ANN, review_id=item.id, lease=LEASE)
    claims.skip(session, staff=ANN, review_id=item.id, epoch=held.epoch, reason="too close")


def handed_it_over(session: Session, item: ReviewItem) -> None:
    held = claims.claim(session, staff=ANN, review_id=item.id, lease=LEASE)
    handovers.hand_over(
        session, staff=ANN, review_id=item.id, epoch=held.epoch, to=factories.staff("dan"), text="yours"
    )


def held_it(session: Session, item: ReviewItem) -> None:
    held = claims.claim(session, staff=ANN, review_id=item.id, lease=LEASE)
    handovers.hold(
        session,
        staff=ANN,
        review_id=item.id,
        epoch=held.epoch,
        until=now() + timedelta(hours=1),
        reason="waiting",
        longest=timedelta(days=1),
    )


class TestWhoMayNot:
    """I8: nobody who had a hand in the case decides the appeal, by claim or by decision."""

    @pytest.mark.parametrize(
        "hand", [decided_it, decided_and_undid_it, claimed_it, skipped_it, handed_it_over, held_it]
    )
    async def test_nobody_decides_an_appeal_against_what_they_dealt_with(
        self, database: Database, hand: Callable[[Session, ReviewItem], None]
    ) -> None:
        def work(session: Session) -> None:
            item = opened(session)
            hand(session, item)
            self.close(session, item)
            case = cases.get(session, app_id=APP, case_id=item.case_id)
            appeal = filed(session, case)
            before = world(session, case)
            with pytest.raises(NotPermitted, match="somebody else decides"):
                claims.claim(session, staff=ANN, review_id=appeal.id, lease=LEASE)
            self.force_claim(session, appeal, ANN)
            for outcome in (AppealOutcome.UPHOLD, AppealOutcome.OVERTURN):
                with pytest.raises(NotPermitted, match="had a hand"):
                    decide(session, appeal, outcome, ANN, epoch=1)
            assert world(session, case) == before
            self.free(session, appeal)
            assert decide(session, appeal, staff=factories.staff("eve")).appeal.resolved_by == "eve"

        await database.write(work)

    async def test_nobody_decides_their_own_appeal(self, database: Database) -> None:
        def work(session: Session) -> None:
            case = rejected(session)
            item = filed(session, case)
            author = factories.staff(case.content.user_id)
            with pytest.raises(NotPermitted):
                claims.claim(session, staff=author, review_id=item.id, lease=LEASE)
            self.force_claim(session, item, author)
            with pytest.raises(NotPermitted):
                decide(session, item, staff=author, epoch=1)

        await database.write(work)

    async def test_the_condition_stands_in_the_update_itself(self, database: Database) -> None:
        """Who takes a hand in the case between the look and the act loses as well."""

        def work(session: Session) -> None:
            item = opened(session)
            decided_it(session, item)
            case = cases.get(session, app_id=APP, case_id=item.case_id)
            appeal = filed(session, case)
            self.force_claim(session, appeal, ANN)
            row = session.get_one(ReviewRow, appeal.id)
            with pytest.raises(StaleVersion):
                appeal_decisions._end_claim(session, ANN, row, 1, {"status": ReviewStatus.COMPLETED.value})

        await database.write(work)

    @pytest.mark.parametrize("role", [Role.POLICY_LEAD, Role.ADMIN, Role.LEGAL])
    async def test_other_roles_do_not_decide(self, database: Database, role: Role) -> None:
        def work(session: Session) -> None:
            item = filed(session, rejected(session))
            with pytest.raises(NotPermitted):
                decide(session, item, staff=factories.staff("kim", role=role), epoch=1)

        await database.write(work)

    async def test_a_moderator_overturns_no_permanent_ban_and_sets_no_precedent(self, database: Database) -> None:
        def work(session: Session) -> None:
            banned = filed(session, rejected(session, Action.PERMANENT_BAN), senior=True)
            with pytest.raises(NotPermitted, match="for a senior"):
                decide(session, banned)
            small = filed(session, rejected(session))
            with pytest.raises(NotPermitted, match="for a senior"):
                decide(session, small, AppealOutcome.UPHOLD, sets_precedent=True)
            self.free(session, banned)
            session.execute(update(ReviewRow).where(col(ReviewRow.id) == banned.id).values(route=Route.SENIOR.value))
            assert decide(session, banned, staff=SAM).appeal.status is AppealStatus.OVERTURNED

        await database.write(work)

    async def test_no_account_of_another_app_reaches_it(self, database: Database) -> None:
        def work(session: Session) -> None:
            item = filed(session, rejected(session))
            stranger = factories.staff("zoe", role=Role.SENIOR, app_ids=("app_b",))
            for act in (
                lambda: claims.claim(session, staff=stranger, review_id=item.id, lease=LEASE),
                lambda: decide(session, item, staff=stranger, epoch=1),
            ):
                with pytest.raises(NotFound):
                    act()

        await database.write(work)

    @staticmethod
    def close(session: Session, item: ReviewItem) -> None:
        """Somebody else rejects the case, where it is still open."""
        TestWhoMayNot.free(session, item)
        if session.get_one(ReviewRow, item.id).status != ReviewStatus.COMPLETED:
            held_and_decided(session, item, DecisionKind.REJECTED, factories.staff("fay"))

    @staticmethod
    def free(session: Session, item: ReviewItem) -> None:
        """Nobody holds it, and it is kept for nobody."""
        free = {"status": ReviewStatus.PENDING.value, "assigned_to": None, "handed_to": None, "held_until": None}
        open_still = (col(ReviewRow.id) == item.id, col(ReviewRow.status) != ReviewStatus.COMPLETED.value)
        session.execute(update(ReviewRow).where(*open_still).values(**free))
        session.expire_all()

    @staticmethod
    def force_claim(session: Session, item: ReviewItem, staff: Staff) -> None:
        """As if the claim's own check had failed."""
        held = {
            "status": ReviewStatus.IN_REVIEW.value,
            "assigned_to": staff.id,
            "epoch": 1,
            "lease_until": now() + LEASE,
        }
        session.execute(update(ReviewRow).where(col(ReviewRow.id) == item.id).values(**held))
        session.expire_all()
