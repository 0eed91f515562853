"""Holding an item: taking it, keeping it while working, giving it back, passing it on, putting it off (I7, I12)."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from data import claims, handovers
from data import staff as accounts
from data.review_rules import row_for
from domain.errors import Invalid, NotPermitted, StaleVersion
from domain.review import ReviewItem
from domain.staff import Right, Staff
from ui.access import Pages, signed_in, visit_of
from ui.flash import flash
from ui.pages import render
from ui.parts import Has, UiParts
from ui.places import onward, page_of, queue_at
from ui.queue_filter import view_of
from ui.standing import standing_of

router = Pages()

Reviewer = Annotated[Staff, Depends(signed_in(Right.REVIEW))]
Epoch = Annotated[int, Form(ge=0)]
Text = Annotated[str, Form(max_length=20_000)]
View = Annotated[str, Form(max_length=1_000)]
Act = Callable[[Session], ReviewItem]


@router.post("/reviews/{review_id}/claim")
async def claim(request: Request, parts: Has, staff: Reviewer, review_id: str, view: View = "") -> Response:
    """Take an item and go to its page; where somebody was faster, the page says who."""
    query, _ = view_of(view, visit_of(request))
    item = await _item(parts, staff, review_id)
    lease = parts.policies.thresholds.queue.lease
    response = RedirectResponse(page_of(item, query), status_code=303)
    try:
        await parts.database.write(lambda s: claims.claim(s, staff=staff, review_id=review_id, lease=lease))
    except (StaleVersion, NotPermitted) as error:
        flash(request, response, f"You cannot take it just now: {error}.", kind="problem")
    return response


@router.post("/reviews/{review_id}/renew")
async def renew(request: Request, parts: Has, staff: Reviewer, review_id: str, epoch: Epoch = 0) -> Response:
    """Keep a claim while its page is looked at, and say how it stands.

    A claim that ran out while nobody else came is taken anew: whoever was away for a moment loses nothing.
    """
    await _item(parts, staff, review_id)
    lease = parts.policies.thresholds.queue.lease

    def work(session: Session) -> ReviewItem:
        try:
            return claims.renew(session, staff=staff, review_id=review_id, epoch=epoch, lease=lease)
        except StaleVersion:
            return claims.claim(session, staff=staff, review_id=review_id, lease=lease)

    with suppress(StaleVersion, NotPermitted):
        await parts.database.write(work)
    standing = await parts.database.read(lambda s: standing_of(s, staff=staff, review_id=review_id))
    return render(request, "case_claim.html", standing=standing, was_mine=True)


@router.post("/reviews/{review_id}/release")
async def release(
    request: Request, parts: Has, staff: Reviewer, review_id: str, epoch: Epoch = 0, view: View = ""
) -> Response:
    """Give an item back, on leaving its page; one that is no longer held is given back already."""
    query, _ = view_of(view, visit_of(request))
    await _item(parts, staff, review_id)
    with suppress(StaleVersion):
        await parts.database.write(lambda s: claims.release(s, staff=staff, review_id=review_id, epoch=epoch))
    return RedirectResponse(queue_at(query), status_code=303)


@router.post("/reviews/{review_id}/skip")
async def skip(
    request: Request,
    parts: Has,
    staff: Reviewer,
    review_id: str,
    epoch: Epoch = 0,
    reason: Text = "",
    view: View = "",
) -> Response:
    """Pass an item over, with a reason, and go on to the next."""
    item = await _item(parts, staff, review_id)
    return await _passed_on(
        request,
        parts,
        staff,
        item,
        view,
        lambda s: claims.skip(s, staff=staff, review_id=review_id, epoch=epoch, reason=reason),
        "Passed over. It is free for others.",
    )


@router.post("/reviews/{review_id}/hand-over")
async def hand_over(
    request: Request,
    parts: Has,
    staff: Reviewer,
    review_id: str,
    epoch: Epoch = 0,
    to: Annotated[str, Form(max_length=100)] = "",
    reason: Text = "",
    view: View = "",
) -> Response:
    """Keep an item for one colleague, and go on to the next."""
    item = await _item(parts, staff, review_id)

    def work(session: Session) -> ReviewItem:
        colleague = next((each for each in accounts.list_staff(session) if each.id == to), None)
        if colleague is None:
            raise Invalid("choose to whom you hand it")
        return handovers.hand_over(session, staff=staff, review_id=review_id, epoch=epoch, to=colleague, text=reason)

    return await _passed_on(request, parts, staff, item, view, work, "Handed over. It is theirs until it is due.")


@router.post("/reviews/{review_id}/hold")
async def hold(
    request: Request,
    parts: Has,
    staff: Reviewer,
    review_id: str,
    epoch: Epoch = 0,
    hours: Annotated[int, Form(ge=0, le=24 * 365)] = 0,
    reason: Text = "",
    view: View = "",
) -> Response:
    """Put an item off for some hours, and go on to the next."""
    item = await _item(parts, staff, review_id)
    until, longest = parts.clock() + timedelta(hours=hours), parts.policies.thresholds.queue.longest_hold
    return await _passed_on(
        request,
        parts,
        staff,
        item,
        view,
        lambda s: handovers.hold(
            s, staff=staff, review_id=review_id, epoch=epoch, until=until, reason=reason, longest=longest
        ),
        "On hold. It comes back by itself.",
    )


@router.post("/reviews/{review_id}/off-hold")
async def off_hold(request: Request, parts: Has, staff: Reviewer, review_id: str, view: View = "") -> Response:
    """Put a held item back into the queue and take it."""
    query, _ = view_of(view, visit_of(request))
    lease = parts.policies.thresholds.queue.lease

    def work(session: Session) -> ReviewItem:
        handovers.take_off_hold(session, staff=staff, review_id=review_id)
        return claims.claim(session, staff=staff, review_id=review_id, lease=lease)

    item = await parts.database.write(work)
    return RedirectResponse(page_of(item, query), status_code=303)


async def _item(parts: UiParts, staff: Staff, review_id: str) -> ReviewItem:
    """An item that this person may work on. Raises NotFound, NotPermitted."""
    return await parts.database.read(lambda s: row_for(s, staff=staff, review_id=review_id).item())


async def _passed_on(
    request: Request, parts: UiParts, staff: Staff, item: ReviewItem, view: str, work: Act, said: str
) -> Response:
    """Do it and go on; where it cannot be done, the page of the item says why."""
    try:
        await parts.database.write(work)
    except (StaleVersion, Invalid, NotPermitted) as error:
        query, _ = view_of(view, visit_of(request))
        response: Response = RedirectResponse(page_of(item, query), status_code=303)
        flash(request, response, f"That was not done: {error}.", kind="problem")
        return response
    response, _ = await onward(request, parts, staff, view)
    flash(request, response, said)
    return response
