"""Weights of opinions follow what people decided: as far as outcomes say it, and never further than they may."""

import math
import random
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupidsshield.opinion_fitting import Borne, bounded_weights, fit, held_out
from domain.opinion import Reading, Specialist
from policies.consulting import OpinionWeights
from policies.loader import load

RULES = load().thresholds.agents.fitting
BY_HAND = load().thresholds.agents.weights
V, F, U = Reading.VIOLATES, Reading.FINE, Reading.UNCLEAR


def borne(number: int, reading: Reading, certainty: int, stood: float, violates: bool, **other: object) -> Borne:
    fields = {"specialist": Specialist.SCAM_DETECTIVE, "model": "m", "prompt": "p", "sample": number % 3 == 0}
    return Borne(
        f"case-{number}", reading=reading, certainty=certainty, stood=stood, violates=violates, **fields | other
    )  # type: ignore[arg-type]


def world(
    number: int, right: Callable[[int], float], *, seed: int = 0, lean: float = 0.0, prompt: str = "p"
) -> list[Borne]:
    """Texts in doubt, and a judge who is right with `right(certainty)` whatever the truth; its log-likelihood ratio at
    each certainty is therefore the log-odds of that. Screening's log-odds are off by `lean`."""
    lot = random.Random(seed)
    found = []
    for at in range(number):
        stood = lot.uniform(-2.2, 2.2)
        violates = lot.random() < 1 / (1 + math.exp(-(stood + lean)))
        certainty = lot.randint(1, 5)
        reading = V if violates is (lot.random() < right(certainty)) else F
        found.append(borne(at, reading, certainty, stood, violates, prompt=prompt))
    return found


def rightness(certainty: int) -> float:
    return 0.5 + 0.09 * certainty


def test_without_outcomes_of_a_certainty_its_weight_stays_as_set_by_hand() -> None:
    found = fit([one for one in world(400, rightness) if one.certainty == 3], BY_HAND, RULES)
    for side, by_hand in ((found.pooled.violates, BY_HAND.violates), (found.pooled.fine, BY_HAND.fine)):
        assert side[0] == pytest.approx(min(by_hand[0], side[2]), abs=1e-3)
        assert side[4] == pytest.approx(max(by_hand[4], side[2]), abs=1e-3)


def test_many_outcomes_give_the_likelihood_ratio_whatever_screening_leans_to() -> None:
    for lean in (-1.5, 0.0, 1.5):
        found = fit(world(12_000, rightness, lean=lean), BY_HAND, RULES)
        assert found.lean == pytest.approx(lean, abs=0.15)
        for certainty in range(1, 6):
            truth = math.log(rightness(certainty) / (1 - rightness(certainty)))
            assert found.pooled.violates[certainty - 1] == pytest.approx(truth, abs=0.3)
            assert found.pooled.fine[certainty - 1] == pytest.approx(truth, abs=0.3)


def test_it_is_free_of_what_people_are_shown_by_score_and_opinion() -> None:
    """What a sure opinion settled alone is seen as a sample of one in ten; the weights come out as without it."""
    lot = random.Random(3)
    shown = []
    for one in world(30_000, rightness, seed=5):
        settled = one.certainty >= 4 and (one.stood > 0) is (one.reading is V)
        if settled and lot.random() < 0.1:
            shown.append(borne(int(one.case_id[5:]), one.reading, one.certainty, one.stood, one.violates, weight=10.0))
        elif not settled:
            shown.append(one)
    seen = fit(shown, BY_HAND, RULES).pooled
    everything = fit(world(30_000, rightness, seed=5), BY_HAND, RULES).pooled
    np.testing.assert_allclose(seen.violates, everything.violates, atol=0.35)
    np.testing.assert_allclose(seen.fine, everything.fine, atol=0.35)


def test_a_judge_who_guesses_comes_to_weigh_little() -> None:
    found = fit(world(6_000, lambda _: 0.5), BY_HAND, RULES).pooled
    assert max(*found.violates, *found.fine) < 0.25


def test_a_judge_who_is_always_right_weighs_no_more_than_the_bound() -> None:
    found = fit(world(6_000, lambda _: 1.0), BY_HAND, RULES).pooled
    assert max(*found.violates, *found.fine) <= RULES.most


def test_without_samples_of_what_was_decided_alone_no_weight_rises() -> None:
    unsampled = [borne(n, V, 5, 0.0, violates=n % 20 != 0, sample=False) for n in range(400)]
    sampled = [borne(n, V, 5, 0.0, violates=n % 20 != 0) for n in range(400)]
    found = fit(unsampled, BY_HAND, RULES)
    assert found.bounded
    assert found.pooled.violates[4] <= BY_HAND.violates[4]
    assert not fit(sampled, BY_HAND, RULES).bounded


def test_a_prompt_with_few_outcomes_keeps_near_all_prompts_and_one_with_fewer_has_none() -> None:
    guessing = world(RULES.fewest_of_a_prompt, lambda _: 0.5, seed=1, prompt="few")
    fewer = world(RULES.fewest_of_a_prompt - 1, rightness, seed=2, prompt="fewer")
    made = fit([*world(4_000, rightness), *guessing, *fewer], BY_HAND, RULES)
    own = {judge.prompt: judge.weights for judge in made.judges}
    assert own.keys() == {"p", "few"}
    alone = fit([*guessing] * 1, BY_HAND, RULES).pooled
    assert abs(own["few"].fine[4] - made.pooled.fine[4]) < abs(alone.fine[4] - made.pooled.fine[4]) + 0.5


def test_held_out_sums_do_not_know_their_own_outcomes() -> None:
    """A world of pure chance: what was fitted on the answers themselves would look better than what was set by hand
    by as much as nothing is worth; held out, weights are near 0 and lose nothing to no opinion at all."""
    found = world(3_000, lambda _: 0.5)
    stood, by_hand, fitted = held_out(found, BY_HAND, RULES).T
    truth = np.array([one.violates for one in found])

    def loss(sums: np.ndarray) -> float:
        return float(np.logaddexp(0, np.where(truth, -sums, sums)).mean())

    assert loss(fitted) < loss(by_hand)
    assert loss(fitted) < loss(stood) + 0.01


def test_opinions_about_one_case_stand_in_one_part() -> None:
    twice = [*world(500, rightness), *world(500, rightness)]
    once = held_out(twice, BY_HAND, RULES)
    np.testing.assert_array_equal(once[:500], once[500:])


def test_no_outcome_stands_for_more_than_it_may() -> None:
    heavy = borne(1, V, 5, 0.0, violates=True, weight=400.0)
    assert [one.weight for one in bounded_weights([heavy], 10.0)] == [10.0]


outcomes = st.builds(
    borne,
    st.integers(0, 60),
    st.sampled_from(Reading),
    st.integers(1, 5),
    st.floats(-20, 20),
    st.booleans(),
    weight=st.floats(1, 10),
    prompt=st.sampled_from(["p", "q"]),
    sample=st.booleans(),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(outcomes, min_size=1, max_size=120))
def test_whatever_people_decided_weights_rise_with_certainty_within_their_bounds(found: list[Borne]) -> None:
    made = fit(found, BY_HAND, RULES)
    for weights in (made.pooled, *(judge.weights for judge in made.judges)):
        OpinionWeights.model_validate(weights.model_dump())
        assert max(*weights.violates, *weights.fine) <= RULES.most
        if made.bounded:
            pairs = zip((*weights.violates, *weights.fine), (*BY_HAND.violates, *BY_HAND.fine), strict=True)
            assert all(weight <= by_hand + 1e-9 for weight, by_hand in pairs)
