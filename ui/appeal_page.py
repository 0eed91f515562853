"""What the page of an appeal knows: the user's words, the case they are about, what a machine prepared, and what a
language model reads in it (I8)."""

from typing import Any

from fastapi import Request, Response
from sqlmodel import Session

from data import appeal_readings, appeals, dossier, guideline_editions
from data import staff as accounts
from data.appeal_decisions import MAY_OVERTURN_ALL
from data.dossier import Dossier
from domain.appeal import Appeal, AppealDecision, AppealOutcome
from domain.appeal_reading import KeptReading, NoReading, ReadingState
from domain.base import Frozen
from domain.notification import Audience
from domain.review import ReviewItem
from domain.staff import Right, Staff
from domain.vocabulary import Route
from graphs.appeals.messages import outcome_messages
from policies.appeal_readings import WOULD, differences
from policies.editions import changed_since
from policies.model import PolicySet
from ui.access import visit_of
from ui.case_page import HOLDS
from ui.highlight import shown
from ui.pages import render
from ui.parts import UiParts
from ui.queue_filter import view_of
from ui.standing import Standing, standing_of

THEIR_WORDS = "(your reasons)"

WHY_NOT = {
    NoReading.UNUSABLE: "the model gave no usable answer",
    NoReading.UNREACHABLE: "no model answered",
    NoReading.INCOMPLETE: "parts of the record could not be asked",
    NoReading.BROKEN_OFF: "writing it was broken off",
}


class Heard(Frozen):
    """What was read. `standing` is the appeal's item where this person's role takes it; `item` as it is, if open;
    `reading` what a language model made of the appeal, if one was asked; `edition` the body of the guideline that the
    case was decided by, where it was kept."""

    appeal: Appeal
    dossier: Dossier
    item: ReviewItem | None
    standing: Standing | None
    colleagues: tuple[Staff, ...]
    reading: KeptReading | None = None
    edition: str | None = None


def heard(session: Session, *, staff: Staff, appeal_id: str) -> Heard:
    """Everything the page shows. Raises NotFound, and NotPermitted for what is the legal team's alone."""
    appeal = appeals.of_apps(session, app_ids=staff.app_ids, appeal_id=appeal_id)
    found = dossier.around(session, staff=staff, case=dossier.open_case(session, staff=staff, case_id=appeal.case_id))
    item = next((each for each in found.open_items if each.appeal_id == appeal_id), None)
    theirs = item is not None and staff.may(Right.DECIDE_APPEALS) and item.route in staff.routes
    standing = standing_of(session, staff=staff, review_id=item.id) if item and theirs else None
    mine = standing is not None and standing.is_mine
    return Heard(
        appeal=appeal,
        dossier=found,
        item=item,
        standing=standing,
        colleagues=_colleagues(session, staff, item) if mine and item else (),
        reading=appeal_readings.of_appeal(session, app_id=appeal.app_id, appeal_id=appeal_id),
        edition=guideline_editions.applied(session, found.case),
    )


def show(
    request: Request,
    parts: UiParts,
    staff: Staff,
    found: Heard,
    *,
    view: str = "",
    filled: dict[str, Any] | None = None,
    problem: str = "",
    status: int = 200,
) -> Response:
    """The page. `filled` and `problem` come from a form that could not be accepted."""
    case, appeal = found.dossier.case, found.appeal
    policy = case.violation_type or case.machine.policy
    route = found.item.route if found.item else Route.MODERATOR
    enough = route in MAY_OVERTURN_ALL.get(staff.role, frozenset())
    query, _ = view_of(view, visit_of(request))
    known: dict[str, Any] = {
        "appeal": appeal,
        "found": found,
        "around": found.dossier,
        "case": case,
        "item": found.item,
        "standing": found.standing,
        "shown": shown(case.content.text, case.assessment.signals, policy),
        "guideline": parts.policies.guideline(policy) if policy else None,
        "changed": _changed(found, parts.policies),
        "named": found.dossier.names,
        "brief": appeal.brief,
        **_reading(found, parts),
        "may_overturn": enough or not appeal.needs_senior,
        "may_set": enough,
        "may_ask": route is Route.MODERATOR,
        "filled": filled or {},
        "problem": problem,
        "view": query,
        "blind": False,
        "holds": HOLDS,
        "was_mine": False,
        "undo_seconds": round(parts.policies.thresholds.queue.undo_seconds),
        "app_name": next((app.name for app in visit_of(request).apps if app.id == case.app_id), ""),
        "reads": {outcome: _reads(found, outcome, parts, staff) for outcome in AppealOutcome},
    }
    return render(request, "appeal.html", status=status, **known)


def _changed(found: Heard, policies: PolicySet) -> tuple[str, ...]:
    """What is different now in the guideline that the case was decided by."""
    policy = found.dossier.case.machine.policy
    return changed_since(found.edition, policies.guideline(policy)) or () if policy else ()


def _reading(found: Heard, parts: UiParts) -> dict[str, Any]:
    """What is shown of a reading: none that is still to come where nobody would write it any more."""
    kept, brief = found.reading, found.appeal.brief
    if kept is not None and kept.state is ReadingState.WAITING:
        kept = kept if parts.reads_appeals and not found.appeal.status.is_final else None
    differs = differences(brief, kept.reading) if kept and kept.reading and brief else ()
    why_not = WHY_NOT[kept.why_not] if kept and kept.why_not else ""
    return {"kept": kept, "differs": differs, "why_not": why_not, "would": WOULD}


def _reads(found: Heard, outcome: AppealOutcome, parts: UiParts, staff: Staff) -> Any:
    """What the user would read of an outcome."""
    case = found.dossier.case
    decision = AppealDecision(appeal_id=found.appeal.id, reviewer=staff.id, outcome=outcome, reasoning=THEIR_WORDS)
    told = outcome_messages(case, found.appeal, decision, parts.links.to(case.app_id, case.id))
    return next(message for message in told if message.audience is Audience.USER)


def _colleagues(session: Session, staff: Staff, item: ReviewItem) -> tuple[Staff, ...]:
    able = [each for each in accounts.list_staff(session) if each.may(Right.DECIDE_APPEALS) and each.id != staff.id]
    return tuple(each for each in able if item.app_id in each.app_ids and item.route in each.routes)
