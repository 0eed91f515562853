"""What the suites on public sets share: judged rows as columns, and shares of them with their intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from domain.vocabulary import DecisionKind
from evals.catalogue import SETS
from evals.context import Context
from evals.estimate import Measure, estimate
from evals.figures import Bools, Floats, Rows, auc, average_precision, clopper_pearson
from evals.judging import APP, Judged
from evals.report import Figure, shown

FLAGGED_FROM = 0.5
"""Probability of any violation from which the machine's reading of a text is: a violation."""


@dataclass(frozen=True)
class Readings:
    """Judged rows as columns, all N: what is true of them, the probability of any violation, and what was decided."""

    violates: Bools
    violation: Floats
    approved: Bools
    rejected: Bools
    competent: Bools
    groups: tuple[str, ...]

    @classmethod
    def of(cls, judged: Sequence[Judged]) -> "Readings":
        """The columns of these rows, in their order."""
        return cls(
            violates=np.array([row.text.violates for row in judged], dtype=bool),
            violation=np.array([row.violation for row in judged], dtype=np.float64),
            approved=np.array([row.kind is DecisionKind.APPROVED for row in judged], dtype=bool),
            rejected=np.array([row.kind is DecisionKind.REJECTED for row in judged], dtype=bool),
            competent=np.array([row.language.competent for row in judged], dtype=bool),
            groups=tuple(row.text.group for row in judged),
        )

    def where(self, inside: Bools) -> "Readings":
        """The rows for which `inside` (N) holds."""
        return Readings(
            violates=self.violates[inside],
            violation=self.violation[inside],
            approved=self.approved[inside],
            rejected=self.rejected[inside],
            competent=self.competent[inside],
            groups=tuple(group for group, is_in in zip(self.groups, inside, strict=True) if is_in),
        )

    @property
    def flagged(self) -> Bools:
        """Read as a violation."""
        flagged: Bools = self.violation >= FLAGGED_FROM
        return flagged

    @property
    def everything(self) -> Bools:
        """All rows."""
        return np.ones(len(self.groups), dtype=bool)

    def right(self, flagged: Bools) -> Bools:
        """Where a reading agrees with the truth."""
        agrees: Bools = flagged == self.violates
        return agrees

    def auc(self) -> Measure:
        """Any violation, by its probability."""
        return lambda picked: auc(self.violates[picked], self.violation[picked])

    def average_precision(self) -> Measure:
        """Any violation, by its probability."""
        return lambda picked: average_precision(self.violates[picked], self.violation[picked])


def share(
    name: str,
    of: Bools,
    among: Bools,
    groups: Sequence[str],
    *,
    gate: float | None = None,
    bar: str = "",
    higher_is_better: bool = True,
) -> Figure:
    """The share of the rows `among` (N) that are `of` (N).

    Its interval is exact (Clopper-Pearson) where each row stands for itself, and else a bootstrap over groups.
    """

    def measure(picked: Rows) -> float:
        inside = picked[among[picked]]
        return float(of[inside].mean()) if len(inside) else float("nan")

    hits, count = int((of & among).sum()), int(among.sum())
    if len(set(groups)) < len(groups):
        found = estimate(name, measure, groups)
        low, high = found.low, found.high
    else:
        low, high = clopper_pearson(hits, count)
    value = hits / count if count else float("nan")
    return Figure(name, value, low, high, rows=count, gate=gate, bar=bar, higher_is_better=higher_is_better)


def share_cell(of: Bools, among: Bools, groups: Sequence[str]) -> str:
    """The same for a cell of a table; a dash where there is no row."""
    figure = share("", of, among, groups)
    return f"{shown(figure.value)} [{shown(figure.low)}, {shown(figure.high)}]" if figure.rows else "–"


def suspect_from(context: Context) -> float:
    """The probability of any violation above which no text is approved, by the thresholds file."""
    return 1 - context.policies.thresholds_for(None, APP).auto_approve


def sources(*names: str) -> tuple[str, ...]:
    """Where the sets come from, as reports tell it."""
    return tuple(str(SETS[name]) for name in names)
