"""Any violation on further public sets, whose authors asked for less or other than our policies."""

from domain.errors import Invalid
from evals.catalogue import SETS
from evals.context import Context
from evals.estimate import estimate
from evals.held_out import held_out, why_not
from evals.judging import Text, judge
from evals.public import sample
from evals.readings import FLAGGED_FROM, Readings, share_cell, sources
from evals.report import Figure, Report, Table

FURTHER = (
    "openai",
    "hatexplain",
    "surge_toxicity",
    "youtube_spam",
    "jigsaw_samples",
    "civil_toxic_spans",
    "stormfront",
    "toxicchat",
    "jigsaw",
    "civil",
)
OPENAI = "openai"
AS_PUBLISHED = "openai, unknown labels taken for clean"
PUBLISHED = "AUPRC told by Inan et al. (2023): Llama Guard .847, OpenAI's API .856, Perspective .787"
MOST = 3_000
"""Texts of one set."""

WHAT = (
    "How well the probability of any violation tells the texts that the authors of each set call violating (hateful, "
    "toxic, spam, …: `evals/public.py` has the table) from the others, on at most {most:,} texts of each, drawn so "
    "that labels keep their shares. AUPRC depends on the share of violations, which is told. Nothing was trained on "
    "these sets, and texts that also stand in a set that training reads are left out; which of the texts would violate "
    "our own policies nobody asked. In OpenAI's set a text is left out when some of its labels are unknown and none is "
    "given; published figures take unknown labels for clean, so that is told as well. Intervals: bootstrap over texts."
)
HEAD = (
    "set",
    "texts",
    "violating",
    f"recall at {FLAGGED_FROM}",
    f"clean, but flagged at {FLAGGED_FROM}",
    "violating, approved",
)


async def run(context: Context) -> Report:
    """Judge every set at hand that training does not read. Raises Invalid without any."""
    figures: list[Figure] = []
    lines: list[tuple[str, ...]] = []
    left_out: list[tuple[str, str]] = []
    names: list[str] = []
    for name in FURTHER:
        if why := why_not(name, context.datasets):
            left_out.append((name, why))
            continue
        names.append(name)
        for title, chosen in choose(name, context, MOST).items():
            judged = await judge(chosen, context.screener, context.policies, title=f"public {title}")
            found = Readings.of(judged)
            figures += _figures(title, found)
            lines.append(_line(title, found))
    if not names:
        raise Invalid("; ".join(f"{name}: {why}" for name, why in left_out))
    tables = (Table("Read as a violation", HEAD, tuple(lines)),)
    return Report(
        suite="public",
        title="Further public sets",
        what=WHAT.format(most=MOST),
        figures=tuple(figures),
        tables=(*tables, Table("Not measured", ("set", "why"), tuple(left_out))) if left_out else tables,
        model=context.named,
        sources=sources(*names),
    )


def choose(name: str, context: Context, most: int) -> dict[str, list[Text]]:
    """At most so many texts of a set, by the title of their figures. Raises Invalid where it cannot be measured on."""
    limit = min(most, context.limit or most)
    found = {name: sample(held_out(name, context.datasets), limit)}
    if name == OPENAI:
        found[AS_PUBLISHED] = sample(held_out(name, context.datasets, unknown_as_clean=True), limit)
    return found


def _figures(title: str, found: Readings) -> tuple[Figure, ...]:
    gated = SETS[title].normalised is not None if title in SETS else False
    bar = f"violating: {found.violates.mean():.0%}" + (f"; {PUBLISHED}" if title == AS_PUBLISHED else "")
    return (
        estimate(f"{title}: AUPRC", found.average_precision(), found.groups, bar=bar),
        estimate(f"{title}: AUC", found.auc(), found.groups, gate=0.02 if gated else None),
    )


def _line(title: str, found: Readings) -> tuple[str, ...]:
    return (
        title,
        f"{len(found.groups):,}",
        f"{found.violates.mean():.0%}",
        share_cell(found.flagged, found.violates, found.groups),
        share_cell(found.flagged, ~found.violates, found.groups),
        share_cell(found.approved, found.violates, found.groups),
    )
