"""Whether a probability means what it says: of texts told to violate with 70 %, seven in ten should."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib import figure as drawing

from domain.vocabulary import Policy
from evals.context import Context
from evals.corpus import rows
from evals.estimate import estimate
from evals.figures import Bools, Floats, Rows, calibration_error, weights_at
from evals.judging import Judged, judge
from evals.report import Figure, Report, Table, shown
from screening.calibration import Calibration

BASE_RATE = 0.05
BINS = 15
STEPS = 10
"""Bins of equal width of the reliability table and curves."""

PICTURE = "calibration.png"
WHAT = (
    "The probabilities told of {rows} texts by the writers of the test part, weighed as if {base_rate:.0%} of all "
    "texts violated (the model assumes {assumed:.0%}). The expected calibration error is the mean gap between the "
    "probability told and the share found, over {bins} bins of equal weight; what is rare weighs little in it, so read "
    "the curves too. The combined confidence is the chance that the verdict (the policy named, or clean) is right; in "
    "languages that the model is not competent in it is capped. Borderline texts count as violations of their policy "
    "unless left out, although people would split: a perfectly calibrated score is charged for them. Intervals: "
    "bootstrap over scenarios, which errs upwards for an error."
)


@dataclass(frozen=True)
class _Claim:
    """Probabilities told (N), whether each came true (N), and how much each row counts (N)."""

    chance: Floats
    true: Bools
    weights: Floats

    def error(self, picked: Rows) -> float:
        return calibration_error(self.true[picked], self.chance[picked], self.weights[picked], BINS)


async def run(context: Context) -> Report:
    """Judge the test part of our own corpus. Raises Invalid where its rows are not at hand."""
    texts = context.some(rows(context.corpus, "test"))
    judged = await judge(texts, context.screener, context.policies, title="calibration")
    assumed = Calibration.load(context.model / "calibration.json").base_rate
    claims = _claims(judged)
    _draw(claims, context.reports / PICTURE)
    return Report(
        suite="calibration",
        title="Whether probabilities mean what they say",
        what=WHAT.format(rows=len(texts), base_rate=BASE_RATE, assumed=assumed, bins=BINS),
        figures=_figures(judged, claims),
        tables=tuple(_reliability(name, claims[name]) for name in ("any violation", "combined confidence")),
        pictures=(PICTURE,),
        model=context.named,
        sources=("our own corpus, the writers of the test part (data/corpus/GUIDE.md, splits.yaml)",),
    )


def _claims(judged: Sequence[Judged]) -> dict[str, _Claim]:
    """What is told of every row: any violation, the verdict, and each policy."""
    violates = np.array([row.text.violates for row in judged], dtype=bool)
    weights = weights_at(violates, BASE_RATE)
    right = [row.policy in row.text.labels if row.policy else not row.text.violates for row in judged]
    claims = {
        "any violation": _Claim(np.array([row.violation for row in judged]), violates, weights),
        "combined confidence": _Claim(np.array([row.confidence for row in judged]), np.array(right), weights),
    }
    for policy in Policy:
        chance = np.array([row.scores.get(policy, 0.0) for row in judged])
        true = np.array([policy in row.text.labels for row in judged], dtype=bool)
        claims[policy] = _Claim(chance, true, weights)
    return claims


def _figures(judged: Sequence[Judged], claims: Mapping[str, _Claim]) -> tuple[Figure, ...]:
    def figure(name: str, claim: _Claim, among: Sequence[Judged], gate: float | None) -> Figure:
        groups = [row.text.group for row in among]
        return estimate(f"calibration error, {name}", claim.error, groups, gate=gate, higher_is_better=False)

    sure = [row for row in judged if not row.text.borderline]
    without = figure("any violation, borderline rows left out", _claims(sure)["any violation"], sure, None)
    first, *others = (figure(name, claim, judged, 0.01) for name, claim in claims.items())
    return first, without, *others


def _steps(claim: _Claim) -> list[tuple[int, Floats]]:
    """Of each bin that holds rows: how many, and their weight, mean chance and share found."""
    place = np.minimum((claim.chance * STEPS).astype(int), STEPS - 1)
    found = []
    for step in range(STEPS):
        inside = place == step
        weight = claim.weights[inside]
        if inside.any() and weight.sum():
            chance, share = (np.average(column[inside], weights=weight) for column in (claim.chance, claim.true))
            found.append((int(inside.sum()), np.array([weight.sum() / claim.weights.sum(), chance, share])))
    return found


def _reliability(name: str, claim: _Claim) -> Table:
    head = ("rows", "share of traffic", "probability told", "share found")
    return Table(
        f"Reliability: {name}",
        head,
        tuple((str(count), *(shown(float(number)) for number in numbers)) for count, numbers in _steps(claim)),
    )


def _draw(claims: Mapping[str, _Claim], path: Path) -> None:
    """One reliability curve a claim; the size of a dot tells how many rows it rests on."""
    picture = drawing.Figure(figsize=(12, 9), layout="constrained")
    panels = picture.subplots(3, 4, sharex=True, sharey=True).ravel()
    for panel, (name, claim) in zip(panels, claims.items(), strict=False):
        steps = _steps(claim)
        chance, share = [numbers[1] for _, numbers in steps], [numbers[2] for _, numbers in steps]
        panel.plot([0, 1], [0, 1], color="0.8", linewidth=1)
        panel.plot(chance, share, color="tab:blue", linewidth=1)
        panel.scatter(chance, share, s=[4 * count**0.5 for count, _ in steps], color="tab:blue")
        panel.set_title(name)
    for panel in panels[len(claims) :]:
        panel.set_axis_off()
    picture.supxlabel("probability told")
    picture.supylabel(f"share found, at {BASE_RATE:.0%} violations")
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.savefig(path, dpi=80, metadata={"Software": None})
