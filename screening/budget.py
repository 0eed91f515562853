"""From which confidence the machine may decide alone, so that its error stays within a budget. Pure.

Learn then Test (Angelopoulos et al. 2021): thresholds are tried from the strictest downwards, each is kept only where
a test rejects that its error exceeds the budget, and the first that is not kept ends the search. Fixed-sequence testing
makes the answer hold with the confidence of a single test, whatever the number of thresholds, in finite samples.
Outcomes count as independent draws; no threshold, and not where the search begins, depends on what people answered.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from screening.outcomes import Bools, Floats

GRID = (0.999, *(round(0.995 - step * 0.005, 3) for step in range(100)))
"""The thresholds that are tried, from .999 down to .5."""

HALVINGS = 40
CAUTION = 1.5
"""The search begins at the threshold whose test would most probably pass, were the error so many times what confidences
promise: the strictest threshold has few outcomes, and one early error there would end it however good the rest."""

CLOPPER_PEARSON = "Clopper–Pearson"
HOEFFDING_BENTKUS = "Hoeffding–Bentkus"


@dataclass(frozen=True)
class Limit:
    """The lowest threshold within `budget` with confidence `level`; None where no threshold is.

    `automation` is the share of all cases that it decides alone, `bound` what their error is below with confidence
    `level`, `outcomes` how many people looked at among them, `method` what gave the bound. Without a threshold,
    `outcomes` are those at the threshold that was tried first (or all, where they were too few to try any), and
    `missing` is how many more are needed at least, should not one of them be an error.
    """

    budget: float
    level: float
    threshold: float | None
    automation: float
    bound: float
    outcomes: int
    method: str
    missing: int = 0


def lowest_threshold(
    confidences: Floats,
    right: Bools,
    weights: Floats | None = None,
    *,
    budget: float,
    level: float = 0.95,
    total: float | None = None,
) -> Limit:
    """The lowest of GRID whose error among what is decided alone is below `budget`, with confidence `level`.

    `confidences`, `right` and `weights` (None: all alike) are N, of verdicts of one kind; `total` is the weight of all
    cases, of which `automation` is a share (None: that of these N). Budget and 1 - level in (0, 1).
    """
    weights = np.ones(len(confidences)) if weights is None else weights
    delta, whole = 1 - level, total or float(weights.sum()) or 1.0
    begin = _begin(confidences, weights, budget, delta)
    last = None
    for threshold in GRID[GRID.index(begin) :] if begin else ():
        alone = confidences >= threshold
        if _p_value(right[alone], weights[alone], budget) > delta:
            break
        last = threshold
    alone = confidences >= (last or begin or GRID[-1])
    errors = int((~right[alone]).sum()) if begin else 0
    return Limit(
        budget=budget,
        level=level,
        threshold=last,
        automation=0.0 if last is None else float(weights[alone].sum()) / whole,
        bound=error_bound(right[alone], weights[alone], level=level),
        outcomes=int(alone.sum()),
        method=method_for(weights[alone]),
        missing=0 if last is not None else _missing(errors, weights[alone], budget, delta),
    )


def error_bound(right: Bools, weights: Floats | None = None, *, level: float = 0.95) -> float:
    """What the error of N verdicts' kind is below, with confidence `level`; 1 where there are none.

    Clopper–Pearson (1934) where all weights are alike, else the inverted Hoeffding–Bentkus test.
    """
    weights = np.ones(len(right)) if weights is None else weights
    if not len(right):
        return 1.0
    low, high = float(weights[~right].sum() / weights.sum()), 1.0
    if not right.any():
        return high
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _p_value(right, weights, middle) > 1 - level else (low, middle)
    return high


def method_for(weights: Floats) -> str:
    """The test that is used for verdicts of these weights."""
    return CLOPPER_PEARSON if _alike(weights) else HOEFFDING_BENTKUS


@cache
def least_outcomes(errors: int, budget: float, delta: float) -> int:
    """The fewest outcomes with which so many errors pass; without errors ln(delta) / ln(1 - budget), about 3 / budget.

    The rule of three (Hanley and Lippman-Hand 1983), for any confidence and number of errors.
    """
    return _least(lambda of: at_most(errors, of, budget) <= delta, errors + 1)


def at_most(hits: int, of: int, share: float) -> float:
    """The chance of at most `hits` among `of` independent draws, each a hit with `share`, in (0, 1)."""
    if hits >= of:
        return 1.0
    return min(float(np.exp(_log_chances(hits, of, share)).sum()), 1.0)


def _log_chances(hits: int, of: int, share: float) -> Floats:
    """The logarithms of the chances of 0, 1, … `hits` hits among `of` draws, `hits` + 1 of them."""
    count = np.arange(1, hits + 1)
    steps = np.log((of - count + 1) / count) + math.log(share / (1 - share))
    return np.asarray(of * math.log1p(-share) + np.concatenate([[0.0], np.cumsum(steps)]))


def _begin(confidences: Floats, weights: Floats, budget: float, delta: float) -> float | None:
    """The first threshold to try; None where not even a faultless record of all outcomes could pass a test."""
    order = np.argsort(-confidences)
    told, weighed = confidences[order], weights[order]
    feared = CAUTION * np.cumsum(weighed * (1 - told)) / np.cumsum(weighed)
    worth = np.round(np.cumsum(weighed) / np.maximum.accumulate(weighed), 6).astype(np.int64)
    best, most = None, 0.0
    for threshold, last in zip(GRID, np.searchsorted(-told, -np.array(GRID), side="right") - 1, strict=True):
        if last < 0 or (allowed := _allowed(int(worth[last]), budget, delta)) is None:
            continue
        power = round(at_most(allowed, int(worth[last]), float(np.clip(feared[last], 1e-9, 1 - 1e-9))), 3)
        if best is None or power > most:
            best, most = threshold, power
    return best


@cache
def _allowed(of: int, budget: float, delta: float) -> int | None:
    """The most errors with which so many outcomes pass; None where not even none would do."""
    if not of or at_most(0, of, budget) > delta:
        return None
    tails = np.exp(np.logaddexp.accumulate(_log_chances(math.ceil(of * budget), of, budget)))
    return int(np.searchsorted(tails, delta, side="right")) - 1


def _worth(weights: Floats) -> float:
    """How many outcomes of the greatest weight they amount to."""
    return round(float(weights.sum() / weights.max()), 6) if len(weights) else 0.0


def _p_value(right: Bools, weights: Floats, budget: float) -> float:
    """The p-value of "the error is above the budget".

    For alike weights the binomial tail, whose inversion is Clopper and Pearson's bound. Else, with `w` the weights
    over the greatest and `e` 1 for an error, `budget + w (e - budget)` lies in [0, 1] and its mean exceeds the budget
    exactly where the weighted error does: the test of Hoeffding and Bentkus for such means (Bates et al. 2021).
    """
    if not len(right):
        return 1.0
    rows = len(right)
    if _alike(weights):
        return at_most(int((~right).sum()), rows, budget)
    scaled = weights / weights.max()
    mean = min(budget + float((scaled * (~right - budget)).mean()), budget)
    hoeffding = math.exp(-rows * _divergence(mean, budget))
    return min(hoeffding, math.e * at_most(math.ceil(rows * mean - 1e-9), rows, budget))


def _divergence(found: float, told: float) -> float:
    """The Kullback–Leibler divergence of two coins, in nats."""
    rest = 0.0 if found >= 1 else (1 - found) * math.log((1 - found) / (1 - told))
    return rest + (found * math.log(found / told) if found > 0 else 0.0)


def _alike(weights: Floats) -> bool:
    return not len(weights) or float(weights.max() - weights.min()) <= 1e-9 * float(weights.max())


def _missing(errors: int, weights: Floats, budget: float, delta: float) -> int:
    least = least_outcomes(errors, budget, delta)
    return max(math.ceil(least - _worth(weights)), 1)


def _least(holds: Callable[[int], bool], low: int) -> int:
    """The least integer from `low` for which it holds; once it holds it must hold for all greater ones."""
    high = max(low, 1)
    while not holds(high):
        low, high = high + 1, 2 * high
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return high
