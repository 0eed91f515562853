"""Puts what was noticed into signals: calibrated log-odds, a reason a moderator can read, and evidence.

Pure. What the weights add up to is defined once, here, for screening's own use; the verdict is policy's.
"""

import math
from collections.abc import Iterable, Sequence

from domain.signals import PASSAGE_ALONE, Evidence, Language, Signal
from domain.vocabulary import Policy, Severity, SignalSource
from screening.calibration import Calibration
from screening.explain import Span
from screening.model import ModelOutput
from screening.normalise import Normalised
from screening.rules import Match

VIOLATION = "classifier.violation"
MENTIONED_FROM = 0.1
"""Probability of a violation from which a passage is mentioned; `thresholds.yaml` can ask for no look below it."""

NEVER_MILD = frozenset({Policy.THREATS, Policy.SELF_HARM, Policy.AGE_VERIFICATION})
"""Policies whose severity is read as if the violation were certain: a queue must not put a life last."""


def classifier_signals(output: ModelOutput, calibration: Calibration, *, unmasked: bool) -> list[Signal]:
    """One signal for any violation and one per policy; their weights include the prior.

    `unmasked` says that the text was disguised and that its plain form is what scored.
    """
    seen = " once its disguise is undone" if unmasked else ""
    weighed: list[tuple[Policy | None, float, float]] = [
        (None, output.violation, calibration.violation(output.violation))
    ]
    for policy, logit in zip(Policy, output.policies, strict=True):
        weighed.append((policy, logit, calibration.policies[policy](logit)))
    return [
        Signal(
            name=f"classifier.{policy}" if policy else VIOLATION,
            source=SignalSource.CLASSIFIER,
            policy=policy,
            value=logit,
            weight=weight,
            reason=f"the classifier sees {policy or 'a violation'} with {probability(weight):.0%} probability{seen}",
        )
        for policy, logit, weight in weighed
    ]


def noticed_signals(
    matches: Sequence[Match], normalised: Normalised, language: Language, calibration: Calibration
) -> list[Signal]:
    """What needs no model: rules, disguises, and a language beyond the classifier."""
    signals = [
        Signal(
            name=f"rule.{match.rule.name}",
            source=SignalSource.RULE,
            policy=match.rule.policy,
            value=float(len(match.evidence)),
            weight=calibration.rules.get(match.rule.name, match.rule.weight),
            reason=match.rule.reason,
            severity=match.rule.severity,
            floor=match.rule.floor,
            evidence=match.evidence,
        )
        for match in matches
    ]
    if normalised.hidden:
        kinds = sorted({evidence.note.split(" spelling")[0] for evidence in normalised.hidden})
        signals.append(
            Signal(
                name="hidden_text",
                source=SignalSource.HIDDEN_TEXT,
                value=float(len(normalised.hidden)),
                weight=calibration.hidden_text,
                reason=f"the text is disguised: {', '.join(kinds)}",
                evidence=normalised.hidden,
            )
        )
    if not language.competent:
        tongue = f"in '{language.code}'" if language.code else "in an unknown language or spelling"
        signals.append(
            Signal(
                name="language.foreign",
                source=SignalSource.LANGUAGE,
                value=language.confidence,
                reason=f"written {tongue}, which the classifier cannot read",
            )
        )
    return signals


def passage_signals(
    outputs: Sequence[ModelOutput], spans: Sequence[Span], normalised: Normalised, calibration: Calibration
) -> list[Signal]:
    """What the classifier makes of the worst passage, which has no vote of its own: whether it demands a person's look
    is for policy to say. None where no passage is suspect. `spans[i]` is where `outputs[i]` stands."""
    worst = max(range(len(outputs)), key=lambda i: outputs[i].violation, default=None)
    if worst is None:
        return []
    chance = probability(calibration.violation(outputs[worst].violation))
    if chance < MENTIONED_FROM:
        return []
    weighed = classifier_signals(outputs[worst], calibration, unmasked=False)
    return [
        Signal(
            name=PASSAGE_ALONE,
            source=SignalSource.CLASSIFIER,
            policy=likeliest(weighed),
            value=chance,
            reason=f"by itself, a passage is a violation with {chance:.0%} probability, whatever stands around it",
            evidence=(normalised.evidence(*spans[worst], "read by itself"),),
        )
    ]


def with_evidence(signals: Sequence[Signal], top: Policy, evidence: tuple[Evidence, ...]) -> list[Signal]:
    """The signals, the classifier's for `top` and for any violation now showing the words behind them."""
    shown = {VIOLATION, f"classifier.{top}"}
    return [s.model_copy(update={"evidence": evidence}) if evidence and s.name in shown else s for s in signals]


def any_violation(signals: Sequence[Signal]) -> float:
    """The log-odds of any violation: what speaks of no policy, and the most that is said for one of them.

    Rules of different policies see the same violation from several sides; adding them up would count it twice.
    """
    weights = _weights(s for s in signals if s.policy is None or s.source is not SignalSource.CLASSIFIER)
    return weights.get(None, 0.0) + max(weights.get(policy, 0.0) for policy in Policy)


def likeliest(signals: Sequence[Signal]) -> Policy:
    """The policy with the greatest sum."""
    weights = _weights(signals)
    return max(Policy, key=lambda policy: weights.get(policy, 0.0))


def _weights(signals: Iterable[Signal]) -> dict[Policy | None, float]:
    """What the signals of each policy add up to."""
    weights: dict[Policy | None, float] = {}
    for signal in signals:
        weights[signal.policy] = weights.get(signal.policy, 0.0) + signal.weight
    return weights


def severities(output: ModelOutput, signals: Sequence[Signal]) -> dict[Policy, Severity]:
    """The milder reading in doubt, except for NEVER_MILD."""
    doubtful = output.severity_at(probability(any_violation(signals)))
    sure = output.severity_at(1.0)
    return {policy: sure if policy in NEVER_MILD else doubtful for policy in Policy}


def probability(log_odds: float) -> float:
    """The probability that log-odds (nats) stand for."""
    return 1 / (1 + math.exp(-log_odds)) if log_odds > -700 else 0.0
