"""Enforcements: actions that are in force on a person or a piece of content, and until when."""

from datetime import timedelta

from pydantic import AwareDatetime

from domain.base import Frozen
from domain.vocabulary import Action, DecisionKind

TERMS: dict[Action, timedelta] = {
    Action.TEMP_BAN_24H: timedelta(hours=24),
    Action.TEMP_BAN_7D: timedelta(days=7),
}
"""Actions that expire by themselves."""

NOT_ENFORCED = frozenset({Action.FLAG_FOR_REVIEW, Action.OFFER_SUPPORT})
"""Actions that restrict nobody, and so leave no enforcement."""


def counts_as_violation(kind: DecisionKind, action: Action | None) -> bool:
    """Whether an outcome stands on somebody's record: a rejection does, an offer of support is none."""
    return kind is DecisionKind.REJECTED and action is not Action.OFFER_SUPPORT


class Enforcement(Frozen):
    """An action in force; `reversed_at` says when it was taken back."""

    id: str
    app_id: str
    case_id: str
    user_id: str
    action: Action
    starts_at: AwareDatetime
    ends_at: AwareDatetime | None = None
    reversed_at: AwareDatetime | None = None
