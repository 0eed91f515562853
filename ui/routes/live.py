"""The stream that tells an open page that something changed, with the counts of the person who looks."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from data import queue
from domain.staff import Right, Staff
from ui.access import Pages, signed_in, visit_of
from ui.parts import Has

router = Pages()

RETRY_MS = 3_000


@router.get("/queue/events", response_class=EventSourceResponse)
async def events(
    request: Request, parts: Has, staff: Annotated[Staff, Depends(signed_in(Right.READ_CASES))]
) -> AsyncIterator[ServerSentEvent]:
    """`counts` at once and whenever something changed; the page asks for the rest itself."""
    chosen = visit_of(request).chosen
    app_id = chosen.id if chosen else None

    async def counted() -> ServerSentEvent:
        counts = await parts.database.read(lambda s: queue.counts(s, staff=staff, app_id=app_id))
        told = {"total": counts.total, "overdue": counts.overdue}
        return ServerSentEvent(event="counts", data=told, retry=RETRY_MS)

    yield await counted()
    async for _ in parts.live.changes():
        yield await counted()
