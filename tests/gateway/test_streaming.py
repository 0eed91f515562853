"""A decision that is followed while it is made: the steps, then exactly what the call answers without a stream."""

import asyncio
import json
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from fastapi import FastAPI

from cupidsshield.bootstrap import House
from domain.actor import Actor
from domain.answer import ModerationAnswer
from domain.errors import ToolUnavailable
from domain.ids import new_id
from domain.progress import OnStep, Step
from domain.submission import Submission
from domain.vocabulary import Scope
from gateway.limits import Gate, RateLimit
from gateway.streaming import Streams
from tests.gateway.asking import CLEAN, DOUBTFUL, MODERATE, SCAM, cases_of, error_in, got
from tests.gateway.conftest import MakeKey, OpenApp, client_of

MARK = "zanzibarquux"
STREAM = {"stream": "true"}


def body(text: str = CLEAN, **fields: Any) -> dict[str, Any]:
    return {"content": text, "user_id": "u1", **fields}


def events_in(text: str) -> list[tuple[str, Any]]:
    """Name and data of the events of a whole stream, each of which has both."""
    found = []
    for event in text.removesuffix("\n\n").split("\n\n"):
        fields = dict(line.split(": ", 1) for line in event.split("\n") if not line.startswith(":"))
        if fields:
            found.append((fields["event"], fields["data"]))
    return found


async def streamed(client: httpx2.AsyncClient, text: str = CLEAN, headers: Any = None, **fields: Any) -> list[Any]:
    response = await client.post(MODERATE, params=STREAM, json=body(text, **fields), headers=headers)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-cache"
    return events_in(response.text)


class Held:
    """The house's runs, held up after their first step until they are released, and then perhaps failing."""

    def __init__(self, house: House, failure: Exception | None = None) -> None:
        self.house, self.failure = house, failure
        self.released, self.finished = asyncio.Event(), asyncio.Event()

    async def moderate(self, submission: Submission, actor: Actor, on_step: OnStep | None = None) -> ModerationAnswer:
        if on_step:
            on_step(Step(node="intake", ms=1.0, words="Looked."))
        await self.released.wait()
        if self.failure:
            raise self.failure
        answer = await self.house.runs.moderate(submission, actor, on_step)
        self.finished.set()
        return answer


@asynccontextmanager
async def on_a_socket(app: FastAPI, key: str) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of an application that really serves, so that bytes come as they are sent."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers={"X-API-Key": key}) as client:
        yield client
    server.should_exit = True
    await serving


@pytest.mark.parametrize(
    ("text", "nodes"),
    [
        (CLEAN, ["intake", "screening", "risk_assessment", "decision", "action"]),
        (
            DOUBTFUL,
            [
                "intake",
                "screening",
                "risk_assessment",
                "memory",
                "risk_assessment",
                "decision",
                "action",
                "notification",
            ],
        ),
    ],
)
async def test_each_step_is_told_and_then_the_decision(api: httpx2.AsyncClient, text: str, nodes: list[str]) -> None:
    *steps, (last, data) = await streamed(api, text)
    told = [Step.model_validate_json(step) for name, step in steps if name == "step"]
    assert [step.node for step in told] == nodes
    assert len(told) == len(steps)
    answer = ModerationAnswer.model_validate_json(data)
    assert last == "decision"
    case = await got(api, f"/api/v1/cases/{answer.case_id}")
    timed = {step.node: step.ms for step in told}
    assert timed["screening"] == case["timings"]["nodes"]["screening"]


async def test_the_last_event_is_what_the_call_answers_without_a_stream(api: httpx2.AsyncClient) -> None:
    retry = {"Idempotency-Key": new_id("retry")}
    *_, (_, data) = await streamed(api, SCAM, retry)
    plain = await api.post(MODERATE, json=body(SCAM), headers=retry)
    assert plain.headers["idempotent-replayed"] == "true"
    assert plain.text == data
    assert len(await cases_of(api)) == 1


async def test_a_key_gives_the_last_event_again_and_no_steps(api: httpx2.AsyncClient) -> None:
    retry = {"Idempotency-Key": new_id("retry")}
    first = await api.post(MODERATE, json=body(SCAM), headers=retry)
    again = await api.post(MODERATE, params=STREAM, json=body(SCAM), headers=retry)
    assert again.headers["idempotent-replayed"] == "true"
    assert events_in(again.text) == [("decision", first.text)]


async def test_content_that_was_decided_before_ends_after_one_step(api: httpx2.AsyncClient) -> None:
    *_, (_, first) = await streamed(api, SCAM, content_id="twice")
    (_, step), (_, again) = await streamed(api, SCAM, content_id="twice")
    assert json.loads(step)["words"] == "This was decided before."
    assert (json.loads(again)["replayed"], json.loads(again)["case_id"]) == (True, json.loads(first)["case_id"])


async def test_what_is_refused_before_the_run_is_a_plain_error(
    api: httpx2.AsyncClient, stranger: httpx2.AsyncClient, open_app: OpenApp, make_key: MakeKey, web: FastAPI
) -> None:
    error_in(await stranger.post(MODERATE, params=STREAM, json=body()), 401, "not_authenticated")
    async with client_of(web, (await make_key(Scope.READ)).key) as reader:
        error_in(await reader.post(MODERATE, params=STREAM, json=body()), 403, "not_permitted")
    error_in(await api.post(MODERATE, params=STREAM, json=body("")), 422, "invalid")
    error_in(await api.post(MODERATE, params={"stream": "perhaps"}, json=body()), 422, "invalid")
    error_in(await api.post(MODERATE, params=STREAM, json=body("a" * 300_000)), 413, "too_large")
    key = (await make_key()).key
    async with open_app(rate_limit=RateLimit("1/minute")) as app, client_of(app, key) as client:
        assert (await client.post(MODERATE, params=STREAM, json=body())).status_code == 200
        refused = await client.post(MODERATE, params=STREAM, json=body())
        error_in(refused, 429, "rate_limited")
        assert int(refused.headers["retry-after"]) >= 1
    async with open_app(gate=Gate(0)) as app, client_of(app, key) as client:
        error_in(await client.post(MODERATE, params=STREAM, json=body()), 503, "overloaded")
    async with open_app(deadline_s=1e-9) as app, client_of(app, key) as client:
        error_in(await client.post(MODERATE, params=STREAM, json=body()), 503, "overloaded")
    retry = {"Idempotency-Key": new_id("retry")}
    await api.post(MODERATE, json=body(), headers=retry)
    error_in(await api.post(MODERATE, params=STREAM, json=body(SCAM), headers=retry), 422, "idempotency_mismatch")


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [(ToolUnavailable("database", MARK), 503, "tool_unavailable"), (RuntimeError(MARK), 500, "internal")],
)
async def test_what_fails_on_the_way_is_told_as_without_a_stream(
    house: House, open_app: OpenApp, make_key: MakeKey, failure: Exception, status: int, code: str
) -> None:
    runs, key = Held(house, failure), (await make_key()).key
    runs.released.set()
    async with open_app(runs=runs) as app, client_of(app, key) as client:
        retry = {"Idempotency-Key": new_id("retry")}
        response = await client.post(MODERATE, params=STREAM, json=body(), headers=retry)
        _, (name, data) = events_in(response.text)
        plain = await client.post(MODERATE, json=body(), headers=retry)
        assert error_in(plain, status, code)
        assert (name, json.loads(data)) == ("error", plain.json())
        assert MARK not in response.text
        if status == 503:
            assert f"retry: {int(plain.headers['retry-after']) * 1_000}\n" in response.text
        numbers = (await client.get("/metrics")).text
        assert f'cupidsshield_errors_total{{status="{status}"}} 2.0' in numbers


async def test_nothing_of_the_content_is_in_the_steps(api: httpx2.AsyncClient) -> None:
    for kind in ("message", "username"):
        for text in (CLEAN, DOUBTFUL, SCAM):
            metadata = {"conversation_id": f"{MARK}-c", "recipient_id": f"{MARK}-r", "note": MARK}
            sent = {"user_id": f"{MARK}-u", "content_id": new_id(MARK), "content_type": kind, "metadata": metadata}
            response = await api.post(MODERATE, params=STREAM, json={"content": f"{MARK} {text}", **sent})
            *steps, (_, decision) = events_in(response.text)
            assert MARK in decision, "the answer names the content's identifier"
            assert len(steps) >= 5
            assert all(MARK not in data for _, data in steps)
            assert all(json.loads(data).keys() == {"node", "ms", "words"} for _, data in steps)


async def test_who_goes_away_loses_nothing(house: House, open_app: OpenApp, make_key: MakeKey) -> None:
    runs, key, retry = Held(house), (await make_key()).key, {"Idempotency-Key": new_id("retry")}
    async with open_app(runs=runs, streams=Streams()) as app, on_a_socket(app, key) as client:
        async with client.stream("POST", MODERATE, params=STREAM, json=body(SCAM), headers=retry) as response:
            await anext(response.aiter_bytes())
        in_progress = await client.post(MODERATE, json=body(SCAM), headers=retry)
        error_in(in_progress, 409, "request_in_progress")
        runs.released.set()
        await runs.finished.wait()
        await app.state.parts.streams.finish()
        again = await client.post(MODERATE, json=body(SCAM), headers=retry)
        assert again.headers["idempotent-replayed"] == "true"
        (case,) = await cases_of(client)
        assert case["id"] == again.json()["case_id"]


async def test_the_service_does_not_stop_before_a_run_that_nobody_listens_to(
    house: House, open_app: OpenApp, make_key: MakeKey
) -> None:
    runs, key = Held(house), (await make_key()).key

    class ReleasedAtTheEnd(Streams):
        async def finish(self) -> None:
            runs.released.set()
            await super().finish()

    async with (
        open_app(runs=runs, streams=ReleasedAtTheEnd()) as app,
        on_a_socket(app, key) as client,
        client.stream("POST", MODERATE, params=STREAM, json=body(SCAM)) as response,
    ):
        await anext(response.aiter_bytes())
    assert runs.finished.is_set()


async def test_a_long_silence_is_kept_alive(house: House, open_app: OpenApp, make_key: MakeKey) -> None:
    runs, key = Held(house), (await make_key()).key
    async with (
        open_app(runs=runs, streams=Streams(heartbeat_s=0.01)) as app,
        on_a_socket(app, key) as client,
        client.stream("POST", MODERATE, params=STREAM, json=body()) as response,
    ):
        received = ""
        async for chunk in response.aiter_text():
            received += chunk
            if received.count(": ping\n\n") == 2:
                runs.released.set()
        assert received.startswith("event: step\n")
        assert events_in(received)[-1][0] == "decision"


async def test_a_stream_counts_as_a_decision_like_any_other(open_app: OpenApp, make_key: MakeKey) -> None:
    async with open_app() as app, client_of(app, (await make_key()).key) as client:
        await streamed(client, SCAM)
        numbers = (await client.get("/metrics")).text
        assert 'cupidsshield_decisions_total{decision="rejected",violation="scams"} 1.0' in numbers


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
async def test_the_example_of_the_documentation_works(web: FastAPI, make_key: MakeKey) -> None:
    documented = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")
    (command, shown) = re.findall(r"```console\n\$ (curl -N .*?'\{.*?\}')\n(.*?)```", documented, re.DOTALL)[0]
    key = (await make_key()).key
    async with on_a_socket(web, key) as client:
        here = command.replace("http://127.0.0.1:8000", str(client.base_url).rstrip("/")).replace("$KEY", key)
        curl = await asyncio.create_subprocess_shell(
            here, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        out, _ = await curl.communicate()
    told, expected = events_in(out.decode()), events_in(shown.strip("\n"))
    assert [name for name, _ in told] == [name for name, _ in expected]
    for (name, data), (_, example) in zip(told, expected, strict=True):
        if name == "step":
            assert json.loads(data) | {"ms": 0} == json.loads(example) | {"ms": 0}
