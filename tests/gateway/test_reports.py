"""Reports bring people and never a penalty; each weighs what its reporter's record is worth; reporters are answered."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlmodel import Session, col, select, update

from cupidsshield.bootstrap import House
from data import claims, decisions, enforcements, outbox, reports
from data.review_table import HumanDecisionRow, ReviewRow
from domain.clock import now
from domain.notification import Message
from domain.report import ReporterRecord, ReportStatus
from domain.review import ReviewKind, ReviewStatus
from domain.vocabulary import DecisionKind
from gateway.hearing_schemas import ReportRequest
from policies.loader import load
from policies.reports import people_look, weight_of
from tests import factories
from tests.gateway.asking import CLEAN, DOUBTFUL, REPORTS, SCAM, cases_of, decided, error_in, got
from workers.hearing import resolve_reports
from workers.settle import settle

POLICIES = load()


async def reported(api: httpx2.AsyncClient, reporter: str = "r1", **what: Any) -> dict[str, Any]:
    response = await api.post(REPORTS, json={"reporter_id": reporter, **what})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def reviews_of(house: House, case_id: str) -> list[ReviewRow]:
    def work(session: Session) -> list[ReviewRow]:
        return list(session.exec(select(ReviewRow).where(ReviewRow.case_id == case_id).order_by(col(ReviewRow.id))))

    return await house.database.read(work)


async def person_decides(house: House, case_id: str, kind: DecisionKind) -> None:
    """A moderator decides the open review of a case, for good, and the settling worker has its round."""
    [row] = [row for row in await reviews_of(house, case_id) if row.status != ReviewStatus.COMPLETED]
    ann = factories.staff("ann", app_ids=(row.app_id,))

    def work(session: Session) -> None:
        held = claims.claim(session, staff=ann, review_id=row.id, lease=timedelta(minutes=5))
        done = decisions.decide(
            session,
            staff=ann,
            review_id=row.id,
            epoch=held.epoch,
            decision=factories.human(case_id, kind, reviewer=ann.id),
            messages=[],
            memory=None,
            undo=timedelta(),
        )
        over = {"undo_until": now() - timedelta(seconds=5)}
        session.execute(update(HumanDecisionRow).where(col(HumanDecisionRow.id) == done.id).values(**over))

    await house.database.write(work)
    await settle(house.database, house.policies, {}, also=[resolve_reports])()


async def told_to_reporters(house: House, case_id: str) -> list[Message]:
    [row, *_] = await reviews_of(house, case_id)
    found = await house.database.read(
        lambda session: outbox.find(session, app_id=row.app_id, status=None, case_id=case_id, limit=100)
    )
    return [entry.message for entry in found if entry.message.audience == "reporter"]


class TestWeight:
    @pytest.mark.parametrize(
        ("upheld", "dismissed", "weight"), [(0, 0, 0.5), (1, 0, 2 / 3), (0, 1, 1 / 3), (8, 0, 0.9), (0, 8, 0.1)]
    )
    def test_a_report_weighs_what_its_reporters_record_is_worth(
        self, upheld: int, dismissed: int, weight: float
    ) -> None:
        record = ReporterRecord(user_id="r", upheld=upheld, dismissed=dismissed)
        assert weight_of(record, POLICIES) == pytest.approx(weight)

    def test_two_strangers_bring_people_and_one_does_not(self) -> None:
        stranger = weight_of(ReporterRecord(user_id="r"), POLICIES)
        assert not people_look(stranger, POLICIES)
        assert people_look(2 * stranger, POLICIES)


class TestBringingPeople:
    async def test_from_a_summed_weight_on_a_person_looks(self, api: httpx2.AsyncClient, house: House) -> None:
        case_id = (await decided(api, CLEAN))["case_id"]
        first = await reported(api, "r1", case_id=case_id, reason="harassment")
        assert (first["status"], first["before_people"]) == ("open", False)
        assert await reviews_of(house, case_id) == []
        assert (await reported(api, "r2", case_id=case_id))["before_people"]
        [row] = await reviews_of(house, case_id)
        assert (row.status, row.kind, row.reports) == ("pending", ReviewKind.CASE, 1.0)

    async def test_brigading_gets_nothing_removed(self, api: httpx2.AsyncClient, house: House) -> None:
        case_id = (await decided(api, CLEAN))["case_id"]
        for number in range(10):
            await reported(api, f"fresh_{number}", case_id=case_id, reason="threats", details="ban him")
        case = await got(api, f"/api/v1/cases/{case_id}")
        assert (case["decision"], case["action"]) == ("approved", None), "reports bring people, never a penalty"
        [row] = await reviews_of(house, case_id)
        in_force = await house.database.read(
            lambda session: enforcements.active(session, app_id=row.app_id, user_id="u1")
        )
        assert in_force == ()
        await person_decides(house, case_id, DecisionKind.APPROVED)
        records = await house.database.read(
            lambda session: [
                reports.record_of(session, app_id=row.app_id, user_id=f"fresh_{number}") for number in range(10)
            ]
        )
        assert {(record.upheld, record.dismissed) for record in records} == {(0, 1)}
        target = (await decided(api, "Shall we meet at the museum on Sunday?"))["case_id"]
        assert not (await reported(api, "fresh_0", case_id=target))["before_people"]
        assert not (await reported(api, "fresh_1", case_id=target))["before_people"], "their word is worth less now"
        assert (await reported(api, "fresh_2", case_id=target))["before_people"], "and is still heard"

    async def test_one_reporter_counts_once(self, api: httpx2.AsyncClient, house: House) -> None:
        case_id = (await decided(api, CLEAN))["case_id"]
        first, *others = [await reported(api, "r1", case_id=case_id, details=str(n)) for n in range(5)]
        assert all(again == first for again in others)
        assert await reviews_of(house, case_id) == []

    async def test_what_waits_already_moves_up(self, api: httpx2.AsyncClient, house: House) -> None:
        answer = await decided(api, DOUBTFUL)
        assert answer["decision"] == "escalated"
        [before] = await reviews_of(house, answer["case_id"])
        assert (await reported(api, "r1", case_id=answer["case_id"]))["before_people"]
        [once] = await reviews_of(house, answer["case_id"])
        await reported(api, "r2", case_id=answer["case_id"])
        [twice] = await reviews_of(house, answer["case_id"])
        assert before.order_at > once.order_at > twice.order_at
        assert (before.due_at, before.route) == (twice.due_at, twice.route)

    async def test_what_was_never_submitted_is_decided_about_first(self, api: httpx2.AsyncClient) -> None:
        content = {"content": SCAM, "user_id": "u1", "content_id": "m1"}
        answer = await reported(api, content=content, reason="scams")
        [case] = await cases_of(api, content_id="m1")
        assert (case["id"], case["decision"]) == (answer["case_id"], "rejected")
        assert (answer["status"], answer["before_people"]) == ("upheld", False), "it was acted on already"

    async def test_a_content_is_found_by_its_newest_case(self, api: httpx2.AsyncClient) -> None:
        await decided(api, CLEAN, content_id="bio")
        newest = await decided(api, CLEAN + " Really.", content_id="bio")
        assert (await reported(api, content_id="bio"))["case_id"] == newest["case_id"]


class TestOutcome:
    @pytest.mark.parametrize(
        ("kind", "status", "said"),
        [
            (DecisionKind.REJECTED, ReportStatus.UPHELD, "took action"),
            (DecisionKind.APPROVED, ReportStatus.DISMISSED, "stays within our rules"),
        ],
    )
    async def test_reporters_hear_what_a_person_decided(
        self, api: httpx2.AsyncClient, house: House, kind: DecisionKind, status: ReportStatus, said: str
    ) -> None:
        case_id = (await decided(api, CLEAN))["case_id"]
        for reporter in ("r1", "r2"):
            await reported(api, reporter, case_id=case_id)
        [row] = await reviews_of(house, case_id)
        assert await told_to_reporters(house, case_id) == []
        await person_decides(house, case_id, kind)
        found = await house.database.read(lambda session: reports.of_case(session, app_id=row.app_id, case_id=case_id))
        assert {report.status for report in found} == {status}
        told = await told_to_reporters(house, case_id)
        assert sorted(message.recipient for message in told) == ["r1", "r2"]
        for message in told:
            assert said in message.body
            assert CLEAN not in message.model_dump_json(), "no content leaves the house"
            assert "ann" not in message.body.split(), "nor the name of who decided"
        await settle(house.database, house.policies, {}, also=[resolve_reports])()
        assert len(await told_to_reporters(house, case_id)) == 2, "once each"

    async def test_a_report_that_comes_after_the_decision_waits_for_the_next(
        self, api: httpx2.AsyncClient, house: House
    ) -> None:
        case_id = (await decided(api, CLEAN))["case_id"]
        for reporter in ("r1", "r2"):
            await reported(api, reporter, case_id=case_id)
        await person_decides(house, case_id, DecisionKind.APPROVED)
        late = await reported(api, "r3", case_id=case_id)
        assert (late["status"], late["before_people"]) == ("open", False)

    async def test_reporting_what_was_rejected_already_makes_nobodys_record(
        self, api: httpx2.AsyncClient, house: House
    ) -> None:
        case_id = (await decided(api, SCAM))["case_id"]
        assert (await reported(api, "farmer", case_id=case_id))["status"] == "upheld"
        app_id = (await got(api, f"/api/v1/cases/{case_id}"))["app_id"]
        record = await house.database.read(lambda session: reports.record_of(session, app_id=app_id, user_id="farmer"))
        assert (record.upheld, record.dismissed) == (0, 0)


class TestRefusals:
    async def test_one_thing_is_named(self, api: httpx2.AsyncClient) -> None:
        for what in ({}, {"case_id": "c", "content_id": "d"}):
            error = error_in(await api.post(REPORTS, json={"reporter_id": "r1", **what}), 422, "invalid")
            assert "name one of" in error["message"]

    async def test_nobody_reports_themselves(self, api: httpx2.AsyncClient) -> None:
        case_id = (await decided(api, CLEAN))["case_id"]
        error_in(await api.post(REPORTS, json={"reporter_id": "u1", "case_id": case_id}), 422, "invalid")

    async def test_foreign_and_absent_answer_alike(
        self, api: httpx2.AsyncClient, other_api: httpx2.AsyncClient
    ) -> None:
        case_id = (await decided(api, CLEAN, content_id="mine"))["case_id"]
        absent = "case_" + "0" * 32
        foreign = error_in(
            await other_api.post(REPORTS, json={"reporter_id": "r", "case_id": case_id}), 404, "not_found"
        )
        missing = error_in(
            await other_api.post(REPORTS, json={"reporter_id": "r", "case_id": absent}), 404, "not_found"
        )
        assert foreign["message"].replace(case_id, absent) == missing["message"]
        error_in(await other_api.post(REPORTS, json={"reporter_id": "r", "content_id": "mine"}), 404, "not_found")

    async def test_without_a_key_nothing_is_taken(self, stranger: httpx2.AsyncClient) -> None:
        error_in(await stranger.post(REPORTS, json={"reporter_id": "r", "case_id": "c"}), 401, "not_authenticated")

    def test_the_example_is_a_valid_request(self) -> None:
        for example in ReportRequest.model_config["json_schema_extra"]["examples"]:  # type: ignore[index, call-overload]
            assert ReportRequest.model_validate(example)
