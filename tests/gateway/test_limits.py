"""Nothing grows without bound: too many requests get 429, too many at once 503, and both say when to come again."""

import asyncio

import httpx2
import pytest

from domain.actor import Actor
from domain.errors import Overloaded, RateLimited
from gateway.auth import CACHE_SIZE, KeyRing
from gateway.errors import error_response
from gateway.limits import Gate, RateLimit
from tests import factories
from tests.gateway.asking import CLEAN, MODERATE, SCAM, cases_of, decided, error_in
from tests.gateway.conftest import MakeKey, OpenApp, client_of

BODY = {"content": CLEAN, "user_id": "u1"}


async def test_too_many_requests_with_one_key_are_told_when_to_come_again(open_app: OpenApp, make_key: MakeKey) -> None:
    async with open_app(rate_limit=RateLimit("2/hour")) as app, client_of(app, (await make_key()).key) as client:
        assert (await client.post(MODERATE, json=BODY)).status_code == 200
        assert (await client.get("/api/v1/cases")).status_code == 200
        for method, path in (("POST", MODERATE), ("GET", "/api/v1/cases")):
            response = await client.request(method, path, json=BODY if method == "POST" else None)
            error_in(response, 429, "rate_limited")
            assert 1 <= int(response.headers["retry-after"]) <= 3_600


async def test_each_key_has_its_own_rate(open_app: OpenApp, make_key: MakeKey) -> None:
    async with open_app(rate_limit=RateLimit("1/hour")) as app:
        for _ in range(2):
            async with client_of(app, (await make_key(app="busy")).key) as client:
                assert (await client.post(MODERATE, json=BODY)).status_code == 200
                error_in(await client.post(MODERATE, json=BODY), 429, "rate_limited")


async def test_who_may_not_do_a_thing_does_not_spend_the_rate(open_app: OpenApp, stranger: httpx2.AsyncClient) -> None:
    rate = RateLimit("1/hour")
    async with open_app(rate_limit=rate) as app, client_of(app, "cs_live_invented") as client:
        for _ in range(3):
            error_in(await client.post(MODERATE, json=BODY), 401, "not_authenticated")


async def test_a_rate_is_counted_by_cost() -> None:
    rate = RateLimit("10/hour")
    await rate.spend("key", cost=10)
    with pytest.raises(RateLimited) as refusal:
        await rate.spend("key")
    assert 0 < refusal.value.retry_after <= 3_600


@pytest.mark.parametrize("url", ["memory://", "redis://127.0.0.1:1", "async+nowhere://x", "async+redis://x:port"])
def test_storage_that_would_block_or_does_not_exist_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"not supported|unknown|Unable to parse"):
        RateLimit("1/second", url)


@pytest.mark.parametrize(("seconds", "said"), [(0.0, "1"), (0.4, "1"), (1.0, "1"), (1.4, "2"), (59.01, "60")])
def test_waiting_as_long_as_told_is_long_enough(seconds: float, said: str) -> None:
    assert error_response(429, "rate_limited", "wait", retry_after=seconds).headers["retry-after"] == said


async def test_more_decisions_at_once_than_there_is_room_for_are_told_to_come_again(
    open_app: OpenApp, make_key: MakeKey
) -> None:
    gate = Gate(1)
    async with open_app(gate=gate) as app, client_of(app, (await make_key()).key) as client:
        with gate.enter():
            response = await client.post(MODERATE, json=BODY)
            error_in(response, 503, "overloaded")
            assert int(response.headers["retry-after"]) >= 1
            assert (await client.get("/api/v1/cases")).status_code == 200, "reading needs no room"
        assert (await client.post(MODERATE, json=BODY)).status_code == 200
        assert gate.inside == 0


async def test_room_is_given_back_after_a_failure() -> None:
    gate = Gate(1)
    with pytest.raises(ZeroDivisionError), gate.enter():
        _ = 1 / 0
    with gate.enter(), pytest.raises(Overloaded), gate.enter():
        pass
    assert gate.inside == 0


async def test_under_a_crowd_each_request_is_decided_or_told_to_come_again(
    open_app: OpenApp, make_key: MakeKey
) -> None:
    async with open_app(gate=Gate(2)) as app, client_of(app, (await make_key()).key) as client:
        crowd = [{"content": SCAM, "user_id": "u1", "content_id": f"c{number}"} for number in range(20)]
        responses = await asyncio.gather(*(client.post(MODERATE, json=body) for body in crowd))
        assert {response.status_code for response in responses} == {200, 503}
        kept = {response.json()["case_id"] for response in responses if response.status_code == 200}
        assert {case["id"] for case in await cases_of(client, limit=100)} == kept
        again = [await decided(client, SCAM, content_id=body["content_id"]) for body in crowd]
        assert len({answer["case_id"] for answer in again}) == 20


async def test_a_decision_that_takes_too_long_is_a_503(open_app: OpenApp, make_key: MakeKey) -> None:
    async with open_app(deadline_s=1e-9) as app, client_of(app, (await make_key()).key) as client:
        response = await client.post(MODERATE, json=BODY)
        error_in(response, 503, "overloaded")
        assert int(response.headers["retry-after"]) >= 1


async def test_the_ring_of_known_keys_stays_bounded() -> None:
    asked: list[str] = []

    async def verify(key: str) -> Actor:
        asked.append(key)
        return factories.agent()

    ring = KeyRing(verify, clock=lambda: 0.0)
    for number in range(CACHE_SIZE + 1):
        await ring.actor(str(number))
    await ring.actor(str(CACHE_SIZE))
    assert len(asked) == CACHE_SIZE + 1, "the newest key is remembered"
    await ring.actor("0")
    assert len(asked) == CACHE_SIZE + 2, "the oldest made room"
