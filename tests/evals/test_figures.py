"""Each figure against a value worked out by hand, or known from a table."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.figures import (
    auc,
    average_precision,
    calibration_error,
    clopper_pearson,
    equal_mass,
    interval,
    macro_f1,
    recall_at,
    weights_at,
)


def bools(*values: int) -> np.ndarray:
    return np.array(values, dtype=bool)


def floats(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)


class TestAuc:
    def test_it_counts_pairs_in_the_right_order(self) -> None:
        # Of the four pairs only (.4, .6) is in the wrong order.
        assert auc(bools(1, 1, 0, 0), floats(0.9, 0.4, 0.6, 0.1)) == 0.75

    def test_a_tie_counts_half(self) -> None:
        assert auc(bools(1, 0, 0), floats(0.5, 0.5, 0.1)) == 0.75

    def test_it_is_unknown_where_a_side_is_empty(self) -> None:
        assert math.isnan(auc(bools(1, 1), floats(0.2, 0.3)))
        assert math.isnan(auc(bools(0, 0), floats(0.2, 0.3)))

    @given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=30))
    def test_it_is_the_share_of_pairs(self, rows: list[tuple[bool, int]]) -> None:
        yes = [score for positive, score in rows if positive]
        no = [score for positive, score in rows if not positive]
        found = auc(bools(*(p for p, _ in rows)), floats(*(s for _, s in rows)))
        if yes and no:
            pairs = [(y > n) + (y == n) / 2 for y in yes for n in no]
            assert found == pytest.approx(sum(pairs) / len(pairs))
        else:
            assert math.isnan(found)


class TestAveragePrecision:
    def test_it_averages_precision_over_what_recall_gains(self) -> None:
        # The example of scikit-learn's documentation: precision 1 at recall 1/2, then 2/3 at recall 1.
        assert average_precision(bools(0, 0, 1, 1), floats(0.1, 0.4, 0.35, 0.8)) == pytest.approx(1 / 2 + 2 / 3 / 2)

    def test_rows_of_one_score_come_together(self) -> None:
        assert average_precision(bools(1, 0, 1, 0), floats(0.5, 0.5, 0.5, 0.5)) == 0.5

    def test_it_is_unknown_without_positives(self) -> None:
        assert math.isnan(average_precision(bools(0, 0), floats(0.5, 0.6)))


class TestRecallAt:
    def test_it_lets_through_as_many_false_alarms_as_allowed(self) -> None:
        scores = floats(*np.linspace(0.01, 1.0, 100), 0.985, 0.995, 0.5, 1.0)
        positive = np.arange(104) >= 100
        # One of a hundred negatives may pass, so the threshold is the second highest, .99.
        assert recall_at(positive, scores, ~positive, 0.01) == 0.5
        assert recall_at(positive, scores, ~positive, 0.0) == 0.0, "nothing exceeds the highest negative"
        assert recall_at(positive, scores, ~positive, 1.0) == 1.0

    def test_the_threshold_is_set_on_the_negatives_that_are_named(self) -> None:
        positive, scores = bools(1, 1, 0, 0), floats(0.6, 0.2, 0.9, 0.4)
        assert recall_at(positive, scores, bools(0, 0, 0, 1), 0.01) == 0.5
        assert recall_at(positive, scores, bools(0, 0, 1, 1), 0.01) == 0.0

    def test_it_is_unknown_where_a_side_is_empty(self) -> None:
        assert math.isnan(recall_at(bools(0, 0), floats(0.1, 0.2), bools(1, 1), 0.01))
        assert math.isnan(recall_at(bools(1, 1), floats(0.1, 0.2), bools(0, 0), 0.01))


class TestCalibration:
    def test_it_is_the_mean_gap(self) -> None:
        # Two bins of two rows: told .2, found .5; told .9, found 1.
        error = calibration_error(bools(0, 1, 1, 1), floats(0.1, 0.3, 0.8, 1.0), np.ones(4), bins=2)
        assert error == pytest.approx((0.3 + 0.1) / 2)

    def test_rows_count_by_their_weight(self) -> None:
        # Told .5 throughout; a quarter of the weight is true.
        assert calibration_error(bools(1, 0), floats(0.5, 0.5), floats(1, 3), bins=1) == pytest.approx(0.25)

    def test_what_is_told_right_has_no_error(self) -> None:
        chance = np.repeat([0.25, 0.75], 4)
        assert calibration_error(bools(1, 0, 0, 0, 1, 1, 1, 0), chance, np.ones(8), bins=2) == pytest.approx(0)

    def test_bins_hold_equal_weight(self) -> None:
        assert equal_mass(floats(0.1, 0.2, 0.3, 0.4), np.ones(4), 2).tolist() == [0, 0, 1, 1]
        assert equal_mass(floats(0.1, 0.2, 0.3, 0.4), floats(3, 1, 1, 1), 2).tolist() == [0, 1, 1, 1]

    def test_rows_of_one_chance_share_a_bin(self) -> None:
        assert len(set(equal_mass(floats(0.5, 0.5, 0.5, 0.9), np.ones(4), 4)[:3].tolist())) == 1

    def test_it_is_unknown_without_rows(self) -> None:
        assert math.isnan(calibration_error(bools(), floats(), floats()))

    def test_weights_give_violations_the_share_of_traffic(self) -> None:
        positive = bools(1, 1, 1, 0)
        weights = weights_at(positive, 0.05)
        assert weights[positive].sum() / weights.sum() == pytest.approx(0.05)
        assert weights.sum() == pytest.approx(4)


class TestMacroF1:
    def test_it_is_the_mean_over_classes(self) -> None:
        truth = ["spam", "spam", "hate", "clean"]
        said = ["spam", "clean", "hate", "hate"]
        # spam: 2·1/(2+1); hate: 2·1/(1+2).
        assert macro_f1(truth, said, ["spam", "hate"]) == pytest.approx(2 / 3)

    def test_a_class_that_is_never_found_counts_nothing(self) -> None:
        assert macro_f1(["spam", "hate"], ["spam", "clean"], ["spam", "hate"]) == 0.5

    def test_a_class_that_does_not_occur_is_left_out(self) -> None:
        assert macro_f1(["spam"], ["spam"], ["spam", "hate"]) == 1
        assert math.isnan(macro_f1(["clean"], ["clean"], ["spam", "hate"]))


class TestIntervals:
    @pytest.mark.parametrize(
        ("hits", "of", "low", "high"),
        [
            (0, 10, 0.0, 0.3085),
            (10, 10, 0.6915, 1.0),
            (5, 10, 0.1871, 0.8129),
            (1, 100, 0.00025, 0.0545),
            (15, 10_000, 0.00084, 0.002473),
        ],
    )
    def test_shares_have_the_exact_interval(self, hits: int, of: int, low: float, high: float) -> None:
        assert clopper_pearson(hits, of) == pytest.approx((low, high), abs=6e-5)

    def test_ends_agree_with_the_closed_form(self) -> None:
        # Without hits the upper end solves (1 - p)^n = α/2.
        assert clopper_pearson(0, 300)[1] == pytest.approx(1 - 0.025 ** (1 / 300), abs=1e-12)
        assert clopper_pearson(0, 300, level=0.9)[1] == pytest.approx(1 - 0.05 ** (1 / 300), abs=1e-12)

    def test_nothing_is_known_without_rows(self) -> None:
        assert clopper_pearson(0, 0) == (0.0, 1.0)

    def test_the_bootstrap_comes_near_the_textbook_interval_of_a_mean(self) -> None:
        values = np.random.default_rng(1).normal(size=400)
        low, high = interval(lambda rows: float(values[rows].mean()), [str(i) for i in range(400)])
        half = 1.96 * values.std() / 20
        assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.02)

    def test_rows_of_one_group_come_together(self) -> None:
        """Copies of a row tell nothing new: the interval is that of the groups."""
        values = np.random.default_rng(2).normal(size=50)
        alone = interval(lambda rows: float(values[rows].mean()), [str(i) for i in range(50)])
        copied = np.repeat(values, 9)
        together = interval(lambda rows: float(copied[rows].mean()), [str(i // 9) for i in range(450)])
        assert together == pytest.approx(alone)

    def test_resamples_without_a_figure_are_passed_over(self) -> None:
        positive, scores = bools(1, 0), floats(0.9, 0.1)
        assert interval(lambda rows: auc(positive[rows], scores[rows]), ["a", "b"]) == (1.0, 1.0)
        low, high = interval(lambda rows: math.nan, ["a", "b"])
        assert math.isnan(low)
        assert math.isnan(high)

    def test_the_same_seed_gives_the_same_interval(self) -> None:
        values = np.arange(30.0)
        groups = [str(i) for i in range(30)]

        def mean(rows: np.ndarray) -> float:
            return float(values[rows].mean())

        assert interval(mean, groups) == interval(mean, groups)
        assert interval(mean, groups, seed=1) != interval(mean, groups, seed=2)
