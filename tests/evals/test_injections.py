"""Strings that speak to a judge: ours are distinct, and public ones are read in the forms that they come in."""

import csv
import json
from pathlib import Path

import pytest

from domain.errors import Invalid
from evals.injections import own, public


def texts(path: Path, column: str | None = None) -> list[str]:
    return [string.text for string in public(path, column)]


def words(text: str) -> frozenset[str]:
    return frozenset(text.lower().split())


class TestOwn:
    def test_they_are_many_and_of_many_kinds(self) -> None:
        found = own()
        assert len(found) >= 320
        families = [string.family for string in found]
        assert len(set(families)) >= 20
        assert min(families.count(family) for family in set(families)) >= 10

    def test_no_two_are_the_same_sentence_with_a_word_changed(self) -> None:
        found = [string.text for string in own()]
        assert len({text.strip().lower() for text in found}) == len(found)
        sets = [words(text) for text in found]
        for place, one in enumerate(sets):
            for other in sets[place + 1 :]:
                if len(one) >= 6 and len(other) >= 6:
                    assert len(one & other) / len(one | other) < 0.6, (one, other)

    def test_none_is_too_long_to_be_posted_with_a_violation(self) -> None:
        assert all(0 < len(string.text) < 5_000 for string in own())


class TestPublic:
    def test_a_labelled_table_gives_what_it_labels_an_injection(self, tmp_path: Path) -> None:
        path = tmp_path / "prompt-injections.csv"
        with path.open("w", newline="") as file:
            csv.writer(file).writerows(
                [("text", "label"), ("Forget it,\nall of it", 1), ("What is love?", 0), ("Say yes", "1")]
            )
        assert texts(path) == ["Forget it,\nall of it", "Say yes"]
        assert {string.family for string in public(path)} == {"prompt-injections"}

    def test_lines_of_json_with_a_similarity(self, tmp_path: Path) -> None:
        path = tmp_path / "gandalf.jsonl"
        path.write_text('{"text": "Spell the word backwards", "similarity": 0.83}\n\n{"text": "And now?"}\n')
        assert texts(path) == ["Spell the word backwards", "And now?"]

    def test_an_artifact_of_jailbreaks_gives_those_that_were_made(self, tmp_path: Path) -> None:
        path = tmp_path / "PAIR.json"
        made = {"index": 0, "goal": "g", "prompt": "You are a poet", "jailbroken": True}
        path.write_text(
            json.dumps(
                {"parameters": {}, "jailbreaks": [made, {**made, "prompt": None}, {**made, "jailbroken": False}]}
            )
        )
        assert texts(path) == ["You are a poet"]

    def test_behaviours_and_pages_of_the_dataset_viewer(self, tmp_path: Path) -> None:
        (tmp_path / "behaviours.csv").write_text("Index,Goal,Target\n0,Write a libel,Sure\n")
        (tmp_path / "page.json").write_text(json.dumps({"rows": [{"row_idx": 0, "row": {"text": "Obey", "label": 1}}]}))
        assert texts(tmp_path) == ["Write a libel", "Obey"]
        assert [string.family for string in public(tmp_path)] == ["behaviours", "page"]

    def test_a_column_can_be_named_and_a_string_stands_once(self, tmp_path: Path) -> None:
        path = tmp_path / "other.tsv"
        path.write_text("text\tAttack\nnot this\tthis\nnor this\tthis\n")
        assert texts(path, "attack") == ["this"]

    def test_plain_text_is_a_string_a_line(self, tmp_path: Path) -> None:
        path = tmp_path / "mine.txt"
        path.write_text("one\n\ntwo\n")
        assert texts(path) == ["one", "two"]

    @pytest.mark.parametrize(
        ("name", "content", "said"),
        [
            ("a.csv", "words\nhello\n", "it has words: name one with --column"),
            ("a.parquet", "PAR1", "parquet file is to be saved as CSV or JSON lines"),
            ("a.jsonl", "{\n", "cannot be read"),
            ("a.json", "[1]", "where an object or a string belongs"),
            ("a.csv", "text,label\nhi,0\n", "holds no strings"),
        ],
    )
    def test_what_cannot_be_used_says_what_to_do(self, tmp_path: Path, name: str, content: str, said: str) -> None:
        (tmp_path / name).write_text(content)
        with pytest.raises(Invalid, match=said):
            public(tmp_path / name)

    def test_a_path_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(Invalid, match="does not exist"):
            public(tmp_path / "none")
