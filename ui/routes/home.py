"""The address without a path: leads to the first page that somebody may open."""

from typing import Annotated

from fastapi import Depends, Request, Response
from fastapi.responses import RedirectResponse

from domain.staff import Staff
from ui.access import Pages, signed_in
from ui.navigation import entries_for

router = Pages()


@router.get("/")
async def home(request: Request, staff: Annotated[Staff, Depends(signed_in())]) -> Response:
    """On to the queue, or what comes first for this role."""
    entries = entries_for(request, staff)
    return RedirectResponse(entries[0].path if entries else "/account", status_code=303)
