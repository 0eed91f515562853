"""Turns raw logits and rule matches into log-odds that add up to calibrated probabilities.

Reads what training wrote; holds no number of its own.
"""

from pathlib import Path

from pydantic import Field, ValidationError

from domain.base import Frozen
from domain.errors import ModelUnavailable
from domain.vocabulary import Policy


class Platt(Frozen):
    """`slope * logit + intercept`: calibrated log-odds, the prior included (Platt 1999)."""

    slope: float = Field(ge=0)
    intercept: float

    def __call__(self, logit: float) -> float:
        return self.slope * logit + self.intercept


class Calibration(Frozen):
    """What one model folder's scores weigh. `base_rate` is the share of violations it assumes in traffic.

    A rule's weight is one number: it counts in the sum of its policy and, for the policy that rules speak most for,
    in the sum of any violation.
    """

    base_rate: float = Field(gt=0, lt=1)
    violation: Platt
    policies: dict[Policy, Platt]
    rules: dict[str, float]
    hidden_text: float = Field(ge=0)

    @classmethod
    def load(cls, path: Path) -> "Calibration":
        """Read a calibration file; ModelUnavailable where it is missing, broken or lacks a policy."""
        try:
            calibration = cls.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise ModelUnavailable(f"{path} cannot be used: {error}; restore the model folder or rebuild it") from error
        missing = set(Policy) - calibration.policies.keys()
        if missing:
            raise ModelUnavailable(f"{path} lacks {', '.join(sorted(missing))}; rebuild the model folder")
        return calibration
