"""The one way in which graphs and workers reach data, memory, screening and notification.

A `Toolbox` holds one MCP client per server: in process by default (the real protocol without a
socket), over streamable HTTP where a server runs elsewhere. It turns tool errors back into the
errors of `domain.errors`, and everything that says "not reachable" into `ToolUnavailable`.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar, cast

import httpx2
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp.server import MCPServer
from mcp.types import CallToolRequest, CallToolRequestParams, CallToolResult, RequestParamsMeta, TextContent
from pydantic import BaseModel, JsonValue, ValidationError

from domain import errors
from domain.actor import Actor
from domain.errors import CupidsShieldError, ToolUnavailable
from domain.tracing import SILENCE, Tracer
from mcp_servers.identity import ACTOR_META

PROTOCOL = "2026-07-28"
"""The session-less protocol: a client needs no handshake, so a server may start after it."""

Answer = TypeVar("Answer", bound=BaseModel)


class ServerName(StrEnum):
    """The four servers, by the name under which they are mounted and addressed."""

    MODERATION = "moderation"
    DATABASE = "database"
    VECTOR_SEARCH = "vector-search"
    NOTIFICATIONS = "notifications"


@dataclass(frozen=True)
class Remote:
    """A server that runs elsewhere: its URL, and the service token to show it."""

    url: str
    service_token: str


class Toolbox:
    """Calls tools by server and name. Made by `open_toolbox`."""

    def __init__(self, clients: Mapping[ServerName, Client], timeout_s: float, tracer: Tracer = SILENCE) -> None:
        self._clients = clients
        self._timeout_s = timeout_s
        self._tracer = tracer

    async def call(
        self,
        server: ServerName,
        tool: str,
        arguments: Mapping[str, JsonValue],
        *,
        actor: Actor,
        answer: type[Answer],
        timeout_s: float | None = None,
    ) -> Answer:
        """Call `tool` for `actor` and return its typed answer.

        Raises ToolUnavailable where the server cannot be reached, does not answer within `timeout_s`
        seconds, or answers with something unusable; else the error that the tool raised.
        """
        told = {
            "mcp.method.name": "tools/call",
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": tool,
            "cupidsshield.server": server,
        }
        with self._tracer.span(f"tools/call {tool}", told, outward=True):
            return await self._answer(server, tool, _request(tool, arguments, actor), answer, timeout_s)

    async def _answer(
        self, server: ServerName, tool: str, request: CallToolRequest, answer: type[Answer], timeout_s: float | None
    ) -> Answer:
        try:
            result = await self._clients[server].session.send_request(
                request, CallToolResult, request_read_timeout_seconds=timeout_s or self._timeout_s
            )
        except MCPError as error:
            raise ToolUnavailable(server, str(error)) from error
        except ValidationError as error:
            raise ToolUnavailable(server, f"{tool} gave an answer that is not MCP") from error
        if result.is_error:
            raise _error_in(server, result)
        try:
            return answer.model_validate(result.structured_content)
        except ValidationError as error:
            raise ToolUnavailable(server, f"{tool} gave an unusable answer") from error

    async def reachable(self, server: ServerName) -> bool:
        """Whether the server answers at all, within a second."""
        try:
            async with asyncio.timeout(1):
                await self._clients[server].list_tools()
        except (MCPError, ValidationError, TimeoutError):
            return False
        return True


def _request(tool: str, arguments: Mapping[str, JsonValue], actor: Actor) -> CallToolRequest:
    """The protocol's own request. `Client.call_tool` would also check the answer against the listed JSON schema,
    which takes longer than the call; the answer is checked against its type instead."""
    meta = cast(RequestParamsMeta, {ACTOR_META: actor.model_dump(mode="json")})
    return CallToolRequest(params=CallToolRequestParams(name=tool, arguments=dict(arguments), _meta=meta))


_CODED = re.compile(r"(?:Error executing tool [\w-]+: )?(?P<code>[a-z_]+): (?P<message>.*)", re.DOTALL)
"""A tool's error as `expose` writes it, behind what the SDK puts before it. Nothing else may stand before the code:
what an error quotes is often what a user wrote."""
_BY_CODE: dict[str, type[CupidsShieldError]] = {
    kind.code: kind
    for kind in (
        errors.Invalid,
        errors.NotFound,
        errors.NotAuthenticated,
        errors.NotPermitted,
        errors.StaleVersion,
        errors.Overloaded,
    )
}


def _error_in(server: ServerName, result: CallToolResult) -> CupidsShieldError:
    """The error that a tool meant. What we do not know is treated as the server being unusable."""
    text = " ".join(block.text for block in result.content if isinstance(block, TextContent))
    coded = _CODED.fullmatch(text)
    if coded and (kind := _BY_CODE.get(coded["code"])):
        return kind(coded["message"])
    return ToolUnavailable(server, text or "the tool failed without saying why")


class _Unreachable503(httpx2.AsyncBaseTransport):
    """Answers 503 where no whole response comes back, so that the MCP client lives on and can try again.

    The body is read here: a connection that breaks in the middle of one would end the client as well.
    """

    def __init__(self) -> None:
        self._inner = httpx2.AsyncHTTPTransport(retries=0)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        try:
            response = await self._inner.handle_async_request(request)
            await response.aread()
            return response
        except httpx2.RequestError as error:
            return httpx2.Response(503, request=request, text=f"unreachable: {type(error).__name__}")

    async def aclose(self) -> None:
        await self._inner.aclose()


@asynccontextmanager
async def open_toolbox(
    endpoints: Mapping[ServerName, MCPServer | Remote], *, timeout_s: float, tracer: Tracer = SILENCE
) -> AsyncIterator[Toolbox]:
    """Open a client for each endpoint. Enter and leave in the same task.

    A remote server need not be up: calls to it raise ToolUnavailable until it is.
    """
    async with AsyncExitStack() as stack:
        clients = {}
        for name, endpoint in endpoints.items():
            clients[name] = await stack.enter_async_context(await _client(endpoint, timeout_s, stack))
        yield Toolbox(clients, timeout_s, tracer)


async def _client(endpoint: MCPServer | Remote, timeout_s: float, stack: AsyncExitStack) -> Client:
    if isinstance(endpoint, MCPServer):
        return Client(endpoint, mode=PROTOCOL, cache=None)
    http = await stack.enter_async_context(
        httpx2.AsyncClient(
            transport=_Unreachable503(),
            headers={"Authorization": f"Bearer {endpoint.service_token}"},
            timeout=httpx2.Timeout(timeout_s, connect=min(timeout_s, 2.0)),
        )
    )
    return Client(streamable_http_client(endpoint.url, http_client=http), mode=PROTOCOL, cache=None)


def arguments(**values: BaseModel | JsonValue) -> dict[str, Any]:
    """Tool arguments as plain JSON values; models are dumped in JSON mode."""
    return {
        name: value.model_dump(mode="json") if isinstance(value, BaseModel) else value for name, value in values.items()
    }
