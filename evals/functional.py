"""What HateCheck and HatemojiCheck share: suites of functional tests, in which each case tests one ability."""

import numpy as np

from evals.catalogue import texts as texts_of
from evals.context import Context
from evals.estimate import estimate
from evals.figures import Bools
from evals.held_out import also_read_by_training
from evals.judging import Judged, judge
from evals.public import sample
from evals.readings import FLAGGED_FROM, Readings, share, share_cell, sources, suspect_from
from evals.report import Figure, Report, Table

HOW = (
    " A case counts as read as a violation where the probability of any violation is at least {flagged_from}; that "
    "probability takes violations to be as rare as in traffic, while {hateful:.0%} of these cases are hateful, so the "
    "same is told at {suspect_from:.2f}, above which nothing is approved without a person, and for what is served, "
    "where whatever is not approved counts as noticed: people see it, or it is rejected. Intervals: {intervals}. The "
    "set was not used to train, tune, choose or write anything; texts of it that also stand in a set that training "
    "reads: {known}."
)


async def measure(context: Context, name: str, *, title: str, what: str) -> Report:
    """Judge the set `name` and report accuracy overall, by label, and by functionality. Raises Invalid without it."""
    texts = sample(texts_of(name, context.datasets), context.limit)
    judged = await judge(texts, context.screener, context.policies, title=name)
    found, limit = Readings.of(judged), suspect_from(context)
    grouped = len(set(found.groups)) < len(found.groups)
    how = HOW.format(
        flagged_from=FLAGGED_FROM,
        known=len(also_read_by_training(texts, context.datasets)),
        hateful=found.violates.mean(),
        suspect_from=limit,
        intervals="bootstrap over templates"
        if grouped
        else "exact, as if cases were independent (this copy does not tell their templates); bootstrap for the AUC",
    )
    return Report(
        suite=name,
        title=title,
        what=f"{len(texts):,} cases. {what}{how}",
        figures=_figures(found, limit),
        tables=tuple(_tables(judged, found, limit)),
        model=context.named,
        sources=sources(name),
    )


def _figures(found: Readings, limit: float) -> tuple[Figure, ...]:
    flagged, suspect, groups = found.right(found.flagged), found.right(found.violation > limit), found.groups
    served = found.right(~found.approved)
    alone = found.approved | found.rejected
    decided_right = np.where(found.violates, found.rejected, found.approved)
    return (
        share("accuracy", flagged, found.everything, groups, gate=0.01),
        share("accuracy on hateful cases", flagged, found.violates, groups, gate=0.02),
        share("accuracy on non-hateful cases", flagged, ~found.violates, groups, gate=0.02),
        estimate("AUC", found.auc(), groups, gate=0.01),
        share(f"accuracy at {limit:.2f}", suspect, found.everything, groups),
        share(f"accuracy at {limit:.2f} on hateful cases", suspect, found.violates, groups),
        share(f"accuracy at {limit:.2f} on non-hateful cases", suspect, ~found.violates, groups),
        share("accuracy, whatever is not approved being noticed", served, found.everything, groups, gate=0.01),
        share("accuracy on non-hateful cases, whatever is not approved being noticed", served, ~found.violates, groups),
        share("hateful cases approved", found.approved, found.violates, groups, gate=0.02, higher_is_better=False),
        share("decided without people", alone, found.everything, groups),
        share("decided without people that are right", decided_right, alone, groups),
    )


def _tables(judged: list[Judged], found: Readings, limit: float) -> list[Table]:
    """By functionality and label, where the copy tells functionalities."""
    names = np.array([row.text.slice for row in judged], dtype=object)
    if not any(names):
        return []
    head = ("functionality", "label", "cases", "accuracy", f"accuracy at {limit:.2f}", "approved", "rejected")
    lines = []
    for name in sorted(set(names)):
        for label, side in (("hateful", found.violates), ("non-hateful", ~found.violates)):
            inside: Bools = (names == name) & side
            if inside.any():
                lines.append((name, label, str(int(inside.sum())), *_cells(found.where(inside), limit)))
    return [Table("By functionality", head, tuple(lines))]


def _cells(found: Readings, limit: float) -> tuple[str, ...]:
    accuracies = (found.right(found.flagged), found.right(found.violation > limit))
    return (
        *(share_cell(right, found.everything, found.groups) for right in accuracies),
        *(f"{kind.mean():.0%}" for kind in (found.approved, found.rejected)),
    )
