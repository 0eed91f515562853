"""What operators look at: health, readiness, numbers, and documentation that asks nothing of the outside."""

import json
import math
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from cupidsshield import __version__
from cupidsshield.bootstrap import House, open_house
from cupidsshield.settings import read_settings
from domain.actor import Actor
from domain.vocabulary import DecisionKind, Policy, Route
from gateway import docs
from gateway.auth import KeyRing
from screening.drift import Drift
from tests.gateway.asking import CLEAN, MODERATE, SCAM, decided, error_in, got
from tests.gateway.conftest import MakeKey, OpenApp, client_of
from tests.own_task import in_own_task

Numbers = dict[tuple[str, frozenset[tuple[str, str]]], float]


async def numbers(client: httpx2.AsyncClient) -> Numbers:
    response = await client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


def grown(before: Numbers, after: Numbers, name: str, labels: Mapping[str, str] | None = None) -> float:
    key = (name, frozenset((labels or {}).items()))
    return after.get(key, 0.0) - before.get(key, 0.0)


async def test_health_tells_that_the_process_lives_and_its_version(stranger: httpx2.AsyncClient) -> None:
    assert await got(stranger, "/health") == {"status": "ok", "version": __version__}


async def test_ready_tells_of_every_part(stranger: httpx2.AsyncClient) -> None:
    parts = {"moderation", "database", "vector-search", "notifications", "store"}
    assert await got(stranger, "/ready") == {"ready": True, "parts": dict.fromkeys(parts, "ok")}


async def test_without_its_database_server_it_is_not_ready(open_app: OpenApp, tmp_path: Path) -> None:
    settings = read_settings(
        data_dir=tmp_path, service_token="between-us", mcp_database_url="http://127.0.0.1:9/mcp/database"
    )
    async with in_own_task(open_house(settings)) as lame, open_app(tools=lame.tools) as app, client_of(app) as client:
        response = await client.get("/ready")
        assert response.status_code == 503
        assert response.json()["ready"] is False
        assert response.json()["parts"]["database"] == "unreachable"
        assert response.json()["parts"]["moderation"] == "ok"
        assert (await client.get("/health")).status_code == 200, "a restart would not help"


async def test_decisions_replays_and_refusals_are_counted(api: httpx2.AsyncClient) -> None:
    before = await numbers(api)
    await decided(api, CLEAN)
    for _ in range(3):
        await decided(api, SCAM, content_id="again")
    await api.post(MODERATE, json={})
    await api.get("/api/v1/cases/case_none")
    after = await numbers(api)
    decisions = "cupidsshield_decisions_total"
    assert grown(before, after, decisions, {"decision": "approved", "violation": "none"}) == 1
    assert grown(before, after, decisions, {"decision": "rejected", "violation": "scams"}) == 1
    assert grown(before, after, "cupidsshield_replays_total") == 2
    assert grown(before, after, "cupidsshield_decision_seconds_count") == 2
    assert grown(before, after, "cupidsshield_decision_seconds_sum") > 0
    assert grown(before, after, "cupidsshield_errors_total", {"status": "422"}) == 1
    assert grown(before, after, "cupidsshield_errors_total", {"status": "404"}) == 1
    assert after[("cupidsshield_in_flight", frozenset())] == 0


async def test_the_drift_of_scores_is_a_number_of_its_own(house: House, api: httpx2.AsyncClient) -> None:
    gauge = ("cupidsshield_score_drift", frozenset[tuple[str, str]]())
    assert gauge in await numbers(api)
    house.drifts.note("app_a", Drift(cases=900, measured=900, index=0.31))
    assert (await numbers(api))[gauge] == 0.31
    house.drifts.note("app_a", Drift(cases=900, measured=900, index=None))
    assert math.isnan((await numbers(api))[gauge])


async def test_labels_hold_words_of_ours_and_nothing_that_identifies(api: httpx2.AsyncClient) -> None:
    await decided(api, SCAM, user_id="anna", content_id="secret-id")
    await api.get("/api/v1/cases/secret-id")
    known = {
        "decision": set(DecisionKind),
        "violation": {*Policy, "none"},
        "route": set(Route),
        "status": {str(status) for status in range(400, 600)},
    }
    for name, labels in await numbers(api):
        for label, value in labels:
            assert label == "le" or value in known[label], f"{name} has {label}={value}"


async def test_a_failure_of_ours_tells_nothing_of_itself_and_is_counted(open_app: OpenApp) -> None:
    async def broken(key: str) -> Actor:
        raise RuntimeError(f"cannot look up {key}")

    async with open_app(keys=KeyRing(broken)) as app, client_of(app, "cs_live_secret") as client:
        response = await client.get("/api/v1/cases")
        error_in(response, 500, "internal")
        assert "cs_live_secret" not in response.text
        assert "look up" not in response.text
        counted = await numbers(client)
        assert counted[("cupidsshield_errors_total", frozenset({("status", "500")}))] == 1


async def test_one_item_of_a_batch_that_fails_on_our_side_leaves_the_others_alone(
    open_app: OpenApp, house: House, make_key: MakeKey
) -> None:
    class Stumbling:
        """Runs that fail at one text and are the real ones for all others."""

        async def moderate(self, submission: object, actor: Actor, on_step: None) -> object:
            if "stumble" in repr(submission):
                raise RuntimeError("a bug")
            return await house.runs.moderate(submission, actor)  # type: ignore[arg-type]

    async with open_app(runs=Stumbling()) as app, client_of(app, (await make_key()).key) as client:
        items = [{"content": text, "user_id": "u1"} for text in (CLEAN, "stumble", SCAM)]
        results = (await client.post(f"{MODERATE}/batch", json={"items": items})).json()["results"]
        assert [result["status"] for result in results] == [200, 500, 200]
        assert results[1]["error"]["code"] == "internal"
        assert "a bug" not in json.dumps(results)


class _Addresses(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in {"src", "href", "action", "srcset"} and value]


async def test_the_documentation_loads_nothing_from_outside(stranger: httpx2.AsyncClient) -> None:
    page = await stranger.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    addresses = _Addresses()
    addresses.feed(page.text)
    loaded = [*addresses.found, *re.findall(r"url: '([^']+)'", page.text)]
    assert {"/openapi.json", "/static/swagger-ui/swagger-ui-bundle.js"} <= set(loaded)
    for address in loaded:
        parts = urlsplit(address)
        assert not parts.netloc, f"{address} is outside"
        if parts.scheme != "data":
            assert (await stranger.get(address)).status_code == 200, address
    assert not re.findall(r"https?://", page.text)


async def test_the_styles_of_the_documentation_load_nothing_either() -> None:
    css = (docs.VENDORED / "swagger-ui.css").read_text("utf-8")
    outside = [
        address for address in re.findall(r"url\(([^)]*)\)", css) if not address.strip("\"'").startswith("data:")
    ]
    assert outside == []
    assert "@import" not in css


async def test_the_front_page_leads_to_the_sign_in(stranger: httpx2.AsyncClient) -> None:
    response = await stranger.get("/")
    assert (response.status_code, response.headers["location"]) == (303, "/login?next=/")


@pytest.mark.parametrize("server", ["moderation", "database", "vector-search", "notifications"])
async def test_the_mcp_servers_are_mounted_and_want_a_key(stranger: httpx2.AsyncClient, server: str) -> None:
    response = await stranger.post(f"/mcp/{server}", json={})
    assert response.status_code == 401, response.text
    assert "bearer" in response.headers["www-authenticate"].lower()
