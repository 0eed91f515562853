"""Pieces of reasoning that people keep for the decision form: their own, and, for leads, everybody's."""

from typing import Annotated

from fastapi import Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from data import keepsakes
from domain.staff import Right, Staff
from ui.access import Pages, signed_in
from ui.flash import flash
from ui.parts import Has

router = Pages()

Reader = Annotated[Staff, Depends(signed_in(Right.READ_CASES))]
HERE = "/account#snippets"


@router.post("/account/snippets")
async def keep(
    request: Request,
    parts: Has,
    staff: Reader,
    title: Annotated[str, Form(max_length=500)] = "",
    text: Annotated[str, Form(max_length=20_000)] = "",
    shared: Annotated[bool, Form()] = False,
) -> Response:
    """Keep a snippet."""
    await parts.database.write(lambda s: keepsakes.save_snippet(s, staff=staff, title=title, text=text, shared=shared))
    response = RedirectResponse(HERE, status_code=303)
    flash(request, response, "The snippet is kept.")
    return response


@router.post("/account/snippets/{snippet_id}/forget")
async def forget(request: Request, parts: Has, staff: Reader, snippet_id: str) -> Response:
    """Remove a snippet."""
    await parts.database.write(lambda s: keepsakes.forget_snippet(s, staff=staff, snippet_id=snippet_id))
    response = RedirectResponse(HERE, status_code=303)
    flash(request, response, "The snippet is gone.")
    return response
