"""Finding cases again: filters, pages, the audit trail, and clear refusals of questions that make no sense."""

import base64
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from fastapi import FastAPI

from domain.clock import now
from tests.gateway.asking import CLEAN, DOUBTFUL, SCAM, cases_of, decided, error_in, got
from tests.gateway.conftest import MakeKey, client_of

CASES = "/api/v1/cases"


async def ids_of(client: httpx2.AsyncClient, **query: Any) -> list[str]:
    return [case["content_id"] for case in await cases_of(client, **query)]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def three(web: FastAPI, make_key: MakeKey) -> AsyncIterator[httpx2.AsyncClient]:
    """A client whose app has three cases, made in this order. Tests only read with it."""
    async with client_of(web, (await make_key()).key) as client:
        await decided(client, CLEAN, user_id="anna", content_id="clean")
        await decided(client, DOUBTFUL, user_id="bert", content_id="doubtful")
        await decided(client, SCAM, user_id="anna", content_id="scam")
        yield client


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["scam", "doubtful", "clean"]),
        ({"decision": "approved"}, ["clean"]),
        ({"decision": "escalated"}, ["doubtful"]),
        ({"decision": "rejected"}, ["scam"]),
        ({"violation_type": "scams"}, ["scam"]),
        ({"violation_type": "hate"}, []),
        ({"user_id": "anna"}, ["scam", "clean"]),
        ({"user_id": "ann"}, []),
        ({"content_id": "doubtful"}, ["doubtful"]),
        ({"text": "CRYPTO"}, ["scam", "doubtful"]),
        ({"text": "crypto inv"}, ["scam"]),
        ({"text": "%"}, []),
        ({"text": "_"}, []),
        ({"user_id": "anna", "decision": "rejected"}, ["scam"]),
        ({"user_id": "bert", "decision": "rejected"}, []),
    ],
    ids=str,
)
async def test_every_filter_narrows_the_list(
    three: httpx2.AsyncClient, query: dict[str, str], found: list[str]
) -> None:
    assert await ids_of(three, **query) == found


async def test_a_window_holds_its_beginning_and_not_its_end(three: httpx2.AsyncClient) -> None:
    middle = (await cases_of(three))[1]["created_at"]
    assert await ids_of(three, since=middle) == ["scam", "doubtful"]
    assert await ids_of(three, until=middle) == ["clean"]
    assert await ids_of(three, since=middle, until=middle) == []


async def test_a_moment_may_be_said_in_any_time_zone(three: httpx2.AsyncClient) -> None:
    begun = now() - timedelta(minutes=5)
    for offset in ("+14:00", "-11:30", "+00:00"):
        there = begun.astimezone(datetime.fromisoformat(f"2026-01-01T00:00:00{offset}").tzinfo)
        assert len(await ids_of(three, since=there.isoformat())) == 3
    assert await ids_of(three, since=(now() + timedelta(hours=1)).astimezone(UTC).isoformat()) == []
    assert len(await ids_of(three, since="0001-01-01T00:00:00+14:00", until="9999-12-31T23:59:59-11:00")) == 3


async def test_pages_hold_every_case_once_newest_first_also_while_new_ones_come(api: httpx2.AsyncClient) -> None:
    made = [(await decided(api, content_id=f"c{number}"))["content_id"] for number in range(5)]
    seen, cursor, pages = [], None, 0
    while pages == 0 or cursor:
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = await got(api, CASES, **query)
        seen += [case["content_id"] for case in page["cases"]]
        cursor, pages = page["next_cursor"], pages + 1
        await decided(api, content_id=f"new{pages}")
    assert pages == 3
    assert seen == made[::-1]


async def test_a_page_that_ends_the_list_has_no_cursor(three: httpx2.AsyncClient) -> None:
    assert (await got(three, CASES, limit=3))["next_cursor"] is None
    assert (await got(three, CASES, limit=2))["next_cursor"] is not None


async def test_a_line_of_the_list_tells_the_outcome_and_quotes_little(api: httpx2.AsyncClient) -> None:
    answer = await decided(api, SCAM + " please" * 100)
    (line,) = await cases_of(api)
    assert line["excerpt"] == (SCAM + " please" * 100)[:160]
    for name in ("decision", "violation_type", "severity", "action"):
        assert line[name] == answer[name]


def forged(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()


@pytest.mark.parametrize(
    "query",
    [
        {"cursor": "not-ours"},
        {"cursor": "💥"},
        {"cursor": forged([])},
        {"cursor": forged(["yesterday", "case_1"])},
        {"cursor": forged(["2026-01-01T00:00:00", "case_1"])},
        {"cursor": forged({"a": 1})},
        {"limit": "0"},
        {"limit": "101"},
        {"limit": "many"},
        {"decision": "maybe"},
        {"violation_type": "rudeness"},
        {"since": "yesterday"},
        {"since": "2026-01-01T00:00:00"},
        {"until": "2026-01-01"},
        {"text": "x" * 201},
    ],
    ids=str,
)
async def test_a_question_that_makes_no_sense_is_refused(api: httpx2.AsyncClient, query: dict[str, str]) -> None:
    error_in(await api.get(CASES, params=query), 422, "invalid")


@pytest.mark.parametrize("name", ["user_id", "content_id", "text"])
@pytest.mark.parametrize("value", ["�", "'; --", "x" * 200])
async def test_strange_values_find_nothing_and_break_nothing(api: httpx2.AsyncClient, name: str, value: str) -> None:
    await decided(api)
    assert await cases_of(api, **{name: value}) == []


@pytest.mark.parametrize("name", ["user_id", "content_id", "text"])
async def test_nul_is_not_looked_for(api: httpx2.AsyncClient, name: str) -> None:
    error_in(await api.get(CASES, params={name: "a\0"}), 422, "invalid")


async def test_an_approval_leaves_one_line_in_the_audit_trail(api: httpx2.AsyncClient) -> None:
    answer = await decided(api, CLEAN)
    trail = await got(api, f"{CASES}/{answer['case_id']}/audit")
    assert trail["case_id"] == answer["case_id"]
    (entry,) = trail["entries"]
    assert entry["action"] == "decision.recorded"
    assert entry["actor"].startswith("system:")
    assert entry["details"]["decision"] == "approved"


async def test_the_audit_trail_tells_what_was_decided_by_whom_and_holds_no_content(api: httpx2.AsyncClient) -> None:
    answer = await decided(api, SCAM, user_id="somebody")
    trail = await got(api, f"{CASES}/{answer['case_id']}/audit")
    recorded = trail["entries"][0]
    case = await got(api, f"{CASES}/{answer['case_id']}")
    assert recorded["details"]["action"] == answer["action"]
    assert recorded["details"]["policy_set"] == answer["policy_version"]
    assert recorded["details"]["trigger"] == case["machine"]["trigger"]
    assert recorded["details"]["confidence"] == case["confidence"]
    assert SCAM not in json.dumps(trail)
    assert "somebody" not in json.dumps(trail)
