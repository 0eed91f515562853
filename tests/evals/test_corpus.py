"""Our own rows are read by the split of the writers, and what is broken is named."""

import re
from pathlib import Path

import pytest

import data
from domain.errors import Invalid
from evals.corpus import hard, rows
from screening.training.sources import CALIBRATION, TEST, TRAIN, writers

ROOMS = ("evals", "screening", "data", "cupidsshield", "policies")
OWN = Path(data.__path__[0]) / "corpus"


def test_a_part_holds_the_rows_of_its_writers(corpus: Path) -> None:
    (corpus / "splits.yaml").write_text("train: [wa]\ntest: [wb]\n")
    found = rows(corpus, "test")
    assert {row.writer for row in found} == {"wb"}
    assert len(found) == 10


def test_a_row_says_what_its_writer_said(corpus: Path) -> None:
    found = {row.id: row for row in rows(corpus, "test")}
    scam, clean = found["wa-0004"], found["wb-0002"]
    assert scam.labels == {"scams", "spam"}
    assert scam.violates
    assert (scam.severity, scam.group, scam.lang, scam.kind) == ("critical", "wa-s4", "en", "message")
    assert (clean.labels, clean.violates, clean.hard, clean.severity) == (frozenset(), False, True, None)
    assert found["wa-0008"].borderline


def test_a_writer_without_rows_is_named(corpus: Path) -> None:
    with pytest.raises(Invalid, match="no rows by wx, who belong to the part 'train'"):
        rows(corpus, "train")


def test_a_broken_row_is_named(corpus: Path) -> None:
    with (corpus / "rows" / "wb.jsonl").open("a") as lines:
        lines.write('{"id": "wb-9", "policy": "rudeness"}\n')
    with pytest.raises(Invalid, match=r"wb\.jsonl, line 11: not a corpus row"):
        rows(corpus, "test")


@pytest.mark.parametrize(
    ("split", "said"),
    [
        ("test: [wa, wb]\ntrain: [wa]\n", "names wa more than once"),
        ("train: [wa]\n", "names nobody for the part 'test'; it knows train"),
        ("- wa\n", "is not a list of writers for each part"),
        ("test: [wa\n", "is not a list of writers for each part"),
    ],
)
def test_a_broken_split_is_refused(corpus: Path, split: str, said: str) -> None:
    (corpus / "splits.yaml").write_text(split)
    with pytest.raises(Invalid, match=said):
        rows(corpus, "test")


def test_a_missing_split_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"splits\.yaml"):
        writers(tmp_path, "test")


def test_the_hard_set_is_read_by_itself(corpus: Path) -> None:
    (corpus / "hard").mkdir()
    (corpus / "rows" / "wb.jsonl").rename(corpus / "hard" / "h1.jsonl")
    assert {row.writer for row in hard(corpus)} == {"wb"}
    with pytest.raises(Invalid, match="no rows by wb"):
        rows(corpus, "test")


def test_a_missing_hard_set_is_refused(corpus: Path) -> None:
    with pytest.raises(Invalid, match="restore the hard set"):
        hard(corpus)


def test_nothing_is_trained_tuned_or_fitted_on_the_hard_set() -> None:
    own = hard(OWN)
    wrote = {row.writer for row in own}
    parts = {part: writers(OWN, part) for part in (TRAIN, CALIBRATION, TEST)}
    assert not wrote & {writer for listed in parts.values() for writer in listed}
    assert not [path for path in (OWN / "rows").glob("*.jsonl") if path.stem in wrote]
    code = [path for room in ROOMS for path in (OWN.parent.parent / room).rglob("*.py")]
    reading = {path.name for path in code if re.search(r'/ "hard"|import.*\bhard\b', path.read_text(encoding="utf-8"))}
    assert reading == {"corpus.py", "corpus_card.py", "reasoning.py"}
    known = {row.text.lower() for part in parts for row in rows(OWN, part)}
    assert not known & {row.text.lower() for row in own}


def test_nobody_is_both_trained_on_and_measured_on() -> None:
    assert not {*writers(OWN, "train"), *writers(OWN, "calibration")} & {*writers(OWN, "test")}
