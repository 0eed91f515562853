"""Where an item is worked on, and how one goes on from there: shared by all that take, pass on and decide items."""

from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from data import claims
from domain.review import ReviewItem, ReviewKind
from domain.staff import Staff
from ui.access import visit_of
from ui.parts import UiParts
from ui.queue_filter import view_of


def page_of(item: ReviewItem, view: str = "") -> str:
    """The address of the page on which an item is decided; `view` is the queue to go back to."""
    if item.kind is ReviewKind.APPEAL and item.appeal_id:
        path, query = f"/appeals/{item.appeal_id}", {}
    else:
        path, query = f"/cases/{item.case_id}", {} if item.kind is ReviewKind.CASE else {"review": item.id}
    if view:
        query["view"] = view
    return f"{path}?{urlencode(query)}" if query else path


def queue_at(view: str) -> str:
    """The address of the queue that somebody came from."""
    return f"/queue?{view}" if view else "/queue"


async def onward(request: Request, parts: UiParts, staff: Staff, view: str) -> tuple[Response, ReviewItem | None]:
    """Take what comes next in the queue that somebody came from, and go there; to the queue where nothing is left."""
    query, wanted = view_of(view, visit_of(request))
    lease = parts.policies.thresholds.queue.lease
    item = await parts.database.write(lambda s: claims.claim_next(s, staff=staff, wanted=wanted, lease=lease))
    return RedirectResponse(page_of(item, query) if item else queue_at(query), status_code=303), item
