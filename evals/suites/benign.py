"""Public talk without violations: how much of it is flagged, and how much is not approved without a person."""

from domain.errors import Invalid
from evals.context import Context
from evals.held_out import held_out, why_not
from evals.judging import judge
from evals.public import sample
from evals.readings import FLAGGED_FROM, Readings, share, sources
from evals.report import Figure, Report, Table

SET_OF = {
    "topical_chat": "conversations",
    "jigsaw_samples": "talk of Wikipedia's editors",
    "youtube_spam": "comments on a video",
}
"""Sets with texts that their authors call clean, and what these are."""

MOST = 5_000
"""Texts of one set: more narrow the intervals no further than matters."""

WHAT = (
    "Texts that the authors of public sets call clean: {counts}. Nothing was trained on them. Flagged: the probability "
    "of any violation is at least {flagged_from}. Not approved: a person must look, or it was rejected. They are not "
    "dating talk, and their authors looked for less than our policies forbid (toxicity or spam), so some of what is "
    "flagged may deserve it. Intervals: exact (Clopper-Pearson)."
)


async def run(context: Context) -> Report:
    """Judge the clean rows of each set at hand that training does not read. Raises Invalid without any."""
    figures: list[Figure] = []
    left_out: list[tuple[str, str]] = []
    counts: dict[str, int] = {}
    for name, talk in SET_OF.items():
        if why := why_not(name, context.datasets):
            left_out.append((name, why))
            continue
        clean = [text for text in held_out(name, context.datasets) if not text.violates]
        chosen = sample(clean, min(MOST, context.limit or MOST))
        judged = await judge(chosen, context.screener, context.policies, title=f"benign {name}")
        counts[name] = len(judged)
        figures += _figures(f"{talk} ({name})", Readings.of(judged))
    if not counts:
        raise Invalid("; ".join(f"{name}: {why}" for name, why in left_out))
    return Report(
        suite="benign",
        title="Talk without violations",
        what=WHAT.format(
            counts=", ".join(f"{count:,} {SET_OF[name]} ({name})" for name, count in counts.items()),
            flagged_from=FLAGGED_FROM,
        ),
        figures=tuple(figures),
        tables=(Table("Not measured", ("set", "why"), tuple(left_out)),) if left_out else (),
        model=context.named,
        sources=sources(*counts),
    )


def _figures(talk: str, found: Readings) -> tuple[Figure, ...]:
    shares = {
        "flagged": (found.flagged, 0.01),
        "not approved": (~found.approved, 0.03),
        "rejected": (found.rejected, 0.005),
    }
    return tuple(
        share(f"{talk}: {name}", of, found.everything, found.groups, gate=gate, higher_is_better=False)
        for name, (of, gate) in shares.items()
    )
