"""The shipped corpus keeps its promises, and its card says what is in it."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import data
from domain.vocabulary import ContentType, Policy, Severity
from evals import corpus_card
from screening.training.sources import CLEAN

FIELDS = ("id", "scenario", "writer", "kind", "text", "policy", "also", "severity", "borderline", "hard", "lang")
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


@pytest.fixture(scope="module")
def hard() -> list[dict[str, Any]]:
    paths = sorted((OWN / "hard").glob("*.jsonl"))
    return [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines()]


def test_the_hard_set_is_wide_and_even(hard: list[dict[str, Any]]) -> None:
    assert len(hard) >= 320
    assert 0.4 <= sum(row["policy"] == CLEAN for row in hard) / len(hard) <= 0.6
    assert 0.12 <= sum(row["lang"] != "en" for row in hard) / len(hard) <= 0.2
    assert len({row["lang"] for row in hard}) == 11
    assert min(Counter(row["policy"] for row in hard)[policy] for policy in Policy) >= 10
    assert max(Counter(row["scenario"] for row in hard).values()) <= 2
    assert {row["severity"] for row in hard} == {None, *Severity}


def test_every_row_of_the_hard_set_is_whole(hard: list[dict[str, Any]]) -> None:
    test_every_row_is_whole(hard)
    assert len({row["text"].lower() for row in hard}) == len(hard)
    for row in hard:
        assert set(row) <= {*FIELDS, "conversation", "second"}, row["id"]
        for line in row.get("conversation", ()):
            assert line.keys() == {"by", "text"}, row["id"]
            assert line["by"] in ("author", "other"), row["id"]


def test_kappa_is_one_for_equals_and_nothing_for_chance() -> None:
    assert corpus_card.kappa(["a", "b", "a"], ["a", "b", "a"]) == 1
    assert corpus_card.kappa(["a", "a", "b", "b"], ["a", "b", "a", "b"]) == 0
    assert corpus_card.kappa(["a", "a", "a", "b"], ["a", "a", "b", "b"]) == pytest.approx(0.5)
