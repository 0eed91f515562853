"""How far scores are from those that the calibration was fitted on."""

import numpy as np
import pytest

from domain.assessment import Assessment
from screening.drift import Drift, drift, population_stability
from tests import factories
from tests.outcomes import MODEL, OTHER_MODEL, calibration, outcome
from tests.screening.test_outcomes import signals_of

DECILES = tuple(float(decile) for decile in np.quantile(np.arange(1, 1_001), np.arange(1, 10) / 10))


def scored(logits: np.ndarray) -> list[Assessment]:
    """The assessments of texts with these logits of any violation, as they are stored."""
    plain = factories.assessment(policy=None)
    return [
        plain.model_copy(update={"signals": tuple(signals_of(outcome(logit), calibration())), "model": MODEL})
        for logit in logits.tolist()
    ]


def test_the_same_scores_have_no_drift_whatever_their_number() -> None:
    assert population_stability(np.arange(1.0, 1_001), DECILES) == 0
    assert population_stability(np.repeat(np.arange(1.0, 1_001), 7), DECILES) == 0


def test_chance_alone_gives_about_nine_over_their_number() -> None:
    random = np.random.default_rng(0)
    found = [population_stability(random.uniform(0.5, 1_000.5, 500), DECILES) for _ in range(200)]
    assert np.mean(found) == pytest.approx(9 / 500, rel=0.2)
    assert max(found) < 0.1


@pytest.mark.parametrize(("shift", "least"), [(100.0, 0.1), (300.0, 0.7), (2_000.0, 4.0), (-2_000.0, 4.0)])
def test_shifted_scores_have_drift(shift: float, least: float) -> None:
    assert least < population_stability(np.arange(1.0, 1_001) + shift, DECILES) < 20


def test_a_decile_belongs_to_the_bin_below_it() -> None:
    reference = tuple(float(n) for n in range(1, 10))
    exactly = np.array([*reference, 10.0])
    assert population_stability(np.repeat(exactly, 50), reference) == 0


class TestOfAssessments:
    LIKE_THE_REFERENCE = np.array([-2.25, -1.75, -1.25, -0.75, -0.25, 0.25, 0.75, 1.5, 2.5, 4.0])

    def test_scores_are_worked_out_anew_and_compared(self) -> None:
        same = drift(900, scored(np.repeat(self.LIKE_THE_REFERENCE, 30)), calibration(), MODEL, fewest=200)
        assert same == Drift(cases=900, measured=300, index=0.0)
        shifted = drift(900, scored(np.repeat(self.LIKE_THE_REFERENCE, 30) + 2), calibration(), MODEL, fewest=200)
        assert shifted.index is not None
        assert shifted.index > 1

    def test_another_calibration_of_the_same_scores_is_no_drift(self) -> None:
        recalibrated = calibration(1.0, -3.0).model_copy(
            update={"reference": tuple(decile - 1 for decile in calibration().reference)}
        )
        found = drift(300, scored(np.repeat(self.LIKE_THE_REFERENCE, 30)), recalibrated, MODEL, fewest=200)
        assert found.index == 0

    def test_too_few_cases_say_nothing_and_neither_do_those_of_another_model(self) -> None:
        few = scored(np.repeat(self.LIKE_THE_REFERENCE, 19))
        assert drift(190, few, calibration(), MODEL, fewest=200) == Drift(cases=190, measured=190, index=None)
        assert drift(190, few, calibration(), OTHER_MODEL, fewest=100) == Drift(cases=190, measured=0, index=None)

    def test_without_a_reference_there_is_no_index(self) -> None:
        nothing = calibration().model_copy(update={"reference": ()})
        found = drift(300, scored(np.repeat(self.LIKE_THE_REFERENCE, 30)), nothing, MODEL, fewest=200)
        assert found == Drift(cases=300, measured=300, index=None)
