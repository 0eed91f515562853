"""What outcomes say of the calibration in use and of a refitted one: reliability, thresholds in force, budgets.

Pure. The refitted side is measured on outcomes that each refit had not seen (`screening.outcomes.held_out`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

import numpy as np

from cupidsshield.outcomes import Gathered
from domain.errors import Invalid
from domain.vocabulary import Policy
from policies.model import PolicySet
from screening.budget import Limit, error_bound, lowest_threshold, method_for
from screening.calibration import Calibration
from screening.outcomes import (
    Bools,
    Floats,
    Outcome,
    Verdicts,
    held_out,
    log_odds,
    refit,
    right,
    sigmoid,
    verdicts,
    weights_of,
)
from screening.reliability import Estimate, calibration_error, estimate, log_loss

FEWEST = 50
FEWEST_OF_EACH = 5
"""Outcomes, and outcomes of violations and of clean texts, below which nothing is said."""

BUDGETS = (0.01, 0.02, 0.05, 0.10)
"""Budgets that are shown beside the one that was asked for."""


class Side(StrEnum):
    """What the machine may do alone."""

    APPROVE = "approve"
    REJECT = "reject"


class Which(StrEnum):
    """Whose confidences: those of the calibration in use, or refitted ones."""

    IN_USE = "in use"
    REFITTED = "refitted"


@dataclass(frozen=True)
class Reliability:
    """One measure of how true probabilities are, before and after."""

    name: str
    before: Estimate
    after: Estimate


@dataclass(frozen=True)
class Standing:
    """How the limits in force fare: error found, what it is below with confidence, and the share decided alone.

    `limit` is the median, where apps or policies have limits of their own.
    """

    side: Side
    which: Which
    limit: float
    automation: float
    error: float
    bound: float
    outcomes: int
    budget: float
    method: str

    @property
    def holds(self) -> bool:
        """Whether the error is within the budget with the confidence asked for."""
        return self.bound <= self.budget


@dataclass(frozen=True)
class Choice:
    """The lowest threshold for one budget; `wanted` marks the budget that was asked for."""

    side: Side
    which: Which
    wanted: bool
    limit: Limit


@dataclass(frozen=True)
class CalibrationReport:
    """All figures, and the refitted calibration. `stands_for` is the number of cases that the outcomes stand for."""

    outcomes: int
    violations: int
    stands_for: float
    policy_sets: int
    level: float
    reliability: tuple[Reliability, ...]
    standing: tuple[Standing, ...]
    choices: tuple[Choice, ...]
    refitted: Calibration


@dataclass(frozen=True)
class _Told:
    """What one calibration says of the outcomes, and which are open to each side's decision without a person."""

    violation: Floats
    said: Verdicts
    right: Bools
    open_to: dict[Side, Bools]


def report(
    gathered: Gathered,
    current: Calibration,
    policies: PolicySet,
    *,
    base_rate: float,
    budgets: dict[Side, float],
    level: float,
) -> CalibrationReport:
    """All figures of these outcomes. Raises Invalid where they are too few, with how many there must be."""
    found = gathered.outcomes
    violates = np.array([outcome.violates for outcome in found], dtype=bool)
    _require_enough(gathered, int(violates.sum()))
    weights = weights_of(found)
    told = {
        Which.IN_USE: _told(found, log_odds(found, current)),
        Which.REFITTED: _told(found, held_out(found, current, base_rate)),
    }
    limits = _limits(found, policies)
    return CalibrationReport(
        outcomes=len(found),
        violations=int(violates.sum()),
        stands_for=float(weights.sum()),
        policy_sets=len({outcome.policy_set for outcome in found}),
        level=level,
        reliability=_reliability(told, violates, weights),
        standing=tuple(
            _standing(side, which, told[which], limits, weights, budgets[side], level)
            for side in Side
            for which in Which
        ),
        choices=tuple(
            Choice(side, which, budget == budgets[side], _lowest(told[which], side, weights, budget, level))
            for side in Side
            for budget in sorted({*BUDGETS, budgets[side]})
            for which in Which
        ),
        refitted=refit(found, current, base_rate),
    )


def _require_enough(gathered: Gathered, violations: int) -> None:
    outcomes = len(gathered.outcomes)
    if outcomes < FEWEST or min(violations, outcomes - violations) < FEWEST_OF_EACH:
        left_out = "".join(f", {number} were left out: {why}" for why, number in gathered.left_out.items())
        raise Invalid(
            f"too few outcomes: there are {outcomes}, {violations} of them violations{left_out}; needed are at least "
            f"{FEWEST}, with {FEWEST_OF_EACH} violations and {FEWEST_OF_EACH} clean ones among them; have people "
            "decide more cases"
        )


def _told(found: Sequence[Outcome], sums: Floats) -> _Told:
    said = verdicts(sums)
    approvable = np.array([outcome.approvable for outcome in found], dtype=bool)
    rejectable = np.array([outcome.rejectable for outcome in found], dtype=bool)
    return _Told(
        violation=sigmoid(sums[:, -1]),
        said=said,
        right=right(said, found),
        open_to={Side.APPROVE: said.clean & approvable, Side.REJECT: ~said.clean & rejectable},
    )


def _reliability(told: dict[Which, _Told], violates: Bools, weights: Floats) -> tuple[Reliability, ...]:
    def measured(name: str, measure: Callable[[_Told, Floats], float]) -> Reliability:
        before, after = (estimate(partial(measure, told[which]), weights) for which in Which)
        return Reliability(name, before, after)

    return (
        measured("calibration error, any violation", lambda t, w: calibration_error(violates, t.violation, w)),
        measured("calibration error, verdict", lambda t, w: calibration_error(t.right, t.said.confidence, w)),
        measured("log loss, any violation", lambda t, w: log_loss(violates, t.violation, w)),
    )


def _limits(found: Sequence[Outcome], policies: PolicySet) -> Floats:
    """The limit in force for each outcome and verdict, N x 10: to act on each policy, and last to approve."""
    by_app: dict[str, list[float]] = {}
    for app_id in {outcome.app_id for outcome in found}:
        acting = [policies.thresholds_for(policy, app_id).auto_reject for policy in Policy]
        by_app[app_id] = [*acting, policies.thresholds_for(None, app_id).auto_approve]
    return np.array([by_app[outcome.app_id] for outcome in found], dtype=np.float64)


def _standing(
    side: Side, which: Which, told: _Told, limits: Floats, weights: Floats, budget: float, level: float
) -> Standing:
    limit = limits[np.arange(len(limits)), told.said.policy]
    alone = told.open_to[side] & (told.said.confidence >= limit)
    in_force = limits[:, -1] if side is Side.APPROVE else limits[:, :-1]
    wrong = ~told.right[alone]
    return Standing(
        side=side,
        which=which,
        limit=float(np.median(in_force)),
        automation=float(weights[alone].sum() / weights.sum()),
        error=float(np.average(wrong, weights=weights[alone])) if alone.any() else 0.0,
        bound=error_bound(~wrong, weights[alone], level=level),
        outcomes=int(alone.sum()),
        budget=budget,
        method=method_for(weights[alone]),
    )


def _lowest(told: _Told, side: Side, weights: Floats, budget: float, level: float) -> Limit:
    chosen = told.open_to[side]
    return lowest_threshold(
        told.said.confidence[chosen],
        told.right[chosen],
        weights[chosen],
        budget=budget,
        level=level,
        total=float(weights.sum()),
    )
