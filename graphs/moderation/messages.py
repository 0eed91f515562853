"""What is told to whom about a decision. No raw content leaves in a message (people may read it anywhere)."""

from pydantic import JsonValue

from domain.case import CaseRecord
from domain.notification import Audience, Message
from domain.vocabulary import Action, DecisionKind, Policy
from policies.model import PolicySet


def messages_for(record: CaseRecord, policies: PolicySet) -> tuple[Message, ...]:
    """The messages that a fresh decision owes: none for an approval."""
    kind = record.decision.kind
    if kind is DecisionKind.APPROVED:
        return ()
    told = (_to_user(record, policies), _to_app(record))
    return (*told, _to_moderators(record)) if kind is DecisionKind.ESCALATED else told


def _to_user(record: CaseRecord, policies: PolicySet) -> Message:
    decision = record.decision
    if decision.action is Action.OFFER_SUPPORT:
        subject, event = "We are here for you", "user.support"
        body = policies.guideline(Policy.SELF_HARM).user_message
    elif decision.kind is DecisionKind.REJECTED and decision.policy is not None:
        guideline = policies.guideline(decision.policy)
        subject, event = f"Our decision about your {record.content.content_type}", "user.decision"
        body = f"{guideline.user_message} This was decided automatically. If you think it is wrong, you can appeal."
    else:
        subject, event = f"Your {record.content.content_type} is being checked", "user.under_review"
        body = "A person on our team is looking at it. You need not do anything; we will tell you the outcome."
    return Message(
        audience=Audience.USER,
        recipient=record.content.user_id,
        event=event,
        subject=subject,
        body=body,
        payload=_facts(record),
    )


def _to_app(record: CaseRecord) -> Message:
    kind = record.decision.kind
    return Message(
        audience=Audience.APP,
        recipient="app",
        event=f"case.{kind}",
        subject=f"Case {record.case_id} was {kind}",
        body=record.decision.reasoning,
        payload=_facts(record),
    )


def _to_moderators(record: CaseRecord) -> Message:
    decision = record.decision
    about = decision.policy or "no named policy"
    return Message(
        audience=Audience.MODERATORS,
        recipient=decision.route or "moderator",
        event="review.waiting",
        subject=f"{(decision.priority or 'medium').capitalize()}: {about} waits for {decision.route}",
        body=decision.reasoning,
        payload=_facts(record),
    )


def _facts(record: CaseRecord) -> dict[str, JsonValue]:
    decision = record.decision
    return {
        "content_id": record.content.content_id,
        "user_id": record.content.user_id,
        "decision": decision.kind,
        "violation_type": decision.policy,
        "severity": decision.severity,
        "action": decision.action,
        "policy_version": decision.policy_version,
    }
