"""Measuring the people who decide: second looks, what they disagree on, and items whose right answer is known."""

from enum import StrEnum

from pydantic import AwareDatetime

from domain.base import Frozen
from domain.estimates import Share
from domain.review import Decided
from domain.vocabulary import DecisionKind, Policy, Route, Severity


class Disagreement(Frozen):
    """A case that two people decided differently, the second without seeing the first. `text` is what was written."""

    case_id: str
    app_id: str
    text: str
    route: Route
    first: Decided
    second: Decided


class Right(StrEnum):
    """Which of two decisions a lead finds right."""

    FIRST = "first"
    SECOND = "second"


class Golden(Frozen):
    """A case whose right answer is known: approved, or rejected under a policy."""

    case_id: str
    app_id: str
    decision: DecisionKind
    policy: Policy | None = None
    severity: Severity | None = None
    set_by: str
    created_at: AwareDatetime
    asked: int = 0
    right: int = 0


class Scored(Frozen):
    """How one reviewer answered golden items, not knowing that they were."""

    reviewer: str
    right: Share


class Stream(Frozen):
    """Second looks: decisions of people in a window and how many of them were sampled, and what is open now."""

    decided: int
    looked_twice: int
    open: int
    overdue: int
