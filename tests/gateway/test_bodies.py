"""Whatever is posted gets a decision or a clear refusal in the one error shape, which never repeats what was sent."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from domain.vocabulary import ContentType
from tests.gateway.asking import CLEAN, MODERATE, cases_of, decided, error_in, got

SECRET = "correcthorsebatterystaple"


def body(**fields: object) -> bytes:
    return json.dumps({"content": CLEAN, "user_id": "u1", **fields}).encode()


def nested(levels: int) -> bytes:
    return b'{"content": "hi", "user_id": "u1", "metadata": {"x": ' + b"[" * levels + b"]" * levels + b"}}"


async def post(api: httpx2.AsyncClient, content: Any, kind: str = "application/json") -> httpx2.Response:
    return await api.post(MODERATE, content=content, headers={"content-type": kind})


async def in_pieces(size: int) -> AsyncIterator[bytes]:
    """A body whose length is not known beforehand."""
    for _ in range(size // 65_536):
        yield b"x" * 65_536


REFUSED = [
    # what, the body, status, code, the field that is to blame
    pytest.param(body(content="x" * 1_000_000), 413, "too_large", None, id="a megabyte"),
    pytest.param(body(content="x" * 20_001), 422, "invalid", "body.content", id="20,001 characters"),
    pytest.param(b"", 422, "invalid", "body", id="nothing"),
    pytest.param(body(content=""), 422, "invalid", "body.content", id="an empty text"),
    pytest.param(body(content=None), 422, "invalid", "body.content", id="no text"),
    pytest.param(body(content=[SECRET]), 422, "invalid", "body.content", id="a list for a text"),
    pytest.param(body(user_id=""), 422, "invalid", "body.user_id", id="an empty user"),
    pytest.param(body(user_id="u" * 201), 422, "invalid", "body.user_id", id="a long user"),
    pytest.param(body(user_id=f"{SECRET}\0"), 422, "invalid", "body.user_id", id="NUL in user_id"),
    pytest.param(body(content_id=f"{SECRET}\0"), 422, "invalid", "body.content_id", id="NUL in content_id"),
    pytest.param(
        body(metadata={"recipient_id": f"{SECRET}\0"}),
        422,
        "invalid",
        "body.metadata.recipient_id",
        id="NUL in metadata",
    ),
    pytest.param(body(content=f"{SECRET}\ud800"), 422, "invalid", "body.content", id="lone surrogate in the text"),
    pytest.param(body(user_id=f"{SECRET}\udfff"), 422, "invalid", "body.user_id", id="lone surrogate in user_id"),
    pytest.param(body(content_id="\ud800"), 422, "invalid", "body.content_id", id="lone surrogate in content_id"),
    pytest.param(
        body(metadata={"x": f"{SECRET}\ud800"}), 422, "invalid", "body.metadata", id="lone surrogate in extras"
    ),
    pytest.param(body(metadata={"\ud800": SECRET}), 422, "invalid", "body.metadata", id="lone surrogate as a key"),
    pytest.param(body(content_type=SECRET), 422, "invalid", "body.content_type", id="an unknown kind"),
    pytest.param(
        body(metadata={"timestamp": SECRET}), 422, "invalid", "body.metadata.timestamp", id="a time that is none"
    ),
    pytest.param(
        body(metadata={"timestamp": "2026-01-15T10:30:00"}),
        422,
        "invalid",
        "body.metadata.timestamp",
        id="a time without a zone",
    ),
    pytest.param(body(metadata={"reported": SECRET}), 422, "invalid", "body.metadata.reported", id="not a yes or no"),
    pytest.param(body(metadata={"x": SECRET * 400}), 422, "invalid", "body.metadata", id="much metadata"),
    pytest.param(body(metadata=SECRET), 422, "invalid", "body.metadata", id="metadata that is a text"),
    pytest.param(body(contnet="x"), 422, "invalid", "body.contnet", id="a misspelt field"),
    pytest.param(body(**{f"<{SECRET}>": 1}), 422, "invalid", "body.…", id="a field with a strange name"),
    pytest.param(body(**{SECRET * 10: 1}), 422, "invalid", "body.…", id="a field with a long name"),
    pytest.param(f'"{SECRET}"'.encode(), 422, "invalid", "body", id="a text for an object"),
    pytest.param(f'["{SECRET}"]'.encode(), 422, "invalid", "body", id="a list for an object"),
    pytest.param(f'{{"content": "{SECRET}", '.encode(), 422, "invalid", "body", id="broken JSON"),
    pytest.param(SECRET.encode(), 422, "invalid", "body", id="no JSON"),
    pytest.param(b'{"content": "\xff\xfe", "user_id": "u"}', 400, "invalid", None, id="no UTF-8"),
    pytest.param(b"[" * 100_000, 400, "invalid", None, id="100,000 levels"),
    pytest.param(b'{"metadata":' * 20_000, 400, "invalid", None, id="20,000 levels of objects"),
    pytest.param(b'{"content": ' + b"9" * 100_000 + b"}", 400, "invalid", None, id="a huge number"),
    *(
        pytest.param(nested(n), 422, "invalid", "body.metadata", id=f"{n} levels of metadata")
        for n in (21, 200, 250, 900)
    ),
]


@pytest.mark.parametrize(("content", "status", "code", "field"), REFUSED)
async def test_what_cannot_be_used_is_refused_without_being_repeated(
    api: httpx2.AsyncClient, content: bytes, status: int, code: str, field: str | None
) -> None:
    response = await post(api, content)
    error = error_in(response, status, code)
    assert [problem["field"] for problem in error["problems"]] == ([field] if field else [])
    assert SECRET not in response.text
    assert len(response.content) < 1_000
    assert await cases_of(api) == []


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "image/png", ""]
)
async def test_json_must_be_called_json(api: httpx2.AsyncClient, kind: str) -> None:
    error = error_in(await post(api, body(), kind), 422, "invalid")
    assert "application/json" in error["message"]


async def test_a_body_without_a_known_length_is_cut_off_at_the_same_size(api: httpx2.AsyncClient) -> None:
    error_in(await post(api, in_pieces(1_048_576)), 413, "too_large")


async def test_all_problems_of_a_request_are_told_at_once(api: httpx2.AsyncClient) -> None:
    response = await post(api, b'{"content": "", "content_type": "nonsense", "metadata": {"verified": 7}}')
    fields = {problem["field"] for problem in error_in(response, 422, "invalid")["problems"]}
    assert fields == {"body.content", "body.content_type", "body.metadata.verified", "body.user_id"}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("x" * 20_000, id="20,000 characters"),
        pytest.param("👩‍👩‍👧‍👦" * 100, id="emoji"),
        pytest.param(" ", id="a space"),
        pytest.param("​‮", id="nothing to be seen"),
        pytest.param("'; DROP TABLE moderation_cases; --", id="SQL"),
        pytest.param("<script>alert(1)</script> {{7*7}} %s", id="markup"),
    ],
)
async def test_any_text_is_decided_about_and_kept_as_it_is(api: httpx2.AsyncClient, content: str) -> None:
    answer = await decided(api, content)
    assert (await got(api, f"/api/v1/cases/{answer['case_id']}"))["content"]["text"] == content


async def test_nul_in_a_text_is_decided_about_and_kept_visibly(api: httpx2.AsyncClient) -> None:
    answer = await decided(api, "see\0you")
    assert (await got(api, f"/api/v1/cases/{answer['case_id']}"))["content"]["text"] == "see�you"


async def test_metadata_at_its_deepest_is_kept_and_read_again(api: httpx2.AsyncClient) -> None:
    response = await post(api, nested(20 - 1))
    assert response.status_code == 200, response.text
    kept = (await got(api, f"/api/v1/cases/{response.json()['case_id']}"))["content"]["context"]["extra"]["x"]
    for _ in range(18):
        (kept,) = kept
    assert kept == []


async def test_what_the_app_knows_is_kept_with_the_case(api: httpx2.AsyncClient) -> None:
    metadata = {
        "timestamp": "2026-01-15T10:30:00Z",
        "conversation_id": "conv_789",
        "recipient_id": "user_999",
        "verified": True,
        "client": {"os": "ios", "build": 7, "beta": None},
    }
    answer = await decided(api, metadata=metadata)
    kept = (await got(api, f"/api/v1/cases/{answer['case_id']}"))["content"]["context"]
    assert kept["extra"] == {"client": metadata["client"]}
    assert {name: kept[name] for name in metadata if name != "client"} == {
        name: value for name, value in metadata.items() if name != "client"
    }


@pytest.mark.parametrize("kind", ContentType)
async def test_every_kind_of_content_is_decided_about(api: httpx2.AsyncClient, kind: ContentType) -> None:
    assert (await decided(api, content_type=kind))["decision"] == "approved"


async def test_the_short_address_does_the_same(api: httpx2.AsyncClient) -> None:
    response = await api.post("/moderate", json={"content": CLEAN, "user_id": "u1", "content_id": "one"})
    assert response.json()["case_id"] == (await decided(api, content_id="one"))["case_id"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/static/swagger-ui/nothing.js", 404, "not_found"),
        ("DELETE", MODERATE, 405, "method_not_allowed"),
        ("POST", "/health", 405, "method_not_allowed"),
    ],
)
async def test_what_does_not_exist_is_refused_in_the_same_shape(
    api: httpx2.AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    response = await api.request(method, path)
    error_in(response, status, code)
    assert ("allow" in response.headers) == (status == 405)
