"""What a guideline is, and the whole set of them: the shape that the policy files must have.

Holds the promises that no operator's file may break (care is never a penalty, possible minors go to legal). Knows
nothing of files or lines: `loader` reads them.
"""

import hashlib
import json
from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from domain.base import Frozen
from domain.decision import Thresholds
from domain.opinion import Opinion
from domain.vocabulary import Action, Policy, Route, Severity
from policies.opinion_weights import BY_HAND, FittedWeights
from policies.thresholds import Broken, ThresholdSet

Text = Annotated[str, Field(min_length=1)]
Version = Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]

FLOOR_ROUTES: dict[Policy, tuple[Route, frozenset[Severity]]] = {
    Policy.AGE_VERIFICATION: (Route.LEGAL, frozenset(Severity)),
    Policy.SELF_HARM: (Route.CARE, frozenset(Severity)),
    Policy.INAPPROPRIATE: (Route.LEGAL, frozenset({Severity.CRITICAL})),
    Policy.HATE: (Route.LEGAL, frozenset({Severity.CRITICAL})),
}
"""The fixed routes that a policy file may extend and never take away."""

WHEN_POSSIBLE = frozenset({Policy.AGE_VERIFICATION, Policy.SELF_HARM})
"""Policies whose fixed route is taken as soon as a violation is possible, before it is likely."""


class Example(Frozen):
    """A text that violates the guideline."""

    text: Text
    severity: Severity
    why: Text


class FineExample(Frozen):
    """A text that looks alike and is fine."""

    text: Text
    why: Text


class SeverityMeanings(Frozen):
    """What each severity means under one guideline."""

    low: Text
    medium: Text
    high: Text
    critical: Text


class Ladder(Frozen):
    """What follows from each severity."""

    low: Action
    medium: Action
    high: Action
    critical: Action

    def rungs(self) -> Iterator[tuple[Severity, Action]]:
        """Severity and action, from low to critical."""
        return ((severity, self.at(severity)) for severity in Severity)

    def at(self, severity: Severity) -> Action:
        """The action for a severity."""
        action: Action = getattr(self, severity)
        return action


class FixedRoute(Frozen):
    """Violations of these severities always go to this route.

    `possible_at` is the probability of the policy from which on a violation counts as possible, and takes the route
    whatever the verdict is.
    """

    route: Route
    severities: tuple[Severity, ...] = Field(min_length=1)
    possible_at: float | None = Field(default=None, strict=True, gt=0, le=0.5)


DsaCategoryName = Literal[
    "STATEMENT_CATEGORY_CONSUMER_INFORMATION",
    "STATEMENT_CATEGORY_CYBER_VIOLENCE",
    "STATEMENT_CATEGORY_CYBER_VIOLENCE_AGAINST_WOMEN",
    "STATEMENT_CATEGORY_DATA_PROTECTION_AND_PRIVACY_VIOLATIONS",
    "STATEMENT_CATEGORY_ILLEGAL_OR_HARMFUL_SPEECH",
    "STATEMENT_CATEGORY_OTHER_VIOLATION_TC",
    "STATEMENT_CATEGORY_PROTECTION_OF_MINORS",
    "STATEMENT_CATEGORY_RISK_FOR_PUBLIC_SECURITY",
    "STATEMENT_CATEGORY_SCAMS_AND_FRAUD",
    "STATEMENT_CATEGORY_SELF_HARM",
    "STATEMENT_CATEGORY_UNSAFE_AND_PROHIBITED_PRODUCTS",
    "STATEMENT_CATEGORY_VIOLENCE",
]


class DsaCategory(Frozen):
    """How a violation is named in a statement of reasons to the EU transparency database."""

    category: DsaCategoryName
    keyword: str = Field(pattern=r"^KEYWORD_[A-Z_]+$")


class Guideline(Frozen):
    """One guideline: the rule as users read it, examples, what severities mean, and what follows."""

    name: Policy
    title: Text
    version: Version
    rule: Text
    covers: tuple[Text, ...] = Field(min_length=1)
    does_not_cover: tuple[Text, ...] = Field(min_length=1)
    examples: tuple[Example, ...] = Field(min_length=1)
    fine: tuple[FineExample, ...] = Field(min_length=1)
    severities: SeverityMeanings
    ladder: Ladder
    fixed_route: FixedRoute | None = None
    user_message: Text
    dsa: DsaCategory

    @model_validator(mode="after")
    def _care_is_never_a_penalty(self) -> Self:
        for severity, action in self.ladder.rungs() if self.name is Policy.SELF_HARM else ():
            if action is not Action.OFFER_SUPPORT:
                raise Broken(
                    f"self_harm must say offer_support at every severity, not '{action}'", "ladder", severity.value
                )
        return self

    @model_validator(mode="after")
    def _fixed_routes_stay(self) -> Self:
        if self.name not in FLOOR_ROUTES:
            return self
        route, severities = FLOOR_ROUTES[self.name]
        named = ", ".join(severity for severity in Severity if severity in severities)
        if self.fixed_route is None:
            raise Broken(f"{self.name} needs a fixed_route to {route} for: {named}", "fixed_route")
        if self.fixed_route.route is not route:
            raise Broken(f"the fixed route of {self.name} must be {route}", "fixed_route", "route")
        if not severities <= set(self.fixed_route.severities):
            raise Broken(f"the fixed route of {self.name} must hold for: {named}", "fixed_route", "severities")
        if self.name in WHEN_POSSIBLE and self.fixed_route.possible_at is None:
            raise Broken(f"the fixed route of {self.name} needs possible_at, at most 0.5", "fixed_route", "possible_at")
        return self


class PolicySet(Frozen):
    """All nine guidelines and every threshold, as loaded from one folder, and what was fitted of opinions' weights."""

    guidelines: dict[Policy, Guideline]
    thresholds: ThresholdSet
    fitted: FittedWeights = FittedWeights()

    @model_validator(mode="after")
    def _all_nine_are_there(self) -> Self:
        missing = [policy.value for policy in Policy if policy not in self.guidelines]
        if missing:
            raise ValueError(f"guidelines are missing: {', '.join(missing)}")
        return self

    @cached_property
    def set_hash(self) -> str:
        """The first 16 hex digits of the SHA-256 over the canonical content; comments and layout do not count."""
        content = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    @cached_property
    def possible_at(self) -> dict[Policy, float]:
        """The policies whose route is fixed already when a violation is possible, and from which probability on."""
        return {
            policy: guideline.fixed_route.possible_at
            for policy, guideline in self.guidelines.items()
            if guideline.fixed_route is not None and guideline.fixed_route.possible_at is not None
        }

    def weight_of(self, opinion: Opinion) -> float:
        """The log-odds of an opinion, below 0 where it speaks against a violation: as fitted for this very model and
        prompt, or as set by hand."""
        weights = self.fitted.of(opinion) or self.thresholds.agents.weights
        return weights.of(opinion.reading, opinion.certainty)

    def weights_version(self, opinion: Opinion) -> str:
        """Which weights an opinion is given, as a record names them."""
        return self.fitted.version if self.fitted.of(opinion) else f"{BY_HAND}, {self.thresholds.version}"

    def guideline(self, policy: Policy) -> Guideline:
        """The guideline of a policy; every policy has one."""
        return self.guidelines[policy]

    def thresholds_for(self, policy: Policy | None, app_id: str) -> Thresholds:
        """The confidence limits that hold for a policy (None: clean content) in an app."""
        return self.thresholds.limits(policy, app_id)
