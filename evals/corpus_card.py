"""Writes the data card of our corpus from the rows themselves: what is in it, by whom, and how sure the labels are.

Run by `python -m evals.corpus_card`.
"""

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from domain.vocabulary import Policy, Severity
from screening.training import readings
from screening.training.sources import CALIBRATION, CLEAN, TEST, TRAIN, writers

CORPUS = Path(__file__).parent.parent / "data" / "corpus"
PARTS = (TRAIN, CALIBRATION, TEST)
Row = Mapping[str, object]

INTRODUCTION = """# Data card of the corpus

Texts as people write them in dating and social apps, each with the label that a careful moderator would give it from
the text alone. It trains, calibrates and tests the embedded classifier; which writer serves what is in `splits.yaml`,
and nobody stands in two parts. The label guide is `GUIDE.md`. Rebuild this page with `python -m evals.corpus_card`.

**Where it comes from.** All of it is our own writing for this purpose and shipped under the product's licence; nothing
was copied from people's messages. The writers `w0` to `w77` are a large language model under
seventy-eight different briefs (places, ages, registers, specialities), each working apart and without seeing the
others' rows; `w17` alone saw a few opening rows of `w10` and `w11`. `w72`, and three fifths of the second labels of
`w63` to `w69`, came after version 7 of the model was built and are there for the next. Small scripts balanced full
stops and capitals in some files after writing, so that they do not give labels away; no row was made by a program.
`frames/` is another matter: its sentences have holes that a program fills with groups of people, for training alone.

**Public texts.** {public} texts of public sets that training reads were labelled anew by this guide, because their
authors asked other questions. `public_labels.jsonl` keeps those labels by digest; the texts are not shipped.

**How sure the labels are.** A second reader labelled {second} rows blind: all of the calibration and test parts but for
most of `w5`, and half of the training part. Where the two differ both labels are kept (`second` in the row);
training learns a mixture, and the evaluations go by the writer's. The second reader is a model of the same kind as the
writers, so the agreement below overstates what people would reach among themselves, and no native speaker has reviewed
the ten languages.

**What it is not.** People write in more ways than any writer imagines; figures on the test part are for comparing, and
what moderators decide on a community's own traffic (`cupidsshield calibrate`) outweighs them. Clean rows are mostly
written to fool a filter, which ordinary traffic seldom is. Self-harm and minors are told by tell-tales only.
"""


HARD_SET = """`hard/` is apart from all of the above. Its rows were written by `h1`, a model of the kind of the other
writers, to be what a small classifier doubts: quotation, negation, irony, code, quiet harm, mostly in pairs of a
violation and what looks like it. It belongs to no part: nothing is trained, tuned or fitted on it, and the suite
`reasoning` alone reads it. Because it was written for that, its figures say how doubtful texts fare and nothing of
traffic. A second reader labelled it blind as well, often with both rows of a pair in sight, which makes agreeing easy;
the suite goes by the writer's labels.
"""


def main() -> int:
    """Write the card beside the rows."""
    parser = argparse.ArgumentParser(prog="python -m evals.corpus_card", description=__doc__)
    parser.add_argument("--corpus", type=Path, default=CORPUS, help="folder with rows/ and splits.yaml")
    corpus: Path = parser.parse_args().corpus
    (corpus / "CARD.md").write_text(render(corpus), encoding="utf-8")
    return 0


def render(corpus: Path) -> str:
    """The card as Markdown. Raises Invalid where the split of the writers cannot be read."""
    paths = sorted((corpus / "rows").glob("*.jsonl"))
    rows: list[Row] = [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines()]
    part_of = {writer: part for part in PARTS for writer in writers(corpus, part)}
    second = [row for row in rows if "second" in row]
    return "\n".join(
        [
            INTRODUCTION.format(second=len(second), public=f"{len(readings.load(corpus)):,}"),
            _facts(rows),
            "## Labels by part\n",
            _counts(rows, "label", [*Policy, CLEAN], lambda row: str(row["policy"]), part_of),
            "## Severities by part\n",
            _counts(rows, "severity", list(Severity), lambda row: str(row["severity"]), part_of),
            "## Languages by part\n",
            _counts(rows, "language", _common(rows, "lang"), lambda row: str(row["lang"]), part_of),
            "## Writers\n",
            _writers(rows, part_of),
            "## Agreement of the blind second reader\n",
            _agreement(second),
            "## The hard set\n",
            HARD_SET,
            _hard(corpus),
        ]
    )


def kappa(one: Sequence[str], other: Sequence[str]) -> float:
    """Cohen's kappa (1960): agreement beyond chance; nan where chance alone agrees always."""
    total = len(one)
    agreed = sum(a == b for a, b in zip(one, other, strict=True)) / total
    mine, theirs = Counter(one), Counter(other)
    chance = sum(mine[label] * theirs[label] for label in mine) / total**2
    return (agreed - chance) / (1 - chance) if chance < 1 else float("nan")


def _facts(rows: Sequence[Row]) -> str:
    total = len(rows)
    hard = sum(row["hard"] is True and row["policy"] == CLEAN for row in rows)
    clean = sum(row["policy"] == CLEAN for row in rows)
    borderline = sum(row["borderline"] is True for row in rows)
    foreign = sum(row["lang"] != "en" for row in rows)
    scenarios = len({row["scenario"] for row in rows})
    return (
        f"**In figures.** {total} rows over {scenarios} scenarios by {len({row['writer'] for row in rows})} writers; "
        f"{clean / total:.1%} clean, {hard / total:.1%} clean and hard, {borderline / total:.1%} borderline, "
        f"{foreign / total:.1%} in languages other than English.\n"
    )


def _counts(
    rows: Sequence[Row], head: str, names: Sequence[str], of: Callable[[Row], str], part_of: Mapping[str, str]
) -> str:
    counts = Counter((of(row), part_of[str(row["writer"])]) for row in rows)
    body = [(name, *(str(counts[name, part]) for part in PARTS)) for name in names]
    return _table((head, *PARTS), body)


def _writers(rows: Sequence[Row], part_of: Mapping[str, str]) -> str:
    body = []
    for writer in sorted(part_of, key=lambda name: int(name[1:])):
        own = [row for row in rows if row["writer"] == writer]
        hard = sum(row["hard"] is True and row["policy"] == CLEAN for row in own)
        scenarios = len({row["scenario"] for row in own})
        languages = len({row["lang"] for row in own})
        body.append(
            (writer, part_of[writer], str(len(own)), str(scenarios), f"{hard / max(len(own), 1):.0%}", str(languages))
        )
    return _table(("writer", "part", "rows", "scenarios", "clean and hard", "languages"), body)


def _hard(corpus: Path) -> str:
    paths = sorted((corpus / "hard").glob("*.jsonl"))
    rows: list[Row] = [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines()]
    labels, severities = (Counter(str(row[field]) for row in rows) for field in ("policy", "severity"))
    body = [(name, str(labels[name])) for name in [*Policy, CLEAN]]
    by_severity = [(name, str(severities[name])) for name in Severity]
    tables = (_table(("label", "rows"), body), _table(("severity", "rows"), by_severity))
    agreement = _agreement([row for row in rows if "second" in row])
    return "\n".join((_facts(rows), *tables, "How a blind second reader agrees:\n", agreement))


def _agreement(rows: Sequence[Row]) -> str:
    """Kappa of violation or clean for each policy against the rest, and over all labels."""
    first = [str(row["policy"]) for row in rows]
    other = [_second(row) for row in rows]
    body = [("any violation", *_pair([_of(x, CLEAN) for x in first], [_of(x, CLEAN) for x in other]))]
    body += [(policy, *_pair([_of(x, policy) for x in first], [_of(x, policy) for x in other])) for policy in Policy]
    body.append(("all labels", *_pair(first, other)))
    return _table(("question", "rows", "differ", "kappa"), body)


def _pair(one: Sequence[str], other: Sequence[str]) -> tuple[str, str, str]:
    differ = sum(a != b for a, b in zip(one, other, strict=True))
    return str(len(one)), str(differ), f"{kappa(one, other):.3f}" if one else "–"


def _of(label: str, wanted: str) -> str:
    return "yes" if label == wanted else "no"


def _second(row: Row) -> str:
    second = row["second"]
    return str(second["policy"]) if isinstance(second, dict) else ""


def _common(rows: Sequence[Row], field: str) -> list[str]:
    return [name for name, _ in Counter(str(row[field]) for row in rows).most_common()]


def _table(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *body)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
