"""What a person may choose from when they reject: the ladder of the guideline, its rung for the severity first.

Pure. A machine's `flag_for_review` is no choice: when a person looks, they are the review.
"""

from collections.abc import Iterable

from domain.base import Frozen
from domain.vocabulary import Action, Policy, Route, Severity
from policies.model import PolicySet

MILD = (Action.WARN, Action.REMOVE, Action.WARN_AND_REMOVE)
"""Offered under every guideline that has penalties, whatever its ladder says."""


class Offer(Frozen):
    """The actions for a violation: `proposed` is chosen unless the person picks another; it is one of `actions`."""

    proposed: Action
    actions: tuple[Action, ...]


def offered(policy: Policy, severity: Severity, policies: PolicySet) -> Offer:
    """The proposed action, then the mild ones and the other rungs from low to critical, each once."""
    ladder = policies.guideline(policy).ladder
    rung = ladder.at(severity)
    proposed = Action.WARN if rung is Action.FLAG_FOR_REVIEW else rung
    if policy is Policy.SELF_HARM:
        return Offer(proposed=proposed, actions=(proposed,))
    others = (action for _, action in ladder.rungs() if action is not Action.FLAG_FOR_REVIEW)
    return Offer(proposed=proposed, actions=_once((proposed, *MILD, *others)))


def reserved_for(policy: Policy | None, severity: Severity | None, policies: PolicySet) -> Route | None:
    """The people who alone decide such a violation: the legal team where the guideline says so, else nobody."""
    fixed = policies.guideline(policy).fixed_route if policy else None
    if fixed is None or fixed.route is not Route.LEGAL:
        return None
    return Route.LEGAL if severity is None or severity in fixed.severities else None


def _once(actions: Iterable[Action]) -> tuple[Action, ...]:
    return tuple(dict.fromkeys(actions))
