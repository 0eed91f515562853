"""The appeals graph: an appeal is before people from the first step on, a person ends it, and no failure does."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, col, select, update

from cupidsshield.bootstrap import House
from cupidsshield.checkpoints import open_checkpointer
from data import appeal_decisions, appeals, cases, claims, enforcements, settling
from data.appeal_decisions import DecidedAppeal
from data.case_table import CaseRow
from data.memory_inbox import MemoryInboxRow
from data.review_table import HumanDecisionRow, ReviewRow
from domain.actor import system
from domain.answer import ModerationAnswer
from domain.appeal import Appeal, AppealDecision, AppealOutcome, AppealStatus
from domain.case import Case
from domain.clock import now
from domain.errors import Invalid, NotFound, ToolUnavailable
from domain.notification import NotificationStatus
from domain.review import ReviewItem, ReviewKind, ReviewStatus
from domain.staff import Role, Staff
from domain.vocabulary import DecisionKind, Route
from graphs.appeals.graph import build
from graphs.appeals.runs import AppealRuns
from graphs.moderation.state import Services
from mcp_servers.client import ServerName
from mcp_servers.vector_search.answers import Precedents
from tests import factories
from tests.graphs.appeal_table import ROWS, case_in
from tests.graphs.conftest import VIOLATING, Calls, case_of, decided, messages_of, tools_where
from ui.appeal_decisions import decide_appeal
from workers import hearing, tasks
from workers.loop import Worker
from workers.settle import settle

pytestmark = pytest.mark.asyncio(loop_scope="session")

GOOD = "I was quoting what somebody had written to me, because I wanted to warn her about him."
LEASE = timedelta(minutes=5)


@asynccontextmanager
async def appeal_runs(
    house: House, *, checkpoints: Path | None = None, **misbehaving: Any
) -> AsyncIterator[AppealRuns]:
    """The graph over the house's own servers, with some tools replaced."""
    wake: Callable[[], None] = misbehaving.pop("wake", lambda: None)
    async with (
        tools_where(house, wake=wake, **misbehaving) as tools,
        open_checkpointer(house.settings.database, checkpoints or house.settings.data_dir) as saver,
    ):
        yield AppealRuns(Services(tools=tools, policies=house.policies, clock=now, link=house.links.to), saver)


async def file(runs: AppealRuns, answer: ModerationAnswer, app_id: str, **changed: Any) -> Appeal:
    known = {"case_id": answer.case_id, "user_id": "u1", "explanation": GOOD, "new_evidence": None}
    return await runs.file(app_id=app_id, **{**known, **changed})


async def stored(house: House, appeal: Appeal) -> Appeal:
    return await house.database.read(lambda session: appeals.get(session, app_id=appeal.app_id, appeal_id=appeal.id))


async def item_of(house: House, appeal: Appeal) -> ReviewItem:
    def work(session: Session) -> ReviewItem:
        return session.exec(select(ReviewRow).where(ReviewRow.appeal_id == appeal.id)).one().item()

    return await house.database.read(work)


def judge(appeal: Appeal, role: Role = Role.SENIOR, name: str = "sam") -> Staff:
    return factories.staff(name, role=role, app_ids=(appeal.app_id,))


async def person_decides(
    house: House, appeal: Appeal, outcome: AppealOutcome = AppealOutcome.OVERTURN, staff: Staff | None = None
) -> DecidedAppeal | Appeal:
    """Claim an appeal and decide it, as the console does."""
    staff = staff or judge(appeal)
    item = await item_of(house, appeal)
    held = await house.database.write(
        lambda session: claims.claim(session, staff=staff, review_id=item.id, lease=LEASE)
    )
    decision = AppealDecision(appeal_id=appeal.id, reviewer=staff.id, outcome=outcome, reasoning="I read it twice.")
    return await decide_appeal(
        house.ui_parts(),
        staff=staff,
        app_id=appeal.app_id,
        review_id=item.id,
        epoch=held.epoch,
        decision=decision,
    )


async def let_it_stand(house: House, appeal: Appeal) -> None:
    """As if the time to undo were over."""
    over = {"undo_until": now() - timedelta(seconds=5)}
    await house.database.write(
        lambda session: session.execute(
            update(HumanDecisionRow).where(col(HumanDecisionRow.appeal_id) == appeal.id).values(**over)
        )
    )


async def down() -> None:
    raise ToolUnavailable("a server", "down")


class TestTheWay:
    async def test_an_appeal_is_prepared_and_waits_for_a_person(self, house: House, app_id: str) -> None:
        answer = await decided(house, app_id, VIOLATING)
        async with appeal_runs(house) as runs:
            appeal = await file(runs, answer, app_id)
            assert await runs.waits(appeal.id)
        assert appeal.status is AppealStatus.UNDER_REVIEW
        assert appeal.brief is not None
        assert appeal.brief.unavailable == ()
        item = await item_of(house, appeal)
        assert (item.kind, item.status, item.route) == (ReviewKind.APPEAL, ReviewStatus.PENDING, Route.SENIOR)
        assert item.due_at - item.created_at == timedelta(hours=24)
        case = await case_of(house, app_id, answer.case_id)
        assert case.decision is DecisionKind.REJECTED, "until a person decides, the decision stands"

    async def test_every_way_through_the_graph_leads_past_the_person(self) -> None:
        """Resolution has one way in, and that is the node that waits; the only other end is an appeal known already."""
        edges = {(edge.source, edge.target) for edge in build().compile().get_graph().edges}
        into = {name: {source for source, target in edges if target == name} for _, name in edges}
        assert into["resolution"] == {"decision"}
        assert into["notification"] == {"resolution"}
        assert into["decision"] == {"evaluation", "context", "resolution"}
        assert into["__end__"] == {"intake", "notification"}

    async def test_a_persons_decision_restores_tells_and_ends_the_run(self, house: House, app_id: str) -> None:
        answer, asked = await decided(house, app_id, VIOLATING), Calls()
        async with appeal_runs(house, wake=asked) as runs:
            appeal = await file(runs, answer, app_id)
            assert len(await self.in_force(house, app_id)) == 1
            await person_decides(house, appeal)
            assert await self.in_force(house, app_id) == [], "access is back at once"
            await let_it_stand(house, appeal)
            await runs.resume(app_id=app_id, appeal_id=appeal.id)
            assert not await runs.waits(appeal.id)
        assert asked.count == 1
        case = await case_of(house, app_id, answer.case_id)
        assert (case.decision, case.violation_type, case.action) == (DecisionKind.APPROVED, None, None)

    async def test_resuming_without_a_persons_decision_resolves_nothing(self, house: House, app_id: str) -> None:
        answer, asked = await decided(house, app_id, VIOLATING), Calls()
        async with appeal_runs(house, wake=asked) as runs:
            appeal = await file(runs, answer, app_id)
            for _ in range(2):
                await runs.resume(app_id=app_id, appeal_id=appeal.id)
                assert await runs.waits(appeal.id), "the machine alone never resolves"
            await person_decides(house, appeal)
            await runs.resume(app_id=app_id, appeal_id=appeal.id)
            assert await runs.waits(appeal.id), "nor while the decision can be undone"
        assert asked.count == 0

    async def test_sending_it_again_is_the_same_appeal_and_another_text_is_refused(
        self, house: House, app_id: str
    ) -> None:
        answer = await decided(house, app_id, VIOLATING)
        async with appeal_runs(house) as runs:
            first = await file(runs, answer, app_id)
            assert await file(runs, answer, app_id) == first
            with pytest.raises(Invalid, match="appealed already"):
                await file(runs, answer, app_id, explanation="And another thing: I want it back.")

    async def test_nobody_appeals_for_another_and_nothing_crosses_tenants(self, house: House, app_id: str) -> None:
        answer = await decided(house, app_id, VIOLATING)
        async with appeal_runs(house) as runs:
            with pytest.raises(NotFound):
                await file(runs, answer, app_id, user_id="u2")
            with pytest.raises(NotFound):
                await file(runs, answer, "app_of_somebody_else")

    async def test_an_escalated_appeal_waits_for_a_senior(self, house: House, app_id: str) -> None:
        text = "Buy cheap followers and likes, click http://cheap-likes.example now, 50% off today only!!!"
        answer = await decided(house, app_id, text)
        await self.soften(house, answer)
        async with appeal_runs(house) as runs:
            appeal = await file(runs, answer, app_id)
            assert not appeal.needs_senior
            outcome = await person_decides(house, appeal, AppealOutcome.ESCALATE, judge(appeal, Role.MODERATOR, "max"))
            assert isinstance(outcome, Appeal)
            assert (outcome.status, outcome.needs_senior) == (AppealStatus.ESCALATED, True)
            item = await item_of(house, appeal)
            assert item.route is Route.SENIOR
            assert timedelta(hours=47) < item.due_at - now() < timedelta(hours=49)
            assert await runs.waits(appeal.id)

    @staticmethod
    async def soften(house: House, answer: ModerationAnswer) -> None:
        """As if the case had been rejected with a warning."""
        mild = {"decision": "rejected", "violation_type": "spam", "severity": "low", "action": "warn"}
        await house.database.write(
            lambda session: session.execute(update(CaseRow).where(col(CaseRow.id) == answer.case_id).values(**mild))
        )

    @staticmethod
    async def in_force(house: House, app_id: str) -> list[str]:
        found = await house.database.read(lambda session: enforcements.active(session, app_id=app_id, user_id="u1"))
        return [enforcement.id for enforcement in found]


class TestFailures:
    @pytest.mark.parametrize(
        ("tool", "server"),
        [
            ("search_similar_cases", "vector-search"),
            ("screen_content", "moderation"),
            ("get_user_history", "database"),
        ],
    )
    async def test_what_does_not_answer_is_noted_and_a_person_decides(
        self, house: House, app_id: str, tool: str, server: str
    ) -> None:
        answer = await decided(house, app_id, VIOLATING)
        async with appeal_runs(house, **{tool: down}) as runs:
            appeal = await file(runs, answer, app_id)
            assert await runs.waits(appeal.id)
        assert appeal.brief is not None
        assert appeal.brief.unavailable == (server,)
        assert appeal.brief.recommendation is AppealOutcome.ESCALATE, "a failure upholds nothing and frees nobody"
        assert (await item_of(house, appeal)).status is ReviewStatus.PENDING

    @pytest.mark.parametrize("tool", ["get_case", "lay_brief"])
    async def test_without_a_brief_it_is_before_people_and_prepared_later(
        self, house: House, app_id: str, tool: str
    ) -> None:
        answer = await decided(house, app_id, VIOLATING)
        async with appeal_runs(house, **{tool: down}) as runs:
            appeal = await file(runs, answer, app_id)
            assert await runs.waits(appeal.id)
            assert (await stored(house, appeal)).brief is None
            assert (await item_of(house, appeal)).status is ReviewStatus.PENDING
        async with appeal_runs(house) as runs:
            await hearing.prepare_appeals(house.database, runs)()
        prepared = await stored(house, appeal)
        assert prepared.brief is not None
        assert prepared.status is AppealStatus.UNDER_REVIEW

    async def test_where_it_cannot_be_kept_nothing_is_acknowledged(self, house: House, app_id: str) -> None:
        answer = await decided(house, app_id, VIOLATING)
        async with appeal_runs(house, file_appeal=down) as runs:
            with pytest.raises(ToolUnavailable):
                await file(runs, answer, app_id)
        found = await house.database.read(
            lambda session: appeals.for_case(session, app_id=app_id, case_id=answer.case_id)
        )
        assert found is None

    async def test_messages_wait_where_notification_is_down(self, house: House, app_id: str) -> None:
        answer = await decided(house, app_id, VIOLATING)
        async with appeal_runs(house, dispatch=down) as runs:
            appeal = await file(runs, answer, app_id)
            await person_decides(house, appeal)
            await let_it_stand(house, appeal)
            await runs.resume(app_id=app_id, appeal_id=appeal.id)
            assert not await runs.waits(appeal.id)
        owed = [n for n in await messages_of(house, app_id) if n.message.event == "user.appeal"]
        assert [n.status for n in owed] == [NotificationStatus.PENDING]
        assert house.links.to(app_id, answer.case_id).split("/decisions/")[0] in owed[0].message.body

    async def test_a_crash_between_decision_and_resolution_loses_nothing(
        self, house: House, app_id: str, tmp_path: Path
    ) -> None:
        """The process dies once SQL has the decision, its checkpoints are lost: the worker of the next ends it."""
        answer = await decided(house, app_id, VIOLATING)
        (tmp_path / "old").mkdir()
        async with appeal_runs(house, checkpoints=tmp_path / "old") as runs:
            appeal = await file(runs, answer, app_id)
            await person_decides(house, appeal)
        case = await case_of(house, app_id, answer.case_id)
        assert case.decision is DecisionKind.APPROVED, "the decision held at once"
        await let_it_stand(house, appeal)
        (tmp_path / "new").mkdir()
        asked = Calls()
        async with appeal_runs(house, checkpoints=tmp_path / "new", wake=asked) as runs:

            async def resume(done: Any) -> None:
                await runs.resume(app_id=done.app_id, appeal_id=done.appeal_id)

            step = settle(house.database, house.policies, {ReviewKind.APPEAL: resume})
            await step()
            assert not await runs.waits(appeal.id)
            assert asked.count >= 1
            await runs.resume(app_id=app_id, appeal_id=appeal.id)
        settled = await house.database.read(
            lambda session: appeal_decisions.is_settled(session, app_id=app_id, appeal_id=appeal.id)
        )
        assert settled
        due = await house.database.read(lambda session: settling.due(session))
        assert appeal.id not in {one.appeal_id for one in due}

    async def test_a_resolution_that_fails_is_tried_again(self, house: House, app_id: str) -> None:
        answer = await decided(house, app_id, VIOLATING)
        async with appeal_runs(house) as runs:
            appeal = await file(runs, answer, app_id)
        await person_decides(house, appeal, AppealOutcome.UPHOLD)
        await let_it_stand(house, appeal)
        async with appeal_runs(house, settle_appeal=down) as runs:
            with pytest.raises(ToolUnavailable):
                await runs.resume(app_id=app_id, appeal_id=appeal.id)
        async with appeal_runs(house) as runs:
            await runs.resume(app_id=app_id, appeal_id=appeal.id)
            assert not await runs.waits(appeal.id)

    async def test_an_overturned_case_is_remembered_as_a_false_positive(self, house: House, app_id: str) -> None:
        answer = await decided(house, app_id, VIOLATING)
        async with appeal_runs(house) as runs:
            appeal = await file(runs, answer, app_id)
        await person_decides(house, appeal)
        due = {"due_at": now() - timedelta(seconds=1)}
        await house.database.write(
            lambda session: session.execute(
                update(MemoryInboxRow).where(col(MemoryInboxRow.app_id) == app_id).values(**due)
            )
        )
        await Worker("memory", tasks.remember(house.database, house.tools), interval_s=1).drain()
        for tool, known in (("search_similar_cases", [answer.case_id]), ("search_similar_violations", [])):
            found = await house.tools.call(
                ServerName.VECTOR_SEARCH, tool, {"text": VIOLATING}, actor=system(app_id), answer=Precedents
            )
            assert [precedent.case_id for precedent in found.precedents] == known
            assert all(precedent.confirmed for precedent in found.precedents)
            assert all(precedent.decision is DecisionKind.APPROVED for precedent in found.precedents)


class TestRestoration:
    """Each appeal of the table, heard by a person who overturns it."""

    @pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
    async def test_whatever_it_recommends_a_person_restores_all_of_it(
        self, house: House, app_id: str, row: dict[str, Any]
    ) -> None:
        case = await self.recorded(house, case_in(row, app_id))
        async with appeal_runs(house) as runs:
            appeal = await runs.file(
                app_id=app_id,
                case_id=case.id,
                user_id=case.content.user_id,
                explanation=row["explanation"] or "(nothing)",
                new_evidence=row.get("evidence"),
            )
        assert appeal.brief is not None
        assert appeal.needs_senior is row["senior"]
        item = await item_of(house, appeal)
        assert item.route is (
            Route.LEGAL if row["policy"] == "age_verification" else Route.SENIOR if row["senior"] else Route.MODERATOR
        )
        before = await self.state(house, case)
        assert before == {"content": False, "account": "account" not in row["restores"], "record": False}
        role = {Route.LEGAL: Role.LEGAL, Route.SENIOR: Role.SENIOR, Route.MODERATOR: Role.MODERATOR}[item.route]
        await person_decides(house, appeal, staff=judge(appeal, role))
        assert await self.state(house, case) == {"content": True, "account": True, "record": True}

    @staticmethod
    async def recorded(house: House, case: Case) -> Case:
        def work(session: Session) -> Case:
            record = factories.record(case.content, case.machine, case.assessment)
            app = system(case.app_id)
            cases.record(session, record=record, review=None, messages=[], memory=None, actor=app)
            return cases.get(session, app_id=case.app_id, case_id=record.case_id)

        return await house.database.write(work)

    @staticmethod
    async def state(house: House, case: Case) -> dict[str, bool]:
        """Whether others see the content, whether the account is free of more than a warning, whether the record is."""

        def work(session: Session) -> dict[str, bool]:
            found = cases.get(session, app_id=case.app_id, case_id=case.id)
            active = enforcements.active(session, app_id=case.app_id, user_id=case.content.user_id)
            on_content = {"warn", "remove", "warn_and_remove", "request_verification", "request_id_verification"}
            return {
                "content": found.decision is DecisionKind.APPROVED,
                "account": all(e.action in on_content for e in active),
                "record": cases.history(session, app_id=case.app_id, user_id=case.content.user_id).violations == 0,
            }

        return await house.database.read(work)
