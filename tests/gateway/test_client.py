"""The client that the command line and the demo use, against the real application."""

import httpx2
import pytest
from fastapi import FastAPI

from cupidsshield.cli.demo import TRIES, answered
from cupidsshield.client import ServiceClient
from cupidsshield.samples import SCENARIOS
from domain.errors import CupidsShieldError, NotAuthenticated, Overloaded, ToolUnavailable
from domain.progress import Step
from gateway.errors import error_response
from gateway.schemas import ModerateRequest
from tests.gateway.asking import SCAM
from tests.gateway.conftest import MakeKey

URL = "http://127.0.0.1:8000"
REQUEST = ModerateRequest(content=SCAM, user_id="u1")


async def test_a_request_gets_its_answer(web: FastAPI, make_key: MakeKey) -> None:
    async with ServiceClient(URL, (await make_key()).key, httpx2.ASGITransport(app=web)) as client:
        answer = await client.moderate(REQUEST)
    assert (answer.decision, answer.violation_type) == ("rejected", "scams")


async def test_a_bad_key_is_told_as_such(web: FastAPI) -> None:
    async with ServiceClient(URL, "cs_live_invented", httpx2.ASGITransport(app=web)) as client:
        with pytest.raises(NotAuthenticated, match="API key"):
            await client.moderate(REQUEST)


async def test_a_refusal_is_told_in_the_services_words(web: FastAPI, make_key: MakeKey) -> None:
    strange = REQUEST.model_copy(update={"user_id": "u" * 201})
    async with ServiceClient(URL, (await make_key()).key, httpx2.ASGITransport(app=web)) as client:
        with pytest.raises(CupidsShieldError, match=r"422: body\.user_id: String should have at most 200"):
            await client.moderate(strange)


@pytest.mark.parametrize("status", [200, 502])
async def test_something_else_at_the_address_is_told_as_such(status: int) -> None:
    proxy = httpx2.MockTransport(lambda request: httpx2.Response(status, html="<h1>Bad Gateway</h1>"))
    async with ServiceClient(URL, "key", proxy) as client:
        with pytest.raises(CupidsShieldError, match="is the address right"):
            await client.moderate(REQUEST)


async def test_nothing_at_the_address_is_told_as_such() -> None:
    def refuse(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused")

    async with ServiceClient(URL, "key", httpx2.MockTransport(refuse)) as client:
        with pytest.raises(ToolUnavailable, match=URL):
            await client.moderate(REQUEST)


async def test_the_steps_of_a_decision_are_followed(web: FastAPI, make_key: MakeKey) -> None:
    steps: list[Step] = []
    strange = REQUEST.model_copy(update={"content": f"{SCAM} \u2028 \x85 \r\n\n data: x"})
    async with ServiceClient(URL, (await make_key()).key, httpx2.ASGITransport(app=web)) as client:
        answer = await client.moderate(strange, steps.append)
        with pytest.raises(CupidsShieldError, match=r"422: body\.user_id"):
            await client.moderate(REQUEST.model_copy(update={"user_id": "u" * 201}), steps.append)
    assert (answer.decision, answer.violation_type) == ("rejected", "scams")
    assert [step.node for step in steps][:2] == ["intake", "screening"]
    assert answer.evidence


@pytest.mark.parametrize(
    ("sent", "error", "said"),
    [
        (
            b'event: error\ndata: {"error": {"code": "overloaded", "message": "come again"}}\n\n',
            CupidsShieldError,
            "come",
        ),
        (b": ping\n\nevent: step\ndata: {", ToolUnavailable, "broke off"),
        (b"event: decision\ndata: {}\n\n", CupidsShieldError, "is the address right"),
    ],
)
async def test_a_stream_that_ends_badly_is_told_as_such(sent: bytes, error: type[Exception], said: str) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        assert request.url.params["stream"] == "true"
        return httpx2.Response(200, content=sent, headers={"content-type": "text/event-stream"})

    async with ServiceClient(URL, "key", httpx2.MockTransport(answer)) as client:
        with pytest.raises(error, match=said):
            await client.moderate(REQUEST, lambda step: None)


class BusyAtFirst(httpx2.AsyncBaseTransport):
    """Turns so many requests away as the service does, and lets later ones through."""

    def __init__(self, busy: int, then: httpx2.AsyncBaseTransport) -> None:
        self.busy, self._then = busy, then

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if not self.busy:
            return await self._then.handle_async_request(request)
        self.busy -= 1
        told = error_response(503, "tool_unavailable", "send it again", retry_after=1)
        return httpx2.Response(told.status_code, content=bytes(told.body), headers=dict(told.headers))


async def test_the_demo_posts_a_message_again_where_the_service_says_so(web: FastAPI, make_key: MakeKey) -> None:
    waited: list[float] = []

    async def wait(seconds: float) -> None:
        waited.append(seconds)

    busy = BusyAtFirst(TRIES - 1, httpx2.ASGITransport(app=web))
    async with ServiceClient(URL, (await make_key()).key, busy) as client:
        assert (await answered(client, SCENARIOS[0], wait)).decision == "rejected"
        assert waited == [1.0] * (TRIES - 1)
        busy.busy = TRIES
        with pytest.raises(Overloaded, match="503: send it again"):
            await answered(client, SCENARIOS[0], wait)
