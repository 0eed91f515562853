"""How well screening tells violations from clean texts by writers that nothing was trained on or tuned to."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from domain.vocabulary import Policy, Severity
from evals.context import Context
from evals.corpus import rows
from evals.estimate import Measure, cell, estimate
from evals.figures import Bools, Floats, Rows, auc, macro_f1, recall_at
from evals.judging import Judged, Text, judge
from evals.report import Figure, Report, Table
from screening.calibration import Calibration
from screening.training.sources import CLEAN

FALSE_ALARMS = 0.01
WHAT = (
    "{rows} texts by the writers of the test part: {clean} clean ({hard} of them hard: written to fool a keyword or a "
    "tone filter), {borderline} borderline, {clear} clear violations. Nothing was trained, tuned or chosen on them. "
    "Each was screened, assessed and decided by the shipped chain, for an author without history. A text is flagged by "
    "its probability of any violation. For the macro-F1 over the nine policies what is said of a text is the verdict; "
    "borderline texts are left out, and a text of two policies is right with either. The verdict assumes violations to "
    "be as rare as in traffic ({base_rate:.0%}); “at the rows' own share” reads the same scores as if they were as "
    "common as here ({share:.0%}). Intervals: bootstrap over scenarios."
)


@dataclass(frozen=True)
class _Rows:
    """The judged rows as columns, all N."""

    judged: tuple[Judged, ...]
    violates: Bools
    borderline: Bools
    hard: Bools
    """Clean and hard."""
    agreed: Bools
    violation: Floats
    groups: tuple[str, ...]

    @classmethod
    def of(cls, judged: Sequence[Judged]) -> "_Rows":
        return cls(
            judged=tuple(judged),
            violates=np.array([row.text.violates for row in judged], dtype=bool),
            borderline=np.array([row.text.borderline for row in judged], dtype=bool),
            hard=np.array([row.text.hard and not row.text.violates for row in judged], dtype=bool),
            agreed=np.array([row.text.agreed for row in judged], dtype=bool),
            violation=np.array([row.violation for row in judged], dtype=np.float64),
            groups=tuple(row.text.group for row in judged),
        )

    @property
    def clear(self) -> Bools:
        return self.violates & ~self.borderline

    def where(self, claim: Callable[[Text], bool]) -> Bools:
        return np.array([claim(row.text) for row in self.judged], dtype=bool)


async def run(context: Context) -> Report:
    """Judge the test part of our own corpus. Raises Invalid where its rows are not at hand."""
    texts = context.some(rows(context.corpus, "test"))
    table = _Rows.of(await judge(texts, context.screener, context.policies, title="own"))
    base_rate = Calibration.load(context.model / "calibration.json").base_rate
    share = float(table.clear.sum() / max((~table.borderline).sum(), 1))
    return Report(
        suite="own",
        title="Screening on writers it never saw",
        what=WHAT.format(
            rows=len(texts),
            clean=(~table.violates).sum(),
            hard=table.hard.sum(),
            borderline=table.borderline.sum(),
            clear=table.clear.sum(),
            base_rate=base_rate,
            share=share,
        ),
        figures=(*_overall(table, _level(base_rate, share)), *_by_policy(table)),
        tables=tuple(_tables(table)),
        model=context.named,
        sources=("our own corpus, the writers of the test part (data/corpus/GUIDE.md, splits.yaml)",),
    )


def _level(assumed: float, share: float) -> float:
    """The probability under the assumed base rate that is an even chance where violations have this share.

    Log-odds move by the difference of the prior log-odds (Saerens, Latinne and Decaestecker 2002).
    """
    share = min(max(share, 1e-6), 1 - 1e-6)
    odds = assumed / (1 - assumed) * (1 - share) / share
    return odds / (1 + odds)


def _overall(table: _Rows, level: float) -> Iterator[Figure]:
    sure = ~table.borderline
    yield estimate("AUC, any violation", _told(table, table.violates, ~table.violates), table.groups, gate=0.01)
    yield estimate(
        "AUC, any violation, borderline rows left out",
        _told(table, table.clear, ~table.violates),
        table.groups,
        rows=int(sure.sum()),
        gate=0.01,
    )
    yield estimate(
        f"recall of clear violations at {FALSE_ALARMS:.0%} false alarms on hard clean rows",
        _recall(table, table.clear, table.hard),
        table.groups,
        rows=int((table.clear | table.hard).sum()),
        gate=0.04,
    )
    agreed = (table.clear | table.hard) & table.agreed
    yield estimate(
        "the same, without the rows that a blind second reader put on the other side",
        _recall(table, table.clear & agreed, table.hard & agreed),
        table.groups,
        rows=int(agreed.sum()),
    )
    verdicts = [row.policy or CLEAN for row in table.judged]
    yield _f1("macro-F1 over the nine policies", table, verdicts, gate=0.03)
    shifted = [
        max(row.scores, key=row.scores.__getitem__) if row.violation >= level and row.scores else CLEAN
        for row in table.judged
    ]
    yield _f1("macro-F1 over the nine policies, at the rows' own share of violations", table, shifted, gate=0.03)


def _f1(name: str, table: _Rows, said: Sequence[str], *, gate: float) -> Figure:
    """F1 over the rows that are not borderline."""
    sure = [i for i, row in enumerate(table.judged) if not row.text.borderline]
    told = np.array([said[i] for i in sure], dtype=object)
    labels = [table.judged[i].text.labels for i in sure]
    truth = np.array(
        [word if word in names else min(names, default=CLEAN) for word, names in zip(told, labels, strict=True)],
        dtype=object,
    )
    return estimate(
        name,
        lambda picked: macro_f1(list(truth[picked]), list(told[picked]), list(Policy)),
        [table.groups[i] for i in sure],
        gate=gate,
    )


def _by_policy(table: _Rows) -> Iterator[Figure]:
    for policy in Policy:
        positive = table.where(lambda text, policy=policy: policy in text.labels)  # type: ignore[misc]
        scores = np.array([row.scores.get(policy, 0.0) for row in table.judged])
        yield estimate(
            f"AUC, {policy}, against all other rows",
            lambda picked, positive=positive, scores=scores: auc(positive[picked], scores[picked]),  # type: ignore[misc]
            table.groups,
            rows=int(positive.sum()),
            gate=0.03,
        )


def _told(table: _Rows, positive: Bools, negative: Bools) -> Measure:
    """AUC by the probability of any violation of the `positive` rows against the `negative` ones."""

    def measure(picked: Rows) -> float:
        among = picked[positive[picked] | negative[picked]]
        return auc(positive[among], table.violation[among])

    return measure


def _recall(table: _Rows, positive: Bools, clean: Bools) -> Measure:
    return lambda picked: recall_at(positive[picked], table.violation[picked], clean[picked], FALSE_ALARMS)


def _tables(table: _Rows) -> Iterator[Table]:
    """By policy and so on; a slice without clean rows is told from all clean ones, and the other way round."""
    languages, kinds, writers = (
        sorted({str(getattr(row.text, name)) for row in table.judged}) for name in ("lang", "kind", "writer")
    )
    slices: dict[str, dict[str, Bools]] = {
        "By policy": {policy: table.where(lambda t, p=policy: p in t.labels) for policy in Policy},  # type: ignore[misc]
        "By severity": {rank: table.where(lambda t, r=rank: t.severity == r) for rank in Severity},  # type: ignore[misc]
        "By language": {code: table.where(lambda t, c=code: t.lang == c) for code in languages},  # type: ignore[misc]
        "By hardness": {
            "clean, easy": ~table.violates & ~table.hard,
            "clean, hard": table.hard,
            "borderline": table.borderline,
            "clear violation": table.clear,
        },
        "By kind": {kind: table.where(lambda t, k=kind: t.kind == k) for kind in kinds},  # type: ignore[misc]
        "By writer": {name: table.where(lambda t, w=name: t.writer == w) for name in writers},  # type: ignore[misc]
    }
    head = ("rows of", "clean", "violating", "AUC, any violation", f"recall at {FALSE_ALARMS:.0%} false alarms")
    for title, parts in slices.items():
        lines = [_line(name, inside, table) for name, inside in parts.items() if inside.any()]
        yield Table(title, head, tuple(lines))


def _line(name: str, inside: Bools, table: _Rows) -> tuple[str, ...]:
    clean, violating = inside & ~table.violates, inside & table.violates
    sure = violating & ~table.borderline
    positive = sure if sure.any() else violating if violating.any() else table.clear
    negative = clean if clean.any() else ~table.violates
    recall = cell(_recall(table, positive, table.hard), table.groups) if violating.any() else ""
    counts = (str(int(clean.sum())), str(int(violating.sum())))
    return name, *counts, cell(_told(table, positive, negative), table.groups), recall
