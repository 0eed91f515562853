"""What the page of a case knows: read in one go, so that showing it and showing it again after a refusal are one."""

from typing import Any

from fastapi import Request, Response
from sqlmodel import Session

from data import dossier, keepsakes
from data import staff as accounts
from data.dossier import Dossier
from data.handovers import ASKED_FROM
from domain.base import Frozen
from domain.case import Case
from domain.keepsakes import Snippet
from domain.review import ReviewItem, ReviewKind, Verdict
from domain.signals import Signal
from domain.staff import Right, Staff
from domain.vocabulary import DecisionKind, Policy, Severity
from policies.consulted import consulted
from policies.offers import offered, reserved_for
from ui.access import visit_of
from ui.highlight import shown
from ui.pages import render
from ui.parts import UiParts
from ui.queue_filter import view_of
from ui.standing import Standing, standing_of
from ui.verdicts import Filled, action_for, proposed, subject_of

HOLDS = ((1, "an hour"), (4, "four hours"), (24, "a day"), (72, "three days"), (168, "a week"))
PROPOSED = "decision.proposed"


class Seen(Frozen):
    """What was read. `standing` is the item in question: the one asked for, else one's own, else the first."""

    dossier: Dossier
    standing: Standing | None
    snippets: tuple[Snippet, ...]
    colleagues: tuple[Staff, ...]

    @property
    def case(self) -> Case:
        """The case."""
        return self.dossier.case

    @property
    def is_blind(self) -> bool:
        """Whether what was decided must not be shown: this is a second look."""
        return self.standing is not None and self.standing.item.kind is ReviewKind.QUALITY


def seen(session: Session, *, staff: Staff, case_id: str, review_id: str | None) -> Seen:
    """Everything the page shows. Raises NotFound, NotPermitted."""
    case = dossier.open_case(session, staff=staff, case_id=case_id)
    found = dossier.around(session, staff=staff, case=case)
    item = _item(found.open_items, staff, review_id)
    standing = standing_of(session, staff=staff, review_id=item.id) if item else None
    mine = standing is not None and standing.is_mine
    return Seen(
        dossier=found,
        standing=standing,
        snippets=keepsakes.snippets(session, staff=staff) if mine else (),
        colleagues=_colleagues(session, staff, item) if mine and item else (),
    )


def decision_form(case: Case, filled: Filled, standing: Standing, staff: Staff, parts: UiParts) -> dict[str, Any]:
    """What the form offers for a policy and a severity, and what the user would read of each choice."""
    policies = parts.policies
    policy, severity = subject_of(case, filled)
    action = action_for(case, policy, severity, policies, filled.action)
    reserved = reserved_for(policy, severity, policies)
    verdict = Verdict(kind=DecisionKind.REJECTED, policy=policy, severity=severity, action=action, reasoning="-")
    return {
        "filled": filled.model_copy(update={"policy": policy, "severity": severity}),
        "offer": offered(policy, severity, policies),
        "chosen": action,
        "reserved": reserved if reserved not in staff.routes else None,
        "reads_rejected": parts.desk.preview(case, verdict),
        "reads_approved": parts.desk.preview(case, Verdict(kind=DecisionKind.APPROVED, reasoning="-")),
        "guideline": policies.guideline(policy),
        "asked": [route for route, taken in ASKED_FROM.items() if standing.item.route in taken],
        "standing": standing,
        "was_mine": False,
    }


def show(
    request: Request,
    parts: UiParts,
    staff: Staff,
    found: Seen,
    *,
    view: str = "",
    filled: Filled | None = None,
    problem: str = "",
    status: int = 200,
) -> Response:
    """The page. `filled` and `problem` come from a form that could not be accepted: nothing that was typed is lost."""
    case = found.case
    given = filled or proposed(case, parts.policies)
    about, _ = subject_of(case, given)
    query, _ = view_of(view, visit_of(request))
    known: dict[str, Any] = {
        "found": found,
        "around": found.dossier,
        "case": case,
        "shown": shown(case.content.text, case.assessment.signals, about),
        "blind": found.is_blind,
        "standing": found.standing,
        "view": query,
        "problem": problem,
        "holds": HOLDS,
        "policies": list(Policy),
        "severities": list(Severity),
        "app_name": next((app.name for app in visit_of(request).apps if app.id == case.app_id), ""),
        "may_open": found.standing is None and not found.dossier.open_items and staff.may(Right.REVIEW),
        "proposals": [] if found.is_blind else [r for r in found.dossier.trail if r.action == PROPOSED],
        "guideline": parts.policies.guideline(about),
        "named": found.dossier.names,
        "consulted": consulted(case.assessment),
        "strongest": max((abs(signal.weight) for signal in _speaking(case, about)), default=0.0) or 1.0,
        "was_mine": False,
        "kept_text": filled.reasoning if filled else "",
        "undo_seconds": round(parts.policies.thresholds.queue.undo_seconds),
    }
    if found.standing is not None and found.standing.is_mine:
        known |= decision_form(case, given, found.standing, staff, parts)
    return render(request, "case.html", status=status, **known)


def _speaking(case: Case, about: Policy) -> list[Signal]:
    """What bars are drawn to scale by: not the scores of other policies, which dwarf everything."""
    return [each for each in case.assessment.signals if each.policy in (about, None)]


def _item(items: tuple[ReviewItem, ...], staff: Staff, review_id: str | None) -> ReviewItem | None:
    """Which item the page is about; appeals have a page of their own."""
    able = [item for item in items if item.route in staff.routes and item.kind is not ReviewKind.APPEAL]
    if not staff.may(Right.REVIEW):
        return None
    ranked = sorted(able, key=lambda i: (i.id != review_id, i.assigned_to != staff.id, i.kind is not ReviewKind.CASE))
    return ranked[0] if ranked else None


def _colleagues(session: Session, staff: Staff, item: ReviewItem) -> tuple[Staff, ...]:
    """Whom an item may be handed to."""
    everybody = accounts.list_staff(session)
    able = [each for each in everybody if each.may(Right.REVIEW) and each.id != staff.id]
    return tuple(each for each in able if item.app_id in each.app_ids and item.route in each.routes)
