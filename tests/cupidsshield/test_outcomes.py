"""A decided case becomes an outcome: what it stands for, and which decisions were open to the machine."""

from collections import Counter
from typing import Any

import pytest

from cupidsshield.outcomes import OTHER_MODEL, UNREADABLE, UNSCORED, outcome_of, weights_for
from data.outcomes import Reviewed
from domain.clock import now
from domain.signals import Signal
from domain.vocabulary import Action, DecisionKind, Floor, Policy, SignalSource
from policies.decide import Trigger
from screening.outcomes import Outcome
from tests import factories
from tests.outcomes import MODEL, calibration, outcome
from tests.outcomes import OTHER_MODEL as ANOTHER
from tests.screening.test_outcomes import signals_of

YES, NO, ASKED = DecisionKind.APPROVED, DecisionKind.REJECTED, DecisionKind.ESCALATED


def reviewed(
    trigger: Trigger = Trigger.DOUBT,
    *,
    verdict: Policy | None = Policy.SCAMS,
    floor: Floor = Floor.NONE,
    proposed: Action | None = None,
    further: tuple[Signal, ...] = (),
    **assessed: Any,
) -> Reviewed:
    """An escalated case that a person rejected as hate."""
    assessment = factories.assessment(policy=verdict).model_copy(
        update={
            "signals": (*signals_of(outcome(0.3), calibration()), *further),
            "model": MODEL,
            "floor": floor,
            **assessed,
        }
    )
    machine = factories.decision(ASKED, policy=verdict).model_copy(
        update={"trigger": trigger.value, "proposed_action": proposed}
    )
    return Reviewed(
        case_id="case_1",
        assessment=assessment,
        machine=machine,
        decision=NO,
        policy=Policy.HATE,
        asked_for=True,
        created_at=now(),
    )


def made(of: Reviewed) -> Outcome:
    found = outcome_of(of, "app_a", MODEL)
    assert isinstance(found, Outcome)
    return found


def test_it_holds_what_the_machine_thought_and_what_the_person_decided() -> None:
    found = made(reviewed())
    assert (found.violation, found.verdict, found.kind, found.policy_set) == (0.3, Policy.SCAMS, ASKED, "set1")
    assert (found.violates, found.policy, found.app_id, found.weight) == (True, Policy.HATE, "app_a", 1.0)


@pytest.mark.parametrize(
    ("of", "approvable", "rejectable"),
    [
        (reviewed(Trigger.DOUBT), True, True),
        (reviewed(Trigger.SURE_CLEAN, verdict=None), True, True),
        (reviewed(Trigger.SURE_VIOLATION), True, True),
        (reviewed(Trigger.SURE_VIOLATION, floor=Floor.REVIEW), False, True),
        (reviewed(Trigger.REVIEW_FLOOR, floor=Floor.REVIEW), False, True),
        (reviewed(Trigger.FIXED_ROUTE), False, False),
        (reviewed(Trigger.LEGAL_FLOOR, floor=Floor.LEGAL), False, False),
        (reviewed(Trigger.SENIOR), False, False),
        (reviewed(Trigger.UNAVAILABLE), False, False),
        (reviewed(Trigger.LADDER_REVIEW), False, False),
        (reviewed(Trigger.DOUBT, proposed=Action.FLAG_FOR_REVIEW), True, False),
        (reviewed(Trigger.DOUBT, severity=None), True, False),
    ],
    ids=lambda value: value.machine.trigger if isinstance(value, Reviewed) else None,
)
def test_only_what_confidence_alone_kept_from_a_decision_is_open_to_it(
    of: Reviewed, approvable: bool, rejectable: bool
) -> None:
    found = made(of)
    assert (found.approvable, found.rejectable) == (approvable, rejectable)


def test_what_says_nothing_of_this_models_scores_is_left_out_with_the_reason() -> None:
    foreign = Signal(name="language.foreign", source=SignalSource.LANGUAGE, reason="written in 'xx'")
    assert outcome_of(reviewed(further=(foreign,)), "app_a", MODEL) == UNREADABLE
    assert outcome_of(reviewed(signals=()), "app_a", MODEL) == UNSCORED
    assert outcome_of(reviewed(), "app_a", ANOTHER) == OTHER_MODEL
    assert isinstance(outcome_of(reviewed(), "app_a", None), Outcome), "an export takes every model"


def test_a_sample_stands_for_all_that_nobody_looked_at_and_a_reason_for_itself() -> None:
    seen = Counter({(ASKED, True): 40, (YES, False): 20, (NO, True): 5, (NO, False): 10})
    weights = weights_for(seen, {ASKED: 10, YES: 980, NO: 90})
    assert weights == {(ASKED, True): 1.25, (YES, False): 50.0, (NO, True): 1.0, (NO, False): 10.0}
    assert sum(weights[group] * number for group, number in seen.items()) == sum(seen.values()) + 10 + 980 + 90
