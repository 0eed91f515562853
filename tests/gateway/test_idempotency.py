"""Sending a thing twice is safe: by content id (one content, one case), and by Idempotency-Key (Stripe's rules)."""

import asyncio
import json
from collections import Counter

import httpx2

from cupidsshield.bootstrap import House
from data import idempotency
from domain.ids import new_id
from tests.gateway.asking import BATCH, CLEAN, DOUBTFUL, MODERATE, SCAM, cases_of, decided, error_in, got
from tests.gateway.conftest import MakeKey, OpenApp, client_of

LATER = {"replayed", "processing_time_ms"}


def key() -> dict[str, str]:
    return {"Idempotency-Key": new_id("retry")}


async def test_the_same_content_id_is_the_same_case_with_the_same_decision(api: httpx2.AsyncClient) -> None:
    for text in (CLEAN, DOUBTFUL, SCAM):
        content_id = new_id("message")
        first = await decided(api, text, content_id=content_id)
        again = await decided(api, text, content_id=content_id)
        assert (first["replayed"], again["replayed"]) == (False, True)
        assert {k: v for k, v in first.items() if k not in LATER} == {k: v for k, v in again.items() if k not in LATER}
    assert len(await cases_of(api)) == 3


async def test_the_same_content_sent_many_times_at_once_makes_one_case(api: httpx2.AsyncClient) -> None:
    answers = await asyncio.gather(*(decided(api, SCAM, content_id="at once") for _ in range(12)))
    assert len({answer["case_id"] for answer in answers}) == 1
    assert Counter(answer["replayed"] for answer in answers) == {False: 1, True: 11}
    (case,) = await cases_of(api)
    trail = await got(api, f"/api/v1/cases/{case['id']}/audit")
    assert [entry["action"] for entry in trail["entries"]].count("decision.recorded") == 1


async def test_a_changed_text_or_kind_under_the_same_content_id_is_a_new_case(api: httpx2.AsyncClient) -> None:
    answers = [
        await decided(api, CLEAN, content_id="edited"),
        await decided(api, SCAM, content_id="edited"),
        await decided(api, CLEAN, content_id="edited", content_type="bio"),
    ]
    assert len({answer["case_id"] for answer in answers}) == 3
    assert not any(answer["replayed"] for answer in answers)


async def test_without_content_id_and_key_each_sending_is_a_case_of_its_own(api: httpx2.AsyncClient) -> None:
    first, second = await decided(api), await decided(api)
    assert first["case_id"] != second["case_id"]
    assert first["content_id"] != second["content_id"]


async def test_a_key_gives_the_first_answer_again_byte_for_byte(api: httpx2.AsyncClient) -> None:
    retry, body = key(), {"content": SCAM, "user_id": "u1"}
    first = await api.post(MODERATE, json=body, headers=retry)
    again = await api.post(MODERATE, json=body, headers=retry)
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["content-type"] == first.headers["content-type"]
    assert len(await cases_of(api)) == 1


async def test_a_key_used_with_other_parameters_is_refused(api: httpx2.AsyncClient) -> None:
    retry = key()
    first = await api.post(MODERATE, json={"content": CLEAN, "user_id": "u1"}, headers=retry)
    other = await api.post(MODERATE, json={"content": SCAM, "user_id": "u1"}, headers=retry)
    elsewhere = await api.post(BATCH, json={"items": [{"content": CLEAN, "user_id": "u1"}]}, headers=retry)
    for refused in (other, elsewhere):
        error_in(refused, 422, "idempotency_mismatch")
    assert [case["id"] for case in await cases_of(api)] == [first.json()["case_id"]]


async def test_nothing_is_kept_of_a_request_that_was_refused(api: httpx2.AsyncClient) -> None:
    retry = key()
    error_in(await api.post(MODERATE, json={"content": "", "user_id": "u1"}, headers=retry), 422, "invalid")
    mended = await api.post(MODERATE, json={"content": CLEAN, "user_id": "u1"}, headers=retry)
    assert mended.status_code == 200
    assert "idempotent-replayed" not in mended.headers


async def test_nothing_is_kept_of_a_request_that_failed(
    api: httpx2.AsyncClient, open_app: OpenApp, make_key: MakeKey
) -> None:
    retry, owner, body = key(), await make_key(), {"content": CLEAN, "user_id": "u1"}
    async with open_app(deadline_s=1e-9) as late, client_of(late, owner.key) as client:
        error_in(await client.post(MODERATE, json=body, headers=retry), 503, "overloaded")
    async with open_app() as well, client_of(well, owner.key) as client:
        answered = await client.post(MODERATE, json=body, headers=retry)
        assert answered.status_code == 200
        assert "idempotent-replayed" not in answered.headers


async def test_the_same_key_many_times_at_once_makes_one_decision(api: httpx2.AsyncClient) -> None:
    retry, body = key(), {"content": SCAM, "user_id": "u1"}
    responses = await asyncio.gather(*(api.post(MODERATE, json=body, headers=retry) for _ in range(8)))
    told = Counter(response.status_code for response in responses)
    assert told[200] >= 1
    assert told[200] + told[409] == 8
    for response in responses:
        if response.status_code == 409:
            error_in(response, 409, "request_in_progress")
    assert len({response.content for response in responses if response.status_code == 200}) == 1
    assert len(await cases_of(api)) == 1


async def test_a_key_makes_one_case_also_where_the_first_answer_was_lost(api: httpx2.AsyncClient, house: House) -> None:
    """As after a crash between decision and answer: the start of the first request is all that is known."""
    retry, body = key(), {"content": SCAM, "user_id": "u1"}
    first = (await api.post(MODERATE, json=body, headers=retry)).json()
    app_id = (await got(api, f"/api/v1/cases/{first['case_id']}"))["app_id"]

    def lose(session: idempotency.Session) -> None:
        row = session.get_one(idempotency.IdempotencyRow, (app_id, retry["Idempotency-Key"]))
        row.status = row.body = None
        idempotency.abandon(session, app_id=app_id, key=row.key)

    await house.database.write(lose)
    again = (await api.post(MODERATE, json=body, headers=retry)).json()
    assert (again["case_id"], again["replayed"]) == (first["case_id"], True)


async def test_keys_of_two_apps_do_not_meet(api: httpx2.AsyncClient, other_api: httpx2.AsyncClient) -> None:
    retry = key()
    ours = await api.post(MODERATE, json={"content": CLEAN, "user_id": "u1"}, headers=retry)
    theirs = await other_api.post(MODERATE, json={"content": SCAM, "user_id": "u2"}, headers=retry)
    assert (ours.status_code, theirs.status_code) == (200, 200)
    assert ours.json()["case_id"] != theirs.json()["case_id"]


async def test_a_key_must_have_1_to_255_characters(api: httpx2.AsyncClient) -> None:
    body = {"content": CLEAN, "user_id": "u1"}
    for bad in ("", "k" * 256):
        told = error_in(await api.post(MODERATE, json=body, headers={"Idempotency-Key": bad}), 422, "invalid")
        assert told["problems"][0]["field"] == "header.Idempotency-Key"
    longest = await api.post(MODERATE, json=body, headers={"Idempotency-Key": "k" * 255})
    assert longest.status_code == 200


async def test_a_batch_is_replayed_as_a_whole_with_its_refused_items(api: httpx2.AsyncClient) -> None:
    retry, batch = key(), {"items": [{"content": CLEAN, "user_id": "u1"}, {"content": ""}]}
    first = await api.post(BATCH, json=batch, headers=retry)
    again = await api.post(BATCH, json=batch, headers=retry)
    assert again.headers["idempotent-replayed"] == "true"
    assert again.content == first.content
    assert [result["status"] for result in json.loads(again.content)["results"]] == [200, 422]
    assert len(await cases_of(api)) == 1


async def test_a_batch_that_was_not_served_in_full_is_not_kept(open_app: OpenApp, make_key: MakeKey) -> None:
    retry, owner = key(), await make_key()
    batch = {"items": [{"content": CLEAN, "user_id": "u1"}, {"content": SCAM, "user_id": "u1"}]}
    async with open_app(deadline_s=1e-9) as late, client_of(late, owner.key) as client:
        statuses = [r["status"] for r in (await client.post(BATCH, json=batch, headers=retry)).json()["results"]]
        assert statuses == [503, 503]
    async with open_app() as well, client_of(well, owner.key) as client:
        answered = await client.post(BATCH, json=batch, headers=retry)
        assert "idempotent-replayed" not in answered.headers
        assert [result["status"] for result in answered.json()["results"]] == [200, 200]
        assert len(await cases_of(client)) == 2
