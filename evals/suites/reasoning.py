"""What asking a language model changes: how much is asked, what people are spared, and how many mistakes that costs.

A scripted judge of a stated accuracy stands in for a model, so that the figures are those of the fusion and can be made
again anywhere.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from domain.assessment import Assessment
from domain.decision import Decision
from domain.errors import Invalid
from domain.opinion import AskReason
from domain.vocabulary import DecisionKind
from evals.asking import Read, kinds_alone
from evals.context import Context
from evals.corpus import hard, rows
from evals.estimate import estimate
from evals.figures import Bools, Floats, Rows, calibration_error, weights_at
from evals.report import Figure, Report, Table, shown
from evals.scripted import Judge, heard, read_all, refitted, with_weights
from policies.consulting import OpinionWeights
from policies.model import PolicySet

ACCURACIES = (0.7, 0.8, 0.9)
SEEDS = 5
"""Judges of each accuracy; the first of them gives the figures of the test part that are held against earlier ones."""

RARE = 0.05
"""The share of violations that traffic is assumed to have."""

BY_HAND, FITTED = "by hand", "fitted"
WHAT = (
    "**The hard set**: {hard} texts of our own, written to be doubted (data/corpus/hard), {hard_asked} of which "
    "screening alone leaves in doubt, so that a model is asked. **The test part**: {rows} texts by its writers, "
    "without borderline ones, {asked} of them asked about. Nothing was trained, tuned or fitted on either. A scripted "
    "judge answers for each specialist; it is right about its own guidelines as often as stated, and surer when right "
    "(4 or 5 in 7 of 10 cases, else 3; when wrong 3, 4 or 5 alike). It is asked where the shipped policies ask (doubt "
    "and high stakes); what screening approves alone it never sees. Mistakes are violations approved and clean texts "
    "rejected without a person. Screening alone is held to the same share of texts for people by deciding what it "
    "doubts least as it leans; the gain is the mistakes that are fewer with the judge. Gains are means over {seeds} "
    "judges, with 95 % bootstrap intervals over scenarios. Weights are those set by hand, or those that "
    "`calibrate-agents` fits on what people would have decided about the {fitting} texts of the calibration part had "
    "the same judge been asked and every such text been decided by people too; where they tell no more than those set "
    "by hand, the command writes nothing, and those stay. A model is "
    "right or wrong about the same texts as another; a scripted judge errs at random, which flatters it, and real "
    "models are to be measured on people's decisions. Calibration error: of the confidence stored with each "
    "assessment, weighed as if {rare:.0%} of texts violated."
)


@dataclass(frozen=True)
class Outcomes:
    """What judges of one accuracy, under one set of weights, make of N texts: by judge, the decisions and
    confidences, and where screening alone with as much for people is wrong."""

    decided: tuple[tuple[Decision, ...], ...]
    assessed: tuple[tuple[Assessment, ...], ...]
    wrong: Floats
    alone: Floats

    @property
    def for_people(self) -> Floats:
        """The share of judges who leave each text to people, N."""
        kinds = [[made.kind is DecisionKind.ESCALATED for made in one] for one in self.decided]
        return np.asarray(np.array(kinds, dtype=np.float64).mean(axis=0))


async def run(context: Context) -> Report:
    """Screen, ask the scripted judges, and compare. Raises Invalid where the corpus has nothing in doubt."""
    test = context.some([text for text in rows(context.corpus, "test") if not text.borderline])
    tried = await read_all(test, context, title="reasoning: test part")
    hardest = await read_all(context.some(hard(context.corpus)), context, title="reasoning: hard set")
    learnt = await read_all(rows(context.corpus, "calibration"), context, title="reasoning: calibration part")
    asked, hard_asked = (sum(one.reason is AskReason.DOUBT for one in read) for read in (tried, hardest))
    if not asked or not hard_asked:
        raise Invalid("nothing in the test part or the hard set is in doubt; give the whole corpus")
    weights = {accuracy: _weights(learnt, accuracy, context.policies) for accuracy in ACCURACIES}
    steps = [(of, accuracy, name) for of in (hardest, tried) for accuracy in ACCURACIES for name in (BY_HAND, FITTED)]
    found = {
        (of is hardest, accuracy, name): _outcomes(of, accuracy, weights[accuracy][name])
        for of, accuracy, name in tqdm(steps, desc="reasoning: judges", leave=False)
    }
    figures = [*_on_the_hard_set(hardest, found), *_on_the_test_part(tried, found)]
    return Report(
        suite="reasoning",
        title="What asking a language model changes",
        what=WHAT.format(
            hard=len(hardest),
            hard_asked=hard_asked,
            rows=len(tried),
            asked=asked,
            seeds=SEEDS,
            fitting=len(learnt),
            rare=RARE,
        ),
        figures=tuple(figures),
        tables=(_calibration(hardest, tried, found), _fitted_weights(weights)),
        model=context.named,
        sources=(
            "our own corpus: the hard set, and the writers of the test part (data/corpus/GUIDE.md, splits.yaml)",
            "fitted weights: the writers of the calibration part",
        ),
    )


Found = dict[tuple[bool, float, str], Outcomes]
"""By whether it is the hard set, the judge's accuracy, and the weights."""


def _weights(read: Sequence[Read], accuracy: float, policies: PolicySet) -> dict[str, PolicySet]:
    """By hand, and as fitted; where the fit writes nothing because it is no better, those by hand stay."""
    try:
        fitted = with_weights(policies, refitted(read, Judge(accuracy, SEEDS), policies))
    except Invalid:
        fitted = policies
    return {BY_HAND: policies, FITTED: fitted}


def _outcomes(read: Sequence[Read], accuracy: float, policies: PolicySet) -> Outcomes:
    every = [[heard(one, Judge(accuracy, seed), policies) for one in read] for seed in range(SEEDS)]
    decided = tuple(tuple(made for _, made in one) for one in every)
    return Outcomes(
        decided=decided,
        assessed=tuple(tuple(after for after, _ in one) for one in every),
        wrong=np.mean([_are_wrong(read, [made.kind for made in one]) for one in decided], axis=0),
        alone=np.mean([_are_wrong(read, _alone(read, one)) for one in decided], axis=0),
    )


def _on_the_hard_set(read: Sequence[Read], found: Found) -> Iterable[Figure]:
    groups = [one.text.group for one in read]
    for accuracy in ACCURACIES:
        for name in (BY_HAND, FITTED):
            yield _gain("hard set", accuracy, name, found[True, accuracy, name], groups, gate=15.0)
    before = np.array([one.decided.kind is DecisionKind.ESCALATED for one in read], dtype=np.float64)
    alone = _are_wrong(read, [one.decided.kind for one in read])
    yield _mean("hard set: share for people, screening alone", before, groups)
    yield _mean(
        "hard set: mistakes per 1,000 texts, screening alone, with what it leaves to people", 1_000 * alone, groups
    )
    for accuracy in ACCURACIES:
        for name in (BY_HAND, FITTED):
            outcomes, told = found[True, accuracy, name], f"a judge that is right in {accuracy:.0%}, weights {name}"
            yield _mean(f"hard set: share for people, {told}", outcomes.for_people, groups)
            yield _mean(f"hard set: mistakes per 1,000 texts, {told}", 1_000 * outcomes.wrong, groups)


def _on_the_test_part(read: Sequence[Read], found: Found) -> Iterable[Figure]:
    clean, bad = (_asked([one for one in read if one.text.violates is violates]) for violates in (False, True))
    yield Figure(
        f"share asked about where {RARE:.0%} are violations",
        (1 - RARE) * clean + RARE * bad,
        rows=len(read),
        gate=0.02,
        bar="at most 0.100",
        higher_is_better=False,
    )
    yield _for_people("screening alone", [one.decided for one in read])
    groups = [one.text.group for one in read]
    for accuracy in ACCURACIES:
        name = f"a judge that is right in {accuracy:.0%}"
        first = found[False, accuracy, BY_HAND].decided[0]
        yield _for_people(name, first)
        yield from _mistakes(name, read, first)
        for weights in (BY_HAND, FITTED):
            yield _gain("test part", accuracy, weights, found[False, accuracy, weights], groups, gate=None)


def _asked(read: Sequence[Read]) -> float:
    return sum(one.reason is not None for one in read) / max(len(read), 1)


def _for_people(name: str, decisions: Sequence[Decision]) -> Figure:
    share = sum(decision.kind is DecisionKind.ESCALATED for decision in decisions) / len(decisions)
    return Figure(f"share for people, {name}", share, rows=len(decisions), gate=0.03, higher_is_better=False)


def _mistakes(name: str, read: Sequence[Read], decisions: Sequence[Decision]) -> Iterable[Figure]:
    """Mistakes of the fusion, and of screening alone with as many texts left for people."""
    wrong = _are_wrong(read, [made.kind for made in decisions]).mean()
    alone = _are_wrong(read, _alone(read, decisions)).mean()
    yield Figure(
        f"mistakes per 1,000 texts, {name}", float(1_000 * wrong), rows=len(read), gate=5.0, higher_is_better=False
    )
    yield Figure(
        f"mistakes per 1,000 texts, screening alone with as much for people as {name}",
        float(1_000 * alone),
        rows=len(read),
        higher_is_better=False,
    )


def _gain(
    part: str, accuracy: float, weights: str, outcomes: Outcomes, groups: Sequence[str], gate: float | None
) -> Figure:
    """How many mistakes fewer than screening alone makes with as much for people; above 0, the judge helps."""
    fewer = outcomes.alone - outcomes.wrong
    name = f"{part}: mistakes spared per 1,000 texts, a judge that is right in {accuracy:.0%}, weights {weights}"
    return estimate(name, lambda picked: float(1_000 * fewer[picked].mean()), groups, gate=gate, bar="above 0")


def _mean(name: str, values: Floats, groups: Sequence[str]) -> Figure:
    return estimate(name, lambda picked: float(values[picked].mean()), groups, higher_is_better=False)


def _alone(read: Sequence[Read], decisions: Sequence[Decision]) -> list[DecisionKind]:
    """What screening alone decides if as many are left to people."""
    return kinds_alone(read, sum(decision.kind is DecisionKind.ESCALATED for decision in decisions))


def _are_wrong(read: Sequence[Read], kinds: Sequence[DecisionKind]) -> Floats:
    return np.array(
        [
            kind is (DecisionKind.APPROVED if one.text.violates else DecisionKind.REJECTED)
            for one, kind in zip(read, kinds, strict=True)
        ],
        dtype=np.float64,
    )


def _calibration(hardest: Sequence[Read], tried: Sequence[Read], found: Found) -> Table:
    """Calibration error of the stored confidence, without a judge and with one under either weights."""
    lines = []
    for of_hard, read in ((True, hardest), (False, tried)):
        part = "hard set" if of_hard else "test part"
        lines.append((part, "none asked", "", _error(read, [[one.before for one in read]])))
        for accuracy in ACCURACIES:
            for name in (BY_HAND, FITTED):
                told = _error(read, found[of_hard, accuracy, name].assessed)
                lines.append((part, f"right in {accuracy:.0%}", name, told))
    return Table(
        "Calibration error of the confidence of assessments", ("texts", "judge", "weights", "error"), tuple(lines)
    )


def _error(read: Sequence[Read], assessed: Iterable[Sequence[Assessment]]) -> str:
    """The error over all judges together, with its interval over scenarios."""
    chances = np.array([[after.confidence for after in one] for one in assessed])
    right = np.array([[_is_right(one, after) for one, after in zip(read, each, strict=True)] for each in assessed])
    violates: Bools = np.array([one.text.violates for one in read], dtype=bool)
    weights = weights_at(violates, RARE)

    def measure(picked: Rows) -> float:
        counted = np.tile(weights[picked], len(chances))
        return calibration_error(right[:, picked].ravel(), chances[:, picked].ravel(), counted)

    made = estimate("", measure, [one.text.group for one in read])
    return f"{shown(made.value)} [{shown(made.low)}, {shown(made.high)}]"


def _is_right(read: Read, after: Assessment) -> bool:
    return after.policy in read.text.labels if after.policy else not read.text.violates


def _fitted_weights(weights: dict[float, dict[str, PolicySet]]) -> Table:
    """The weights in log-odds by certainty, set by hand and fitted: for each judge, the mean over the specialists."""
    lines: list[tuple[str, ...]] = []
    for accuracy, policies in weights.items():
        if not lines:
            lines += _weights_of("", BY_HAND, [policies[BY_HAND].thresholds.agents.weights])
        fitted = [judge.weights for judge in policies[FITTED].fitted.judges]
        judge = f"right in {accuracy:.0%}"
        lines += _weights_of(judge, FITTED, fitted) if fitted else [(judge, "no better fitted: by hand", *[""] * 6)]
    return Table("Weights of opinions", ("judge", "weights", "reading", "1", "2", "3", "4", "5"), tuple(lines))


def _weights_of(judge: str, name: str, weights: Sequence[OpinionWeights]) -> Iterable[tuple[str, ...]]:
    for reading in ("violates", "fine"):
        means = np.mean([getattr(one, reading) for one in weights], axis=0)
        yield (judge, name, reading, *(f"{mean:.2f}" for mean in means))
