"""What is decided without people, how right that is, and what is left to people."""

from collections.abc import Iterator, Sequence

import numpy as np

from domain.vocabulary import DecisionKind
from evals.context import Context
from evals.corpus import rows
from evals.estimate import Measure, cell, estimate
from evals.figures import Bools, Rows, clopper_pearson, weights_at
from evals.judging import Judged, judge
from evals.report import Figure, Report, Table

BASE_RATES = (0.05, 0.50)
GATED = BASE_RATES[0]
WHAT = (
    "The decisions on {rows} texts by the writers of the test part, for an author without history and without language "
    "models: {counts}. Shares and precisions weigh the rows as if violations made up the share named (5 % is ordinary "
    "traffic, 50 % what people have reported). An approval is right where the text is clean, a rejection where it "
    "violates a policy. A borderline text is right with people: it is counted in the shares, has a line of its own, "
    "and is left out of the precisions. {hard:.0%} of the clean texts are written to look violating, so ordinary "
    "traffic is easier. Intervals: bootstrap over scenarios; where no decision of a kind is wrong they say nothing: "
    "read the exact intervals of the counts (Clopper-Pearson) in the last table."
)


class _Decisions:
    """The judged rows as columns, all N; `clear` are those that are not borderline."""

    def __init__(self, judged: Sequence[Judged]) -> None:
        self.violates = np.array([row.text.violates for row in judged], dtype=bool)
        self.clear = np.array([not row.text.borderline for row in judged], dtype=bool)
        self.hard = np.array([row.text.hard for row in judged], dtype=bool)
        self.kinds = {kind: np.array([row.kind is kind for row in judged], dtype=bool) for kind in DecisionKind}
        self.groups = [row.text.group for row in judged]
        approved, rejected = self.kinds[DecisionKind.APPROVED], self.kinds[DecisionKind.REJECTED]
        self.alone = approved | rejected
        """Decided by the machine alone."""
        self.right = (approved & ~self.violates) | (rejected & self.violates)

    def share(self, of: Bools, among: Bools, base_rate: float) -> Measure:
        """The weight of the rows `of` among those `among`, violations having the base rate among all rows drawn."""

        def measure(picked: Rows) -> float:
            weights = weights_at(self.violates[picked], base_rate) * among[picked]
            return float(weights[of[picked]].sum() / weights.sum()) if weights.any() else float("nan")

        return measure

    def precision(self, right: Bools, decided: Bools, base_rate: float) -> Measure:
        """The share of what is right in what was decided, borderline rows left out before the weighing."""

        def measure(picked: Rows) -> float:
            return self.share(right, decided, base_rate)(picked[self.clear[picked]])

        return measure


async def run(context: Context) -> Report:
    """Decide the test part of our own corpus. Raises Invalid where its rows are not at hand."""
    texts = context.some(rows(context.corpus, "test"))
    judged = await judge(texts, context.screener, context.policies, title="routing")
    found = _Decisions(judged)
    hard = float(found.hard[~found.violates].mean()) if not found.violates.all() else 0.0
    counts = ", ".join(f"{int(found.kinds[kind].sum())} {kind}" for kind in DecisionKind)
    return Report(
        suite="routing",
        title="What is decided without people",
        what=WHAT.format(rows=len(texts), counts=counts, hard=hard),
        figures=tuple(figure for rate in BASE_RATES for figure in _figures(found, rate)) + _borderline(found),
        tables=(*(_by_language(judged, rate) for rate in BASE_RATES), _counts(found)),
        model=context.named,
        sources=("our own corpus, the writers of the test part (data/corpus/GUIDE.md, splits.yaml)",),
    )


def _figures(found: _Decisions, rate: float) -> Iterator[Figure]:
    everything = np.ones(len(found.groups), dtype=bool)
    at = f"at {rate:.0%} violations"
    approved, rejected, escalated = (found.kinds[kind] for kind in DecisionKind)

    def share(name: str, of: Bools, gate: float | None = None) -> Figure:
        measure = found.share(of, everything, rate)
        return estimate(f"{name}, {at}", measure, found.groups, gate=gate if rate == GATED else None)

    def precision(name: str, right: Bools, decided: Bools, gate: float | None = None) -> Figure:
        measure, count = found.precision(right, decided, rate), int((decided & found.clear).sum())
        gate = gate if rate == GATED else None
        return estimate(f"{name}, {at}", measure, found.groups, rows=count, gate=gate)

    yield share("decided without people", found.alone, gate=0.03)
    yield precision("decided without people that are right", found.right, found.alone, gate=0.005)
    yield precision("approved that are clean", ~found.violates, approved, gate=0.005)
    yield precision("rejected that violate", found.violates, rejected, gate=0.03)
    yield precision("escalated that violate", found.violates, escalated)
    yield share("approved", approved)
    yield share("rejected", rejected)
    yield share("escalated", escalated)


def _borderline(found: _Decisions) -> tuple[Figure, ...]:
    borderline = ~found.clear

    def measure(picked: Rows) -> float:
        among = picked[borderline[picked]]
        return float(found.kinds[DecisionKind.ESCALATED][among].mean()) if len(among) else float("nan")

    return (estimate("borderline texts that go to people", measure, found.groups, rows=int(borderline.sum())),)


def _by_language(judged: Sequence[Judged], rate: float) -> Table:
    lines = []
    for code in sorted({row.text.lang for row in judged}):
        found = _Decisions([row for row in judged if row.text.lang == code])
        everything = np.ones(len(found.groups), dtype=bool)
        approved, rejected, escalated = (found.kinds[kind] for kind in DecisionKind)
        measures = (
            *(found.share(kind, everything, rate) for kind in (approved, rejected, escalated)),
            found.precision(~found.violates, approved, rate),
            found.precision(found.violates, rejected, rate),
            found.precision(found.violates, escalated, rate),
            found.precision(found.right, found.alone, rate),
        )
        lines.append((code, str(len(found.groups)), *(cell(measure, found.groups) for measure in measures)))
    head = (
        "language",
        "rows",
        *DecisionKind,
        "approved: clean",
        "rejected: violate",
        "escalated: violate",
        "right alone",
    )
    return Table(f"By language, at {rate:.0%} violations", head, tuple(lines))


def _counts(found: _Decisions) -> Table:
    slices = {
        "clean, easy": ~found.violates & ~found.hard,
        "clean, hard": ~found.violates & found.hard,
        "borderline": ~found.clear,
        "clear violation": found.violates & found.clear,
    }
    lines = []
    for name, inside in slices.items():
        of = int(inside.sum())
        cells = []
        for kind in DecisionKind:
            hits = int((found.kinds[kind] & inside).sum())
            low, high = clopper_pearson(hits, of)
            cells.append(f"{hits} ({low:.1%} to {high:.1%})")
        lines.append((name, str(of), *cells))
    return Table("Counts, with exact 95 % intervals of their shares", ("rows", "all", *DecisionKind), tuple(lines))
