"""What opinions weigh where that was fitted on what people decided: for one model under one prompt, and no other.

Reads what `cupidsshield calibrate-agents` wrote. A model or prompt that is not in it weighs what was set by hand.
"""

import hashlib
from functools import cached_property
from pathlib import Path
from typing import Self

from pydantic import Field, ValidationError, model_validator

from domain.base import Frozen
from domain.errors import PolicyFileError
from domain.opinion import Opinion, Specialist
from policies.consulting import OpinionWeights

BY_HAND = "by hand"
"""How a record names the weights of `thresholds.yaml`."""


class JudgeWeights(Frozen):
    """The weights of one model under one prompt, and on how many of its opinions they were fitted."""

    model: str = Field(min_length=1)
    prompt: str = Field(min_length=1)
    specialist: Specialist
    outcomes: int = Field(ge=1)
    weights: OpinionWeights


class FittedWeights(Frozen):
    """All that was fitted; none where it is empty."""

    judges: tuple[JudgeWeights, ...] = ()

    @model_validator(mode="after")
    def _each_judge_once(self) -> Self:
        if len(self._of) < len(self.judges):
            raise ValueError("a model and prompt stand twice; keep one of the two")
        return self

    @cached_property
    def _of(self) -> dict[tuple[str, str], OpinionWeights]:
        return {(judge.model, judge.prompt): judge.weights for judge in self.judges}

    @cached_property
    def version(self) -> str:
        """`fitted-` and the first 12 hex digits of the SHA-256 over the content."""
        return f"fitted-{hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]}"

    def of(self, opinion: Opinion) -> OpinionWeights | None:
        """The weights of who gave this opinion; None where nothing was fitted for this model under this prompt."""
        return self._of.get((opinion.model, opinion.prompt))

    @classmethod
    def load(cls, path: Path) -> "FittedWeights":
        """Read a file of fitted weights. Raises PolicyFileError where it is missing, broken or empty."""
        try:
            fitted = cls.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise PolicyFileError(
                f"{path} cannot be used: {_what_is_wrong(error)}; restore it, fit it anew with 'cupidsshield "
                "calibrate-agents', or unset CUPIDSSHIELD_OPINION_WEIGHTS"
            ) from error
        if not fitted.judges:
            raise PolicyFileError(f"{path} holds no weights; fit it anew, or unset CUPIDSSHIELD_OPINION_WEIGHTS")
        return fitted


def _what_is_wrong(error: OSError | ValidationError) -> str:
    """The first problem, in one line."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    first = error.errors(include_input=False, include_url=False)[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}".removeprefix(": ")
