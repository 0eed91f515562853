"""Which action stands in the form of a case before a person chooses one."""

from domain.case import Case
from domain.vocabulary import Action, DecisionKind, Policy, Severity
from policies.loader import load
from tests import factories
from ui.verdicts import action_for

POLICIES = load()


def proposing(policy: Policy, severity: Severity, action: Action) -> Case:
    """A case whose machine proposes an action for a violation."""
    case = Case.opened(factories.record(factories.content("…"), factories.decision(DecisionKind.ESCALATED)), None)
    machine = case.machine.model_copy(update={"policy": policy, "severity": severity, "proposed_action": action})
    return case.model_copy(update={"machine": machine})


def test_the_machines_proposal_stands_for_its_own_policy_and_severity_alone() -> None:
    case = proposing(Policy.HARASSMENT, Severity.LOW, Action.WARN)
    rung = POLICIES.guideline(Policy.HARASSMENT).ladder.at(Severity.MEDIUM)
    assert action_for(case, Policy.HARASSMENT, Severity.LOW, POLICIES) is Action.WARN
    assert rung is not Action.WARN
    assert action_for(case, Policy.HARASSMENT, Severity.MEDIUM, POLICIES) is rung


def test_what_a_person_chose_before_stays_while_it_is_offered() -> None:
    case = proposing(Policy.HARASSMENT, Severity.LOW, Action.WARN)
    assert action_for(case, Policy.HARASSMENT, Severity.MEDIUM, POLICIES, Action.REMOVE) is Action.REMOVE
    support = action_for(case, Policy.SELF_HARM, Severity.MEDIUM, POLICIES, Action.REMOVE)
    assert support is not Action.REMOVE, "no penalty is offered to who speaks of dying"
