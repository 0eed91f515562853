"""Multilingual HateCheck: ten further languages, which of them count as competent, and what is decided in them."""

from collections.abc import Mapping, Sequence

import numpy as np

from evals.catalogue import texts as texts_of
from evals.context import Context
from evals.estimate import Measure, cell, estimate
from evals.figures import Bools, Rows, auc, weights_at
from evals.judging import Judged, judge
from evals.public import sample
from evals.readings import FLAGGED_FROM, Readings, share, share_cell, sources
from evals.report import Figure, Report, Table, shown

NAME = "multilingual"
WHAT = (
    "{rows:,} cases of Multilingual HateCheck in {languages} languages; its Hindi is written in Latin letters. A case "
    "is flagged where the probability of any violation is at least {flagged_from}. A language counts as competent "
    "where screening takes most of its cases for a language that it can judge; elsewhere confidence is capped, so "
    "that a person decides. Right without people: approved and not hateful, or rejected and hateful; “at 5%” weighs "
    "the cases as if violations were as rare as in ordinary traffic, where in the set they are the most. Intervals: "
    "{intervals}. No case was used to train or tune anything; that its cases are made from templates is not new to the "
    "model, which learnt from templates of our own (data/corpus/frames). That its Arabic cases in Latin letters were "
    "approved was seen here before unfamiliar spelling went to people, and once more, of three, before the limit was "
    "last raised: it is a figure of our calibration part, but for such Arabic this is no longer an independent test."
)
HEAD = (
    "language",
    "cases",
    "AUC",
    "recall",
    "precision",
    "competent",
    "cases taken as competent",
    "decided without people",
    "of these right",
    "of these right at 5%",
)
BASE_RATE = 0.05
"""Share of violations in ordinary traffic; in the set it is about 70%."""


async def run(context: Context) -> Report:
    """Judge Multilingual HateCheck. Raises Invalid where it is not at hand."""
    texts = sample(texts_of(NAME, context.datasets), context.limit)
    judged = await judge(texts, context.screener, context.policies, title=NAME)
    found = Readings.of(judged)
    rows = _by_language(judged)
    grouped = len(set(found.groups)) < len(found.groups)
    return Report(
        suite=NAME,
        title="Multilingual HateCheck",
        what=WHAT.format(
            rows=len(texts),
            languages=len(rows),
            flagged_from=FLAGGED_FROM,
            intervals="bootstrap over templates" if grouped else "of shares exact, of AUCs bootstrap, over cases",
        ),
        figures=_figures(found, rows),
        tables=(Table("By language", HEAD, tuple(_line(code, found.where(inside)) for code, inside in rows.items())),),
        model=context.named,
        sources=sources(NAME),
    )


def _by_language(judged: Sequence[Judged]) -> dict[str, Bools]:
    codes = np.array([row.text.lang for row in judged], dtype=object)
    return {code: codes == code for code in sorted(set(codes))}


def _figures(found: Readings, rows: Mapping[str, Bools]) -> tuple[Figure, ...]:
    def each(picked: Rows) -> list[float]:
        among = (picked[inside[picked]] for inside in rows.values())
        return [auc(found.violates[part], found.violation[part]) for part in among]

    everybody = np.arange(len(found.groups))
    aucs = dict(zip(rows, each(everybody), strict=True))
    worst = min(aucs, key=aucs.__getitem__)
    alone, right = _alone(found)
    served = {code: inside for code, inside in rows.items() if _is_served(found.where(inside)) and alone[inside].any()}
    at_traffic = {code: right_at_traffic(found.where(inside)) for code, inside in served.items()}
    precisions = {code: measure(np.arange(rows[code].sum())) for code, measure in at_traffic.items()}
    figures = (
        estimate("mean AUC over the languages", lambda picked: float(np.mean(each(picked))), found.groups, gate=0.01),
        Figure("lowest AUC of a language", aucs[worst], rows=int(rows[worst].sum()), gate=0.02, bar=worst),
        share("recall", found.flagged, found.violates, found.groups, gate=0.02),
        share("precision", found.violates, found.flagged, found.groups),
        share("cases taken as competent", found.competent, found.everything, found.groups),
        share("decided without people", alone, found.everything, found.groups),
        share("decided without people that are right", right, alone, found.groups, gate=0.02),
    )
    return (*figures, *_least(precisions, {code: int(alone[inside].sum()) for code, inside in served.items()}))


def _least(precisions: Mapping[str, float], counts: Mapping[str, int]) -> tuple[Figure, ...]:
    """The competent language in which the least is right; nothing where none is decided in without people."""
    if not precisions:
        return ()
    least = min(precisions, key=precisions.__getitem__)
    name = "lowest share right of a competent language's cases decided without people, at 5% violations"
    bar = f"{least}; at least 0.950"
    return (Figure(name, precisions[least], rows=counts[least], gate=0.01, bar=bar),)


def _is_served(found: Readings) -> bool:
    """Whether most cases of a language are taken for one that the classifier reads."""
    return bool(found.competent.mean() > 0.5)


def _alone(found: Readings) -> tuple[Bools, Bools]:
    """Which cases are decided without people, and which decisions are right."""
    return found.approved | found.rejected, np.where(found.violates, found.rejected, found.approved)


def right_at_traffic(found: Readings) -> Measure:
    """The share right of what is decided without people, were violations as rare as in traffic."""
    alone, right = _alone(found)

    def measure(picked: Rows) -> float:
        weights = weights_at(found.violates[picked], BASE_RATE) * alone[picked]
        return float(weights[right[picked]].sum() / weights.sum()) if weights.any() else float("nan")

    return measure


def _line(code: str, found: Readings) -> tuple[str, ...]:
    alone, right = _alone(found)
    return (
        code,
        str(len(found.groups)),
        cell(found.auc(), found.groups),
        share_cell(found.flagged, found.violates, found.groups),
        share_cell(found.violates, found.flagged, found.groups),
        "yes" if _is_served(found) else "no",
        shown(float(found.competent.mean())),
        shown(float(alone.mean())),
        share_cell(right, alone, found.groups),
        cell(right_at_traffic(found), found.groups) if alone.any() else "–",
    )
