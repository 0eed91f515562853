"""Outcomes that are simulated from a known truth, and a calibration for them."""

import numpy as np

from domain.signals import ModelRef
from domain.vocabulary import DecisionKind, Policy
from screening.calibration import Calibration, Platt
from screening.outcomes import Evidence, Outcome

MODEL = ModelRef(name="simulated", version="1", sha256="1" * 64)
OTHER_MODEL = MODEL.model_copy(update={"sha256": "2" * 64})
RULE = Evidence(name="gift_card", policy=Policy.SCAMS, weight=0.0)


def calibration(slope: float = 1.0, intercept: float = -2.0, *, base_rate: float = 0.1) -> Calibration:
    """One scaling for every question, one rule, and disguises."""
    platt = Platt(slope=slope, intercept=intercept)
    return Calibration(
        base_rate=base_rate,
        violation=platt,
        policies=dict.fromkeys(Policy, platt),
        rules={"gift_card": 1.5},
        hidden_text=0.8,
        reference=(-4.0, -3.5, -3.0, -2.5, -2.0, -1.5, -1.0, 0.0, 1.0),
    )


def outcome(
    violation: float = -3.0,
    policies: dict[Policy, float] | None = None,
    *,
    number: int = 0,
    policy: Policy | None = None,
    rules: tuple[Evidence, ...] = (),
    disguised: bool = False,
    around: tuple[Evidence, ...] = (),
    weight: float = 1.0,
    model: ModelRef = MODEL,
) -> Outcome:
    """One outcome; `policy` is what the person says is violated."""
    return Outcome(
        model=model,
        violation=violation,
        policies=dict.fromkeys(Policy, -6.0) | (policies or {}),
        rules=rules,
        disguised=disguised,
        around=around,
        case_id=f"case_{number}",
        app_id="app_a",
        policy_set="set1",
        verdict=None,
        confidence=0.5,
        kind=DecisionKind.ESCALATED,
        approvable=True,
        rejectable=True,
        violates=policy is not None,
        policy=policy,
        weight=weight,
    )


def simulated(count: int, truth: Calibration, seed: int) -> list[Outcome]:
    """Scams and clean texts, whose people answer by chance as `truth` says of scams and of any violation alike.

    A tenth match the rule, and a violation is then as much likelier as the rule weighs.
    """
    random = np.random.default_rng(seed)
    logits, matched = random.normal(1, 2, count), random.random(count) < 0.1
    sums = truth.violation.slope * logits + truth.violation.intercept + matched * truth.rules["gift_card"]
    violates = random.random(count) < 1 / (1 + np.exp(-sums))
    return [
        outcome(
            float(logits[n]),
            {Policy.SCAMS: float(logits[n])},
            number=n,
            policy=Policy.SCAMS if violates[n] else None,
            rules=(RULE,) if matched[n] else (),
        )
        for n in range(count)
    ]
