"""What people decided changes what scores mean, by as much as they decided and no more."""

import numpy as np
import pytest

from domain.signals import Signal
from domain.vocabulary import Policy, SignalSource
from policies.score import stand
from screening.calibration import Calibration
from screening.outcomes import (
    Evidence,
    Outcome,
    around_in,
    held_out,
    is_readable,
    log_odds,
    noticed_in,
    refit,
    right,
    verdicts,
)
from screening.signals import VIOLATION
from tests.outcomes import MODEL, RULE, calibration, outcome, simulated


def loss(told: Calibration, truth: Calibration) -> float:
    """The log loss of a calibration on many fresh outcomes."""
    fresh = simulated(4_000, truth, seed=1_000)
    sums, violates = log_odds(fresh, told)[:, -1], np.array([o.violates for o in fresh])
    return float(np.mean(np.logaddexp(0, sums) - violates * sums))


class TestRefit:
    def test_it_recovers_the_slope_and_intercept_that_outcomes_were_made_with(self) -> None:
        fitted = refit(simulated(6_000, calibration(0.6, -0.8), seed=0), calibration(), 0.1)
        for platt in (fitted.violation, fitted.policies[Policy.SCAMS]):
            assert platt.slope == pytest.approx(0.6, abs=0.05)
            assert platt.intercept == pytest.approx(-0.8, abs=0.1)

    def test_a_policy_that_nobody_named_becomes_less_likely_and_the_others_do_not_follow(self) -> None:
        fitted = refit(simulated(2_000, calibration(), seed=0), calibration(), 0.1)
        assert fitted.policies[Policy.HATE](-6.0) <= calibration().policies[Policy.HATE](-6.0)
        assert fitted.policies[Policy.SCAMS].slope == pytest.approx(1.0, abs=0.1)

    def test_without_outcomes_it_is_the_current_one(self) -> None:
        assert refit([], calibration(), 0.1) == calibration()

    def test_another_base_rate_moves_every_intercept_and_no_slope(self) -> None:
        moved = refit([], calibration(base_rate=0.1), 0.05)
        shift = np.log(0.05 / 0.95) - np.log(0.1 / 0.9)
        assert moved.base_rate == 0.05
        for platt in (moved.violation, *moved.policies.values()):
            assert (platt.slope, platt.intercept) == pytest.approx((1.0, -2.0 + shift), abs=1e-4)
        assert moved.reference == pytest.approx([decile + shift for decile in calibration().reference], abs=1e-3)

    @pytest.mark.parametrize("seed", range(8))
    def test_thirty_outcomes_cannot_wreck_it(self, seed: int) -> None:
        truth = calibration()
        fitted = refit(simulated(30, truth, seed), truth, 0.1)
        assert loss(fitted, truth) < 1.05 * loss(truth, truth)

    def test_thirty_outcomes_at_odds_with_it_move_it_towards_them_and_not_all_the_way(self) -> None:
        truth, current = calibration(0.3, 0.5), calibration()
        fitted = refit(simulated(30, truth, seed=3), current, 0.1)
        assert loss(truth, truth) < loss(fitted, truth) < loss(current, truth)
        assert -2.0 < fitted.violation.intercept < -1.0

    def test_more_outcomes_bring_it_closer(self) -> None:
        truth = calibration(0.5, -0.5)
        losses = [loss(refit(simulated(count, truth, 1), calibration(), 0.1), truth) for count in (0, 30, 300, 3_000)]
        assert losses == sorted(losses, reverse=True)
        assert losses[-1] < 1.005 * loss(truth, truth)

    def test_a_slope_is_never_negative(self) -> None:
        contrary = [
            outcome(logit, {Policy.SCAMS: logit}, number=n, policy=Policy.SCAMS if logit < 0 else None)
            for n, logit in enumerate(np.linspace(-6, 6, 2_000).tolist())
        ]
        fitted = refit(contrary, calibration(), 0.1)
        assert fitted.violation.slope == 0
        assert fitted.violation.intercept == pytest.approx(0.0, abs=0.05), "half of them violate"

    def test_the_weights_of_rules_and_disguises_are_kept_and_count_as_given(self) -> None:
        truth = calibration().model_copy(update={"rules": {"gift_card": 4.0}})
        found = simulated(6_000, truth, seed=2)
        knowing = refit(found, calibration().model_copy(update={"rules": {"gift_card": 4.0}}), 0.1)
        assert (knowing.rules, knowing.hidden_text) == (truth.rules, truth.hidden_text)
        assert knowing.violation.intercept == pytest.approx(-2.0, abs=0.1)
        unknowing = refit(found, calibration().model_copy(update={"rules": {"gift_card": 0.0}}), 0.1)
        assert unknowing.violation.intercept > knowing.violation.intercept + 0.1

    def test_a_sample_counts_for_all_that_it_stands_for(self) -> None:
        found = [outcome(0.0, number=n, policy=Policy.SCAMS if n % 2 else None) for n in range(4_000)]
        light = refit([*found, *[outcome(0.0)] * 1_000], calibration(), 0.1)
        heavy = refit([*found, *[outcome(0.0, weight=10.0)] * 1_000], calibration(), 0.1)
        assert light.violation(0.0) == pytest.approx(np.log(2 / 3), abs=0.05), "two violate of five"
        assert heavy.violation(0.0) == pytest.approx(np.log(2 / 12), abs=0.05), "two of fourteen"

    def test_weights_make_outcomes_no_more_numerous(self) -> None:
        few = simulated(30, calibration(0.3, 0.5), seed=3)
        heavy = [found.model_copy(update={"weight": 1_000.0}) for found in few]
        assert refit(heavy, calibration(), 0.1) == refit(few, calibration(), 0.1)

    def test_it_notes_whose_scores_it_is_for(self) -> None:
        assert refit(simulated(10, calibration(), 0), calibration(), 0.1).model == MODEL

    def test_held_out_scores_come_from_a_calibration_that_did_not_see_them(self) -> None:
        found = simulated(50, calibration(0.3, 0.5), seed=5)
        sums = held_out(found, calibration(), 0.1)
        others = [o for n, o in enumerate(found) if n % 5 != 2]
        assert sums[2::5] == pytest.approx(log_odds(found[2::5], refit(others, calibration(), 0.1)))


def signals_of(found: Outcome, told: Calibration) -> list[Signal]:
    """The signals that the service would have stored."""

    def signal(name: str, source: SignalSource, policy: Policy | None, value: float, weight: float) -> Signal:
        return Signal(name=name, source=source, policy=policy, value=value, weight=weight, reason="so it seems")

    made = [signal(VIOLATION, SignalSource.CLASSIFIER, None, found.violation, told.violation(found.violation))]
    for policy, logit in found.policies.items():
        weight = told.policies[policy](logit)
        made.append(signal(f"classifier.{policy}", SignalSource.CLASSIFIER, policy, logit, weight))
    for rule in found.rules:
        made.append(
            signal(f"rule.{rule.name}", SignalSource.RULE, rule.policy, 1, told.rules.get(rule.name, rule.weight))
        )
    if found.disguised:
        made.append(signal("hidden_text", SignalSource.HIDDEN_TEXT, None, 1, told.hidden_text))
    for other in found.around:
        made.append(signal(other.name, SignalSource.MEMORY, other.policy, 1, other.weight))
    return made


FULL = outcome(
    0.7,
    {Policy.SCAMS: 0.4, Policy.SPAM: 0.9},
    rules=(
        RULE,
        Evidence(name="unknown", policy=Policy.SPAM, weight=0.3),
        Evidence(name="general", policy=None, weight=0.2),
    ),
    disguised=True,
    around=(Evidence(name="memory_approved", policy=Policy.SPAM, weight=-0.6),),
)


@pytest.mark.parametrize(
    "found",
    [
        outcome(),
        outcome(2.0, {Policy.HATE: 2.5}),
        FULL,
        outcome(around=(Evidence(name="memory_approved", policy=Policy.SCAMS, weight=-0.6),)),
    ],
    ids=["plain", "sure", "full", "spoken for"],
)
def test_the_sums_are_those_that_policy_adds_up(found: Outcome) -> None:
    """What calibration is fitted to must be what decides."""
    standing = stand(signals_of(found, calibration()))
    chances = 1 / (1 + np.exp(-log_odds([found], calibration())[0]))
    assert chances[:-1] == pytest.approx([standing.scores[policy] for policy in Policy])
    assert chances[-1] == pytest.approx(standing.any_violation)


def test_what_was_noticed_is_read_back_from_stored_signals() -> None:
    signals = signals_of(FULL, calibration())
    noticed = noticed_in(signals, MODEL)
    assert noticed is not None
    assert (noticed.violation, noticed.policies, noticed.disguised) == (FULL.violation, FULL.policies, True)
    assert [rule.name for rule in noticed.rules] == ["gift_card", "unknown", "general"]
    assert noticed.around == (), "the text alone"
    assert around_in(signals) == FULL.around


@pytest.mark.parametrize("lacking", [VIOLATION, "classifier.spam"])
def test_a_text_without_all_scores_is_not_used(lacking: str) -> None:
    signals = [signal for signal in signals_of(FULL, calibration()) if signal.name != lacking]
    assert noticed_in(signals, MODEL) is None
    assert noticed_in(signals_of(FULL, calibration()), None) is None


def test_a_score_that_is_no_number_is_not_used() -> None:
    signals = signals_of(FULL, calibration())
    signals[0] = signals[0].model_copy(update={"value": float("nan")})
    assert noticed_in(signals, MODEL) is None


def test_a_foreign_text_is_told_from_a_readable_one() -> None:
    foreign = Signal(name="language.foreign", source=SignalSource.LANGUAGE, reason="written in 'xx'")
    assert is_readable(signals_of(FULL, calibration()))
    assert not is_readable([*signals_of(FULL, calibration()), foreign])


def test_verdicts_follow_the_rule_of_policy() -> None:
    told = calibration(1.0, 0.0)
    found = [
        outcome(-2.0, {Policy.SPAM: -1.0}),
        outcome(1.0, {Policy.SPAM: 3.0}, policy=Policy.SPAM),
        outcome(1.0, {Policy.SPAM: 3.0}, policy=Policy.SCAMS),
        outcome(0.5, {Policy.SPAM: -0.5}),
    ]
    said = verdicts(log_odds(found, told))
    spam = list(Policy).index(Policy.SPAM)
    assert said.policy.tolist() == [-1, spam, spam, spam]
    chances = [1 - 1 / (1 + np.exp(1.0)), *[1 / (1 + np.exp(-3.0))] * 2, 1 / (1 + np.exp(0.5))]
    assert said.confidence == pytest.approx(chances)
    assert right(said, found).tolist() == [True, True, False, False]


def test_an_outcome_holds_no_field_for_what_users_wrote_or_who_they_are() -> None:
    assert not {"text", "content", "user_id", "evidence", "reasoning", "reviewer"} & Outcome.model_fields.keys()
