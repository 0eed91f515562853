"""Who may ask: live keys with the right scope, shown in either header, and nobody else."""

from datetime import timedelta

import httpx2
import pytest
from fastapi import FastAPI

from cupidsshield.bootstrap import House
from data import apps, keys
from domain.clock import now
from domain.vocabulary import Scope
from gateway.auth import CACHE_S, KeyRing
from tests.gateway.asking import MODERATE, cases_of, decided, error_in
from tests.gateway.conftest import MakeKey, OpenApp, client_of

BODY = {"content": "hello there", "user_id": "u1"}


@pytest.mark.parametrize("header", ["X-API-Key", "x-api-key"])
async def test_a_key_opens_the_api_in_its_own_header(
    stranger: httpx2.AsyncClient, make_key: MakeKey, header: str
) -> None:
    new = await make_key()
    assert (await stranger.post(MODERATE, json=BODY, headers={header: new.key})).status_code == 200


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_a_key_opens_the_api_as_a_bearer_token(
    stranger: httpx2.AsyncClient, make_key: MakeKey, scheme: str
) -> None:
    new = await make_key()
    response = await stranger.post(MODERATE, json=BODY, headers={"Authorization": f"{scheme} {new.key}"})
    assert response.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="no key"),
        pytest.param({"X-API-Key": ""}, id="an empty key"),
        pytest.param({"X-API-Key": "cs_live_invented"}, id="an invented key"),
        pytest.param({"X-API-Key": "clé".encode("latin-1")}, id="not ASCII"),
        pytest.param({"Authorization": "Bearer "}, id="an empty token"),
        pytest.param({"Authorization": "Basic dTpw"}, id="another scheme"),
        pytest.param({"Authorization": "cs_live_invented"}, id="no scheme"),
    ],
)
async def test_without_a_good_key_every_route_answers_401_and_says_how_to_show_one(
    stranger: httpx2.AsyncClient, headers: dict[str, str]
) -> None:
    for method, path in (("POST", MODERATE), ("GET", "/api/v1/cases"), ("GET", "/api/v1/cases/case_1")):
        body = BODY if method == "POST" else None
        response = await stranger.request(method, path, json=body, headers=headers)
        error_in(response, 401, "not_authenticated")
        assert response.headers["www-authenticate"].startswith("Bearer")


async def test_expired_revoked_and_unknown_keys_are_refused_with_the_same_words(
    stranger: httpx2.AsyncClient, house: House, make_key: MakeKey
) -> None:
    expired = await make_key(expires_at=now() - timedelta(seconds=1))
    revoked = await make_key(app="revokes")
    owner = await house.database.read(lambda session: apps.by_name(session, name="revokes"))
    await house.database.write(lambda session: keys.revoke(session, app_id=owner.id, key_id=revoked.id))
    told = set()
    for key in (expired.key, revoked.key, "cs_live_invented"):
        response = await stranger.post(MODERATE, json=BODY, headers={"X-API-Key": key})
        told.add(error_in(response, 401, "not_authenticated")["message"])
    assert len(told) == 1


async def test_a_revoked_key_that_was_in_use_dies_within_seconds(
    open_app: OpenApp, house: House, make_key: MakeKey
) -> None:
    time = [0.0]
    key = await make_key(app="rotates")
    async with (
        open_app(keys=KeyRing(house.verify_key, clock=lambda: time[0])) as app,
        client_of(app, key.key) as client,
    ):
        assert (await client.post(MODERATE, json=BODY)).status_code == 200
        owner = await house.database.read(lambda session: apps.by_name(session, name="rotates"))
        await house.database.write(lambda session: keys.revoke(session, app_id=owner.id, key_id=key.id))
        time[0] = CACHE_S
        error_in(await client.post(MODERATE, json=BODY), 401, "not_authenticated")


async def test_two_keys_of_one_app_work_at_once_and_see_the_same_cases(web: FastAPI, make_key: MakeKey) -> None:
    old, new = await make_key(app="two keys"), await make_key(app="two keys")
    async with client_of(web, old.key) as before, client_of(web, new.key) as after:
        answer = await decided(before)
        assert [case["id"] for case in await cases_of(after)] == [answer["case_id"]]


@pytest.mark.parametrize(
    ("scope", "method", "path"),
    [
        (Scope.READ, "POST", MODERATE),
        (Scope.READ, "POST", "/moderate"),
        (Scope.READ, "POST", "/api/v1/moderate/batch"),
        (Scope.MODERATE, "GET", "/api/v1/cases"),
        (Scope.MODERATE, "GET", "/api/v1/cases/case_1"),
        (Scope.MODERATE, "GET", "/api/v1/cases/case_1/explanation"),
        (Scope.MODERATE, "GET", "/api/v1/cases/case_1/audit"),
        (Scope.MODERATE, "GET", "/api/v1/notifications"),
        (Scope.NOTIFY, "POST", MODERATE),
        (Scope.NOTIFY, "GET", "/api/v1/cases"),
    ],
)
async def test_a_key_without_the_scope_is_refused_and_told_which_it_needs(
    web: FastAPI, make_key: MakeKey, scope: Scope, method: str, path: str
) -> None:
    async with client_of(web, (await make_key(scope)).key) as client:
        body = {"items": [BODY]} if path.endswith("batch") else BODY
        response = await client.request(method, path, json=body if method == "POST" else None)
        wanted = Scope.MODERATE if method == "POST" else Scope.READ
        assert f"'{wanted}'" in error_in(response, 403, "not_permitted")["message"]
        assert "www-authenticate" not in response.headers


async def test_the_key_is_asked_for_before_the_body_is_judged(stranger: httpx2.AsyncClient) -> None:
    error_in(await stranger.post(MODERATE, json={"nonsense": True}), 401, "not_authenticated")


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics", "/docs", "/openapi.json"])
async def test_operations_and_documentation_need_no_key(stranger: httpx2.AsyncClient, path: str) -> None:
    assert (await stranger.get(path)).status_code == 200
