"""A small client of the HTTP API, used by the command line and the demo."""

from types import TracebackType
from typing import Self

import httpx2
from pydantic import ValidationError

from domain.answer import ModerationAnswer
from domain.errors import CupidsShieldError, NotAuthenticated, ToolUnavailable
from gateway.errors import ErrorBody
from gateway.schemas import ModerateRequest

TIMEOUT_S = 30.0


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

    async def moderate(self, request: ModerateRequest) -> ModerationAnswer:
        """The service's answer to one request. Raises the error that the service tells of."""
        body = request.model_dump_json(exclude_unset=True)
        try:
            response = await self._http.post(
                "/api/v1/moderate", content=body, headers={"content-type": "application/json"}
            )
        except httpx2.TransportError as error:
            raise ToolUnavailable("service", f"no service answers at {self._http.base_url}") from error
        try:
            if response.is_success:
                return ModerationAnswer.model_validate_json(response.content)
            told = ErrorBody.model_validate_json(response.content).error.message
        except ValidationError as error:
            at = f"{self._http.base_url} answers {response.status_code}"
            raise CupidsShieldError(f"{at}, and not as this service does; is the address right?") from error
        if response.status_code == 401:
            raise NotAuthenticated(told)
        raise CupidsShieldError(f"{response.status_code}: {told}")
