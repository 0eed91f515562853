"""Runs that are told of while they go on, as server-sent events.

Each run is a task of its own. Whoever listens may go away: the run goes on to its end, and its case is kept. What fails
before the first step is answered as without a stream; after it the status is sent already, and the error is an event.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from fastapi import Response
from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event

from domain.progress import OnStep, Step
from gateway.errors import response_of
from gateway.idempotency import REPLAYED
from gateway.metrics import Metrics

STEP, DECISION, ERROR = "step", "decision", "error"
"""The events: any number of steps, then one decision or one error."""

HEARTBEAT_S = 2.0
"""Seconds of silence after which a comment is sent, so that nothing on the way takes the stream for dead."""

HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
"""No cache and no proxy may keep events back."""

DESCRIBED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The decision. With `stream=true`, server-sent events: a `step` for each step of the run, then "
        "one `decision`, whose data is what the call answers without a stream, or one `error`.",
        "content": {
            "text/event-stream": {
                "itemSchema": {
                    "type": "object",
                    "required": ["event", "data"],
                    "properties": {
                        "event": {"type": "string", "enum": [STEP, DECISION, ERROR]},
                        "data": {
                            "type": "string",
                            "contentMediaType": "application/json",
                            "contentSchema": {
                                "oneOf": [
                                    Step.model_json_schema(),
                                    {"$ref": "#/components/schemas/ModerationAnswer"},
                                    {"$ref": "#/components/schemas/ErrorBody"},
                                ]
                            },
                        },
                        "retry": {
                            "type": "integer",
                            "minimum": 0,
                            "description": "With an error: milliseconds after which to send it again.",
                        },
                    },
                }
            }
        },
    }
}
"""The stream for the API's description."""

Run = Callable[[OnStep], Awaitable[Response]]
"""Does what the call does without a stream and returns its response; tells of each step on the way."""


class Streams:
    """The runs that are told of now."""

    def __init__(self, heartbeat_s: float = HEARTBEAT_S) -> None:
        self._heartbeat_s = heartbeat_s
        self._running: set[asyncio.Task[Any]] = set()

    async def follow(self, run: Run, metrics: Metrics, *, at: str) -> Response:
        """Start `run` at the address `at`, and answer with its events. Raises what it raised before its first step."""
        going = Going(run, at)
        task = asyncio.create_task(going.on())
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        first = await going.steps.get()
        if going.failure is not None:
            raise going.failure
        events = self._events(going, first, metrics)
        return EventSourceResponse(events, headers={**HEADERS, **going.replayed})

    async def finish(self) -> None:
        """Let every run come to its end. None takes longer than one decision may."""
        if self._running:
            await asyncio.wait(self._running)

    async def _events(self, going: "Going", step: Step | None, metrics: Metrics) -> AsyncIterator[bytes]:
        while step is not None:
            yield format_sse_event(event=STEP, data_str=step.model_dump_json())
            while True:
                try:
                    async with asyncio.timeout(self._heartbeat_s):
                        step = await going.steps.get()
                    break
                except TimeoutError:
                    yield KEEPALIVE_COMMENT
        if going.response is not None:
            yield _last(going.response, metrics)


class Going:
    """One run on its way. `steps` ends with None; then `response` is set, or `failure` where it failed before any."""

    def __init__(self, run: Run, at: str) -> None:
        self.steps: asyncio.Queue[Step | None] = asyncio.Queue()
        self.response: Response | None = None
        self.failure: Exception | None = None
        self._begun = False
        self._run = run
        self._at = at

    @property
    def replayed(self) -> dict[str, str]:
        """The header that says so, where the response is one that was given before."""
        known = self.response is not None and REPLAYED in self.response.headers
        return {REPLAYED: "true"} if known else {}

    async def on(self) -> None:
        """Go on to the end, whatever it is, and whether or not anybody listens."""
        try:
            self.response = await self._run(self._hear)
        except Exception as error:
            if self._begun:
                self.response = response_of(error, self._at)
            else:
                self.failure = error
        finally:
            self.steps.put_nowait(None)

    def _hear(self, step: Step) -> None:
        self._begun = True
        self.steps.put_nowait(step)


def _last(response: Response, metrics: Metrics) -> bytes:
    body = bytes(response.body).decode()
    if response.status_code < 400:
        return format_sse_event(event=DECISION, data_str=body)
    metrics.errors.labels(str(response.status_code)).inc()
    wait = response.headers.get("Retry-After")
    return format_sse_event(event=ERROR, data_str=body, retry=int(wait) * 1_000 if wait else None)
