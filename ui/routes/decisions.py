"""What a user sees of a decision about them, by a signed link and without an account: the reasons, the appeal, its
outcome. Names no moderator; works without script.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from data import reasons
from domain.appeal import MAX_EVIDENCE, MAX_EXPLANATION
from domain.errors import DatabaseUnavailable, Invalid, NotFound, Overloaded, RateLimited, ToolUnavailable
from domain.statement import Statement
from policies.appeals import NO_EXPLANATION
from policies.guidance import advice
from policies.statements import statement_of
from ui.access import Pages, open_to_all
from ui.links import Leads
from ui.pages import capitalize_first, render
from ui.parts import Has, UiParts

router: APIRouter = Pages()

AWAY = (ToolUnavailable, DatabaseUnavailable, Overloaded)
NOT_KEPT = "We could not take your appeal in just now. What you wrote is still here: please send it again in a minute."
TOO_LONG = f"That is more than we can take: at most {MAX_EXPLANATION:,} characters, and {MAX_EVIDENCE:,} of evidence."


@router.get("/decisions/{token}", dependencies=[Depends(open_to_all)])
async def read(token: str, request: Request, parts: Has) -> Response:
    """The statement of reasons, with the appeal or how it stands."""
    try:
        leads = await _open(token, parts)
        statement = await _statement(leads, parts)
    except NotFound:
        return render(request, "decision_closed.html", status=404)
    return _page(request, statement)


@router.post("/decisions/{token}", dependencies=[Depends(open_to_all)])
async def appeal(
    token: str,
    request: Request,
    parts: Has,
    explanation: Annotated[str, Form()] = "",
    new_evidence: Annotated[str, Form()] = "",
    anyway: Annotated[str, Form()] = "",
) -> Response:
    """Take in an appeal. What would help it is said first, once, and whoever wants to sends it as it is."""
    try:
        leads = await _open(token, parts)
        statement = await _statement(leads, parts)
    except NotFound:
        return render(request, "decision_closed.html", status=404)
    said, evidence = _clean(explanation), _clean(new_evidence)
    if len(said) > MAX_EXPLANATION or len(evidence) > MAX_EVIDENCE:
        return _page(request, statement, said=said, evidence=evidence, problem=TOO_LONG, status=422)
    helpful = advice(said, evidence) if not anyway else ()
    if helpful and statement.appeal_until:
        return _page(request, statement, said=said, evidence=evidence, helpful=helpful)
    try:
        await _file(leads, said or NO_EXPLANATION, evidence or None, parts)
    except AWAY:
        return _page(request, statement, said=said, evidence=evidence, problem=NOT_KEPT, status=503)
    except Invalid as error:
        return _page(request, await _statement(leads, parts), problem=f"{capitalize_first(str(error))}.", status=422)
    return RedirectResponse(f"/decisions/{token}#appeal", status_code=303)


def _page(
    request: Request,
    statement: Statement,
    *,
    said: str = "",
    evidence: str = "",
    helpful: tuple[str, ...] = (),
    problem: str | None = None,
    status: int = 200,
) -> Response:
    return render(
        request,
        "decision.html",
        status=status,
        statement=statement,
        said=said,
        evidence=evidence,
        helpful=helpful,
        problem=problem,
        most=(MAX_EXPLANATION, MAX_EVIDENCE),
    )


async def _open(token: str, parts: UiParts) -> Leads:
    """Where a link leads. Raises NotFound, and RateLimited for one that is opened again and again."""
    leads = parts.links.opened(token)
    try:
        await parts.spend_link(f"decision link:{leads.case_id}")
    except RateLimited as error:
        raise RateLimited("this page was opened many times just now; wait a minute", error.retry_after) from error
    return leads


async def _statement(leads: Leads, parts: UiParts) -> Statement:
    found = await parts.database.read(
        lambda session: reasons.grounds(session, app_id=leads.app_id, case_id=leads.case_id)
    )
    return statement_of(found.case, found.restriction, found.appeal, parts.policies, parts.clock())


async def _file(leads: Leads, explanation: str, new_evidence: str | None, parts: UiParts) -> None:
    found = await parts.database.read(
        lambda session: reasons.grounds(session, app_id=leads.app_id, case_id=leads.case_id)
    )
    await parts.appeals.file(
        app_id=leads.app_id,
        case_id=leads.case_id,
        user_id=found.case.content.user_id,
        explanation=explanation,
        new_evidence=new_evidence,
    )


def _clean(text: str) -> str:
    """What a form brought, as it was meant: browsers send line ends of two characters."""
    return text.replace("\r\n", "\n").replace("\x00", "").strip()
