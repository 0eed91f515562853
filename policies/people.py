"""The shape of what `thresholds.yaml` says of people's work: the queue, appeals, reports, and quality."""

from datetime import timedelta
from typing import Annotated, Self

from pydantic import Field, model_validator

from domain.appeal import AppealFactor
from domain.base import Frozen
from domain.vocabulary import Severity

Share = Annotated[float, Field(strict=True, ge=0, le=1)]
Positive = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(strict=True, ge=0)]
ROUNDING = 1e-9


class QueueRules(Frozen):
    """How harm draws an item's place nearer than its deadline, how long a claim holds, how long one can undo.

    `risk`, `severity` and `reports` are the parts of harm and sum to 1; `reports_in_full` is the summed weight of
    reporters that counts in full. Nothing is put off for longer than `longest_hold_days`.
    """

    pull: Share
    risk: Share
    severity: Share
    reports: Share
    reports_in_full: Positive
    lease_minutes: Positive
    undo_seconds: Annotated[float, Field(strict=True, ge=0, le=600)]
    longest_hold_days: Positive

    @property
    def lease(self) -> timedelta:
        return timedelta(minutes=self.lease_minutes)

    @property
    def undo(self) -> timedelta:
        return timedelta(seconds=self.undo_seconds)

    @property
    def longest_hold(self) -> timedelta:
        return timedelta(days=self.longest_hold_days)

    @model_validator(mode="after")
    def _parts_make_a_whole(self) -> Self:
        if abs(self.risk + self.severity + self.reports - 1) > ROUNDING:
            raise ValueError("risk, severity and reports must add up to 1")
        return self


class ExplanationPoints(Frozen):
    """What an explanation earns: enough words, the circumstances, owning a part; less where guidance applies."""

    start: Share
    enough_words: Count
    says_enough: Share
    gives_context: Share
    takes_responsibility: Share
    unhelpful: Share


class EvidencePoints(Frozen):
    """What new evidence earns: enough words, something that can be checked, a record that agrees."""

    start: Share
    enough_words: Count
    says_enough: Share
    can_be_checked: Share
    record_agrees: Share


class PolicyPoints(Frozen):
    """What speaks for or against the rule having been misread: people's decisions on similar texts (at most
    `most_similar`, from `min_similarity` on), how the text reads today, a changed rule, nobody having looked."""

    start: Share
    similar: Share
    most_similar: Count
    min_similarity: Share
    reads_as_fine_now: Share
    less_sure_now: Share
    policy_changed: Share
    nobody_looked: Share


class HistoryPoints(Frozen):
    """What a record earns: no other violation, enough clean cases, an old account; each other violation costs."""

    start: Share
    no_violation: Share
    per_violation: Share
    clean_cases: Count
    many_clean: Share
    account_days: Positive
    old_account: Share


class AppealPoints(Frozen):
    """How each factor is scored: from `start`, plus or minus what is found, within 0 and 1."""

    explanation: ExplanationPoints
    new_evidence: EvidencePoints
    policy_misinterpretation: PolicyPoints
    history: HistoryPoints


class AppealRules(Frozen):
    """Deadlines of appeals, and how the machine weighs them: it recommends only, people decide (I8).

    `link_days` is how long a user's link to a decision opens.
    """

    window_days: Positive
    link_days: Positive
    target_hours: Positive
    escalated_hours: Positive
    weights: dict[AppealFactor, Share]
    overturn_from: Share
    escalate_from: Share
    senior_severity: Severity
    points: AppealPoints

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if set(self.weights) != set(AppealFactor) or abs(sum(self.weights.values()) - 1) > ROUNDING:
            raise ValueError(f"weights must name {', '.join(AppealFactor)} and add up to 1")
        if self.escalate_from > self.overturn_from:
            raise ValueError("escalate_from must not be greater than overturn_from")
        return self


class ReportRules(Frozen):
    """A reporter weighs (upheld + prior_upheld) / (all + both priors), the mean of a Beta distribution.

    From a summed weight of `review_from` on, people look, whatever was decided; one reporter counts once a case.
    """

    prior_upheld: Positive
    prior_dismissed: Positive
    review_from: Positive


class QualityRules(Frozen):
    """Which share of human decisions a second person decides blind, how often a golden item is put among those (once
    for this share of decisions), and when overturns are told."""

    sample_share: Share
    golden_share: Share
    overturned_share_above: Share
    fewest_decisions: Annotated[int, Field(strict=True, ge=1)]
