"""The numbers: what was posted, what machine and people made of it, and whether it held; as a page and as CSV."""

from typing import Annotated, Any

from fastapi import Depends, Query, Request, Response
from sqlmodel import Session

from domain.errors import NotFound
from domain.staff import Right, Staff
from ui import figures
from ui.access import Pages, Visit, signed_in, visit_of
from ui.asked import Asked, Span
from ui.pages import render
from ui.parts import Has, UiParts

router = Pages()

Reader = Annotated[Staff, Depends(signed_in(Right.SEE_NUMBERS))]
Back = Annotated[Span, Query(alias="window")]


def asked_by(visit: Visit, parts: UiParts, span: Span) -> Asked:
    """The numbers that somebody may see, of what they look at."""
    return Asked(
        app_ids=visit.app_ids,
        known=tuple(app.id for app in visit.apps),
        span=span,
        at=parts.clock(),
        quality=parts.policies.thresholds.quality,
    )


@router.get("/numbers")
async def numbers(request: Request, parts: Has, staff: Reader, window: Back = Span.WEEK) -> Response:
    """All of them on one page, alerts on top."""
    visit = visit_of(request)
    asked = asked_by(visit, parts, window)

    def work(session: Session) -> dict[str, Any]:
        return {"tiles": figures.tiles(session, asked), "sheets_shown": figures.sheets(session, asked)}

    names = {app.id: app.name for app in visit.apps}
    alarms = [(names[app_id], one) for app_id, found in parts.alarms(visit.app_ids).items() for one in found]
    drifts = [(names[app_id], parts.drift(app_id)) for app_id in visit.app_ids]
    known = await parts.database.read(work)
    limits = parts.policies.thresholds.alerts
    return render(
        request,
        "numbers.html",
        asked=asked,
        spans=list(Span),
        told=alarms,
        drifts=drifts,
        limits=limits,
        several=len(visit.app_ids) > 1,
        **known,
    )


@router.get("/numbers/{table}.csv")
async def table_as_csv(request: Request, parts: Has, staff: Reader, table: str, window: Back = Span.WEEK) -> Response:
    """One table as a file."""
    asked = asked_by(visit_of(request), parts, window)
    sheet = await parts.database.read(lambda session: figures.sheet(session, asked, table))
    if sheet is None:
        raise NotFound(f"there is no table {table[:60]!r}")
    name = f"{table}-{asked.span}-{asked.at.date().isoformat()}.csv"
    return Response(
        sheet.csv(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
