"""How well screening and policies decide texts by a writer that nothing was trained on or tuned to.

Runs the real chain on each row: screen, assess, decide, for an author without history. Reads the held-out
rows as they are and changes nothing. Intervals are 95 % bootstrap intervals over scenarios, because rows of
one scenario are not independent. Run by `python -m evals.screening_quality`.
"""

import argparse
import asyncio
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from domain.assessment import Assessment
from domain.clock import now
from domain.content import Content
from domain.history import SubjectHistory
from domain.vocabulary import ContentType, DecisionKind, Policy
from policies.assess import assess
from policies.decide import decide
from policies.loader import load as load_policies
from screening.screen import Screener

ROOT = Path(__file__).parent.parent
ROWS = ROOT / "data" / "corpus" / "rows" / "w5.jsonl"
MODEL = ROOT / "data" / "models" / "minilm-v1"
REPORT = Path(__file__).parent / "reports" / "screening_quality.md"
APP = "evaluation"
BASE_RATE = 0.10
"""Share of violations in the traffic that weighted figures are meant for; the rows hold about half."""

RESAMPLES = 1_000
BINS = 10
TOGETHER = 16


@dataclass(frozen=True)
class Judged:
    """One held-out row, what its writer says it is, and what became of it."""

    scenario: str
    labels: frozenset[str]
    borderline: bool
    hard: bool
    kind: DecisionKind
    assessment: Assessment

    @property
    def violates(self) -> bool:
        return "clean" not in self.labels


Measure = Callable[[Sequence[Judged]], float]


async def judge(path: Path, model: Path) -> list[Judged]:
    """Screen and decide every row of a corpus file."""
    screener = Screener.load(model)
    policies = load_policies()

    async def one(row: Mapping[str, object]) -> Judged:
        kind = str(row["kind"])
        content = Content(
            app_id=APP,
            content_id=str(row["id"]),
            content_type=ContentType(kind),
            text=str(row["text"]),
            user_id=str(row["id"]),
        )
        history = SubjectHistory(user_id=content.user_id)
        opinion = assess(
            screening=await screener.screen(content),
            content=content,
            history=history,
            same_content=None,
            precedents=(),
            unavailable=(),
            policies=policies,
            now=now(),
        )
        also = row.get("also")
        return Judged(
            scenario=str(row["scenario"]),
            labels=frozenset({str(row["policy"]), *(also if isinstance(also, list) else ())}),
            borderline=row["borderline"] is True,
            hard=row["hard"] is True,
            kind=decide(opinion, history, policies, APP).kind,
            assessment=opinion,
        )

    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        judged: list[Judged] = []
        for start in range(0, len(rows), TOGETHER):
            judged += await asyncio.gather(*(one(row) for row in rows[start : start + TOGETHER]))
        return judged
    finally:
        screener.close()


def auc(positive: Callable[[Judged], bool], score: Callable[[Judged], float]) -> Measure:
    """Area under the ROC curve: how often a positive row outranks a negative one, ties counting half."""

    def measure(rows: Sequence[Judged]) -> float:
        yes = np.array([score(row) for row in rows if positive(row)])
        no = np.sort([score(row) for row in rows if not positive(row)])
        if not len(yes) or not len(no):
            return float("nan")
        below = np.searchsorted(no, yes, side="left") + np.searchsorted(no, yes, side="right")
        return float(below.mean() / 2 / len(no))

    return measure


def share(of: Callable[[Judged], bool], among: Callable[[Judged], bool], *, weighted: bool = False) -> Measure:
    """The share of rows `among` which are `of`; weighted, as if violations came at the base rate."""

    def measure(rows: Sequence[Judged]) -> float:
        weights = _weights(rows) if weighted else np.ones(len(rows))
        inside = np.array([among(row) for row in rows])
        hits = np.array([of(row) for row in rows]) & inside
        total = float(weights[inside].sum())
        return float(weights[hits].sum()) / total if total else float("nan")

    return measure


def calibration_error(rows: Sequence[Judged]) -> float:
    """Expected calibration error of any violation at the base rate (Naeini et al. 2015), ten equal bins."""
    weights = _weights(rows)
    chance = np.array([row.assessment.violation_probability for row in rows])
    true = np.array([row.violates for row in rows], dtype=float)
    place = np.minimum((chance * BINS).astype(int), BINS - 1)
    gaps = np.bincount(place, weights * (true - chance), BINS)
    return float(np.abs(gaps).sum() / weights.sum())


def _weights(rows: Sequence[Judged]) -> NDArray[np.float64]:
    violates = np.array([row.violates for row in rows])
    rate = min(max(float(violates.mean()), 1e-9), 1 - 1e-9)
    return np.where(violates, BASE_RATE / rate, (1 - BASE_RATE) / (1 - rate))


def measures() -> dict[str, Measure]:
    """Every figure of the report by its name."""

    def approved(row: Judged) -> bool:
        return row.kind is DecisionKind.APPROVED

    def rejected(row: Judged) -> bool:
        return row.kind is DecisionKind.REJECTED

    def escalated(row: Judged) -> bool:
        return row.kind is DecisionKind.ESCALATED

    def clear_violation(row: Judged) -> bool:
        return row.violates and not row.borderline

    slices: dict[str, Callable[[Judged], bool]] = {
        "clean, easy": lambda row: not row.violates and not row.hard,
        "clean, hard": lambda row: not row.violates and row.hard,
        "borderline": lambda row: row.borderline,
        "clear violations": clear_violation,
    }
    found: dict[str, Measure] = {
        "AUC, any violation": auc(lambda r: r.violates, lambda r: r.assessment.violation_probability),
        "AUC, any violation, borderline rows left out": lambda rows: auc(
            lambda r: r.violates, lambda r: r.assessment.violation_probability
        )([row for row in rows if not row.borderline]),
        "ECE at the base rate": calibration_error,
        "precision of approvals at the base rate": share(lambda r: not r.violates, approved, weighted=True),
        "precision of rejections at the base rate": share(lambda r: r.violates, rejected, weighted=True),
        "escalated at the base rate": share(escalated, lambda r: True, weighted=True),
        "right policy named, clear violations": share(
            lambda r: r.assessment.policy in r.labels, lambda r: clear_violation(r) and r.assessment.policy is not None
        ),
    }
    for name, among in slices.items():
        for verb, of in (("approved", approved), ("escalated", escalated), ("rejected", rejected)):
            found[f"{name}: {verb}"] = share(of, among)
    for policy in Policy:
        found[f"AUC, {policy}"] = auc(
            lambda r, policy=policy: policy in r.labels,  # type: ignore[misc]
            lambda r, policy=policy: r.assessment.scores.get(policy, 0.0),  # type: ignore[misc]
        )
    return found


def with_interval(measure: Measure, rows: Sequence[Judged], *, seed: int = 0) -> tuple[float, float, float]:
    """A figure and its 95 % bootstrap interval over scenarios."""
    scenarios: dict[str, list[Judged]] = {}
    for row in rows:
        scenarios.setdefault(row.scenario, []).append(row)
    groups = list(scenarios.values())
    random = np.random.default_rng(seed)
    drawn = [
        measure([row for pick in random.integers(0, len(groups), len(groups)) for row in groups[pick]])
        for _ in range(RESAMPLES)
    ]
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return measure(rows), float(low), float(high)


def report(rows: Sequence[Judged]) -> str:
    """The report as Markdown."""
    clear = sum(row.violates and not row.borderline for row in rows)
    clean = sum(not row.violates for row in rows)
    kinds = Counter(row.kind for row in rows)
    lines = [
        "# Quality of screening on a writer it never saw",
        "",
        f"{len(rows)} texts by the held-out writer: {clean} clean, {len(rows) - clean - clear} borderline, {clear} "
        f"clear violations. {kinds[DecisionKind.APPROVED]} were approved, {kinds[DecisionKind.ESCALATED]} escalated "
        f"and {kinds[DecisionKind.REJECTED]} rejected.",
        "",
        "Each was screened, assessed and decided by the shipped model, rules and thresholds, for an author without "
        "history and without language models. “At the base rate” weighs the rows as if "
        f"{BASE_RATE:.0%} of them were violations; half of the clean rows are written to look like one, so ordinary "
        "traffic is easier. Intervals: 95 % bootstrap over scenarios; where every row of a small group agrees, the "
        "interval says nothing. Rebuild with `python -m evals.screening_quality`.",
        "",
        "| figure | value | 95 % interval |",
        "|---|---|---|",
    ]
    for name, measure in measures().items():
        value, low, high = with_interval(measure, rows)
        lines.append(f"| {name} | {value:.3f} | {low:.3f} to {high:.3f} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Judge the held-out rows, print the report and write it to its file."""
    parser = argparse.ArgumentParser(prog="python -m evals.screening_quality", description=__doc__)
    parser.add_argument("--rows", type=Path, default=ROWS)
    parser.add_argument("--model", type=Path, default=MODEL)
    parser.add_argument("--report", type=Path, default=REPORT)
    chosen = parser.parse_args()
    text = report(asyncio.run(judge(chosen.rows, chosen.model)))
    chosen.report.parent.mkdir(parents=True, exist_ok=True)
    chosen.report.write_text(text, encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
