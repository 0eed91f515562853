"""How sure a verdict may be depends on what is known of the model in the language of the text."""

import pytest

from domain.signals import Language
from domain.vocabulary import DecisionKind
from tests.policies.test_assess import assessed, decided, scam


@pytest.mark.parametrize("probability", [0.01, 0.99])
def test_in_a_language_that_the_model_does_not_know_it_is_never_sure(probability: float) -> None:
    unknown = Language(code="ka", confidence=0.9, competent=False)
    assessment = assessed(scam(probability, language=unknown))
    assert assessment.confidence == pytest.approx(0.60)
    assert "language" in assessment.reasoning
    assert decided(assessment).kind is DecisionKind.ESCALATED


@pytest.mark.parametrize(("probability", "kind"), [(0.01, DecisionKind.APPROVED), (0.99, DecisionKind.ESCALATED)])
def test_in_a_language_that_nobody_reviewed_it_approves_alone_and_penalises_nobody(
    probability: float, kind: DecisionKind
) -> None:
    polish = Language(code="pl", confidence=0.9, competent=True)
    assessment = assessed(scam(probability, language=polish))
    assert decided(assessment).kind is kind
    assert ("language" in assessment.reasoning) is (kind is DecisionKind.ESCALATED)


def test_in_english_or_where_no_language_shows_it_does_both() -> None:
    for code in ("en", None):
        told = Language(code=code, confidence=0.5, competent=True)
        assert decided(assessed(scam(0.99, language=told))).kind is DecisionKind.REJECTED
