"""Makes a figure out of a measure: its value on all rows and its interval over their groups."""

from collections.abc import Callable, Sequence

import numpy as np

from evals.figures import Rows, interval
from evals.report import Figure, shown

RESAMPLES = 1_000
Measure = Callable[[Rows], float]
"""Gives a figure for some rows, by their indices; rows may come more than once."""


def estimate(
    name: str,
    measure: Measure,
    groups: Sequence[str],
    *,
    rows: int | None = None,
    gate: float | None = None,
    bar: str = "",
    higher_is_better: bool = True,
) -> Figure:
    """The figure with its 95 % bootstrap interval over `groups`, one name a row; `rows` are all unless told."""
    low, high = interval(measure, groups, RESAMPLES)
    return Figure(
        name=name,
        value=measure(np.arange(len(groups))),
        low=low,
        high=high,
        rows=len(groups) if rows is None else rows,
        gate=gate,
        bar=bar,
        higher_is_better=higher_is_better,
    )


def cell(measure: Measure, groups: Sequence[str]) -> str:
    """The same for a cell of a table: `0.912 [0.880, 0.941]`, a dash where the rows cannot give it."""
    figure = estimate("", measure, groups)
    return f"{shown(figure.value)} [{shown(figure.low)}, {shown(figure.high)}]" if figure.value == figure.value else "–"
