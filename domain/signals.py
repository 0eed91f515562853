"""What was noticed about a text, by whom, how much it weighs, and where it stands in the text."""

from pydantic import Field

from domain.base import Frozen
from domain.vocabulary import Floor, Policy, Severity, SignalSource

PASSAGE_ALONE = "passage_alone"
"""The signal that tells what the classifier makes of the worst passage of a long text, read by itself."""


class Evidence(Frozen):
    """A stretch of the text as it was posted: `text[start:end]`, in Python characters."""

    start: int = Field(ge=0)
    end: int = Field(ge=0)
    quote: str
    note: str = ""


class Signal(Frozen):
    """One observation.

    `weight` is what it adds, in log-odds (nats), to the score of `policy`, and, unless it is a
    classifier's own score, to the score of *any* violation. `policy` None speaks of any violation.
    `value` is the raw measurement (a logit, a count, a similarity in [0, 1]). A weight of 0 is shown
    and does not vote. `severity` is the least severity the observation implies, `floor` the least
    outcome it demands.
    """

    name: str
    source: SignalSource
    policy: Policy | None = None
    value: float = 1.0
    weight: float = 0.0
    reason: str
    severity: Severity | None = None
    floor: Floor = Floor.NONE
    evidence: tuple[Evidence, ...] = ()


class ModelRef(Frozen):
    """Which model spoke: its name, version and the SHA-256 of its files."""

    name: str
    version: str
    sha256: str


class Language(Frozen):
    """ISO 639-1 code where known, and whether the model is competent in it."""

    code: str | None
    confidence: float = Field(ge=0, le=1)
    competent: bool


class Screening(Frozen):
    """What the local screening says of a text, before memory, history or any agent.

    `vector` is the memory vector: base64 of 384 little-endian float32, unit length. `severity` is
    the model's opinion of the severity, should it be a violation.
    """

    normalised: str
    language: Language
    signals: tuple[Signal, ...]
    severities: dict[Policy, Severity]
    vector: str
    model: ModelRef
