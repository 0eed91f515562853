"""Whether the process lives, whether it can work, and its numbers."""

import asyncio

from fastapi import APIRouter, Response
from pydantic import BaseModel

from gateway.parts import Has
from mcp_servers.client import ServerName

router = APIRouter(tags=["operations"])


class Health(BaseModel):
    """The process answers."""

    status: str
    version: str


class Readiness(BaseModel):
    """`ready` when the database answers. A part that is down otherwise sends its messages to people."""

    ready: bool
    parts: dict[str, str]


@router.get("/health")
async def health(parts: Has) -> Health:
    """Always 200 while the process lives."""
    return Health(status="ok", version=parts.version)


@router.get("/ready", responses={503: {"model": Readiness, "description": "Submissions cannot be accepted now"}})
async def ready(parts: Has, response: Response) -> Readiness:
    """200 when submissions can be accepted, 503 when they cannot."""
    names = list(ServerName)
    reached = await asyncio.gather(*(parts.tools.reachable(name) for name in names))
    states = {name.value: "ok" if up else "unreachable" for name, up in zip(names, reached, strict=True)}
    usable = await parts.database.answers()
    states["store"] = "ok" if usable else "unreachable"
    able = usable and states[ServerName.DATABASE.value] == "ok"
    response.status_code = 200 if able else 503
    return Readiness(ready=able, parts=states)


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}, "description": "The numbers"}},
)
async def metrics(parts: Has) -> Response:
    """Numbers in Prometheus' text format."""
    return Response(parts.metrics.exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")
