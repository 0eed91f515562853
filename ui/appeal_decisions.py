"""What follows when a person decides an appeal: deadline, messages, what memory learns; then the one write.

The page only says who, which item under which claim, and what.
"""

from datetime import timedelta

from sqlmodel import Session

from data import appeal_decisions, appeals, cases
from data.appeal_decisions import DecidedAppeal
from domain.appeal import Appeal, AppealDecision, AppealOutcome
from domain.case import Case
from domain.review import Place, ReviewItem
from domain.staff import Staff
from domain.vocabulary import Route
from graphs.appeals.messages import false_positive, outcome_messages
from policies.appeals import due_at, priority_of
from policies.queue import order_at
from ui.parts import UiParts


async def decide_appeal(
    parts: UiParts, *, staff: Staff, app_id: str, review_id: str, epoch: int, decision: AppealDecision
) -> DecidedAppeal | Appeal:
    """Uphold, overturn or escalate, if the claim still holds; an escalated appeal has nothing to undo.

    Raises NotFound, NotPermitted for who had a hand in the case or whose role is not enough, StaleVersion.
    """
    staff.require_app(app_id)

    def work(session: Session) -> DecidedAppeal | Appeal:
        appeal = appeals.get(session, app_id=app_id, appeal_id=decision.appeal_id)
        case = cases.get(session, app_id=app_id, case_id=appeal.case_id)
        messages = outcome_messages(case, appeal, decision, parts.links.to(app_id, case.id))
        if decision.outcome is AppealOutcome.ESCALATE:
            return appeal_decisions.escalate(
                session,
                staff=staff,
                review_id=review_id,
                epoch=epoch,
                decision=decision,
                place=_seniors_place(case, parts),
                messages=messages,
            )
        overturned = decision.outcome is AppealOutcome.OVERTURN
        return appeal_decisions.decide(
            session,
            staff=staff,
            review_id=review_id,
            epoch=epoch,
            decision=decision,
            messages=messages,
            memory=false_positive(case, parts.clock()) if overturned else None,
            undo=timedelta(seconds=parts.policies.thresholds.queue.undo_seconds),
        )

    return await parts.database.write(work)


async def undo_appeal(parts: UiParts, *, staff: Staff, decision_id: str) -> ReviewItem:
    """Take back one's own decision within its time; the item is one's own again. Raises StaleVersion where late."""
    lease = timedelta(minutes=parts.policies.thresholds.queue.lease_minutes)
    return await parts.database.write(
        lambda session: appeal_decisions.undo(session, staff=staff, decision_id=decision_id, lease=lease)
    )


def _seniors_place(case: Case, parts: UiParts) -> Place:
    at = parts.clock()
    due = due_at(at, parts.policies, escalated=True)
    place = order_at(
        created_at=at, due_at=due, risk=case.risk_score, severity=case.severity, reports=0.0, policies=parts.policies
    )
    return Place(route=Route.SENIOR, priority=priority_of(Route.SENIOR), due_at=due, order_at=place)
