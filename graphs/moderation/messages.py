"""What is told to whom about a decision. No raw content leaves in a message (people may read it anywhere)."""

from pydantic import JsonValue

from domain.case import Case, CaseRecord
from domain.notification import Audience, Message
from domain.review import Verdict
from domain.vocabulary import Action, DecisionKind, Policy
from graphs.moderation.state import Link
from policies.model import PolicySet
from policies.wording import CONSEQUENCES


def messages_for(record: CaseRecord, policies: PolicySet, link: Link) -> tuple[Message, ...]:
    """The messages that a fresh decision owes: none for an approval. `link` leads the user to the reasons."""
    kind = record.decision.kind
    if kind is DecisionKind.APPROVED:
        return ()
    told = (_to_user(record, policies, link), _to_app(record))
    return (*told, _to_moderators(record)) if kind is DecisionKind.ESCALATED else told


def messages_of_person(
    case: Case, verdict: Verdict, policies: PolicySet, *, appeal_url: str | None = None
) -> tuple[Message, ...]:
    """The messages that a person's decision owes to user and app; `case` is the case as it stood before.

    The reasoning stays in the house: people may quote content in it.
    """
    facts = _facts_of_person(case, verdict, policies)
    to_app = Message(
        audience=Audience.APP,
        recipient="app",
        event=f"case.{verdict.kind}",
        subject=f"Case {case.id} was {verdict.kind}",
        body="A person on your team decided it.",
        payload=facts,
    )
    to_user = statement(case, verdict, policies, appeal_url=appeal_url)
    return (to_user, to_app) if to_user else (to_app,)


def statement(case: Case, verdict: Verdict, policies: PolicySet, *, appeal_url: str | None = None) -> Message | None:
    """Exactly what the user will read of a person's decision: what, by which rule, by whom, and how to appeal.

    None where they should read nothing: support that was offered is not offered twice, and a wish to die that turned
    out to be none is not called fine.
    """
    kind, of_care = case.content.content_type, case.machine.policy is Policy.SELF_HARM
    facts = _facts_of_person(case, verdict, policies)
    if verdict.action is Action.OFFER_SUPPORT:
        if case.action is Action.OFFER_SUPPORT:
            return None
        event, subject = "user.support", "We are here for you"
        body = policies.guideline(Policy.SELF_HARM).user_message
    elif verdict.kind is DecisionKind.REJECTED and verdict.policy and verdict.action:
        guideline = policies.guideline(verdict.policy)
        event, subject = "user.decision", f"Our decision about your {kind}"
        noticed = "Our software noticed it, and a person on our team read it and decided."
        appeal = _how_to_appeal(policies, appeal_url)
        rule = f"The rule is “{guideline.title}”: {guideline.rule}"
        body = "\n\n".join((guideline.user_message, CONSEQUENCES[verdict.action], rule, f"{noticed} {appeal}"))
    elif of_care:
        return None
    else:
        event, subject = "user.decision", f"Your {kind} is fine"
        body = f"A person on our team read your {kind} and found nothing against our rules."
        if case.decision is DecisionKind.REJECTED:
            body += " What was decided before is taken back, and we are sorry for it."
    if appeal_url and verdict.kind is DecisionKind.REJECTED and verdict.action is not Action.OFFER_SUPPORT:
        facts = {**facts, "statement_url": appeal_url}
    return Message(
        audience=Audience.USER, recipient=case.content.user_id, event=event, subject=subject, body=body, payload=facts
    )


def _how_to_appeal(policies: PolicySet, appeal_url: str | None) -> str:
    days = f"{policies.thresholds.appeals.window_days:g}"
    where = f" here: {appeal_url}" if appeal_url else ", and another person will look at it afresh."
    return f"If you think it is wrong, you can appeal within {days} days{where}"


def _facts_of_person(case: Case, verdict: Verdict, policies: PolicySet) -> dict[str, JsonValue]:
    rejected = verdict.kind is DecisionKind.REJECTED
    policy = verdict.policy if rejected else None
    return {
        "content_id": case.content.content_id,
        "user_id": case.content.user_id,
        "decision": verdict.kind,
        "violation_type": policy,
        "severity": verdict.severity if rejected else None,
        "action": verdict.action if rejected else None,
        "policy_version": policies.guideline(policy).version if policy else None,
        "automated": False,
    }


def _to_user(record: CaseRecord, policies: PolicySet, link: Link) -> Message:
    decision, payload = record.decision, _facts(record)
    if decision.action is Action.OFFER_SUPPORT:
        subject, event = "We are here for you", "user.support"
        body = policies.guideline(Policy.SELF_HARM).user_message
    elif decision.kind is DecisionKind.REJECTED and decision.policy is not None:
        guideline = policies.guideline(decision.policy)
        subject, event = f"Our decision about your {record.content.content_type}", "user.decision"
        payload["statement_url"] = link(record.content.app_id, record.case_id)
        body = (
            f"{guideline.user_message} This was decided automatically. Read why here, and appeal if you think it is "
            f"wrong: {payload['statement_url']}"
        )
    else:
        subject, event = f"Your {record.content.content_type} is being checked", "user.under_review"
        payload["statement_url"] = link(record.content.app_id, record.case_id)
        body = "A person on our team is looking at it. You need not do anything; we will tell you the outcome."
    return Message(
        audience=Audience.USER,
        recipient=record.content.user_id,
        event=event,
        subject=subject,
        body=body,
        payload=payload,
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
