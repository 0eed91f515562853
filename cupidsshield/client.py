"""A small client of the HTTP API, used by the command line and the demo."""

from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self

import httpx2
from pydantic import ValidationError

from domain.answer import ModerationAnswer
from domain.errors import CupidsShieldError, NotAuthenticated, Overloaded, ToolUnavailable
from domain.progress import OnStep, Step
from gateway.errors import ErrorBody
from gateway.schemas import ModerateRequest

TIMEOUT_S = 30.0
EVENTS = "text/event-stream"


class ServiceClient:
    """Talks to a running service with an API key."""

    def __init__(self, url: str, key: str, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        headers = {"X-API-Key": key}
        self._http = httpx2.AsyncClient(base_url=url, headers=headers, timeout=TIMEOUT_S, transport=transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def moderate(self, request: ModerateRequest, on_step: OnStep | None = None) -> ModerationAnswer:
        """The service's answer to one request; `on_step` hears of each step while the decision is made.

        Raises the error that the service tells of, Overloaded where it says to come again, ToolUnavailable where none
        answers or the answer breaks off.
        """
        body = request.model_dump_json(exclude_unset=True)
        asked = self._http.build_request(
            "POST",
            "/api/v1/moderate",
            content=body,
            headers={"content-type": "application/json"},
            params={"stream": "true"} if on_step else None,
        )
        try:
            response = await self._http.send(asked, stream=True)
            try:
                if on_step and response.headers.get("content-type", "").startswith(EVENTS):
                    return await _followed(response, on_step)
                return _answer_in(response, await response.aread())
            finally:
                await response.aclose()
        except httpx2.TransportError as error:
            raise ToolUnavailable("service", f"no service answers at {self._http.base_url}") from error
        except ValidationError as error:
            at = f"{self._http.base_url} answers {response.status_code}"
            raise CupidsShieldError(f"{at}, and not as this service does; is the address right?") from error


def _answer_in(response: httpx2.Response, body: bytes) -> ModerationAnswer:
    if response.is_success:
        return ModerationAnswer.model_validate_json(body)
    told = ErrorBody.model_validate_json(body).error.message
    match response.status_code:
        case 401:
            raise NotAuthenticated(told)
        case 429 | 503 as status:
            raise Overloaded(f"{status}: {told}", float(response.headers.get("Retry-After", 1)))
        case status:
            raise CupidsShieldError(f"{status}: {told}")


async def _followed(response: httpx2.Response, on_step: OnStep) -> ModerationAnswer:
    async for name, data in _events_in(response.aiter_bytes()):
        match name:
            case "step":
                on_step(Step.model_validate_json(data))
            case "decision":
                return ModerationAnswer.model_validate_json(data)
            case "error":
                raise CupidsShieldError(ErrorBody.model_validate_json(data).error.message)
    raise ToolUnavailable("service", "the stream broke off before the decision; send it again")


async def _events_in(stream: AsyncIterator[bytes]) -> AsyncIterator[tuple[str, bytes]]:
    """Name and data of each server-sent event; comments, which only keep the stream alive, are left out."""
    kept = b""
    async for chunk in stream:
        *whole, kept = (kept + chunk).split(b"\n\n")
        for event in whole:
            fields = dict(line.split(b": ", 1) for line in event.splitlines() if not line.startswith(b":"))
            if b"data" in fields:
                yield fields[b"event"].decode(), fields[b"data"]
