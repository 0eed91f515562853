"""What memory, history and behaviour add to the opinion of the text, as signals with reasons.

Reads no memory and no record itself: what was found is handed in, and only people's decisions ever vote.
"""

from datetime import datetime

from domain.content import Content
from domain.history import SameContent, SubjectHistory
from domain.memory import Precedent
from domain.signals import Signal
from domain.vocabulary import DecisionKind, Policy, SignalSource
from policies.model import PolicySet
from policies.score import Standing

CLEARED = "same_text_approved"
"""The signal that a person found nothing wrong with this very text."""


def remembered(
    text: Standing, *, same_content: SameContent | None, precedents: tuple[Precedent, ...], policies: PolicySet
) -> tuple[Signal, ...]:
    """The votes of the very same text and of its look-alikes, given where the text alone stands.

    A confirmed violation speaks for its policy, a confirmed approval against the likeliest one; each case counts once,
    the nearest first, at most `max_votes` each way. Unconfirmed look-alikes are shown with weight 0. No look-alike
    speaks against a policy whose route is fixed when merely possible: three harmless jokes make no child older.
    """
    weights = policies.thresholds.evidence.memory
    signals = list(_same_text(text, same_content, policies)) if same_content else []
    near = [p for p in _each_case_once(precedents, same_content) if p.similarity >= weights.min_similarity]
    against = text.top if text.top not in policies.possible_at else None
    violations = [p for p in near if p.confirmed and p.decision is DecisionKind.REJECTED and p.policy in text.scores]
    approvals = [p for p in near if p.confirmed and p.decision is DecisionKind.APPROVED] if against else []
    unconfirmed = [p for p in near if not p.confirmed]
    for found in violations[: weights.max_votes]:
        reason = f"resembles a case that a person judged as {_named(found.policy, policies)}"
        signals.append(_look_alike("memory_violation", found, found.policy, weights.weight, reason))
    for found in approvals[: weights.max_votes]:
        reason = "resembles a case that a person approved"
        signals.append(_look_alike("memory_approved", found, against, -weights.weight, reason))
    for found in unconfirmed[: weights.max_votes]:
        reason = f"resembles a case that no person has looked at, {found.decision} by the machine"
        signals.append(_look_alike("memory_unconfirmed", found, found.policy, 0.0, reason))
    return tuple(signals)


def circumstances(
    text: Standing, *, content: Content, history: SubjectHistory, policies: PolicySet, now: datetime
) -> tuple[Signal, ...]:
    """The votes of the author's past and of what the app says around the text, all on the likeliest policy.

    Who somebody is never turns clean words into a violation: below the violation probability `text_alone.from` of the
    text alone there are no such votes, and between there and `text_alone.full` they grow linearly. None of them speaks
    against a policy whose route is fixed when merely possible.
    """
    evidence = policies.thresholds.evidence
    rise = (text.any_violation - evidence.text_alone.start) / (evidence.text_alone.full - evidence.text_alone.start)
    scale = min(1.0, rise)
    top = text.top
    if top is None or scale <= 0:
        return ()
    history_votes, behaviour = evidence.history, evidence.behaviour
    age = content.context.account_age_days(now)
    signals: list[Signal] = []

    def vote(name: str, source: SignalSource, weight: float, value: float, reason: str) -> None:
        if weight > 0 or top not in policies.possible_at:
            signals.append(
                Signal(name=name, source=source, policy=top, value=value, weight=weight * scale, reason=reason)
            )

    if history.violations:
        counted = min(history.violations, history_votes.max_violations)
        earlier = "one earlier violation" if history.violations == 1 else f"{history.violations} earlier violations"
        weight = history_votes.per_violation * counted
        vote("earlier_violations", SignalSource.HISTORY, weight, history.violations, f"its author has {earlier}")
    if age is not None and age < behaviour.new_account_days:
        reason = f"its author's account is {_days(age)} old"
        vote("new_account", SignalSource.BEHAVIOUR, behaviour.new_account, age, reason)
    if age is not None and age >= behaviour.good_standing_days and not history.violations:
        reason = f"its author has been here for {_days(age)} without a violation"
        vote("good_standing", SignalSource.BEHAVIOUR, -behaviour.good_standing, age, reason)
    if content.context.reported:
        vote("reported", SignalSource.BEHAVIOUR, behaviour.reported, 1.0, "was reported to the app")
    if content.context.verified and top is Policy.FAKE_PROFILE:
        reason = "its author has verified who they are"
        vote("verified", SignalSource.BEHAVIOUR, -behaviour.verified, 1.0, reason)
    return tuple(signals)


def _same_text(text: Standing, same: SameContent, policies: PolicySet) -> tuple[Signal, ...]:
    """A person's decision about this very text: for its policy, or against each policy that is suspected."""
    weight = policies.thresholds.evidence.same_content.weight
    if same.decision is DecisionKind.APPROVED:
        suspected = policies.thresholds.evidence.text_alone.start
        against = [policy for policy, score in text.scores.items() if score >= suspected or policy is text.top]
        reason = "a person approved this very text before"
        return tuple(_same(CLEARED, policy, -weight, reason) for policy in against)
    policy = same.policy or text.top
    if same.decision is not DecisionKind.REJECTED or policy is None:
        return ()
    reason = f"a person judged this very text as {_named(policy, policies)} before"
    return (_same("same_text_rejected", policy, weight, reason),)


def _same(name: str, policy: Policy, weight: float, reason: str) -> Signal:
    return Signal(name=name, source=SignalSource.MEMORY, policy=policy, value=1.0, weight=weight, reason=reason)


def _look_alike(name: str, found: Precedent, policy: Policy | None, weight: float, reason: str) -> Signal:
    similarity = min(found.similarity, 1.0)
    return Signal(
        name=name,
        source=SignalSource.MEMORY,
        policy=policy,
        value=similarity,
        weight=weight * similarity,
        reason=f"{reason} (similarity {similarity:.2f})",
    )


def _each_case_once(precedents: tuple[Precedent, ...], same_content: SameContent | None) -> list[Precedent]:
    """Nearest first; a case found in both collections counts once, and not beside its own identical text."""
    cases: dict[str, Precedent] = {}
    for precedent in precedents:
        other = cases.get(precedent.case_id)
        if other is None or (precedent.confirmed, precedent.similarity) > (other.confirmed, other.similarity):
            cases[precedent.case_id] = precedent
    if same_content:
        cases.pop(same_content.case_id, None)
    return sorted(cases.values(), key=lambda precedent: (-precedent.similarity, precedent.case_id))


def _named(policy: Policy | None, policies: PolicySet) -> str:
    return f"“{policies.guideline(policy).title}”" if policy else "a violation"


def _days(age: float) -> str:
    return "less than a day" if age < 1 else "1 day" if age < 2 else f"{int(age)} days"
