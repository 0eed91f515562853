"""What the vector memory holds and answers."""

from enum import StrEnum

from pydantic import AwareDatetime, Field

from domain.base import Frozen
from domain.vocabulary import DecisionKind, Policy, Severity


class Collection(StrEnum):
    """`flagged_content` holds violations, `historical_cases` every decision, `confirmed_cases` those that people made:
    kept apart, so that no wave of unconfirmed look-alikes can crowd out the ones that vote."""

    FLAGGED_CONTENT = "flagged_content"
    HISTORICAL_CASES = "historical_cases"
    CONFIRMED_CASES = "confirmed_cases"


class MemoryItem(Frozen):
    """One remembered case of one app. Only `confirmed` items, decided by people, ever vote."""

    app_id: str
    case_id: str
    text: str
    vector: str
    decision: DecisionKind
    policy: Policy | None
    severity: Severity | None
    confidence: float = Field(ge=0, le=1)
    confirmed: bool = False
    created_at: AwareDatetime


class Precedent(Frozen):
    """A remembered case and how alike it is: cosine similarity in [-1, 1]."""

    collection: Collection
    case_id: str
    text: str
    similarity: float
    decision: DecisionKind
    policy: Policy | None
    severity: Severity | None
    confirmed: bool


class PolicyMatch(Frozen):
    """A passage of the guidelines near to a text."""

    policy: Policy
    passage: str
    similarity: float
