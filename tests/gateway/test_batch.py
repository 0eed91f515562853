"""A batch is many requests in one: in order, each with its own result, none touching another."""

import json
from typing import Any

import httpx2
import pytest

from domain.errors import Overloaded
from gateway.limits import Gate, RateLimit
from tests.gateway.asking import BATCH, CLEAN, DOUBTFUL, MODERATE, SCAM, cases_of, decided, error_in
from tests.gateway.conftest import MakeKey, OpenApp, client_of


def item(text: str = CLEAN, **fields: object) -> dict[str, object]:
    return {"content": text, "user_id": "u1", **fields}


async def results_of(client: httpx2.AsyncClient, items: list[Any]) -> list[dict[str, Any]]:
    body = json.dumps({"items": items})
    response = await client.post(BATCH, content=body, headers={"content-type": "application/json"})
    assert response.status_code == 200, response.text
    results: list[dict[str, Any]] = response.json()["results"]
    assert [result["index"] for result in results] == list(range(len(items)))
    assert all((result["answer"] is None) != (result["error"] is None) for result in results)
    return results


async def test_each_text_gets_the_answer_that_it_would_get_alone(api: httpx2.AsyncClient) -> None:
    texts = [CLEAN, DOUBTFUL, SCAM]
    alone = [await decided(api, text, user_id=f"a{number}") for number, text in enumerate(texts)]
    together = await results_of(api, [item(text, user_id=f"b{number}") for number, text in enumerate(texts)])
    for one, result in zip(alone, together, strict=True):
        for name in ("decision", "confidence", "violation_type", "severity", "action"):
            assert result["answer"][name] == one[name]


async def test_results_stand_in_the_order_of_the_items(api: httpx2.AsyncClient) -> None:
    results = await results_of(api, [item(content_id=f"c{number}") for number in range(24)])
    assert [result["answer"]["content_id"] for result in results] == [f"c{number}" for number in range(24)]


async def test_bad_items_do_not_touch_good_ones(api: httpx2.AsyncClient) -> None:
    deep: list[Any] = []
    for _ in range(300):
        deep = [deep]
    bad = [
        item(""),
        {"content": CLEAN},
        3,
        None,
        [],
        "text",
        item(content_type="nonsense"),
        item(surprise=1),
        item("x" * 20_001),
        item("half a pair: \ud800"),
        item(metadata={"x": deep}),
    ]
    results = await results_of(api, [item(), *bad, item(SCAM)])
    assert [result["status"] for result in results] == [200, *[422] * len(bad), 200]
    for result in results[1:-1]:
        assert result["error"]["code"] == "invalid"
        assert result["error"]["problems"][0]["field"].startswith(f"body.items.{result['index']}")
    assert len(await cases_of(api)) == 2


async def test_an_item_is_refused_with_the_words_that_it_would_hear_alone(api: httpx2.AsyncClient) -> None:
    alone = error_in(await api.post(MODERATE, json=item("")), 422, "invalid")
    (result,) = await results_of(api, [item("")])
    assert result["error"]["problems"][0]["message"] == alone["problems"][0]["message"]


async def test_the_same_content_twice_in_one_batch_is_one_case(api: httpx2.AsyncClient) -> None:
    results = await results_of(api, [item(SCAM, content_id="twice"), item(SCAM, content_id="twice")])
    assert len({result["answer"]["case_id"] for result in results}) == 1
    assert sorted(result["answer"]["replayed"] for result in results) == [False, True]


@pytest.mark.parametrize("items", [[], [3] * 101, "text", None], ids=["none", "101", "no list", "null"])
async def test_a_batch_holds_1_to_100_items(api: httpx2.AsyncClient, items: object) -> None:
    error_in(await api.post(BATCH, json={"items": items}), 422, "invalid")


async def test_100_items_are_decided(api: httpx2.AsyncClient) -> None:
    results = await results_of(api, [item(content_id="the same")] * 100)
    assert {result["status"] for result in results} == {200}
    assert len({result["answer"]["case_id"] for result in results}) == 1


async def test_a_batch_may_be_larger_than_a_single_request_but_not_without_end(api: httpx2.AsyncClient) -> None:
    results = await results_of(api, [item(), item("x" * 600_000)])
    assert [result["status"] for result in results] == [200, 422]
    error_in(await api.post(BATCH, json={"items": [item(), item("x" * 4_200_000)]}), 413, "too_large")


async def test_every_item_counts_against_the_rate(open_app: OpenApp, make_key: MakeKey) -> None:
    async with open_app(rate_limit=RateLimit("5/hour")) as app, client_of(app, (await make_key()).key) as client:
        await results_of(client, [item()] * 4)
        error_in(await client.post(BATCH, json={"items": [item()] * 2}), 429, "rate_limited")


async def test_items_that_find_no_room_are_told_so_one_by_one(open_app: OpenApp, make_key: MakeKey) -> None:
    async with open_app(gate=Gate(1)) as app, client_of(app, (await make_key()).key) as client:
        results = await results_of(client, [item(content_id=str(number)) for number in range(8)])
        statuses = [result["status"] for result in results]
        assert statuses.count(200) >= 1
        assert set(statuses) == {200, 503}
        told = [result["error"]["code"] for result in results if result["status"] == 503]
        assert set(told) == {Overloaded.code}
        assert len(await cases_of(client)) == statuses.count(200)
