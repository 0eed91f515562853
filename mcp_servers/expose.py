"""How a tool function becomes an MCP tool: hints set, our errors turned into tool errors once.

A tool error's text is `code: message`; the client turns it back into the error that it was.
"""

import functools
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError, ToolError
from mcp.types import ToolAnnotations
from pydantic import BaseModel

from domain.errors import CupidsShieldError, NotFound

READS = ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)
WRITES_ONCE = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False)
WRITES = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=False)
RESTRICTS = ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=False)

logger = logging.getLogger(__name__)

P = ParamSpec("P")
Answer = TypeVar("Answer", bound=BaseModel)


def expose(
    server: MCPServer, tool: Callable[P, Awaitable[Answer]], hints: ToolAnnotations, *, title: str | None = None
) -> None:
    """Register `tool` under its own name and docstring."""

    @functools.wraps(tool)
    async def call(*args: P.args, **kwargs: P.kwargs) -> Answer:
        try:
            return await tool(*args, **kwargs)
        except CupidsShieldError as error:
            raise ToolError(f"{error.code}: {error}") from error
        except Exception as error:
            logger.exception("tool %s failed", tool.__name__)
            raise ToolError(f"internal: {tool.__name__} failed ({type(error).__name__})") from error

    server.add_tool(call, title=title, annotations=hints)


@contextmanager
def resource_errors() -> Iterator[None]:
    """Turn our errors into the protocol's while a resource is read: the caller's mistake is no crash of ours."""
    try:
        yield
    except NotFound as error:
        raise ResourceNotFoundError(f"{error.code}: {error}") from error
    except CupidsShieldError as error:
        raise ResourceError(f"{error.code}: {error}") from error
