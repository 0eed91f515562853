"""The lowest threshold whose error is shown, and not only seen, to be within a budget."""

import math

import numpy as np
import pytest

from screening.budget import (
    CLOPPER_PEARSON,
    GRID,
    HOEFFDING_BENTKUS,
    at_most,
    error_bound,
    least_outcomes,
    lowest_threshold,
)
from screening.outcomes import Bools, Floats

BUDGET = 0.08
TRIALS = 300


def true_error(confidences: Floats) -> Floats:
    """A machine that is a little surer than it should be."""
    return np.clip(1.01 - confidences, 0, 1)


def drawn(rows: int, seed: int) -> tuple[Floats, Bools]:
    random = np.random.default_rng(seed)
    confidences = 0.5 + random.beta(6, 1, rows) / 2
    return confidences, random.random(rows) > true_error(confidences)


MANY, _ = drawn(200_000, seed=1_000_000)


def error_from(threshold: float) -> float:
    """The true error among what is decided alone from this threshold upwards."""
    return float(true_error(MANY[threshold <= MANY]).mean())


def sampled(rows: int, seed: int) -> tuple[Floats, Bools, Floats]:
    """Sure verdicts are looked at one in ten, doubtful ones all."""
    confidences, right = drawn(rows, seed)
    sure = confidences > 0.9
    kept = ~sure | (np.random.default_rng(seed + 1_000).random(rows) < 0.1)
    return confidences[kept], right[kept], np.where(sure, 10.0, 1.0)[kept]


def share_of_broken_promises(thresholds: list[float | None]) -> float:
    return float(np.mean([found is not None and error_from(found) > BUDGET for found in thresholds]))


def test_the_budget_holds_in_at_least_95_of_100_calibrations() -> None:
    limits = [lowest_threshold(*drawn(600, seed), budget=BUDGET) for seed in range(TRIALS)]
    assert share_of_broken_promises([limit.threshold for limit in limits]) <= 0.05
    assert np.mean([limit.threshold is not None for limit in limits]) > 0.7, "and it is not kept by saying nothing"


def test_the_budget_holds_where_outcomes_weigh_differently() -> None:
    limits = [lowest_threshold(*sampled(8_000, seed), budget=BUDGET) for seed in range(TRIALS)]
    assert share_of_broken_promises([limit.threshold for limit in limits]) <= 0.05
    assert np.mean([limit.method == HOEFFDING_BENTKUS for limit in limits]) > 0.3, "the weighted test is at work"


def test_taking_the_error_that_was_found_for_the_true_one_breaks_the_budget() -> None:
    """What the tests above would see of a careless method."""

    def careless(seed: int) -> float | None:
        confidences, right = drawn(600, seed)
        within = [t for t in GRID if (confidences >= t).any() and (~right[confidences >= t]).mean() <= BUDGET]
        return min(within, default=None)

    assert share_of_broken_promises([careless(seed) for seed in range(TRIALS)]) > 0.2


def test_more_outcomes_let_the_machine_decide_more_alone() -> None:
    few = [lowest_threshold(*drawn(600, seed), budget=BUDGET).automation for seed in range(20)]
    many = [lowest_threshold(*drawn(6_000, seed), budget=BUDGET).automation for seed in range(20)]
    assert np.mean(many) > np.mean(few) + 0.1


def test_the_threshold_is_shown_with_what_it_decides_alone_and_its_bound() -> None:
    confidences, right = drawn(3_000, seed=4)
    limit = lowest_threshold(confidences, right, budget=BUDGET, total=6_000)
    assert limit.threshold in GRID
    alone = confidences >= limit.threshold
    assert limit.outcomes == alone.sum()
    assert limit.automation == pytest.approx(alone.sum() / 6_000)
    assert (~right[alone]).mean() < limit.bound <= BUDGET
    assert (limit.method, limit.missing) == (CLOPPER_PEARSON, 0)


def test_the_search_ends_where_the_budget_breaks_also_where_easy_cases_lie_below() -> None:
    confidences = np.repeat([0.95, 0.85, 0.55], [400, 100, 4_000])
    right = np.full(4_500, True)
    right[400:450] = False
    assert lowest_threshold(confidences, right, budget=0.02).threshold in (0.86, 0.855)
    assert error_bound(right) < 0.02, "all together would pass"


def test_a_tighter_budget_never_lets_more_through() -> None:
    confidences, right = drawn(6_000, seed=5)
    shares = [lowest_threshold(confidences, right, budget=budget).automation for budget in (0.1, 0.08, 0.06, 0.04)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > shares[-1]


class TestWithoutAThreshold:
    def test_too_few_outcomes_are_told_with_how_many_more(self) -> None:
        """Rule of three: 149 faultless outcomes show an error below 2 %, 148 do not."""
        limit = lowest_threshold(np.full(148, 0.97), np.full(148, True), budget=0.02)
        assert (limit.threshold, limit.automation, limit.missing) == (None, 0.0, 1)
        assert lowest_threshold(np.full(149, 0.97), np.full(149, True), budget=0.02).threshold == 0.5

    def test_none_at_all(self) -> None:
        limit = lowest_threshold(np.empty(0), np.empty(0, dtype=bool), budget=0.02)
        assert (limit.threshold, limit.outcomes, limit.missing, limit.bound) == (None, 0, 149, 1.0)

    def test_too_many_errors_are_told_with_how_many_more_right_ones_it_would_take(self) -> None:
        right = np.full(400, True)
        right[:20] = False
        limit = lowest_threshold(np.full(400, 0.97), right, budget=0.02)
        assert limit.threshold is None
        assert at_most(20, 400 + limit.missing, 0.02) <= 0.05 < at_most(20, 399 + limit.missing, 0.02)

    def test_outcomes_that_weigh_differently_are_worth_fewer(self) -> None:
        weights = np.where(np.arange(200) < 20, 50.0, 1.0)
        limit = lowest_threshold(np.full(200, 0.97), np.full(200, True), weights, budget=0.02)
        assert limit.threshold is None
        assert limit.missing > 100


@pytest.mark.parametrize("budget", [0.01, 0.02, 0.05])
def test_the_rule_of_three(budget: float) -> None:
    assert least_outcomes(0, budget, 0.05) == math.ceil(math.log(0.05) / math.log(1 - budget))
    assert least_outcomes(0, budget, 0.05) <= 3 / budget
    assert least_outcomes(2, budget, 0.05) > least_outcomes(1, budget, 0.05) > least_outcomes(0, budget, 0.05)


@pytest.mark.parametrize(
    ("errors", "rows", "bound"),
    # R 4.3: qbeta(0.95, errors + 1, rows - errors)
    [(0, 100, 0.029513), (5, 100, 0.102253), (20, 400, 0.072008), (100, 100, 1.0)],
)
def test_the_bound_is_that_of_clopper_and_pearson(errors: int, rows: int, bound: float) -> None:
    right = np.arange(rows) >= errors
    assert error_bound(right) == pytest.approx(bound, abs=2e-4)
    assert error_bound(right, level=0.99) >= error_bound(right)


def test_the_weighted_bound_is_that_of_hoeffding_and_bentkus_and_the_wider_one() -> None:
    """Weights that hardly differ leave the two classic bounds of 30 errors in 1,000, of which the lower holds."""
    weights = np.where(np.arange(1_000) % 2, 1.0, 1.000_01)
    right = np.arange(1_000) >= 30
    bentkus = error_bound(right, level=1 - 0.05 / math.e)
    chances = np.linspace(0.031, 0.1, 10_000)
    apart = 0.03 * np.log(0.03 / chances) + 0.97 * np.log(0.97 / (1 - chances))
    hoeffding = chances[np.searchsorted(apart, -math.log(0.05) / 1_000)]
    assert 0.03 < error_bound(right) < error_bound(right, weights)
    assert error_bound(right, weights) == pytest.approx(min(bentkus, hoeffding), abs=2e-3)
    assert error_bound(right, weights) > (error_bound(right) + min(bentkus, hoeffding)) / 2
    assert error_bound(np.full(10, False), np.arange(1.0, 11.0)) == 1.0


def test_the_binomial_tail_is_exact() -> None:
    tail = sum(math.comb(20, k) * 0.1**k * 0.9 ** (20 - k) for k in range(4))
    assert at_most(3, 20, 0.1) == pytest.approx(tail)
    assert at_most(20, 20, 0.1) == 1.0
