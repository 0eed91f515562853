"""Statements of reasons (Article 17 of the Digital Services Act): what was decided, why, by whom or what, and what one
can do about it, in words for the person it is about.

Pure. A statement says what is so and no more: no score, no name, nothing of another user.
"""

from datetime import datetime, timedelta

from domain.appeal import Appeal, AppealStatus
from domain.case import MACHINE, Case
from domain.enforcement import Enforcement
from domain.statement import Stand, Statement
from domain.vocabulary import Action, DecisionKind, Policy, SignalSource
from policies.appeals import appeal_until, why_not
from policies.model import PolicySet
from policies.wording import CONSEQUENCES

MOST_FACTS = 3

HIDDEN_AS_WELL = frozenset(
    {
        Action.WARN,
        Action.TEMP_BAN_24H,
        Action.TEMP_BAN_7D,
        Action.REQUEST_VERIFICATION,
        Action.REQUEST_ID_VERIFICATION,
        Action.SUSPEND_UNTIL_VERIFIED,
        Action.PERMANENT_BAN,
        Action.PERMANENT_BAN_AND_REPORT,
        Action.CAMPAIGN_LOCK,
    }
)
"""Actions on the account, beside which what was written is not shown either."""


def as_told(appeal: Appeal, at: datetime, policies: PolicySet) -> Appeal:
    """An appeal as it may be told: a decision that can still be undone is not told yet."""
    if appeal.resolved_at is None:
        return appeal
    if at >= appeal.resolved_at + timedelta(seconds=policies.thresholds.queue.undo_seconds):
        return appeal
    unsaid = {"reasoning": None, "resolved_by": None, "resolved_at": None, "sets_precedent": False}
    return appeal.model_copy(update={"status": AppealStatus.UNDER_REVIEW, **unsaid})


def statement_of(
    case: Case, restriction: Enforcement | None, appeal: Appeal | None, policies: PolicySet, at: datetime
) -> Statement:
    """The statement about a case; `restriction` is the last enforcement that it put in force."""
    told = as_told(appeal, at, policies) if appeal else None
    stand = _stand(case, told)
    violated = case.violation_type or case.machine.policy
    guideline = policies.guideline(violated) if violated and stand in (Stand.RESTRICTED, Stand.LIFTED) else None
    refused = why_not(case, appeal, at, policies)
    can_appeal = refused is None and stand is Stand.RESTRICTED
    ended = restriction is not None and restriction.ends_at is not None and restriction.ends_at <= at
    return Statement(
        case_id=case.id,
        content_type=case.content.content_type,
        text=case.content.text,
        stand=stand,
        headline=_headline(case, stand),
        what=_what(case, stand, ended=ended, policies=policies),
        ends_at=restriction.ends_at if restriction and stand is Stand.RESTRICTED and not ended else None,
        rule_title=guideline.title if guideline else None,
        rule=guideline.rule if guideline else None,
        facts=_facts(case, violated, policies) if guideline and violated else (),
        automated=_automated(case, told),
        decided_at=case.updated_at,
        appeal_until=appeal_until(case, policies) if can_appeal else None,
        no_appeal=refused if stand is Stand.RESTRICTED and appeal is None else None,
        appeal=told.status if told else None,
        appeal_due_at=told.due_at if told else None,
        answer=told.reasoning if told and told.status.is_final else None,
    )


def _stand(case: Case, told: Appeal | None) -> Stand:
    if told is not None:
        return Stand.LIFTED if told.status is AppealStatus.OVERTURNED else Stand.RESTRICTED
    if case.action is Action.OFFER_SUPPORT:
        return Stand.SUPPORTED
    match case.decision:
        case DecisionKind.ESCALATED:
            return Stand.WAITING
        case DecisionKind.APPROVED:
            return Stand.FINE
        case DecisionKind.REJECTED:
            return Stand.RESTRICTED


def _headline(case: Case, stand: Stand) -> str:
    kind = case.content.content_type.value if case.content.content_type != "other" else "post"
    match stand:
        case Stand.WAITING:
            return f"A person is looking at your {kind}"
        case Stand.FINE:
            return f"Your {kind} is fine"
        case Stand.SUPPORTED:
            return "We are here for you"
        case Stand.LIFTED:
            return "We got this wrong, and we are sorry"
        case Stand.RESTRICTED:
            alone = case.reviewed_by == MACHINE
            return f"{'We think that your' if alone else 'Your'} {kind} breaks one of our rules"


def _what(case: Case, stand: Stand, *, ended: bool, policies: PolicySet) -> str:
    match stand:
        case Stand.WAITING:
            return "You need not do anything. We will tell you the outcome."
        case Stand.FINE:
            return "It was looked at and stays within our rules. Nothing is restricted."
        case Stand.SUPPORTED:
            return policies.guideline(Policy.SELF_HARM).user_message
        case Stand.LIFTED:
            return "Your appeal was right. What we had restricted is restored, and nothing of it stays on your record."
        case Stand.RESTRICTED:
            if ended:
                return "The restriction on your account is over. What you wrote stays hidden."
            hidden = "Others do not see it."
            if case.action is None:
                return hidden
            said = CONSEQUENCES[case.action]
            return f"{hidden} {said}" if case.action in HIDDEN_AS_WELL else said


def _facts(case: Case, violated: Policy, policies: PolicySet) -> tuple[str, ...]:
    """Why, in the guideline's own words for users, and what plain rules noticed in the text."""
    noticed = dict.fromkeys(
        signal.reason
        for signal in case.assessment.signals
        if signal.source is SignalSource.RULE and signal.policy is violated and signal.weight > 0
    )
    said = [policies.guideline(violated).user_message]
    if noticed:
        said.append(f"We noticed: {'; '.join(list(noticed)[:MOST_FACTS])}.")
    return tuple(said)


def _automated(case: Case, told: Appeal | None) -> str:
    looked = "An automated system noticed it"
    if told is not None and told.status.is_final:
        return f"{looked}. A person on our team, who had no part in the first decision, decided your appeal."
    if case.decision is DecisionKind.ESCALATED:
        return f"{looked}. A person on our team will decide."
    if case.reviewed_by == MACHINE:
        then = "A person is looking at your appeal." if told else "Appeal, and a person will look."
        return f"{looked} and decided without a person. {then}"
    return f"{looked}. A person on our team decided."
