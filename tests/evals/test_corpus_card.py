"""The shipped corpus keeps its promises, and its card says what is in it."""

import json
from collections import Counter
from pathlib import Path

import pytest

import data
from domain.vocabulary import ContentType, Policy, Severity
from evals import corpus_card
from screening.training.sources import CLEAN

OWN = Path(data.__path__[0]) / "corpus"


@pytest.fixture(scope="module")
def rows() -> list[dict[str, object]]:
    paths = sorted((OWN / "rows").glob("*.jsonl"))
    return [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines()]


def test_the_card_is_that_of_the_rows() -> None:
    assert (OWN / "CARD.md").read_text(encoding="utf-8") == corpus_card.render(OWN), (
        "run `python -m evals.corpus_card` and commit data/corpus/CARD.md"
    )


def test_the_corpus_is_wide(rows: list[dict[str, object]]) -> None:
    assert len(rows) >= 6_000
    assert len({row["scenario"] for row in rows}) >= 600
    assert sum(row["policy"] == CLEAN and row["hard"] is True for row in rows) >= len(rows) / 2
    assert sum(row["lang"] != "en" for row in rows) >= 0.15 * len(rows)
    assert min(Counter(row["policy"] for row in rows)[policy] for policy in Policy) >= 400


def test_every_row_is_whole(rows: list[dict[str, object]]) -> None:
    assert len({row["id"] for row in rows}) == len(rows)
    for row in rows:
        label, severity = row["policy"], row["severity"]
        assert str(row["text"]).strip(), row["id"]
        assert len(str(row["text"])) <= 1_200, row["id"]
        assert str(row["id"]).startswith(f"{row['writer']}-"), row["id"]
        assert str(row["scenario"]).startswith(f"{row['writer']}-"), row["id"]
        ContentType(str(row["kind"]))
        if label == CLEAN:
            assert (severity, row["also"], row["borderline"]) == (None, [], False), row["id"]
        else:
            assert Policy(str(label))
            assert Severity(str(severity))


def test_no_longer_text_stands_in_two_parts(rows: list[dict[str, object]]) -> None:
    writers: dict[str, set[object]] = {}
    for row in rows:
        if len(str(row["text"]).split()) > 5:
            writers.setdefault(str(row["text"]).lower(), set()).add(row["writer"])
    assert not [text for text, by in writers.items() if len(by) > 1]


def test_kappa_is_one_for_equals_and_nothing_for_chance() -> None:
    assert corpus_card.kappa(["a", "b", "a"], ["a", "b", "a"]) == 1
    assert corpus_card.kappa(["a", "a", "b", "b"], ["a", "b", "a", "b"]) == 0
    assert corpus_card.kappa(["a", "a", "a", "b"], ["a", "a", "b", "b"]) == pytest.approx(0.5)
