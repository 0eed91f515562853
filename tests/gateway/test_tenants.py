"""No app sees anything of another: what is foreign answers exactly like what is absent (I10)."""

import httpx2
import pytest
from fastapi import FastAPI

from cupidsshield.bootstrap import House
from domain.ids import new_id
from tests.gateway.asking import CLEAN, DOUBTFUL, SCAM, cases_of, decided, error_in, got

OPEN_TO_ALL = {"/health", "/ready", "/metrics"}
OF_ONE_CASE = {"/api/v1/cases/{case_id}", "/api/v1/cases/{case_id}/explanation", "/api/v1/cases/{case_id}/audit"}
ELSEWHERE = {"/api/v1/appeals/{appeal_id}", "/api/v1/appeals/{appeal_id}/reading"}
"""Asked the same in `test_appeals`, for a case must be appealed first."""
NUMBERS = "/api/v1/metrics"
LISTS = {"/api/v1/cases": "cases", "/api/v1/notifications": "notifications"}


def test_every_route_that_reads_is_among_those_tested_here(web: FastAPI) -> None:
    reading = {path for path, methods in web.openapi()["paths"].items() if "get" in methods}
    assert reading == OPEN_TO_ALL | OF_ONE_CASE | ELSEWHERE | LISTS.keys() | {NUMBERS}


@pytest.mark.parametrize("path", sorted(OF_ONE_CASE))
async def test_a_foreign_case_answers_like_an_absent_one(
    api: httpx2.AsyncClient, other_api: httpx2.AsyncClient, path: str
) -> None:
    theirs, absent = (await decided(other_api, SCAM))["case_id"], new_id("case")
    assert (await other_api.get(path.format(case_id=theirs))).status_code == 200
    foreign, none = [await api.get(path.format(case_id=case_id)) for case_id in (theirs, absent)]
    error_in(foreign, 404, "not_found")
    assert foreign.status_code == none.status_code
    assert foreign.text.replace(theirs, "…") == none.text.replace(absent, "…")
    assert foreign.headers.keys() == none.headers.keys()


@pytest.mark.parametrize(("path", "name"), LISTS.items())
async def test_lists_hold_what_is_ones_own_and_nothing_else(
    api: httpx2.AsyncClient, other_api: httpx2.AsyncClient, path: str, name: str
) -> None:
    theirs = await decided(other_api, SCAM, content_id="same id")
    assert (await got(api, path))[name] == []
    ours = await decided(api, DOUBTFUL, content_id="same id")
    assert ours["case_id"] != theirs["case_id"]
    listed = {entry.get("case_id", entry["id"]) for entry in (await got(api, path))[name]}
    assert listed == {ours["case_id"]}


@pytest.mark.parametrize(
    "query",
    [{"user_id": "shared"}, {"content_id": "shared"}, {"text": "money"}, {"decision": "rejected"}],
    ids=lambda query: next(iter(query)),
)
async def test_no_filter_reaches_another_app(
    api: httpx2.AsyncClient, other_api: httpx2.AsyncClient, query: dict[str, str]
) -> None:
    await decided(other_api, SCAM, user_id="shared", content_id="shared")
    assert len(await cases_of(other_api, **query)) == 1
    assert await cases_of(api, **query) == []


async def test_another_apps_cursor_opens_no_more_than_ones_own_cases(
    api: httpx2.AsyncClient, other_api: httpx2.AsyncClient
) -> None:
    ours = await decided(api)
    for _ in range(2):
        await decided(other_api)
    cursor = (await got(other_api, "/api/v1/cases", limit=1))["next_cursor"]
    assert {case["id"] for case in await cases_of(api, cursor=cursor)} <= {ours["case_id"]}


async def test_what_a_person_did_in_one_app_does_not_count_in_another(
    api: httpx2.AsyncClient, other_api: httpx2.AsyncClient
) -> None:
    await decided(other_api, SCAM, user_id="everywhere")
    for client, cases in ((api, 0), (other_api, 1)):
        answer = await decided(client, DOUBTFUL, user_id="everywhere")
        history = (await got(client, f"/api/v1/cases/{answer['case_id']}"))["history"]
        assert (history["cases"], history["violations"]) == (cases, cases)


async def test_memory_recalls_only_cases_of_the_same_app(
    api: httpx2.AsyncClient, other_api: httpx2.AsyncClient, house: House
) -> None:
    theirs = await decided(other_api, DOUBTFUL, content_id="first")
    (memory,) = [worker for worker in house.workers if worker.name == "memory"]
    await memory.drain()
    for client, recalled in ((api, set()), (other_api, {theirs["case_id"]})):
        answer = await decided(client, DOUBTFUL, content_id="second")
        case = await got(client, f"/api/v1/cases/{answer['case_id']}")
        assert {precedent["case_id"] for precedent in case["assessment"]["precedents"]} == recalled


async def test_messages_are_listed_by_what_became_of_them(
    api: httpx2.AsyncClient, other_api: httpx2.AsyncClient
) -> None:
    await decided(other_api, SCAM)
    answer = await decided(api, SCAM)
    entries = (await got(api, "/api/v1/notifications"))["notifications"]
    assert {entry["case_id"] for entry in entries} == {answer["case_id"]}
    assert {entry["message"]["audience"] for entry in entries} == {"user", "app"}
    assert all(SCAM not in entry["message"]["body"] for entry in entries)
    assert (await got(api, "/api/v1/notifications", status="dead"))["notifications"] == []
    error_in(await api.get("/api/v1/notifications", params={"status": "lost"}), 422, "invalid")
    await decided(api, CLEAN)
    assert len((await got(api, "/api/v1/notifications"))["notifications"]) == len(entries)


async def test_numbers_count_what_is_ones_own(api: httpx2.AsyncClient, other_api: httpx2.AsyncClient) -> None:
    await decided(other_api, SCAM)
    assert (await got(api, NUMBERS))["headline"]["cases"] == 0
    await decided(api, DOUBTFUL)
    numbers = await got(api, f"{NUMBERS}?hours=1")
    assert (numbers["headline"]["cases"], numbers["before"]["cases"]) == (1, 0)
    assert sum(route["open"] for route in numbers["queue"]) == 1
    assert (await got(other_api, NUMBERS))["queue"] == []
