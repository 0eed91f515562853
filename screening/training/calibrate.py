"""Fits what logits and rule matches weigh, so that their sum is a calibrated log-odds.

Platt scaling of the classifier and the weights of the rules are fitted together, on writers whom the model
has never seen: fitted apart, classifier and rules would count the same evidence twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from domain.vocabulary import Policy
from screening.calibration import Calibration, Platt

Floats = NDArray[np.float64]
BASE_RATE = 0.05
"""Share of violations in the traffic that probabilities are meant for; the corpus holds half."""

RULE_SPREAD = 0.5
"""Standard deviation, in log-odds, of the Gaussian prior of a rule's weight around its prior in `rules.yaml`."""


SLOPE_SPREAD = 0.5
"""Standard deviation of the Gaussian prior of a slope around 1: a policy with few rows must not look certain."""


@dataclass(frozen=True)
class Observations:
    """One row per text: logits (N x 9 and N), rules that matched (N x R, 0 or 1), soft targets (N x 10)."""

    policies: NDArray[np.float32]
    violation: NDArray[np.float32]
    matched: NDArray[np.float32]
    targets: NDArray[np.float32]


def fit(seen: Observations, rules: Sequence[tuple[str, Policy | None, float]], hidden_text: str) -> Calibration:
    """Maximum a posteriori fit; `rules` lists name, policy and prior weight of each column of `matched`.

    The column named `hidden_text` becomes the weight of disguises. Weights never fall below 0: a rule
    may turn out to say nothing, but never that its finding is reassuring.
    """
    priors = np.array([prior for _, _, prior in rules])
    member = _membership([of for _, of, _ in rules])
    clean = seen.targets[:, -1].astype(np.float64)
    share = 1 - clean.mean()
    for_violation, for_clean = BASE_RATE / share, (1 - BASE_RATE) / (1 - share)
    logits = np.column_stack([seen.policies, seen.violation]).astype(np.float64)
    wanted = np.column_stack([seen.targets[:, :-1], 1 - clean]).astype(np.float64)
    positive = for_violation * wanted
    negative = for_violation * (1 - clean[:, None] - wanted) + for_clean * clean[:, None]
    questions = logits.shape[1]

    def loss(flat: Floats) -> tuple[float, Floats]:
        slopes, intercepts = flat[: 2 * questions].reshape(-1, 2).T
        weights = flat[2 * questions :]
        counted = [seen.matched * of for of in member[:-1]]
        counted.append(_counted_for_any(seen.matched, member, weights))
        sums = slopes * logits + intercepts + np.column_stack([matched @ weights for matched in counted])
        value = float((positive * np.logaddexp(0, -sums) + negative * np.logaddexp(0, sums)).sum())
        value += float((((weights - priors) / RULE_SPREAD) ** 2).sum() / 2)
        value += float((((slopes - 1) / SLOPE_SPREAD) ** 2).sum() / 2)
        pull = (positive + negative) * expit(sums) - positive
        for_weights = (weights - priors) / RULE_SPREAD**2
        for index, matched in enumerate(counted):
            for_weights = for_weights + matched.T @ pull[:, index]
        for_slopes = (pull * logits).sum(axis=0) + (slopes - 1) / SLOPE_SPREAD**2
        for_platt = np.column_stack([for_slopes, pull.sum(axis=0)]).ravel()
        return value, np.concatenate([for_platt, for_weights])

    start = np.concatenate([np.tile([1.0, -1.0], questions), priors])
    bounds = [(0.0, None), (None, None)] * questions + [(0.0, None)] * len(priors)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 2_000}).x
    platt = [Platt(slope=round(s, 5), intercept=round(i, 5)) for s, i in found[: 2 * questions].reshape(-1, 2).tolist()]
    weights = {name: round(float(w), 4) for (name, _, _), w in zip(rules, found[2 * questions :], strict=True)}
    fitted = Calibration(
        base_rate=BASE_RATE,
        violation=platt[-1],
        policies=dict(zip(Policy, platt[:-1], strict=True)),
        hidden_text=weights[hidden_text],
        rules={name: weight for name, weight in weights.items() if name != hidden_text},
    )
    sums = log_odds(fitted, seen, rules)[:, -1]
    return fitted.model_copy(update={"reference": deciles(sums, for_violation * (1 - clean) + for_clean * clean)})


def deciles(values: Floats, weights: Floats) -> tuple[float, ...]:
    """The nine weighted deciles, ascending."""
    order = np.argsort(values)
    below = np.cumsum(weights[order]) / weights.sum()
    return tuple(round(float(values[order][np.searchsorted(below, tenth / 10)]), 4) for tenth in range(1, 10))


def log_odds(calibration: Calibration, seen: Observations, rules: Sequence[tuple[str, Policy | None, float]]) -> Floats:
    """Summed weights per text, N x 10, any violation last: what the service would add up."""
    weights = np.array([calibration.rules.get(name, calibration.hidden_text) for name, _, _ in rules])
    member = _membership([of for _, of, _ in rules])
    platt = [*(calibration.policies[policy] for policy in Policy), calibration.violation]
    logits = np.column_stack([seen.policies, seen.violation])
    counted = [*(seen.matched * of for of in member[:-1]), _counted_for_any(seen.matched, member, weights)]
    return np.column_stack([p.slope * logits[:, i] + p.intercept + counted[i] @ weights for i, p in enumerate(platt)])


def _membership(policies: Sequence[Policy | None]) -> Floats:
    """10 x R, 0 or 1: which rules speak for each policy, and in the last row which speak for none in particular."""
    return np.array([[float(of == policy) for of in policies] for policy in (*Policy, None)])


def _counted_for_any(matched: NDArray[np.float32], member: Floats, weights: Floats) -> Floats:
    """The matches that count towards any violation: those of no policy, and those of the policy they say most for."""
    strongest = np.argmax((matched * weights) @ member[:-1].T, axis=1)
    return np.asarray(matched * (member[-1] + member[strongest]))
