"""An assessment: the opinion formed from all signals, with its calibrated confidence."""

from pydantic import Field

from domain.base import Frozen
from domain.memory import Precedent
from domain.opinion import Consultation, Specialist
from domain.signals import ModelRef, Signal
from domain.vocabulary import Floor, Policy, Severity


class Assessment(Frozen):
    """Which policy is violated, or none, and how sure we are.

    `confidence` is the calibrated probability that this verdict is right; `risk_score` is
    `min(confidence x severity weight, 1)`, 0 when clean. `scores` are the probabilities per policy.
    `unavailable` names what could not be consulted although it was needed: such an assessment
    is never decided by the machine. `consultation` is what language models were asked and said, if any,
    `opinion_weights` which weights the opinion of each specialist was given.
    """

    policy: Policy | None
    severity: Severity | None
    confidence: float = Field(ge=0, le=1)
    risk_score: float = Field(ge=0, le=1)
    violation_probability: float = Field(ge=0, le=1)
    scores: dict[Policy, float]
    floor: Floor
    signals: tuple[Signal, ...]
    precedents: tuple[Precedent, ...] = ()
    unavailable: tuple[str, ...] = ()
    reasoning: str
    model: ModelRef | None
    consultation: Consultation | None = None
    opinion_weights: dict[Specialist, str] = Field(default_factory=dict)
