"""The page of a case: read by whoever may, decided beside it by whoever holds it."""

from typing import Annotated

from fastapi import Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from data import claims, dossier, exposure
from domain.actor import system
from domain.errors import ToolUnavailable
from domain.exposure import Load
from domain.memory import Precedent
from domain.review import ReviewItem
from domain.staff import Right, Staff
from mcp_servers.client import ServerName
from mcp_servers.vector_search.answers import Precedents
from policies.care import suggests_pause
from ui import case_page
from ui.access import Pages, signed_in
from ui.pages import render
from ui.parts import Has
from ui.places import page_of

router = Pages()

Reader = Annotated[Staff, Depends(signed_in(Right.READ_CASES))]
Reviewer = Annotated[Staff, Depends(signed_in(Right.REVIEW))]
ALIKE = 8


@router.get("/cases/{case_id}")
async def show(
    request: Request,
    parts: Has,
    staff: Reader,
    case_id: str,
    review: Annotated[str | None, Query(max_length=100)] = None,
    view: Annotated[str, Query(max_length=1_000)] = "",
) -> Response:
    """The case with everything around it, and the decision form for whoever holds its item."""
    found = await parts.database.read(lambda s: case_page.seen(s, staff=staff, case_id=case_id, review_id=review))
    return case_page.show(request, parts, staff, found, view=view)


@router.get("/cases/{case_id}/similar")
async def similar(request: Request, parts: Has, staff: Reader, case_id: str) -> Response:
    """Cases that read alike, as memory knows them now and as they stand now."""
    case = await parts.database.read(lambda s: dossier.open_case(s, staff=staff, case_id=case_id))
    found: tuple[Precedent, ...] = ()
    away = False
    try:
        answer = await parts.tools.call(
            ServerName.VECTOR_SEARCH,
            "search_similar_cases",
            {"text": case.content.text, "limit": ALIKE + 1},
            actor=system(case.app_id, "console"),
            answer=Precedents,
        )
        found = tuple(each for each in answer.precedents if each.case_id != case.id)[:ALIKE]
    except ToolUnavailable:
        found, away = case.precedents, True
    ids = {each.case_id for each in found}
    now = await parts.database.read(lambda s: dossier.standings(s, staff=staff, app_id=case.app_id, case_ids=ids))
    alike = [(each, now.get(each.case_id)) for each in found if now.get(each.case_id, each) is not None]
    return render(request, "case_similar.html", alike=alike, away=away)


@router.post("/cases/{case_id}/review")
async def open_review(request: Request, parts: Has, staff: Reviewer, case_id: str) -> Response:
    """Put a case before people that nobody looks at, and take it."""
    at, lease = parts.clock(), parts.policies.thresholds.queue.lease

    def work(session: Session) -> ReviewItem:
        case = dossier.open_case(session, staff=staff, case_id=case_id)
        item = parts.desk.reopen(session, staff=staff, case=case, at=at)
        return claims.claim(session, staff=staff, review_id=item.id, lease=lease)

    return RedirectResponse(page_of(await parts.database.write(work)), status_code=303)


@router.post("/cases/{case_id}/seen")
async def note_seen(
    request: Request,
    parts: Has,
    staff: Reader,
    case_id: str,
    seconds: Annotated[float, Form(ge=0, le=3_600)] = 0.0,
    items: Annotated[int, Form(ge=0, le=1)] = 0,
) -> Response:
    """Count what somebody looked at, and suggest a pause when it has been much."""

    def work(session: Session) -> tuple[Load, Load]:
        case = dossier.open_case(session, staff=staff, case_id=case_id)
        before = exposure.today(session, staff=staff)
        return before, exposure.add(session, staff=staff, severity=case.severity, seconds=seconds, items=items)

    before, after = await parts.database.write(work)
    if not suggests_pause(before, after, staff.preferences, parts.policies):
        return Response(status_code=204)
    return render(request, "pause.html", minutes=round(after.seconds / 60))
