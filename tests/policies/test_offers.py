"""What a person may choose from: always with one proposed, never what only a machine needs, care without penalty."""

import pytest

from domain.vocabulary import Action, Policy, Route, Severity
from policies.loader import load
from policies.offers import offered, reserved_for

POLICIES = load(None)


@pytest.mark.parametrize("policy", Policy)
@pytest.mark.parametrize("severity", Severity)
def test_the_rung_of_the_ladder_is_proposed_and_stands_first(policy: Policy, severity: Severity) -> None:
    offer = offered(policy, severity, POLICIES)
    rung = POLICIES.guideline(policy).ladder.at(severity)
    assert offer.actions[0] is offer.proposed
    assert offer.proposed is (Action.WARN if rung is Action.FLAG_FOR_REVIEW else rung)
    assert len(set(offer.actions)) == len(offer.actions)
    assert Action.FLAG_FOR_REVIEW not in offer.actions


def test_the_other_rungs_and_the_mild_actions_are_at_hand() -> None:
    offer = offered(Policy.SCAMS, Severity.LOW, POLICIES)
    assert set(offer.actions) == {
        Action.WARN,
        Action.REMOVE,
        Action.WARN_AND_REMOVE,
        Action.PERMANENT_BAN,
        Action.PERMANENT_BAN_AND_REPORT,
    }


@pytest.mark.parametrize("severity", Severity)
def test_care_offers_support_and_nothing_else(severity: Severity) -> None:
    assert offered(Policy.SELF_HARM, severity, POLICIES).actions == (Action.OFFER_SUPPORT,)


def test_possible_minors_and_what_is_illegal_are_for_the_legal_team_alone() -> None:
    assert reserved_for(Policy.AGE_VERIFICATION, Severity.LOW, POLICIES) is Route.LEGAL
    assert reserved_for(Policy.AGE_VERIFICATION, None, POLICIES) is Route.LEGAL
    assert reserved_for(Policy.HATE, Severity.CRITICAL, POLICIES) is Route.LEGAL
    assert reserved_for(Policy.HATE, Severity.LOW, POLICIES) is None
    assert reserved_for(Policy.SELF_HARM, Severity.HIGH, POLICIES) is None
    assert reserved_for(None, None, POLICIES) is None
