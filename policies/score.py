"""The sum: from signals to probabilities. Every probability is an addition that can be shown line by line."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from domain.signals import Signal
from domain.vocabulary import Policy, SignalSource


@dataclass(frozen=True)
class Standing:
    """Where a text stands: the probability of each policy that anything spoke of, and of any violation."""

    scores: dict[Policy, float]
    any_violation: float

    @property
    def top(self) -> Policy | None:
        """The likeliest policy; None where nothing spoke of any."""
        return max(self.scores, key=self.scores.__getitem__, default=None)


def stand(signals: Iterable[Signal]) -> Standing:
    """Add up the log-odds. All weights must be finite.

    `z_k` is the sum of the weights of policy k; `z_any` is the sum of the weights that speak of any violation, plus
    the largest sum, over the policies, of weights that are not the classifier's own. Probabilities are `1/(1+exp(-z))`:
    naive Bayes in log-odds form (I. J. Good, Probability and the Weighing of Evidence, 1950). A policy for
    which nothing votes has no score, for the absence of an opinion is not an even chance.
    """
    sums: dict[Policy, float] = {}
    besides_classifier: dict[Policy, float] = {}
    any_violation = 0.0
    for signal in signals:
        if signal.policy is None:
            any_violation += signal.weight
            continue
        own_score = signal.source is SignalSource.CLASSIFIER
        if signal.weight == 0 and not own_score:
            continue
        sums[signal.policy] = sums.get(signal.policy, 0.0) + signal.weight
        if not own_score:
            besides_classifier[signal.policy] = besides_classifier.get(signal.policy, 0.0) + signal.weight
    any_violation += max(besides_classifier.values(), default=0.0)
    return Standing(
        scores={policy: probability(sums[policy]) for policy in Policy if policy in sums},
        any_violation=probability(any_violation),
    )


def probability(log_odds: float) -> float:
    """The logistic function, without overflow at either end."""
    if log_odds >= 0:
        return 1.0 / (1.0 + math.exp(-log_odds))
    odds = math.exp(log_odds)
    return odds / (1.0 + odds)


def log_odds(share: float) -> float:
    """Log-odds of a probability, kept finite at both ends."""
    bounded = min(max(share, 1e-9), 1 - 1e-9)
    return math.log(bounded / (1 - bounded))
