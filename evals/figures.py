"""The statistics of the evaluations, on numpy arrays and nothing else. They know no text, model or policy.

A figure that its data cannot give (a side without rows, say) is nan, never a guess.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

NAN = float("nan")
HALVINGS = 50
"""Steps of a bisection in [0, 1]; a few more, and 1 minus a share would be 1."""


def auc(positive: Bools, scores: Floats) -> float:
    """Area under the ROC curve: how often a positive row outranks a negative one, ties counting half.

    Both N; nan where one side is empty. The Mann-Whitney U over its maximum (Hanley and McNeil 1982).
    """
    yes, no = scores[positive], np.sort(scores[~positive])
    if not len(yes) or not len(no):
        return NAN
    below = np.searchsorted(no, yes, side="left") + np.searchsorted(no, yes, side="right")
    return float(below.mean() / 2 / len(no))


def average_precision(positive: Bools, scores: Floats) -> float:
    """Precision at each distinct score, weighted by the recall it adds; no interpolation. nan without positives."""
    if not positive.any():
        return NAN
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(positive[order])
    last = np.append(np.diff(scores[order]) != 0, True)
    precision = hits[last] / (np.flatnonzero(last) + 1)
    return float((precision * np.diff(hits[last], prepend=0)).sum() / positive.sum())


def recall_at(positive: Bools, scores: Floats, negatives: Bools, false_alarms: float) -> float:
    """Share of `positive` rows above the threshold that at most `false_alarms` (a share) of `negatives` exceed.

    All N. The threshold is the score of a row of `negatives`, which may be fewer than all that are not positive;
    nan where one side is empty.
    """
    no = -np.sort(-scores[negatives])
    if not positive.any() or not len(no):
        return NAN
    allowed = int(false_alarms * len(no) + 1e-9)
    threshold = no[allowed] if allowed < len(no) else -np.inf
    return float((scores[positive] > threshold).mean())


def calibration_error(positive: Bools, chance: Floats, weights: Floats, bins: int = 15) -> float:
    """Expected calibration error: the mean gap between chance told and share found (Naeini et al. 2015).

    All N; the bins hold equal weight (Nguyen and O'Connor 2015), and rows of the same chance share a bin. nan without
    rows.
    """
    total = float(weights.sum())
    if not total:
        return NAN
    gaps = np.bincount(equal_mass(chance, weights, bins), weights * (positive - chance), bins)
    return float(np.abs(gaps).sum() / total)


def equal_mass(chance: Floats, weights: Floats, bins: int) -> Rows:
    """The bin of each row, N integers from 0: bins of equal weight, rows of the same chance together."""
    order = np.argsort(chance, kind="stable")
    below = np.cumsum(weights[order])
    inner = np.searchsorted(below, below[-1] * np.arange(1, bins) / bins - 1e-9)
    edges = chance[order][np.minimum(inner + 1, len(chance) - 1)]
    return np.searchsorted(edges, chance, side="right").astype(np.int64)


def weights_at(positive: Bools, base_rate: float) -> Floats:
    """How much each of N rows counts, so that positive ones have the share `base_rate` of all weight."""
    share = float(np.clip(positive.mean(), 1e-9, 1 - 1e-9)) if len(positive) else 0.5
    return np.where(positive, base_rate / share, (1 - base_rate) / (1 - share))


def macro_f1(truth: Sequence[str], said: Sequence[str], classes: Sequence[str]) -> float:
    """Mean F1 over `classes`; one that is neither true nor said of any row is left out. nan where all are."""
    true, told = np.array(truth, dtype=object), np.array(said, dtype=object)
    found = []
    for name in classes:
        either = int((true == name).sum() + (told == name).sum())
        if either:
            found.append(2 * int(((true == name) & (told == name)).sum()) / either)
    return float(np.mean(found)) if found else NAN


def clopper_pearson(hits: int, of: int, level: float = 0.95) -> tuple[float, float]:
    """The exact interval of a share of independent rows (Clopper and Pearson 1934); all of [0, 1] without rows."""
    if not of:
        return 0.0, 1.0
    tail = (1 - level) / 2
    low = _where(lambda share: _at_most(of - hits, of, 1 - share) < tail) if hits else 0.0
    high = _where(lambda share: _at_most(hits, of, share) > tail) if hits < of else 1.0
    return low, high


def interval(
    measure: Callable[[Rows], float], groups: Sequence[str], resamples: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """95 % percentile interval of a figure, by bootstrap over groups (Efron 1979; Davison and Hinkley 1997, 3.8).

    `measure` is given indices of rows, with repetitions, and gives the figure; `groups` names the group of each row,
    because rows of one scenario or template are not independent. nan where no resample gives a figure.
    """
    if not groups:
        return NAN, NAN
    _, numbers, sizes = np.unique(np.array(groups, dtype=str), return_inverse=True, return_counts=True)
    rows = np.argsort(numbers, kind="stable")
    ends = np.cumsum(sizes)
    random = np.random.default_rng(seed)
    drawn = np.empty(resamples)
    for number in range(resamples):
        picks = random.integers(0, len(sizes), len(sizes))
        length = sizes[picks]
        drawn[number] = measure(rows[np.arange(length.sum()) + np.repeat(ends[picks] - np.cumsum(length), length)])
    known = drawn[np.isfinite(drawn)]
    if not len(known):
        return NAN, NAN
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)


def _at_most(hits: int, of: int, share: float) -> float:
    """The chance of at most `hits` in `of` independent trials that succeed with `share`, strictly inside (0, 1)."""
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, of + 1)))])
    count = np.arange(hits + 1)
    chances = logs[of] - logs[count] - logs[of - count] + count * np.log(share) + (of - count) * np.log1p(-share)
    return float(np.exp(chances).sum())


def _where(still: Callable[[float], bool]) -> float:
    """The share up to which `still` holds."""
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if still(middle) else (low, middle)
    return low
