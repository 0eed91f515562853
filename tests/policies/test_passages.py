"""From the limit in `thresholds.yaml` on, a suspect passage brings a person, and never more than that."""

import pytest

from domain.signals import PASSAGE_ALONE
from domain.vocabulary import DecisionKind, Floor
from policies.decide import Trigger
from tests.policies.test_assess import POLICIES, assessed, decided, rule, scam

LIMIT = POLICIES.thresholds.evidence.passage_review_from


@pytest.mark.parametrize("chance", [LIMIT, 1.0])
def test_a_suspect_passage_of_a_clean_text_brings_a_person(chance: float) -> None:
    assessment = assessed(scam(0.02, rule(PASSAGE_ALONE, value=chance, weight=0.0)))
    assert assessment.floor is Floor.REVIEW
    assert decided(assessment).trigger == Trigger.REVIEW_FLOOR


def test_below_the_limit_it_is_shown_and_changes_nothing() -> None:
    assessment = assessed(scam(0.02, rule(PASSAGE_ALONE, value=LIMIT - 0.01, weight=0.0)))
    assert PASSAGE_ALONE in {signal.name for signal in assessment.signals}
    assert decided(assessment).kind is DecisionKind.APPROVED


def test_a_sure_violation_is_acted_on_all_the_same() -> None:
    surely = decided(assessed(scam(0.99, rule(PASSAGE_ALONE, value=1.0, weight=0.0))))
    assert surely.trigger == decided(assessed(scam(0.99))).trigger != Trigger.REVIEW_FLOOR
