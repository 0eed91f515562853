"""How far confidences are from what came true, with intervals. Pure statistics on numpy arrays."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from screening.outcomes import Bools, Floats

BINS = 15
RESAMPLES = 500
LEAST_CHANCE = 1e-6
"""Chances nearer to 0 or 1 than this count as this in the log loss, so that one surprise is never infinite."""


@dataclass(frozen=True)
class Estimate:
    """A figure and its 95 % interval."""

    value: float
    low: float
    high: float


def calibration_error(true: Bools, chance: Floats, weights: Floats) -> float:
    """Expected calibration error: the mean gap between chance told and share found (Naeini et al. 2015).

    All N; in bins of equal weight (Nguyen and O'Connor 2015). It errs upwards where rows are few.
    """
    order = np.argsort(chance, kind="stable")
    below = np.cumsum(weights[order])
    in_bin = np.minimum((below - weights[order] / 2) / below[-1] * BINS, BINS - 1).astype(np.int64)
    gaps = np.bincount(in_bin, (weights * (true - chance))[order], BINS)
    return float(np.abs(gaps).sum() / below[-1])


def log_loss(true: Bools, chance: Floats, weights: Floats) -> float:
    """Mean negative log-likelihood in nats; it falls only where chances become truer. All N."""
    told = np.clip(np.where(true, chance, 1 - chance), LEAST_CHANCE, 1)
    return float(-(weights @ np.log(told)) / weights.sum())


def estimate(measure: Callable[[Floats], float], weights: Floats, seed: int = 0) -> Estimate:
    """`measure` of the weights, with the 95 % percentile interval of the bootstrap over rows (Efron 1979)."""
    random = np.random.default_rng(seed)
    rows = len(weights)
    drawn = [measure(weights * np.bincount(random.integers(0, rows, rows), minlength=rows)) for _ in range(RESAMPLES)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Estimate(measure(weights), float(low), float(high))
