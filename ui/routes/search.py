"""Finding a case, a colleague or a page: as a page of its own, and as the list that Ctrl-K shows."""

from typing import Annotated, Any

from fastapi import Depends, Query, Request, Response

from data import finding
from data import staff as accounts
from domain.staff import Right, Staff
from domain.vocabulary import Route
from ui.access import Pages, signed_in, visit_of
from ui.navigation import entries_for
from ui.pages import render
from ui.parts import Has

router = Pages()

IN_FRAGMENT, ON_PAGE = 6, 50


@router.get("/search")
async def search(
    request: Request,
    parts: Has,
    staff: Annotated[Staff, Depends(signed_in())],
    q: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """What matches, of what this person may see."""
    visit, words = visit_of(request), q.strip()
    fragment = "hx-request" in request.headers
    limit = IN_FRAGMENT if fragment else ON_PAGE
    cases: tuple[finding.Found, ...] = ()
    people: tuple[Staff, ...] = ()
    if words and staff.may(Right.READ_CASES):
        hidden = [route for route in Route if not staff.may_see(route)]
        cases = await parts.database.read(
            lambda s: finding.find_cases(s, app_ids=visit.app_ids, words=words, hidden=hidden, limit=limit)
        )
    if words and staff.may(Right.MANAGE_STAFF):
        everybody = await parts.database.read(accounts.list_staff)
        wanted = words.casefold()
        people = tuple(p for p in everybody if wanted in p.name.casefold() or wanted in p.email)[:limit]
    pages = [(entry.title, entry.path) for entry in entries_for(request, staff)] + [("Account", "/account")]
    known: dict[str, Any] = {
        "q": words,
        "cases": cases,
        "people": people,
        "pages": [(title, path) for title, path in pages if words.casefold() in title.casefold()],
        "app_names": {app.id: app.name for app in visit.apps},
    }
    return render(request, "search_results.html" if fragment else "search.html", **known)
