"""The queue: what waits, what presses most first, and taking the next of it."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from data import keepsakes, queue
from domain.errors import Invalid
from domain.keepsakes import SavedView
from domain.queue import MOST, QueueCounts, QueueFilter, QueueLine, QueuePage, QueueStatus
from domain.review import ReviewKind
from domain.staff import Right, Staff
from domain.vocabulary import DecisionKind, Policy, Priority, Route, Severity
from policies.offers import offered
from ui.access import Pages, signed_in, visit_of
from ui.flash import flash
from ui.pages import render
from ui.parts import Has, UiParts
from ui.places import onward, queue_at
from ui.queue_filter import filter_of, query_of, view_of

router = Pages()

Reader = Annotated[Staff, Depends(signed_in(Right.READ_CASES))]
Reviewer = Annotated[Staff, Depends(signed_in(Right.REVIEW))]
View = Annotated[str, Form(max_length=1_000)]


@router.get("/queue")
async def show(
    request: Request, parts: Has, staff: Reader, cursor: Annotated[str | None, Query(max_length=500)] = None
) -> Response:
    """A page of the queue."""
    wanted = _wanted(request)

    def work(session: Session) -> tuple[QueuePage, QueueCounts, tuple[SavedView, ...]]:
        return (
            queue.page(session, staff=staff, wanted=wanted, cursor=cursor),
            queue.counts(session, staff=staff, app_id=wanted.app_id),
            keepsakes.views(session, staff=staff),
        )

    page, counts, views = await parts.database.read(work)
    query = query_of(request.query_params)
    known: dict[str, Any] = {
        "page": page,
        "counts": counts,
        "views": views,
        "wanted": wanted,
        "view": query,
        "narrowed": bool(query),
        "routes": [route for route in Route if route in staff.routes],
        "choices": {
            "policy": list(Policy),
            "severity": list(Severity),
            "priority": list(Priority),
            "kind": list(ReviewKind),
            "status": list(QueueStatus),
        },
        "app_names": {app.id: app.name for app in visit_of(request).apps},
        "undo_seconds": round(parts.policies.thresholds.queue.undo_seconds),
        **bulk_choices(parts),
    }
    return render(request, "queue.html", **known)


@router.get("/queue/news")
async def news(
    request: Request,
    parts: Has,
    staff: Reader,
    since: datetime,
    review: Annotated[list[str], Query(max_length=MOST)] = [],  # noqa: B006
) -> Response:
    """What changed since a page was shown: how its lines stand now, the counts, and how many came to it."""
    wanted = _wanted(request)

    def work(session: Session) -> tuple[dict[str, QueueLine | None], QueuePage, QueueCounts]:
        return (
            {each: queue.line_of(session, staff=staff, review_id=each) for each in review},
            queue.page(session, staff=staff, wanted=wanted),
            queue.counts(session, staff=staff, app_id=wanted.app_id),
        )

    lines, first, counts = await parts.database.read(work)
    shown = set(review)
    came = [line for line in first.lines if line.item.id not in shown and line.item.created_at > since]
    return render(request, "queue_news.html", lines=lines, came=len(came), counts=counts, routes=list(staff.routes))


@router.post("/queue/next")
async def take_next(request: Request, parts: Has, staff: Reviewer, view: View = "") -> Response:
    """Take what stands first of this view and is free."""
    response, item = await onward(request, parts, staff, view)
    if item is None:
        flash(request, response, "Nothing is free for you here just now.")
    return response


@router.get("/queue/offers")
async def offers(request: Request, parts: Has, staff: Reader, policy: Policy, severity: Severity) -> Response:
    """The actions that a ladder offers, for the form that decides many."""
    return render(request, "queue_actions.html", offer=offered(policy, severity, parts.policies))


@router.post("/queue/views")
async def keep_view(
    request: Request, parts: Has, staff: Reader, name: Annotated[str, Form(max_length=200)] = "", view: View = ""
) -> Response:
    """Keep the filters of this page under a name."""
    query, _ = view_of(view, visit_of(request))
    if not name.strip():
        raise Invalid("give the view a name")
    await parts.database.write(lambda s: keepsakes.save_view(s, staff=staff, name=name, query=query))
    return RedirectResponse(queue_at(query), status_code=303)


@router.post("/queue/views/{view_id}/forget")
async def forget_view(request: Request, parts: Has, staff: Reader, view_id: str, view: View = "") -> Response:
    """Remove one's own view."""
    query, _ = view_of(view, visit_of(request))
    await parts.database.write(lambda s: keepsakes.forget_view(s, staff=staff, view_id=view_id))
    return RedirectResponse(queue_at(query), status_code=303)


def bulk_choices(parts: UiParts) -> dict[str, Any]:
    """What the form that decides many starts from."""
    policy, severity = Policy.SPAM, Severity.MEDIUM
    return {
        "bulk_policy": policy,
        "bulk_severity": severity,
        "offer": offered(policy, severity, parts.policies),
        "policies": list(Policy),
        "severities": list(Severity),
        "kinds": (DecisionKind.APPROVED, DecisionKind.REJECTED),
    }


def _wanted(request: Request) -> QueueFilter:
    chosen = visit_of(request).chosen
    return filter_of(request.query_params, app_id=chosen.id if chosen else None)
