"""Appeals as apps send them: heard once, told kindly, decided by a person, and nobody else's business."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest_asyncio
from fastapi import FastAPI
from sqlmodel import Session, col, select, update

from cupidsshield.bootstrap import House
from data import claims
from data.appeal_table import AppealRow
from data.case_table import CaseRow
from data.review_table import ReviewRow
from domain.appeal import AppealDecision, AppealOutcome
from domain.clock import now
from domain.ids import new_id
from domain.staff import Role
from domain.vocabulary import Scope
from gateway.hearing_schemas import AppealRequest
from tests import factories
from tests.gateway.asking import APPEALS, CLEAN, SCAM, decided, error_in, got
from tests.gateway.conftest import MakeKey, client_of
from tests.readings import appeal_read
from ui.appeal_decisions import decide_appeal

GOOD = "I was quoting what somebody had written to me, because I wanted to warn her about him."


@pytest_asyncio.fixture(loop_scope="session")
async def reader(web: FastAPI, make_key: MakeKey) -> AsyncIterator[httpx2.AsyncClient]:
    """A client whose key may read and not moderate."""
    async with client_of(web, (await make_key(Scope.READ)).key) as client:
        yield client


async def restricted(api: httpx2.AsyncClient) -> str:
    answer = await decided(api, SCAM)
    assert answer["decision"] == "rejected"
    return str(answer["case_id"])


async def appealed(api: httpx2.AsyncClient, case_id: str, **more: Any) -> httpx2.Response:
    return await api.post(APPEALS, json={"case_id": case_id, "user_id": "u1", "explanation": GOOD, **more})


async def test_an_appeal_is_taken_in_and_can_be_read(api: httpx2.AsyncClient) -> None:
    case_id = await restricted(api)
    response = await appealed(api, case_id)
    assert response.status_code == 200, response.text
    answer = response.json()
    assert (answer["status"], answer["guidance"], answer["case_id"]) == ("under_review", [], case_id)
    assert await got(api, f"{APPEALS}/{answer['appeal_id']}") == answer


async def test_the_same_appeal_again_is_the_same_and_another_is_refused(api: httpx2.AsyncClient) -> None:
    case_id = await restricted(api)
    first = (await appealed(api, case_id)).json()
    assert (await appealed(api, case_id)).json() == first
    error = error_in(await appealed(api, case_id, explanation=GOOD + " And more."), 422, "invalid")
    assert "appealed already" in error["message"]


async def test_an_idempotency_key_gives_the_first_answer_again(api: httpx2.AsyncClient) -> None:
    body = {"case_id": await restricted(api), "user_id": "u1", "explanation": GOOD}
    key = {"Idempotency-Key": new_id("key")}
    first, second = [await api.post(APPEALS, json=body, headers=key) for _ in range(2)]
    assert first.content == second.content
    assert second.headers["idempotent-replayed"] == "true"
    error_in(await api.post(APPEALS, json={**body, "explanation": "x"}, headers=key), 422, "idempotency_mismatch")


async def test_a_preview_says_what_would_help_and_sends_nothing(api: httpx2.AsyncClient) -> None:
    case_id = await restricted(api)
    for text, advised in (("", True), ("you are idiots, all of you", True), (GOOD, False)):
        answer = (await appealed(api, case_id, explanation=text, preview=True)).json()
        assert (answer["appeal_id"], answer["not_possible"]) == (None, None)
        assert bool(answer["guidance"]) is advised
    assert (await appealed(api, case_id)).json()["status"] == "under_review", "nothing stood in the way"
    again = (await appealed(api, case_id, preview=True)).json()
    assert "appealed already" in again["not_possible"]


async def test_what_seldom_helps_is_heard_all_the_same(api: httpx2.AsyncClient) -> None:
    answer = (await appealed(api, await restricted(api), explanation="")).json()
    assert answer["status"] == "under_review"
    assert answer["guidance"]


async def test_what_was_not_restricted_cannot_be_appealed(api: httpx2.AsyncClient) -> None:
    fine = (await decided(api, CLEAN))["case_id"]
    assert "nothing to appeal" in error_in(await appealed(api, fine), 422, "invalid")["message"]


async def test_after_thirty_days_it_is_too_late(api: httpx2.AsyncClient, house: House) -> None:
    case_id = await restricted(api)
    long_ago = {"updated_at": now() - timedelta(days=31)}
    await house.database.write(
        lambda session: session.execute(update(CaseRow).where(col(CaseRow.id) == case_id).values(**long_ago))
    )
    assert "30 days" in error_in(await appealed(api, case_id), 422, "invalid")["message"]


async def test_foreign_and_absent_answer_alike(api: httpx2.AsyncClient, other_api: httpx2.AsyncClient) -> None:
    case_id = await restricted(api)
    appeal_id = (await appealed(api, case_id)).json()["appeal_id"]
    absent = "appeal_" + "0" * 32
    foreign = error_in(await other_api.get(f"{APPEALS}/{appeal_id}"), 404, "not_found")
    missing = error_in(await other_api.get(f"{APPEALS}/{absent}"), 404, "not_found")
    assert foreign["message"].replace(appeal_id, absent) == missing["message"]
    error_in(await appealed(other_api, case_id), 404, "not_found")
    error_in(await appealed(other_api, case_id, preview=True), 404, "not_found")
    for preview in (True, False):
        error_in(await appealed(api, case_id, user_id="somebody else", preview=preview), 404, "not_found")


async def test_scopes_are_asked_for(
    api: httpx2.AsyncClient, reader: httpx2.AsyncClient, stranger: httpx2.AsyncClient
) -> None:
    error_in(await appealed(reader, "case_1"), 403, "not_permitted")
    error_in(await appealed(stranger, "case_1"), 401, "not_authenticated")
    error_in(await stranger.get(f"{APPEALS}/appeal_1"), 401, "not_authenticated")


async def test_too_much_and_what_is_unknown_is_refused(api: httpx2.AsyncClient) -> None:
    case_id = await restricted(api)
    for more in ({"explanation": "x" * 4_001}, {"new_evidence": "x" * 8_001}, {"decision": "overturn"}):
        error_in(await appealed(api, case_id, **more), 422, "invalid")


async def test_the_example_is_a_valid_request() -> None:
    for example in AppealRequest.model_config["json_schema_extra"]["examples"]:  # type: ignore[index, call-overload]
        assert AppealRequest.model_validate(example)


async def test_a_decision_is_told_once_it_stands_and_never_who_made_it(api: httpx2.AsyncClient, house: House) -> None:
    case_id = await restricted(api)
    appeal_id = (await appealed(api, case_id)).json()["appeal_id"]

    def item(session: Session) -> ReviewRow:
        return session.exec(select(ReviewRow).where(ReviewRow.appeal_id == appeal_id)).one()

    row = await house.database.read(item)
    sam = factories.staff("sam_the_senior", role=Role.SENIOR, app_ids=(row.app_id,))
    held = await house.database.write(
        lambda session: claims.claim(session, staff=sam, review_id=row.id, lease=timedelta(minutes=5))
    )
    await decide_appeal(
        house.ui_parts(),
        staff=sam,
        app_id=row.app_id,
        review_id=row.id,
        epoch=held.epoch,
        decision=AppealDecision(
            appeal_id=appeal_id, reviewer=sam.id, outcome=AppealOutcome.OVERTURN, reasoning="It was a warning."
        ),
    )
    assert (await got(api, f"{APPEALS}/{appeal_id}"))["status"] == "under_review", "it can still be undone"
    earlier = {"resolved_at": now() - timedelta(minutes=1)}
    await house.database.write(
        lambda session: session.execute(update(AppealRow).where(col(AppealRow.id) == appeal_id).values(**earlier))
    )
    answer = await got(api, f"{APPEALS}/{appeal_id}")
    assert (answer["status"], answer["reasoning"]) == ("overturned", "It was a warning.")
    assert "sam_the_senior" not in str(answer)
    assert (await got(api, f"/api/v1/cases/{case_id}"))["decision"] == "approved"


async def test_a_models_reading_is_for_moderators_and_in_no_answer_about_the_appeal(
    house: House, api: httpx2.AsyncClient, reader: httpx2.AsyncClient, other_api: httpx2.AsyncClient
) -> None:
    answer = (await appealed(api, await restricted(api))).json()
    path = f"{APPEALS}/{answer['appeal_id']}"
    error_in(await api.get(f"{path}/reading"), 404, "not_found")
    await written(house, answer["appeal_id"])
    found = await got(api, f"{path}/reading")
    assert (found["state"], found["reading"]["model"]) == ("written", "openai:careful")
    assert await got(api, path) == answer, "what is shown to the user stays the same"
    assert "careful" not in (await appealed(api, answer["case_id"])).text
    error_in(await other_api.get(f"{path}/reading"), 404, "not_found")
    error_in(await reader.get(f"{path}/reading"), 404, "not_found")


async def written(house: House, appeal_id: str) -> None:
    """As if a model had read an appeal."""

    def work(session: Session) -> None:
        app_id = session.get_one(AppealRow, appeal_id).app_id
        appeal_read(session, app_id=app_id, appeal_id=appeal_id, reading=factories.appeal_reading())

    await house.database.write(work)
