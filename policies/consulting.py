"""The shape of what `thresholds.yaml` says of language models: when to ask, what it may cost, what it weighs."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from domain.base import Frozen
from domain.opinion import LEAST_CERTAIN, MOST_CERTAIN, Reading
from domain.vocabulary import Severity

Share = Annotated[float, Field(strict=True, ge=0, le=1)]
Amount = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(strict=True, ge=0)]
LogOdds = Annotated[float, Field(strict=True, ge=0, le=5, allow_inf_nan=False)]


class When(StrEnum):
    """When a model is asked about an app's texts, where one is configured at all."""

    NEVER = "never"
    DOUBTFUL = "doubtful"
    ALWAYS = "always"


class Asking(Frozen):
    """When an app's texts are asked about, and what a day of it (UTC, in one process) may cost at most."""

    when: When
    daily_tokens: Count
    daily_cost: Amount


class AskingOverrides(Frozen):
    """Other rules for one app; what is left out stays as it is."""

    when: When | None = None
    daily_tokens: Count | None = None
    daily_cost: Amount | None = None


class OpinionWeights(Frozen):
    """What an opinion adds to or takes from the log-odds of a violation, by its certainty from 1 to 5: a calibrated
    mapping, for what a model says of its own certainty is not a probability."""

    violates: tuple[LogOdds, ...]
    fine: tuple[LogOdds, ...]

    def of(self, reading: Reading, certainty: int) -> float:
        """The log-odds of one opinion, below 0 where it speaks against a violation."""
        if reading is Reading.UNCLEAR:
            return 0.0
        place = certainty - LEAST_CERTAIN
        return self.violates[place] if reading is Reading.VIOLATES else -self.fine[place]

    @model_validator(mode="after")
    def _rise_with_certainty(self) -> Self:
        for weights in (self.violates, self.fine):
            if len(weights) != MOST_CERTAIN or list(weights) != sorted(weights):
                raise ValueError(f"violates and fine need {MOST_CERTAIN} log-odds each, from least to most certain")
        return self


class FittingRules(Frozen):
    """How weights are fitted on what people decided about a model's opinions.

    A model needs `fewest` outcomes, `fewest_of_each` violating and fine ones among them, and one of its prompts
    `fewest_of_a_prompt`; with fewer than `fewest_samples` of what the machine had decided alone no weight rises above
    the one set by hand. `pseudo_counts` draw each weight towards the one before, `lean_spread` (a standard deviation in
    log-odds) the lean of screening towards none. No weight exceeds `most`; no outcome stands for more than `heaviest`.
    """

    fewest: Annotated[int, Field(strict=True, ge=1)]
    fewest_of_each: Annotated[int, Field(strict=True, ge=1)]
    fewest_of_a_prompt: Annotated[int, Field(strict=True, ge=1)]
    fewest_samples: Count
    pseudo_counts: Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
    lean_spread: Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
    heaviest: Annotated[float, Field(strict=True, ge=1, allow_inf_nan=False)]
    most: LogOdds


class AgentRules(Frozen):
    """All rules of asking. What screening gives `flagged_from` or more is above the floor. `ceiling` is the confidence
    that a verdict reaches at most where specialists contradict each other, or where it would harm somebody on a
    model's word alone."""

    when: When
    daily_tokens: Count
    daily_cost: Amount
    apps: dict[str, AskingOverrides] = Field(default_factory=dict)
    stakes_from: Severity
    flagged_from: Share
    suspected_from: Share
    most_specialists: Annotated[int, Field(strict=True, ge=1, le=7)]
    most_rounds: Annotated[int, Field(strict=True, ge=1, le=3)]
    weights: OpinionWeights
    fitting: FittingRules
    disagreement: Share
    ceiling: Share

    def of(self, app_id: str) -> Asking:
        """The rules that hold for an app."""
        general = {"when": self.when, "daily_tokens": self.daily_tokens, "daily_cost": self.daily_cost}
        own = self.apps.get(app_id, AskingOverrides()).model_dump(exclude_none=True)
        return Asking.model_validate({**general, **own})
