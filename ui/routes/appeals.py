"""Appeals: the list, and the page on which somebody who had no hand in the case decides one (I8)."""

from typing import Annotated, Any

from fastapi import Depends, Form, Query, Request, Response

from data import appeals
from data.appeal_decisions import DecidedAppeal
from domain.appeal import AppealDecision, AppealOutcome, AppealStatus
from domain.errors import Invalid, NotPermitted, StaleVersion
from domain.staff import Right, Staff
from ui import appeal_page
from ui.access import Pages, signed_in, visit_of
from ui.appeal_decisions import decide_appeal
from ui.flash import flash
from ui.pages import render
from ui.parts import Has
from ui.places import onward

router = Pages()

Reader = Annotated[Staff, Depends(signed_in(Right.READ_CASES))]
Decider = Annotated[Staff, Depends(signed_in(Right.DECIDE_APPEALS))]
PAGE = 50
MOST = 4_000
TOLD = {
    AppealOutcome.UPHOLD: "The decision stands.",
    AppealOutcome.OVERTURN: "Overturned: what was restricted is restored.",
    AppealOutcome.ESCALATE: "It waits for a senior colleague now.",
}


@router.get("/appeals")
async def everything(
    request: Request,
    parts: Has,
    staff: Reader,
    status: Annotated[str, Query(max_length=20)] = "",
    cursor: Annotated[str | None, Query(max_length=500)] = None,
) -> Response:
    """All appeals of one's apps, newest first."""
    if status and status not in set(AppealStatus):
        raise Invalid("there is no such status; show all of them")
    visit, wanted = visit_of(request), AppealStatus(status) if status else None
    page = await parts.database.read(
        lambda s: appeals.search(s, app_ids=frozenset(visit.app_ids), status=wanted, cursor=cursor, limit=PAGE)
    )
    names = {app.id: app.name for app in visit.apps}
    known: dict[str, Any] = {"page": page, "statuses": list(AppealStatus), "wanted": wanted, "app_names": names}
    return render(request, "appeals.html", **known)


@router.get("/appeals/{appeal_id}")
async def show(
    request: Request,
    parts: Has,
    staff: Reader,
    appeal_id: str,
    view: Annotated[str, Query(max_length=1_000)] = "",
) -> Response:
    """One appeal, with the case beside it and the machine's brief."""
    found = await parts.database.read(lambda s: appeal_page.heard(s, staff=staff, appeal_id=appeal_id))
    return appeal_page.show(request, parts, staff, found, view=view)


@router.post("/appeals/{appeal_id}/decide")
async def decide(
    request: Request,
    parts: Has,
    staff: Decider,
    appeal_id: str,
    outcome: Annotated[str, Form(max_length=20)] = "",
    reasoning: Annotated[str, Form(max_length=20_000)] = "",
    sets_precedent: Annotated[bool, Form()] = False,
    epoch: Annotated[int, Form(ge=0)] = 0,
    view: Annotated[str, Form(max_length=1_000)] = "",
) -> Response:
    """Uphold, overturn, or ask a senior; then the next item. A refusal shows the page again with what was typed."""
    found = await parts.database.read(lambda s: appeal_page.heard(s, staff=staff, appeal_id=appeal_id))
    try:
        decision = _decision(appeal_id, staff, outcome, reasoning, sets_precedent)
        if found.item is None:
            raise StaleVersion("it is decided already")
        done = await decide_appeal(
            parts,
            staff=staff,
            app_id=found.appeal.app_id,
            review_id=found.item.id,
            epoch=epoch,
            decision=decision,
        )
    except (StaleVersion, Invalid, NotPermitted) as error:
        status = 409 if isinstance(error, StaleVersion) else 403 if isinstance(error, NotPermitted) else 422
        filled = {"outcome": outcome, "reasoning": reasoning, "sets_precedent": sets_precedent}
        found = await parts.database.read(lambda s: appeal_page.heard(s, staff=staff, appeal_id=appeal_id))
        return appeal_page.show(
            request, parts, staff, found, view=view, filled=filled, problem=str(error), status=status
        )
    response, _ = await onward(request, parts, staff, view)
    if isinstance(done, DecidedAppeal):
        flash(request, response, TOLD[decision.outcome], undo=f"/undo/{done.id}", until=done.undo_until)
    else:
        flash(request, response, TOLD[decision.outcome])
    return response


def _decision(appeal_id: str, staff: Staff, outcome: str, reasoning: str, sets_precedent: bool) -> AppealDecision:
    """What was decided. Raises Invalid where it is not complete, in the words of the form."""
    if outcome not in set(AppealOutcome):
        raise Invalid("choose whether the decision stands")
    words = reasoning.strip()
    if not words:
        raise Invalid("say why, in words that the user will read")
    if len(words) > MOST:
        raise Invalid(f"the reasons may have at most {MOST:,} characters")
    return AppealDecision(
        appeal_id=appeal_id,
        reviewer=staff.id,
        outcome=AppealOutcome(outcome),
        sets_precedent=sets_precedent,
        reasoning=words,
    )
