"""Whose appeals models may read, and where a reading differs from the weighing: told, and moving neither."""

import pytest

from domain.appeal import AppealBrief, AppealFactor, AppealOutcome, FactorScore
from domain.appeal_reading import AppealReading, FactorReading
from policies.appeal_readings import differences, may_read
from policies.loader import load
from tests import factories

POLICIES = load()


def brief(recommendation: AppealOutcome, score: float | None) -> AppealBrief:
    return AppealBrief(
        factors=(FactorScore(factor=AppealFactor.HISTORY, score=score, weight=0.2),),
        score=0.5,
        recommendation=recommendation,
        for_the_user=(),
        for_the_decision=(),
        prepared_by="test",
    )


@pytest.mark.parametrize(("when", "may"), [("never", False), ("doubtful", True), ("always", True)])
def test_appeals_are_read_unless_nothing_is_asked_about_an_app(when: str, may: bool) -> None:
    rules = POLICIES.thresholds.agents
    changed = rules.model_validate({**rules.model_dump(), "when": "never", "apps": {"app_a": {"when": when}}})
    policies = POLICIES.model_copy(update={"thresholds": POLICIES.thresholds.model_copy(update={"agents": changed})})
    assert may_read("app_a", policies) is may
    assert not may_read("app_b", policies)


@pytest.mark.parametrize("weighed", AppealOutcome)
@pytest.mark.parametrize("read", AppealOutcome)
def test_another_recommendation_is_told(weighed: AppealOutcome, read: AppealOutcome) -> None:
    told = differences(brief(weighed, None), factors_read(3, read))
    assert bool(told) is (weighed is not read)


@pytest.mark.parametrize(
    ("weighed", "read", "differ"),
    [
        (0.8, 4, False),
        (0.8, 3, False),
        (0.8, 2, True),
        (0.2, 2, False),
        (0.2, 4, True),
        (0.5, 1, False),
        (None, 5, False),
        (0.2, None, False),
    ],
)
def test_a_factor_that_speaks_for_the_other_side_is_told(weighed: float | None, read: int | None, differ: bool) -> None:
    told = differences(brief(AppealOutcome.ESCALATE, weighed), factors_read(read, AppealOutcome.ESCALATE))
    assert bool(told) is differ
    assert all("history" in each for each in told)


def factors_read(score: int | None, recommendation: AppealOutcome) -> AppealReading:
    factors = (FactorReading(factor=AppealFactor.HISTORY, score=score, reason="It is so."),)
    return factories.appeal_reading(factors=factors, recommendation=recommendation)
