"""The words of an assessment: what was noticed, how sure, and why, for a moderator who must judge it.

Says only what is there; a list of what was not found convinces nobody.
"""

import math
from collections.abc import Iterable

from domain.signals import Signal
from domain.vocabulary import Floor, Policy, Severity, SignalSource
from policies.model import PolicySet
from policies.score import Standing

MOST_REASONS = 4
LONGEST_QUOTE = 60
"""Characters of the text that are quoted for one reason."""


def explain(
    policy: Policy | None,
    severity: Severity | None,
    confidence: float,
    *,
    standing: Standing,
    signals: tuple[Signal, ...],
    capped: bool,
    unavailable: tuple[str, ...],
    policies: PolicySet,
) -> str:
    """One to three plain sentences: the verdict, what was noticed (strongest first), and what holds it back."""
    speaking = _strongest(_for(policy, signals))
    if policy is None:
        sentences = [_clean(confidence, standing, policies)]
        noticed = "Noticed, and found too little"
    else:
        sentences = [_violation(policy, severity, confidence, policies)]
        noticed = "Noticed"
    if speaking:
        sentences.append(f"{noticed}: {'; '.join(_reason(signal) for signal in speaking)}.")
    settled = _strongest(s for s in signals if policy is None and s.weight < 0 and s.source is SignalSource.AGENT)
    if settled:
        sentences.append(f"Against a violation: {'; '.join(_reason(signal) for signal in settled)}.")
    against = _strongest(s for s in signals if policy and s.policy is policy and s.weight < 0 and _aside(s))
    limits = [_reason(signal) for signal in against]
    if capped:
        limits.append("too little is known of how well the model reads this language to be surer")
    if unavailable:
        limits.append(f"could not be consulted: {', '.join(unavailable)}")
    if limits:
        sentences.append(f"What holds this back: {'; '.join(limits)}.")
    return " ".join(sentences)


def percent(share: float) -> str:
    """A probability as people say it: rounded down, so that it never seems to reach a limit that it misses."""
    whole = math.floor(share * 100 + 1e-6)
    if whole < 1:
        return "under 1%"
    return "over 99%" if share > 0.995 else f"{whole}%"


def _violation(policy: Policy, severity: Severity | None, confidence: float, policies: PolicySet) -> str:
    title = policies.guideline(policy).title
    how_bad = f"at {severity} severity" if severity else "at a severity that nobody could tell"
    if confidence < 0.5:
        return f"Something is likely wrong here; “{title}” {how_bad} comes nearest, {percent(confidence)} sure."
    return f"Falls under “{title}” {how_bad}, {percent(confidence)} sure."


def _clean(confidence: float, standing: Standing, policies: PolicySet) -> str:
    sure = f"Reads as fine, {percent(confidence)} sure"
    if standing.top is None:
        return f"{sure}."
    nearest = policies.guideline(standing.top).title
    return f"{sure}; what comes nearest is “{nearest}” with {percent(standing.scores[standing.top])}."


def _for(policy: Policy | None, signals: tuple[Signal, ...]) -> Iterable[Signal]:
    """The signals that speak for the verdict, or, where it is clean, those that were found too little; all floors."""
    for signal in signals:
        about_it = signal.policy is policy or (signal.policy is None and _aside(signal))
        if policy is None:
            about_it = _aside(signal)
        if signal.floor is not Floor.NONE or (about_it and signal.weight > 0):
            yield signal


def _aside(signal: Signal) -> bool:
    """Whether it is an observation of its own, rather than the classifier's score."""
    return signal.source is not SignalSource.CLASSIFIER


def _strongest(signals: Iterable[Signal]) -> list[Signal]:
    """At most `MOST_REASONS`, each reason once: floors first, then by weight."""
    ranked = sorted(signals, key=lambda signal: (-signal.floor.rank, -abs(signal.weight)))
    unique: dict[str, Signal] = {}
    for signal in ranked:
        unique.setdefault(signal.reason, signal)
    return list(unique.values())[:MOST_REASONS]


def _reason(signal: Signal) -> str:
    reason = signal.reason.strip().rstrip(".")
    if not signal.evidence:
        return reason
    quote = " ".join(signal.evidence[0].quote.split())
    return f"{reason} (“{quote if len(quote) <= LONGEST_QUOTE else quote[: LONGEST_QUOTE - 1] + '…'}”)"
