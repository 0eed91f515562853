"""Fits what logits and rule matches weigh, so that their sum is a calibrated log-odds.

Platt scaling of the classifier and the weights of the rules are fitted together, on predictions for
writers the heads had not seen: fitted apart, classifier and rules would count the same evidence twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from domain.vocabulary import Policy
from screening.calibration import Calibration, Platt

Floats = NDArray[np.float64]
BASE_RATE = 0.10
"""Share of violations in the traffic that probabilities are meant for; the corpus holds half."""

RULE_SPREAD = 0.5
"""Standard deviation, in log-odds, of the Gaussian prior of a rule's weight around its prior in `rules.yaml`."""


@dataclass(frozen=True)
class Observations:
    """One row per text: logits (N x 9 and N), rules that matched (N x R, 0 or 1), soft targets (N x 10)."""

    policies: NDArray[np.float32]
    violation: NDArray[np.float32]
    matched: NDArray[np.float32]
    targets: NDArray[np.float32]


def fit(
    seen: Observations, rules: Sequence[tuple[str, Policy | None, float]], hidden_text: str
) -> Calibration:
    """Maximum a posteriori fit; `rules` lists name, policy and prior weight of each column of `matched`.

    The column named `hidden_text` becomes the weight of disguises. Weights never fall below 0: a rule
    may turn out to say nothing, but never that its finding is reassuring.
    """
    priors = np.array([prior for _, _, prior in rules])
    clean = seen.targets[:, -1].astype(np.float64)
    share = 1 - clean.mean()
    for_violation, for_clean = BASE_RATE / share, (1 - BASE_RATE) / (1 - share)
    columns: list[tuple[Floats, Floats, Floats, Floats]] = []
    for index, policy in enumerate((*Policy, None)):
        applies = np.array([float(policy is None or of == policy) for _, of, _ in rules])
        wanted = 1 - clean if policy is None else seen.targets[:, index].astype(np.float64)
        logits = (seen.violation if policy is None else seen.policies[:, index]).astype(np.float64)
        columns.append((logits, seen.matched * applies, for_violation * wanted, for_violation * (1 - clean - wanted) + for_clean * clean))
    questions = len(columns)

    def loss(flat: Floats) -> tuple[float, Floats]:
        weights = flat[2 * questions :]
        value = float((((weights - priors) / RULE_SPREAD) ** 2).sum() / 2)
        slope = np.zeros_like(flat)
        slope[2 * questions :] = (weights - priors) / RULE_SPREAD**2
        for index, (logits, matched, positive, negative) in enumerate(columns):
            total = flat[2 * index] * logits + flat[2 * index + 1] + matched @ weights
            value += float((positive * np.logaddexp(0, -total) + negative * np.logaddexp(0, total)).sum())
            pull = (positive + negative) / (1 + np.exp(-total)) - positive
            slope[2 * index] += pull @ logits
            slope[2 * index + 1] += pull.sum()
            slope[2 * questions :] += matched.T @ pull
        return value, slope

    start = np.concatenate([np.tile([1.0, -1.0], questions), priors])
    bounds = [(0.0, None), (None, None)] * questions + [(0.0, None)] * len(priors)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 2_000}).x
    platt = [Platt(slope=round(float(s), 5), intercept=round(float(i), 5)) for s, i in found[: 2 * questions].reshape(-1, 2)]
    weights = {name: round(float(w), 4) for (name, _, _), w in zip(rules, found[2 * questions :], strict=True)}
    return Calibration(
        base_rate=BASE_RATE,
        violation=platt[-1],
        policies=dict(zip(Policy, platt[:-1], strict=True)),
        hidden_text=weights.pop(hidden_text),
        rules=weights,
    )


def log_odds(calibration: Calibration, seen: Observations, rules: Mapping[str, tuple[int, Policy | None]]) -> Floats:
    """Summed weights per text, N x 10, any violation last: what the service would add up."""
    sums = np.zeros((len(seen.violation), len(Policy) + 1))
    for index, policy in enumerate(Policy):
        platt = calibration.policies[policy]
        sums[:, index] = platt.slope * seen.policies[:, index] + platt.intercept
    sums[:, -1] = calibration.violation.slope * seen.violation + calibration.violation.intercept
    for name, (column, of) in rules.items():
        weight = calibration.rules.get(name, calibration.hidden_text)
        sums[:, -1] += weight * seen.matched[:, column]
        if of is not None:
            sums[:, list(Policy).index(of)] += weight * seen.matched[:, column]
    return sums
