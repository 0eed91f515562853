"""Deciding an item: what the form offers, the decision itself, asking seniors or the legal team, and taking it back."""

from typing import Annotated

from fastapi import Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from data import decisions, dossier
from data.review_rules import row_for
from domain.case import Case
from domain.errors import Invalid, NotPermitted, StaleVersion
from domain.review import Decided, ReviewItem, ReviewKind
from domain.staff import Right, Staff
from domain.vocabulary import Action, DecisionKind, Policy, Severity
from ui import case_page
from ui.access import Pages, signed_in, visit_of
from ui.appeal_decisions import undo_appeal
from ui.flash import flash
from ui.pages import render, words
from ui.parts import Has
from ui.places import onward, page_of
from ui.queue_filter import view_of
from ui.standing import Standing, standing_of
from ui.verdicts import Filled

router = Pages()

Reviewer = Annotated[Staff, Depends(signed_in(Right.REVIEW))]


@router.get("/reviews/{review_id}/offers")
async def offers(
    request: Request,
    parts: Has,
    staff: Reviewer,
    review_id: str,
    policy: Policy = Policy.HARASSMENT,
    severity: Severity = Severity.LOW,
    action: Annotated[Action | None, Query()] = None,
) -> Response:
    """The actions for another policy or severity, the policy itself, and what the user would then read."""

    def work(session: Session) -> tuple[Case, Standing]:
        standing = standing_of(session, staff=staff, review_id=review_id)
        return dossier.open_case(session, staff=staff, case_id=standing.item.case_id), standing

    case, standing = await parts.database.read(work)
    filled = Filled(policy=policy, severity=severity, action=action)
    known = case_page.decision_form(case, filled, standing, staff, parts)
    return render(request, "case_offers.html", **known)


@router.post("/reviews/{review_id}/decide")
async def decide(
    request: Request, parts: Has, staff: Reviewer, review_id: str, filled: Annotated[Filled, Form()]
) -> Response:
    """Decide, or ask somebody who may; then the next item. A refusal shows the page again with all that was typed."""
    item = await parts.database.read(lambda s: row_for(s, staff=staff, review_id=review_id).item())
    try:
        if filled.kind is DecisionKind.ESCALATED:
            return await _asked(request, parts, staff, item, filled)
        verdict = filled.verdict()
        decided = await parts.database.write(
            lambda s: parts.desk.decide(s, staff=staff, review_id=review_id, epoch=filled.epoch, verdict=verdict)
        )
    except (StaleVersion, Invalid, NotPermitted) as error:
        status = 409 if isinstance(error, StaleVersion) else 403 if isinstance(error, NotPermitted) else 422
        found = await parts.database.read(
            lambda s: case_page.seen(s, staff=staff, case_id=item.case_id, review_id=review_id)
        )
        return case_page.show(
            request, parts, staff, found, view=filled.view, filled=filled, problem=str(error), status=status
        )
    response, _ = await onward(request, parts, staff, filled.view)
    flash(request, response, _told(decided), undo=f"/undo/{decided.id}", until=decided.undo_until)
    return response


@router.post("/undo/{decision_id}")
async def undo(
    request: Request,
    parts: Has,
    staff: Reviewer,
    decision_id: str,
    view: Annotated[str, Form(max_length=1_000)] = "",
) -> Response:
    """Take back one's own decision while it can be; the item is one's own again."""
    query, _ = view_of(view, visit_of(request))
    lease = parts.policies.thresholds.queue.lease
    made = await parts.database.read(lambda s: decisions.get(s, staff=staff, decision_id=decision_id))
    if made.kind is ReviewKind.APPEAL:
        item = await undo_appeal(parts, staff=staff, decision_id=decision_id)
    else:
        item = await parts.database.write(
            lambda s: decisions.undo(s, staff=staff, decision_id=decision_id, lease=lease)
        )
    response = RedirectResponse(page_of(item, query), status_code=303)
    flash(request, response, "Taken back: everything stands as before, and the item is yours again.")
    return response


async def _asked(request: Request, parts: Has, staff: Staff, item: ReviewItem, filled: Filled) -> Response:
    if filled.route is None:
        raise Invalid("choose whom you ask")
    route, text, at = filled.route, filled.question(), parts.clock()
    await parts.database.write(
        lambda s: parts.desk.ask(s, staff=staff, review_id=item.id, epoch=filled.epoch, route=route, text=text, at=at)
    )
    response, _ = await onward(request, parts, staff, filled.view)
    flash(request, response, f"Asked: it waits for {words(route)} now.")
    return response


def _told(decided: Decided) -> str:
    """What was decided, in words that hold nothing of the content."""
    if decided.decision == DecisionKind.REJECTED:
        said = f"Rejected for {words(decided.policy)}: {words(decided.action)}."
    else:
        said = "Approved."
    return f"{said} Nobody else's decision was changed by it." if decided.kind is ReviewKind.QUALITY else said
