"""What people decided, beside what had been noticed, and the calibration that follows from it.

Pure: reads no database and decides nothing. An outcome holds numbers and names, never what users wrote.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from domain.base import Frozen
from domain.signals import ModelRef, Signal
from domain.vocabulary import DecisionKind, Policy, SignalSource
from screening.calibration import Calibration, Platt
from screening.signals import VIOLATION

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Finite = Annotated[float, Field(allow_inf_nan=False)]

SPREADS = np.array([0.2, 0.3])
"""Standard deviations of the Gaussian prior of what a refit multiplies the log-odds in use by, and of what it adds.

In simulations thirty outcomes then cost at most 3 % of log loss where nothing had changed, and three hundred win nearly
all there is to win where much had."""

STEPS = 100
"""Newton steps at most; a handful is usual."""

ENOUGH = 1e-9
"""A step that promises less gain than this ends the search."""

RULE = "rule."
CLASSIFIER = "classifier."
AROUND = frozenset({SignalSource.MEMORY, SignalSource.HISTORY, SignalSource.BEHAVIOUR, SignalSource.AGENT})
"""Sources that speak of something other than the text: they are taken as they were, and not calibrated here."""


class Evidence(Frozen):
    """What something other than the classifier added, in log-odds, to a policy or (None) to any violation."""

    name: str
    policy: Policy | None
    weight: Finite


class Noticed(Frozen):
    """What was noticed of one text: raw logits, the rules that matched, and whether it was disguised.

    A rule's `weight` is what it added then; it counts only where a calibration does not know the rule. `around` is
    what memory, history, behaviour and agents added; empty where only the text is asked about.
    """

    model: ModelRef
    violation: Finite
    policies: dict[Policy, Finite]
    rules: tuple[Evidence, ...] = ()
    disguised: bool = False
    around: tuple[Evidence, ...] = ()


class Outcome(Noticed):
    """A case that a person decided: what was noticed, what the machine made of it, and what the person did.

    `verdict`, `confidence` and `kind` are the machine's; `approvable` and `rejectable` say whether nothing but
    confidence stood between the case and a decision of that kind without a person. `violates` and `policy` are the
    person's. `weight` is the inverse of the probability that a person looked at such a case (Horvitz and Thompson
    1952), so that a sample stands for all that it was drawn from.
    """

    case_id: str
    app_id: str
    policy_set: str
    verdict: Policy | None
    confidence: float = Field(ge=0, le=1)
    kind: DecisionKind
    approvable: bool
    rejectable: bool
    violates: bool
    policy: Policy | None
    weight: float = Field(default=1.0, gt=0, allow_inf_nan=False)


def noticed_in(signals: Iterable[Signal], model: ModelRef | None) -> Noticed | None:
    """What stored signals say that screening noticed of the text; None where the classifier did not score it."""
    logits: dict[str, float] = {}
    rules: list[Evidence] = []
    disguised = False
    for signal in signals:
        if signal.source is SignalSource.CLASSIFIER:
            logits[signal.name] = signal.value
        elif signal.source is SignalSource.RULE:
            rules.append(Evidence(name=signal.name.removeprefix(RULE), policy=signal.policy, weight=signal.weight))
        disguised = disguised or signal.source is SignalSource.HIDDEN_TEXT
    scored = {policy: logits[CLASSIFIER + policy] for policy in Policy if CLASSIFIER + policy in logits}
    known = np.array([*scored.values(), logits.get(VIOLATION, np.nan)])
    if model is None or len(scored) < len(Policy) or not np.isfinite(known).all():
        return None
    return Noticed(model=model, violation=logits[VIOLATION], policies=scored, rules=tuple(rules), disguised=disguised)


def around_in(signals: Iterable[Signal]) -> tuple[Evidence, ...]:
    """What the stored signals of a case say that memory, history, behaviour and agents added."""
    return tuple(
        Evidence(name=signal.name, policy=signal.policy, weight=signal.weight)
        for signal in signals
        if signal.source in AROUND and signal.weight
    )


def is_readable(signals: Iterable[Signal]) -> bool:
    """Whether the text was in a language that the classifier can read; its scores mean nothing otherwise."""
    return all(signal.source is not SignalSource.LANGUAGE for signal in signals)


def log_odds(seen: Sequence[Noticed], calibration: Calibration) -> Floats:
    """The sums that a calibration gives, N x 10: the nine policies, and any violation last (as `policies.score`)."""
    slopes, intercepts = _platt(calibration).T
    return np.asarray(slopes * _logits(seen) + intercepts + _offsets(seen, calibration))


@dataclass(frozen=True)
class Verdicts:
    """What a calibration makes of N texts: the index of the policy (-1: clean), and the confidence in [0, 1]."""

    policy: NDArray[np.int64]
    confidence: Floats

    @property
    def clean(self) -> Bools:
        return np.asarray(self.policy < 0)


def verdicts(sums: Floats) -> Verdicts:
    """The verdicts that N x 10 log-odds lead to, by the rule of `policies.assess`."""
    chances = sigmoid(sums)
    top = chances[:, :-1].argmax(axis=1)
    highest = chances[:, :-1].max(axis=1)
    worst = np.maximum(highest, chances[:, -1])
    return Verdicts(np.where(worst >= 0.5, top, -1), np.where(worst >= 0.5, highest, 1 - worst))


def right(said: Verdicts, outcomes: Sequence[Outcome]) -> Bools:
    """Whether people agree, N: with the policy named, or that nothing is violated."""
    order = list(Policy)
    truth = [order.index(o.policy) if o.policy else len(order) for o in outcomes]
    violates = np.array([outcome.violates for outcome in outcomes], dtype=bool)
    return np.where(said.clean, ~violates, violates & (said.policy == np.array(truth, dtype=np.int64)))


def weights_of(outcomes: Sequence[Outcome]) -> Floats:
    """The weights, N."""
    return np.array([outcome.weight for outcome in outcomes], dtype=np.float64)


def refit(outcomes: Sequence[Outcome], current: Calibration, base_rate: float) -> Calibration:
    """The calibration that outcomes ask for, shrunk towards the current one where they are few.

    Platt scaling (Platt 1999) of each policy and of any violation by the maximum a posteriori, with a Gaussian prior
    centred on the current scaling (the adaptation of Chelba and Acero 2006); the weights of rules and
    disguises stay, and count as given evidence. The current intercepts are moved from the current base rate to
    `base_rate` (Saerens et al. 2002); the outcomes themselves are not reweighted to it, because people choose what they
    look at by its score and not by the answer, which leaves the chance of a violation at a given score as it is.
    Weights count for as many outcomes as they are worth (Kish 1965: the square of their sum over the sum of their
    squares). No outcomes give the current calibration, moved to the base rate.
    """
    moved = _log_odds_of(base_rate) - _log_odds_of(current.base_rate)
    slopes, intercepts = (_platt(current) + np.array([0.0, moved])).T
    told, offsets, labels = slopes * _logits(outcomes) + intercepts, _offsets(outcomes, current), _labels(outcomes)
    weights = weights_of(outcomes)
    worth = weights * weights.sum() / (weights**2).sum() if len(weights) else weights
    scales, shifts = np.array([_adapted(told[:, k], offsets[:, k], labels[:, k], worth) for k in range(len(slopes))]).T
    fitted = zip((scales * slopes).tolist(), (scales * intercepts + shifts).tolist(), strict=True)
    platt = [Platt(slope=round(slope, 5), intercept=round(intercept, 5)) for slope, intercept in fitted]
    return current.model_copy(
        update={
            "base_rate": base_rate,
            "violation": platt[-1],
            "policies": dict(zip(Policy, platt[:-1], strict=True)),
            "reference": _carried_over(current, platt[-1]),
            "model": outcomes[0].model if outcomes else current.model,
        }
    )


def held_out(outcomes: Sequence[Outcome], current: Calibration, base_rate: float, parts: int = 5) -> Floats:
    """What refitted calibrations give outcomes that they were not fitted on, N x 10: cross-fitting in so many parts."""
    sums = np.empty((len(outcomes), len(Policy) + 1))
    for part in range(parts):
        others = [outcome for index, outcome in enumerate(outcomes) if index % parts != part]
        sums[part::parts] = log_odds(outcomes[part::parts], refit(others, current, base_rate))
    return sums


def sigmoid(sums: Floats) -> Floats:
    """The probabilities of log-odds, without overflow."""
    return np.asarray(np.exp(-np.logaddexp(0.0, -sums)))


def _adapted(told: Floats, offsets: Floats, labels: Floats, weights: Floats) -> tuple[float, float]:
    """Scale and shift of the classifier's log-odds (N) at the greatest posterior; the scale is never negative.

    The posterior is strictly concave, so where its peak has a negative scale, the best allowed one has scale 0.
    """
    unchanged = np.array([1.0, 0.0])
    scale, shift = _peak(np.column_stack([told, np.ones_like(told)]), offsets, labels, weights, unchanged, SPREADS)
    if scale >= 0:
        return scale, shift
    (alone,) = _peak(np.ones((len(told), 1)), offsets, labels, weights, unchanged[1:], SPREADS[1:])
    return 0.0, alone


def _peak(
    inputs: Floats, offsets: Floats, labels: Floats, weights: Floats, centre: Floats, spreads: Floats
) -> list[float]:
    """Newton's method with halved steps for a logistic regression with a Gaussian prior, started at the prior."""

    def loss(at: Floats) -> float:
        sums = inputs @ at + offsets
        return float(weights @ (np.logaddexp(0, sums) - labels * sums) + (((at - centre) / spreads) ** 2).sum() / 2)

    at = centre.copy()
    for _ in range(STEPS):
        chances = sigmoid(inputs @ at + offsets)
        pull = inputs.T @ (weights * (chances - labels)) + (at - centre) / spreads**2
        curve = (inputs.T * (weights * chances * (1 - chances))) @ inputs + np.diag(spreads**-2)
        step = np.linalg.solve(curve, pull)
        if float(pull @ step) < ENOUGH:
            break
        before, size = loss(at), 1.0
        while loss(at - size * step) > before and size > ENOUGH:
            size /= 2
        at = at - size * step
    return [float(number) for number in at]


def _carried_over(current: Calibration, fitted: Platt) -> tuple[float, ...]:
    """The reference deciles under the fitted scaling: exact where no rule matched, which is nearly everywhere."""
    old = current.violation
    if not old.slope or not fitted.slope:
        return ()
    return tuple(round(fitted((decile - old.intercept) / old.slope), 4) for decile in current.reference)


def _platt(calibration: Calibration) -> Floats:
    """Slope and intercept of each question, 10 x 2, any violation last."""
    scaled = [*(calibration.policies[policy] for policy in Policy), calibration.violation]
    return np.array([(platt.slope, platt.intercept) for platt in scaled])


def _logits(seen: Sequence[Noticed]) -> Floats:
    rows = [[*(noticed.policies[policy] for policy in Policy), noticed.violation] for noticed in seen]
    return np.array(rows, dtype=np.float64).reshape(-1, len(Policy) + 1)


def _labels(outcomes: Sequence[Outcome]) -> Floats:
    rows = [[*(o.violates and o.policy is policy for policy in Policy), o.violates] for o in outcomes]
    return np.array(rows, dtype=np.float64).reshape(-1, len(Policy) + 1)


def _offsets(seen: Sequence[Noticed], calibration: Calibration) -> Floats:
    """What all that is not the classifier adds, N x 10; towards any violation, the policy it says most for counts."""
    rows = np.zeros((len(seen), len(Policy) + 1))
    for row, noticed in zip(rows, seen, strict=True):
        sums: dict[Policy, float] = {}
        row[-1] = calibration.hidden_text if noticed.disguised else 0.0
        for evidence in _weighed(noticed, calibration):
            if evidence.policy is None:
                row[-1] += evidence.weight
            elif evidence.weight:
                sums[evidence.policy] = sums.get(evidence.policy, 0.0) + evidence.weight
        row[:-1] = [sums.get(policy, 0.0) for policy in Policy]
        row[-1] += max(sums.values(), default=0.0)
    return rows


def _weighed(noticed: Noticed, calibration: Calibration) -> Iterable[Evidence]:
    for rule in noticed.rules:
        yield rule.model_copy(update={"weight": calibration.rules.get(rule.name, rule.weight)})
    yield from noticed.around


def _log_odds_of(chance: float) -> float:
    return float(np.log(chance / (1 - chance)))
