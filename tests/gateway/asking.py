"""What many tests ask of the API, and what they expect of every answer."""

from typing import Any

import httpx2

CLEAN = "I love hiking! What trails do you recommend?"
DOUBTFUL = "I've been investing in crypto and doing well..."
SCAM = "Send me money on WhatsApp for crypto investment!"

MODERATE = "/api/v1/moderate"
BATCH = "/api/v1/moderate/batch"
APPEALS = "/api/v1/appeals"
REPORTS = "/api/v1/reports"


async def decided(client: httpx2.AsyncClient, text: str = CLEAN, user_id: str = "u1", **fields: Any) -> dict[str, Any]:
    """The answer about a text."""
    response = await client.post(MODERATE, json={"content": text, "user_id": user_id, **fields})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def got(client: httpx2.AsyncClient, path: str, **query: Any) -> dict[str, Any]:
    """What an address answers."""
    response = await client.get(path, params=query)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


async def cases_of(client: httpx2.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    """One page of the app's cases, newest first."""
    cases: list[dict[str, Any]] = (await got(client, "/api/v1/cases", **query))["cases"]
    return cases


def error_in(response: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    """The error that a response tells of, after checking that it has the one shape of all errors."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert set(body) == {"error"}
    error: dict[str, Any] = body["error"]
    assert set(error) == {"code", "message", "problems"}
    assert error["code"] == code
    assert error["message"]
    assert all(set(problem) == {"field", "message"} for problem in error["problems"])
    return error
