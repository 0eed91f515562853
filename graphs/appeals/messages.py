"""What is told to whom about an appeal, and what memory learns from one. No raw content, and never who decided."""

from datetime import datetime

from domain.appeal import Appeal, AppealDecision, AppealOutcome
from domain.case import Case
from domain.memory import MemoryItem
from domain.notification import Audience, Message
from domain.vocabulary import DecisionKind

SURE = 1.0


def outcome_messages(case: Case, appeal: Appeal, decision: AppealDecision, link: str) -> tuple[Message, ...]:
    """The messages that a person's decision about an appeal owes: to the user, and for a final one to the app."""
    kind = case.content.content_type
    match decision.outcome:
        case AppealOutcome.OVERTURN:
            subject = "Your appeal was right, and we are sorry"
            body = (
                f"A person looked again at your {kind}. We got it wrong, and we apologise. What we had restricted is "
                f"restored, and nothing of it stays on your record. They wrote: {decision.reasoning}"
            )
        case AppealOutcome.UPHOLD:
            subject = "We looked again, and the decision stands"
            body = (
                f"A person who had no part in the first decision looked again at your {kind}, read what you wrote, "
                f"and decided that it stands. They wrote: {decision.reasoning}"
            )
        case AppealOutcome.ESCALATE:
            subject = "Your appeal is with a senior colleague"
            body = (
                "Somebody with more experience looks at it now, which takes a little longer. You need not do anything."
            )
    facts = {"appeal_id": appeal.id, "content_id": case.content.content_id, "user_id": appeal.user_id}
    to_user = Message(
        audience=Audience.USER,
        recipient=appeal.user_id,
        event="user.appeal",
        subject=subject,
        body=f"{body[:3_500]} See it here: {link}",
        payload={**facts, "outcome": decision.outcome, "statement_url": link},
    )
    if decision.outcome is AppealOutcome.ESCALATE:
        return (to_user,)
    overturned = decision.outcome is AppealOutcome.OVERTURN
    to_app = Message(
        audience=Audience.APP,
        recipient="app",
        event="case.overturned" if overturned else "case.upheld",
        subject=f"The appeal against case {case.id} was {'granted' if overturned else 'refused'}",
        body="Restore what was restricted." if overturned else "Nothing changes.",
        payload={
            **facts,
            "outcome": decision.outcome,
            "decision": DecisionKind.APPROVED if overturned else case.decision,
            "action": None if overturned else case.action,
        },
    )
    return (to_user, to_app)


def false_positive(case: Case, at: datetime) -> MemoryItem:
    """An overturned case as memory should know it: confirmed by a person to be fine. Its vector is made on the way."""
    return MemoryItem(
        app_id=case.app_id,
        case_id=case.id,
        text=case.content.text,
        vector="",
        decision=DecisionKind.APPROVED,
        policy=None,
        severity=None,
        confidence=SURE,
        confirmed=True,
        created_at=at,
    )
