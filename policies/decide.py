"""What policy makes of an assessment: approve, reject, or hand to people, and to whom and how soon.

The last gate, and pure. Whatever is missing or not a number goes to a person; no path leads from it to an approval or
a penalty.
"""

import math
from enum import StrEnum

from domain.assessment import Assessment
from domain.decision import Decision, Thresholds
from domain.history import SubjectHistory
from domain.vocabulary import Action, DecisionKind, Floor, Policy, Priority, Route, Severity
from policies.explain import percent
from policies.model import PolicySet
from policies.queue import at_least
from policies.votes import CLEARED


class Trigger(StrEnum):
    """The rules of `decide`, in the order in which they are tried; the names are stable."""

    UNAVAILABLE = "unavailable"
    UNUSABLE = "unusable_assessment"
    LEGAL_FLOOR = "legal_floor"
    FIXED_ROUTE = "fixed_route"
    SENIOR = "critical_with_earlier_violations"
    LADDER_REVIEW = "ladder_asks_for_review"
    CLEARED_BEFORE = "cleared_before"
    SURE_VIOLATION = "sure_violation"
    REVIEW_FLOOR = "review_floor"
    SURE_CLEAN = "sure_clean"
    DOUBT = "doubt"


def decide(assessment: Assessment, history: SubjectHistory, policies: PolicySet, app_id: str) -> Decision:
    """The one decision for an assessment; the first rule of `Trigger` that applies settles it.

    Where a policy with a fixed route is merely possible (a minor, a person at risk), the decision names that policy
    rather than the verdict, leaves the severity open and proposes the lowest rung. Support is given at once, as
    `action`, because it must not wait for a review.
    """
    fixed = _fixed_policies(assessment, policies)
    policy = fixed[0] if fixed else assessment.policy
    severity = assessment.severity if policy is assessment.policy else None
    guideline = policies.guideline(policy) if policy else None
    rung = guideline.ladder.at(severity or Severity.LOW) if guideline else None
    thresholds = policies.thresholds_for(policy, app_id)
    trigger, why = _settle(assessment, history, policies, thresholds, fixed)
    kind = _kind(trigger)
    waits = kind is DecisionKind.ESCALATED
    route = _route(trigger, assessment, fixed, policies) if waits else None
    priority = _priority(assessment, severity, thresholds, route, policies) if route else None
    supported = Action.OFFER_SUPPORT if Policy.SELF_HARM in fixed else None
    return Decision(
        kind=kind,
        action=supported if waits else rung,
        proposed_action=rung if waits else None,
        policy=policy,
        severity=severity,
        route=route,
        priority=priority,
        sla_hours=policies.thresholds.sla_hours.of(priority) if priority else None,
        thresholds=thresholds,
        policy_version=guideline.version if guideline else None,
        policy_set=policies.set_hash,
        trigger=trigger.value,
        reasoning=f"{_verdict(assessment, policies)}, {why}.",
    )


def _settle(
    assessment: Assessment,
    history: SubjectHistory,
    policies: PolicySet,
    thresholds: Thresholds,
    fixed: tuple[Policy, ...],
) -> tuple[Trigger, str]:
    """The first rule that applies, and why in words that continue the verdict."""
    senior = policies.thresholds.senior
    violated, sure = assessment.policy, assessment.confidence
    if assessment.unavailable:
        missing = ", ".join(assessment.unavailable)
        return Trigger.UNAVAILABLE, f"but {missing} could not be consulted, so a person decides"
    if lack := _lack(assessment, policies):
        return Trigger.UNUSABLE, f"but {lack}, so a person decides"
    if assessment.floor is Floor.LEGAL:
        return Trigger.LEGAL_FLOOR, "and what was noticed demands the legal team, which decides"
    if fixed:
        return Trigger.FIXED_ROUTE, "and " + ", and ".join(_fixed_in_words(p, assessment, policies) for p in fixed)
    if violated and assessment.severity is senior.severity and history.violations >= senior.earlier_violations:
        return Trigger.SENIOR, f"by somebody with {history.violations} earlier violations, so a senior decides"
    if violated and any(signal.name == CLEARED for signal in assessment.signals):
        return Trigger.CLEARED_BEFORE, "but a person approved this very text before, so no machine penalises it"
    if violated and assessment.severity and sure >= thresholds.auto_reject:
        rung = policies.guideline(violated).ladder.at(assessment.severity)
        reached = f"which reaches the {percent(thresholds.auto_reject)} for acting without a person"
        if rung is Action.FLAG_FOR_REVIEW:
            return Trigger.LADDER_REVIEW, f"{reached}, but at this severity the ladder asks a moderator to look"
        return Trigger.SURE_VIOLATION, f"{reached}, so what the ladder says follows: {rung}"
    if assessment.floor is not Floor.NONE:
        return Trigger.REVIEW_FLOOR, "and what was noticed demands that a moderator looks"
    if violated is None and sure >= thresholds.auto_approve:
        return (
            Trigger.SURE_CLEAN,
            f"which reaches the {percent(thresholds.auto_approve)} for approving without a person",
        )
    limit = thresholds.auto_reject if violated else thresholds.auto_approve
    return (
        Trigger.DOUBT,
        f"which stays below the {percent(limit)} for deciding without a person, so a moderator decides",
    )


def _lack(assessment: Assessment, policies: PolicySet) -> str | None:
    """What the assessment lacks to be decided by a machine, or None."""
    numbers = (assessment.confidence, assessment.risk_score, assessment.violation_probability)
    if not all(math.isfinite(number) for number in (*numbers, *assessment.scores.values())):
        return "a number of the assessment is not finite"
    if assessment.policy and assessment.severity is None:
        return "nobody could tell the severity"
    unscored = [policy for policy in policies.possible_at if policy not in assessment.scores]
    return f"there is no score for {', '.join(unscored)}" if unscored else None


def _fixed_policies(assessment: Assessment, policies: PolicySet) -> tuple[Policy, ...]:
    """The policies whose route is fixed and that are the verdict or possible: the verdict first, then by score."""
    found: dict[Policy, float] = {}
    for policy, guideline in policies.guidelines.items():
        if (fixed := guideline.fixed_route) is None:
            continue
        score = assessment.scores.get(policy, 0.0)
        is_verdict = policy is assessment.policy
        if is_verdict and (assessment.severity is None or assessment.severity in fixed.severities):
            found[policy] = math.inf
        elif fixed.possible_at is not None and (score >= fixed.possible_at or _demanded(policy, assessment)):
            found[policy] = score
    return tuple(sorted(found, key=found.__getitem__, reverse=True))


def _demanded(policy: Policy, assessment: Assessment) -> bool:
    """Whether something that was noticed demands a person's look for this very policy."""
    return any(signal.policy is policy and signal.floor is not Floor.NONE for signal in assessment.signals)


def _kind(trigger: Trigger) -> DecisionKind:
    match trigger:
        case Trigger.SURE_VIOLATION:
            return DecisionKind.REJECTED
        case Trigger.SURE_CLEAN:
            return DecisionKind.APPROVED
        case _:
            return DecisionKind.ESCALATED


def _route(trigger: Trigger, assessment: Assessment, fixed: tuple[Policy, ...], policies: PolicySet) -> Route:
    """Who looks at it. A fixed route holds also where something was unavailable."""
    if assessment.floor is Floor.LEGAL:
        return Route.LEGAL
    if fixed and (route := policies.guideline(fixed[0]).fixed_route):
        return route.route
    return Route.SENIOR if trigger is Trigger.SENIOR else Route.MODERATOR


def review_of_proposal(
    policy: Policy | None, severity: Severity | None, policies: PolicySet
) -> tuple[Route, Priority, float]:
    """Who looks at what somebody proposes, how soon, and within how many hours.

    A proposal carries no risk of its own: it is medium, or what the route of its policy asks for at least. Where it
    leaves the severity open, a route that is fixed at some severity is taken.
    """
    fixed = policies.guideline(policy).fixed_route if policy else None
    holds = fixed and (severity is None or severity in fixed.severities)
    route = fixed.route if fixed and holds else Route.MODERATOR
    priority = at_least(Priority.MEDIUM, route, policies)
    return route, priority, policies.thresholds.sla_hours.of(priority)


def _priority(
    assessment: Assessment, severity: Severity | None, thresholds: Thresholds, route: Route, policies: PolicySet
) -> Priority:
    """By risk, low-severity doubt last, and at least what the route asks for; unknown risk is urgent."""
    rules = policies.thresholds.priority
    risk = assessment.risk_score
    if not risk <= rules.urgent_above:
        priority = Priority.URGENT
    elif risk > rules.high_above:
        priority = Priority.HIGH
    elif severity is Severity.LOW and assessment.confidence < thresholds.escalate:
        priority = Priority.LOW
    else:
        priority = Priority.MEDIUM
    return at_least(priority, route, policies)


def _verdict(assessment: Assessment, policies: PolicySet) -> str:
    if not math.isfinite(assessment.confidence) or (assessment.policy is None and assessment.confidence == 0):
        return "No verdict"
    sure = f"{percent(assessment.confidence)} sure"
    if assessment.policy is None:
        return f"Reads as fine, {sure}"
    severity = f"{assessment.severity} severity" if assessment.severity else "unknown severity"
    return f"“{policies.guideline(assessment.policy).title}” at {severity}, {sure}"


def _fixed_in_words(policy: Policy, assessment: Assessment, policies: PolicySet) -> str:
    guideline = policies.guideline(policy)
    route = guideline.fixed_route.route if guideline.fixed_route else Route.MODERATOR
    if policy is assessment.policy:
        return f"this always goes to {route}"
    return f"“{guideline.title}” is possible ({percent(assessment.scores[policy])}), which always goes to {route}"
