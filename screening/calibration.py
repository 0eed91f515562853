"""Turns raw logits and rule matches into log-odds that add up to calibrated probabilities.

Reads what training wrote; holds no number of its own.
"""

from pathlib import Path

from pydantic import Field, ValidationError

from domain.base import Frozen
from domain.errors import ModelUnavailable
from domain.signals import ModelRef
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
    reference: tuple[float, ...] = ()
    """The deciles (nine, ascending) of the log-odds of any violation where this was fitted, weighed to the base rate:
    what later scores are compared with. Empty where it was not kept."""

    model: ModelRef | None = None
    """The model whose scores it is for, where it was refitted apart from its folder."""

    @classmethod
    def load(cls, path: Path, model: ModelRef | None = None) -> "Calibration":
        """Read a calibration file; ModelUnavailable where it is missing, broken, lacks a policy, or is another model's.

        `model` is whose scores it is to weigh; None asks nothing.
        """
        try:
            calibration = cls.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise ModelUnavailable(
                f"{path} cannot be used: {error}; restore it, or rebuild the model folder"
            ) from error
        missing = set(Policy) - calibration.policies.keys()
        if missing:
            raise ModelUnavailable(f"{path} lacks {', '.join(sorted(missing))}; rebuild the model folder")
        if model and calibration.model and calibration.model != model:
            raise ModelUnavailable(
                f"{path} was fitted on scores of {_named(calibration.model)} and cannot weigh those of "
                f"{_named(model)}; use the model's own, or calibrate this model"
            )
        return calibration


def _named(model: ModelRef) -> str:
    return f"{model.name} {model.version} ({model.sha256[:8]})"
