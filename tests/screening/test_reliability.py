"""Calibration error and log loss, weighed and with intervals."""

import numpy as np
import pytest

from screening.reliability import Estimate, calibration_error, estimate, log_loss


def told(rows: int, shift: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    true_chance = random.random(rows)
    return random.random(rows) < true_chance, np.clip(true_chance + shift, 0, 1)


def test_true_chances_have_hardly_an_error_and_false_ones_the_error_they_have() -> None:
    ones = np.ones(20_000)
    assert calibration_error(*told(20_000, 0.0), ones) < 0.015
    assert calibration_error(*told(20_000, 0.1), ones) == pytest.approx(0.095, abs=0.015)
    assert log_loss(*told(20_000, 0.0), ones) < log_loss(*told(20_000, 0.1), ones)


def test_a_row_of_weight_three_counts_as_three_rows() -> None:
    true, chance = np.array([True, False, True]), np.array([0.9, 0.4, 0.2])
    weights = np.array([1.0, 3.0, 1.0])
    assert log_loss(true, chance, weights) == pytest.approx(
        log_loss(np.repeat(true, [1, 3, 1]), np.repeat(chance, [1, 3, 1]), np.ones(5))
    )
    assert calibration_error(true, chance, weights) == pytest.approx((0.1 + 3 * 0.4 + 0.8) / 5)


def test_one_surprise_is_not_infinite() -> None:
    assert np.isfinite(log_loss(np.array([True]), np.array([0.0]), np.ones(1)))


def test_an_interval_holds_the_figure_and_narrows_with_rows() -> None:
    def found(rows: int) -> Estimate:
        true, chance = told(rows, 0.1)
        return estimate(lambda weights: log_loss(true, chance, weights), np.ones(rows))

    few, many = found(100), found(5_000)
    assert few.low < few.value < few.high
    assert many.low < many.value < many.high
    assert many.high - many.low < (few.high - few.low) / 4
