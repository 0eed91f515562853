"""What a language model says when it is asked about a text: one opinion of each specialist, and how they were asked.

An opinion is evidence among other evidence. It never decides, and nothing here can be executed.
"""

from enum import StrEnum

from pydantic import Field

from domain.base import Frozen
from domain.signals import Evidence
from domain.vocabulary import Policy, Severity


class Specialist(StrEnum):
    """Who can be asked."""

    SCAM_DETECTIVE = "scam_detective"
    HARASSMENT_ANALYST = "harassment_analyst"
    FAKE_PROFILE_DETECTOR = "fake_profile_detector"
    MINORS_SAFETY = "minors_safety"
    HATE_AND_THREATS = "hate_and_threats"
    SEXUAL_CONTENT = "sexual_content"
    SELF_HARM_CARE = "self_harm_care"


REMIT: dict[Specialist, tuple[Policy, ...]] = {
    Specialist.SCAM_DETECTIVE: (Policy.SCAMS, Policy.SPAM),
    Specialist.HARASSMENT_ANALYST: (Policy.HARASSMENT,),
    Specialist.FAKE_PROFILE_DETECTOR: (Policy.FAKE_PROFILE,),
    Specialist.MINORS_SAFETY: (Policy.AGE_VERIFICATION,),
    Specialist.HATE_AND_THREATS: (Policy.HATE, Policy.THREATS),
    Specialist.SEXUAL_CONTENT: (Policy.INAPPROPRIATE,),
    Specialist.SELF_HARM_CARE: (Policy.SELF_HARM,),
}
"""The guidelines that each of them judges; each guideline has one."""

LEAST_CERTAIN, MOST_CERTAIN = 1, 5


class Reading(StrEnum):
    """What a specialist makes of a text under the guidelines of its remit."""

    VIOLATES = "violates"
    FINE = "fine"
    UNCLEAR = "unclear"


class ConfidenceFactor(StrEnum):
    """What makes an opinion surer, or less sure."""

    EXPLICIT_VIOLATION = "explicit_violation"
    SEVERAL_INDICATORS = "several_indicators"
    SIMILAR_CASES = "similar_cases"
    CLEAR_POLICY_MATCH = "clear_policy_match"
    UNAMBIGUOUS_LANGUAGE = "unambiguous_language"
    AMBIGUOUS_LANGUAGE = "ambiguous_language"
    CONTEXT_NEEDED = "context_needed"
    MIXED_SIGNALS = "mixed_signals"
    NO_SIMILAR_CASES = "no_similar_cases"
    BORDERLINE_SEVERITY = "borderline_severity"


class Need(StrEnum):
    """What would help a specialist to be surer."""

    NOTHING = "nothing"
    SIMILAR_CASES = "similar_cases"
    EARLIER_TEXTS = "earlier_texts"


class Usage(Frozen):
    """What asking cost. `cost` is in the currency of the prices that the operator set."""

    calls: int = Field(default=0, ge=0)
    cached: int = Field(default=0, ge=0)
    input_tokens: int = Field(default=0, ge=0)
    output_tokens: int = Field(default=0, ge=0)
    cost: float = Field(default=0.0, ge=0)

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            calls=self.calls + other.calls,
            cached=self.cached + other.cached,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cost=self.cost + other.cost,
        )

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens


class Opinion(Frozen):
    """What one specialist said. `policy` and `severity` are set where it reads a violation; `evidence` was found in
    the text. `prompt` is the hash of the instructions that it was given, `model` who answered."""

    specialist: Specialist
    reading: Reading
    policy: Policy | None = None
    severity: Severity | None = None
    certainty: int = Field(ge=LEAST_CERTAIN, le=MOST_CERTAIN)
    factors: tuple[ConfidenceFactor, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    needs: Need = Need.NOTHING
    reasoning: str
    model: str
    prompt: str


class AskReason(StrEnum):
    """Why a language model was asked."""

    ALWAYS = "always"
    DOUBT = "doubt"
    STAKES = "high_stakes"


class Consultation(Frozen):
    """All that was asked about one text. `opinions` are the latest of each specialist; `missing` are those of whom no
    usable answer came, from any model."""

    reason: AskReason
    rounds: int = Field(default=0, ge=0)
    specialists: tuple[Specialist, ...] = ()
    opinions: tuple[Opinion, ...] = ()
    missing: tuple[Specialist, ...] = ()
    usage: Usage = Usage()
