"""What screening settles alone, and what needs memory, history or a person."""

from typing import Any

from domain.signals import Screening
from domain.vocabulary import Floor, Policy
from policies.assess import is_clear
from tests.policies.test_assess import POLICIES, assessed, content, rule, scam, screening


def clear(seen: Screening | None, **context: Any) -> bool:
    around = content(**context)
    return is_clear(assessed(seen, content=around), around, POLICIES)


def test_sure_clean_text_that_nobody_reported_needs_no_more() -> None:
    assert clear(scam(0.05))


def test_everything_else_does() -> None:
    assert not clear(scam(0.05), reported=True)
    assert not clear(scam(0.15))
    assert not clear(scam(0.99))
    assert not clear(scam(0.05, rule(weight=0.0, floor=Floor.REVIEW)))
    assert not clear(screening({Policy.SELF_HARM: 0.31}, 0.05))
    assert not clear(None)


def test_an_app_that_wants_to_be_surer_is_asked() -> None:
    confidence = POLICIES.thresholds.confidence
    stricter = confidence.model_copy(update={"auto_approve": 0.97})
    thresholds = POLICIES.thresholds.model_copy(update={"confidence": stricter})
    policies = POLICIES.model_copy(update={"thresholds": thresholds})
    assert not is_clear(assessed(scam(0.05)), content(), policies)
