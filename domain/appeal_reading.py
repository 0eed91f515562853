"""What a language model writes about an appeal for the person who decides it, and how far that has come.

A reading stands beside the machine's brief. It decides nothing and moves nothing: no score, no route, no deadline (I8).
"""

from enum import StrEnum

from pydantic import AwareDatetime, Field

from domain.appeal import AppealFactor, AppealOutcome
from domain.base import Frozen
from domain.opinion import Usage
from domain.signals import Evidence

FOR_THE_DECISION, EVEN, FOR_THE_USER = 1, 3, 5
"""The ends and the middle of the scale on which a model scores a factor."""


class QuotedFrom(StrEnum):
    """Where the words of a quote stand."""

    EXPLANATION = "explanation"
    NEW_EVIDENCE = "new_evidence"
    DECIDED_TEXT = "decided_text"


class AppealQuote(Frozen):
    """Words that were found where they are said to stand."""

    source: QuotedFrom
    evidence: Evidence


class FactorReading(Frozen):
    """One factor: 1 speaks plainly for the decision, 3 for neither, 5 plainly for the user; None cannot be told."""

    factor: AppealFactor
    score: int | None = Field(ge=FOR_THE_DECISION, le=FOR_THE_USER)
    reason: str


class AppealReading(Frozen):
    """What a model wrote, in English. `model` is who answered, `prompt` the hash of the instructions it was given."""

    says: str
    record: str
    policy: str
    similar: str
    for_the_user: str
    for_the_decision: str
    open_questions: tuple[str, ...] = ()
    factors: tuple[FactorReading, ...]
    recommendation: AppealOutcome
    quotes: tuple[AppealQuote, ...] = ()
    model: str
    prompt: str


class ReadingState(StrEnum):
    """How far the reading of an appeal has come. Nothing ever waits for it."""

    WAITING = "waiting"
    WRITTEN = "written"
    GIVEN_UP = "given_up"


class NoReading(StrEnum):
    """Why the last try brought no reading."""

    UNUSABLE = "unusable_answer"
    UNREACHABLE = "no_model"
    INCOMPLETE = "incomplete_record"
    BROKEN_OFF = "broken_off"


class KeptReading(Frozen):
    """The reading of one appeal as it is kept. `addresses_the_machine`: screening noticed that the user's words speak
    to the software that judges them."""

    appeal_id: str
    state: ReadingState
    attempts: int = Field(ge=0)
    addresses_the_machine: bool = False
    why_not: NoReading | None = None
    reading: AppealReading | None = None
    usage: Usage = Usage()
    updated_at: AwareDatetime
