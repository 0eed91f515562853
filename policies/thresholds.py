"""The shape of `thresholds.yaml`: every limit and weight that decides anything.

The numbers live in the file only; no default hides here.
"""

from typing import Annotated, Self

from pydantic import Field, model_validator

from domain.base import Frozen
from domain.decision import Thresholds
from domain.vocabulary import Policy, Priority, Route, Severity
from policies.consulting import AgentRules
from policies.people import AppealRules, QualityRules, QueueRules, ReportRules

Probability = Annotated[float, Field(strict=True, ge=0, le=1)]
AutoLimit = Annotated[float, Field(strict=True, ge=0.5, le=1)]
Weight = Annotated[float, Field(strict=True, ge=0, le=20, allow_inf_nan=False)]
Hours = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
Days = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(strict=True, ge=0)]


class Broken(ValueError):
    """An error of a whole model that knows which of its keys is to blame: `at`, a path below the model."""

    def __init__(self, message: str, *at: str) -> None:
        super().__init__(message)
        self.at = at


class Limits(Frozen):
    """The confidence limits that hold unless something more particular is said."""

    auto_approve: AutoLimit
    auto_reject: AutoLimit
    escalate: Probability


class LimitOverrides(Frozen):
    """Limits for one policy or one app; what is left out stays as it is."""

    auto_approve: AutoLimit | None = None
    auto_reject: AutoLimit | None = None
    escalate: Probability | None = None


class AppLimits(Frozen):
    """Limits for one app: in general, and for single policies."""

    confidence: LimitOverrides = LimitOverrides()
    policies: dict[Policy, LimitOverrides] = Field(default_factory=dict)


class SeverityWeights(Frozen):
    """What each severity contributes to risk."""

    low: Probability
    medium: Probability
    high: Probability
    critical: Probability

    def of(self, severity: Severity) -> float:
        """The weight of a severity."""
        weight: float = getattr(self, severity)
        return weight


class PriorityRules(Frozen):
    """Risk above a limit gives that priority; `at_least` is the least priority of a route."""

    urgent_above: Probability
    high_above: Probability
    at_least: dict[Route, Priority]

    @model_validator(mode="after")
    def _urgent_is_above_high(self) -> Self:
        if self.high_above > self.urgent_above:
            raise Broken("high_above must not be greater than urgent_above", "high_above")
        return self


class SlaHours(Frozen):
    """Within how many hours a person must have decided."""

    urgent: Hours
    high: Hours
    medium: Hours
    low: Hours

    def of(self, priority: Priority) -> float:
        """The hours of a priority."""
        hours: float = getattr(self, priority)
        return hours


class SeniorRule(Frozen):
    """A violation of this severity by somebody with so many earlier violations is for a senior."""

    severity: Severity
    earlier_violations: Count


class Alerts(Frozen):
    """When operators are told, and over how many hours and from how many cases on: share of escalated cases in [0, 1],
    seconds to a decision, items past their deadline, and the population stability index of scores. The share of
    decisions that appeals overturn is limited by `QualityRules`; here is over how many days it is counted."""

    window_hours: Hours
    fewest_cases: Count
    escalation_share_above: Probability
    decision_seconds_above: Hours
    overdue_above: Count
    overturned_window_days: Hours
    score_drift_window_hours: Hours
    score_drift_fewest_cases: Count
    score_drift_above: Weight


class MemoryWeights(Frozen):
    """How confirmed precedents vote: `weight` times similarity each, at most `max_votes` for and against."""

    min_similarity: Probability
    weight: Weight
    max_votes: Count


class SameContentWeights(Frozen):
    """How much a person's earlier decision about the very same text weighs."""

    weight: Weight


class TextAlone(Frozen):
    """Between which violation probabilities of the text alone history and behaviour grow from none to full weight."""

    start: Probability = Field(alias="from")
    full: Probability

    @model_validator(mode="after")
    def _full_is_above_from(self) -> Self:
        if self.full <= self.start:
            raise Broken("full must be greater than from", "full")
        return self


class HistoryWeights(Frozen):
    """Log-odds per earlier violation, and how many are counted at most."""

    per_violation: Weight
    max_violations: Count


class BehaviourWeights(Frozen):
    """Log-odds for what the app says around a text; `good_standing` and `verified` speak against a violation."""

    new_account_days: Days
    new_account: Weight
    good_standing_days: Days
    good_standing: Weight
    reported: Weight
    verified: Weight


class EvidenceWeights(Frozen):
    """What memory, history and behaviour add to the opinion of the text, in log-odds (nats)."""

    incompetent_language_cap: Probability
    reviewed_languages: Annotated[tuple[Annotated[str, Field(pattern="^[a-z]{2,3}$")], ...], Field(min_length=1)]
    unreviewed_violation_cap: Probability
    passage_review_from: Annotated[float, Field(strict=True, ge=0.2, le=1)]
    """Screening reads by itself what it takes for a violation with .2, and mentions what then is one with .1."""
    memory: MemoryWeights
    same_content: SameContentWeights
    text_alone: TextAlone
    history: HistoryWeights
    behaviour: BehaviourWeights


class ThresholdSet(Frozen):
    """The whole of `thresholds.yaml`."""

    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    confidence: Limits
    policies: dict[Policy, LimitOverrides] = Field(default_factory=dict)
    apps: dict[str, AppLimits] = Field(default_factory=dict)
    severity_weights: SeverityWeights
    priority: PriorityRules
    sla_hours: SlaHours
    senior: SeniorRule
    queue: QueueRules
    appeals: AppealRules
    reports: ReportRules
    quality: QualityRules
    alerts: Alerts
    evidence: EvidenceWeights
    agents: AgentRules

    def limits(self, policy: Policy | None, app_id: str) -> Thresholds:
        """The limits for a policy in an app: what is said more particularly wins, the app before the policy."""
        app = self.apps.get(app_id, AppLimits())
        layers = [
            self.policies.get(policy) if policy else None,
            app.confidence,
            app.policies.get(policy) if policy else None,
        ]
        merged = self.confidence.model_dump()
        for layer in layers:
            if layer is not None:
                merged.update(layer.model_dump(exclude_none=True))
        return Thresholds(**merged)

    @model_validator(mode="after")
    def _automatic_limits_are_above_escalate(self) -> Self:
        places: list[tuple[Policy | None, str, tuple[str, ...]]] = [(None, "", ("confidence",))]
        places += [(policy, "", ("policies", policy.value)) for policy in self.policies]
        for app_id, app in self.apps.items():
            places.append((None, app_id, ("apps", app_id, "confidence")))
            places += [(policy, app_id, ("apps", app_id, "policies", policy.value)) for policy in app.policies]
            places += [(policy, app_id, ("apps", app_id, "confidence")) for policy in self.policies]
        for policy, app_id, at in places:
            limits = self.limits(policy, app_id)
            for name, limit in (("auto_approve", limits.auto_approve), ("auto_reject", limits.auto_reject)):
                if limit < limits.escalate:
                    raise Broken(f"{name} ({limit:g}) must not be below escalate ({limits.escalate:g})", *at, name)
        return self
