"""Public sets are read as they are published, found where they lie, and downloaded only as they were promised."""

import csv
import gzip
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from domain.content import MAX_TEXT
from domain.errors import Invalid
from evals.catalogue import SETS, Original, PublicSet, cache, files, texts
from evals.download import download, main
from evals.held_out import held_out, why_not
from evals.judging import Text
from evals.public import load, sample


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the machine's user downloaded is nobody's business here."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def write_csv(path: Path, *rows: Mapping[str, object]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_jsonl(path: Path, *rows: Mapping[str, object]) -> Path:
    path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    return path


def normalised(text: str, source: str = "made_up", **labels: object) -> dict[str, object]:
    return {"text": text, "labels": labels, "source": source, "split": "test"}


HATECHECK = {"functionality": "negate_neg_nh", "test_case": "a", "label_gold": "non-hateful", "templ_id": "7"}
HATEMOJI = {"case_id": "3", "test_group_id": "9", "functionality": "append", "text": "a", "label_gold": "1"}
JIGSAW = {"toxic": 0, "severe_toxic": 0, "obscene": 0, "threat": 0, "insult": 0, "identity_hate": 0}
TOXICCHAT = {"conv_id": "x", "user_input": "a", "model_output": "b\nc", "toxicity": "1", "jailbreaking": "0"}


class TestFormats:
    @pytest.mark.parametrize(
        ("row", "labels"),
        [
            (TOXICCHAT, {"inappropriate"}),
            (TOXICCHAT | {"toxicity": "0", "jailbreaking": "1"}, set()),
            ({"comment_text": "a", **JIGSAW}, set()),
            ({"comment_text": "a", **JIGSAW, "obscene": 1}, {"harassment"}),
            ({"comment_text": "a", **JIGSAW, "threat": 1, "identity_hate": 1}, {"threats", "hate"}),
            ({"comment_text": "a", "target": "0.49", "threat": "0.9"}, set()),
            ({"comment_text": "a", "target": "0.5", "threat": "0.1"}, {"harassment"}),
            ({"comment_text": "a", "toxicity": "0.6", "identity_attack": "0.5"}, {"hate"}),
            ({"text": "a", "toxicity": "1", "sexual_explicit": "1", "threat": "1"}, {"inappropriate", "threats"}),
            ({"case_id": "1", **HATECHECK}, set()),
            ({"mhc_case_id": "polish-1", **HATECHECK, "label_gold": "hateful"}, {"hate"}),
            (HATEMOJI, {"hate"}),
            (HATEMOJI | {"label_gold": "0"}, set()),
            ({"Text": "deaf people are a", "Label": "BAD", "Template": "t"}, {"harassment"}),
            ({"template": "t", "toxicity": "nontoxic", "phrase": "a"}, set()),
            ({"text": "a", "is_toxic": "Not Toxic"}, set()),
            ({"text": "a", "is_toxic": "Toxic"}, {"harassment"}),
        ],
    )  # fmt: skip
    def test_what_csv_rows_mean(self, tmp_path: Path, row: Mapping[str, object], labels: set[str]) -> None:
        (found,) = load(write_csv(tmp_path / "set.csv", row))
        assert found.labels == labels

    @pytest.mark.parametrize(
        ("given", "labels"),
        [
            ({"S3": 1}, {"inappropriate", "age_verification"}),
            ({"H2": 1, "V": None}, {"hate", "threats"}),
            ({"HR": 1, "SH": 1}, {"harassment", "self_harm"}),
            ({"V2": 1}, {"threats"}),
            (dict.fromkeys(("S", "H", "V", "HR", "SH", "S3", "H2", "V2"), 0), set()),
        ],
    )
    def test_what_openais_labels_mean(self, tmp_path: Path, given: Mapping[str, Any], labels: set[str]) -> None:
        (found,) = load(write_jsonl(tmp_path / "set.jsonl.gz", {"prompt": "a", **given}))
        assert found.labels == labels

    def test_what_is_unknown_is_not_clean_unless_one_says_so(self, tmp_path: Path) -> None:
        path = write_jsonl(tmp_path / "set.jsonl.gz", {"prompt": "known", "S": 1}, {"prompt": "unknown", "S": 0})
        assert [text.text for text in load(path)] == ["known"]
        assert [text.labels for text in load(path, unknown_as_clean=True)] == [{"inappropriate"}, frozenset()]

    def test_rows_that_nobody_scored_are_left_out(self, tmp_path: Path) -> None:
        unscored = {"comment_text": "b", **dict.fromkeys(JIGSAW, -1)}
        path = write_csv(tmp_path / "set.csv", {"comment_text": "a", **JIGSAW}, unscored)
        assert [text.text for text in load(path)] == ["a"]

    @pytest.mark.parametrize(
        ("labels", "policies"),
        [
            ({"toxic": 1, "hate": 0}, {"harassment"}),
            ({"hate": 1, "threat": 1}, {"hate", "threats"}),
            ({"sexual": 1, "scam": 1, "spam": 1, "self_harm": 1}, {"inappropriate", "scams", "spam", "self_harm"}),
            ({"spam": 0}, set()),
        ],
    )
    def test_what_normalised_labels_mean(self, tmp_path: Path, labels: Mapping[str, int], policies: set[str]) -> None:
        (found,) = load(write_jsonl(tmp_path / "set.jsonl.gz", normalised("a", **labels)))
        assert found.labels == policies
        assert found.violates is bool(policies)

    def test_normalised_copies_keep_functionality_language_and_identity(self, tmp_path: Path) -> None:
        path = write_jsonl(
            tmp_path / "set.jsonl.gz",
            normalised("a", hate=1, functionality="slur_h", target="women"),
            normalised("b", hate=0, lang="mandarin"),
            normalised("African American people are fine", "bias_madlibs_6k", toxic=0),
            normalised("no label at all"),
        )
        slur, mandarin, madlib = load(path)
        assert (slur.slice, slur.lang) == ("slur_h", "en")
        assert mandarin.lang == "zh"
        assert (madlib.slice, madlib.group) == ("african american", "[identity] people are fine")

    def test_templates_group_cases_and_languages_keep_them_apart(self, tmp_path: Path) -> None:
        english = load(write_csv(tmp_path / "a.csv", *({"case_id": str(n), **HATECHECK} for n in (1, 2))))
        polish = load(write_csv(tmp_path / "b.csv", {"mhc_case_id": "polish-1", **HATECHECK}))
        assert english[0].group == english[1].group != polish[0].group
        assert (english[0].id, english[0].slice, polish[0].lang) == ("hatecheck-1", "negate_neg_nh", "pl")
        assert load(write_csv(tmp_path / "c.csv", HATEMOJI))[0].group == "hatemoji-9"

    def test_identities_are_those_that_half_of_the_annotators_saw(self, tmp_path: Path) -> None:
        row = {"comment_text": "a", "target": 1, "female": 0.5, "black": 0.9, "asian": 0.4, "muslim": ""}
        (found,) = load(write_csv(tmp_path / "set.csv", row))
        assert found.slice == "female+black"

    def test_blank_texts_are_passed_over_and_long_ones_cut(self, tmp_path: Path) -> None:
        path = tmp_path / "set.jsonl"
        rows = ({"prompt": text, "S": 1} for text in (" \n", "a" * (MAX_TEXT + 1), "lone \ud83d surrogate"))
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        long, lone = load(path)
        assert len(long.text) == MAX_TEXT
        assert lone.text == "lone ? surrogate"
        assert (long.id, lone.id, lone.group) == ("set-2", "set-3", "set-3")


class TestBrokenFiles:
    @pytest.mark.parametrize(
        ("content", "said"),
        [
            ("text,is_toxic\na,Toxic\nb\n", "line 3: not the 2 fields of the head"),
            ("text,is_toxic\na,Toxic\nb,Toxic,c\n", "line 3: not the 2 fields of the head"),
            ('text,is_toxic\n"a\nb",Toxic\nc,maybe\n', "line 4: is_toxic is 'maybe', where 0 or 1 belongs"),
            ("comment_text,target\na,1.5\n", r"line 2: target is 1.5, where a share in \[0, 1\] belongs"),
            ("comment_text,target\na,much\n", "line 2: could not convert"),
            ('text,is_toxic\n"a"b,Toxic\n', "after line 1: ',' expected"),
            ("text,shade\na,blue\n", "in no known format; its fields are text, shade. Known are .*user_input"),
            ("text,is_toxic\n", "holds no labelled text"),
        ],
    )
    def test_csv_is_refused_with_its_line(self, tmp_path: Path, content: str, said: str) -> None:
        path = tmp_path / "set.csv"
        path.write_text(content)
        with pytest.raises(Invalid, match=said) as refused:
            load(path)
        assert str(path) in str(refused.value)

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            ('{"prompt": "a", "S": 1}\n{"prompt": \n', "line 2: not a JSON object"),
            ('{"prompt": "a", "S": 1}\n["b"]\n', "line 2: not a JSON object"),
            ('{"prompt": "a", "S": 1}\n{"S": 1}\n', "line 2: the field 'prompt' is missing"),
            ('{"prompt": "a", "S": 2}\n', "line 1: S is 2, where 0 or 1 belongs"),
            ('{"text": "a", "labels": 1, "source": "s", "split": "x"}\n', "line 1: 'int' object has no attribute"),
        ],
    )
    def test_json_is_refused_with_its_line(self, tmp_path: Path, content: str, said: str) -> None:
        path = tmp_path / "set.jsonl"
        path.write_text(content)
        with pytest.raises(Invalid, match=said):
            load(path)

    @pytest.mark.parametrize("content", [b"not gzip", gzip.compress(b'{"prompt": "a"}\n' * 99, mtime=0)[:40]])
    def test_a_torn_archive_is_refused(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "set.jsonl.gz"
        path.write_bytes(content)
        with pytest.raises(Invalid, match="cannot be read"):
            load(path)


class TestSample:
    ROWS = tuple(
        Text(id=f"{slice}{n}", text="a", slice=slice, labels=frozenset({"hate"} if n % 4 == 0 else ()))
        for slice, count in (("big", 400), ("small", 40))
        for n in range(count)
    )

    def test_shares_are_kept(self) -> None:
        drawn = sample(self.ROWS, 44)
        assert len(drawn) == 44
        assert sum(row.slice == "big" for row in drawn) == 40
        assert sum(row.violates for row in drawn) == 11

    def test_it_is_the_same_each_time_and_in_order(self) -> None:
        assert sample(self.ROWS, 30) == sample(self.ROWS, 30)
        assert sample(self.ROWS, 30) != sample(self.ROWS, 30, seed=1)
        places = [self.ROWS.index(row) for row in sample(self.ROWS, 30)]
        assert places == sorted(places)

    @pytest.mark.parametrize("limit", [None, 440, 1000])
    def test_without_need_nothing_is_left_out(self, limit: int | None) -> None:
        assert sample(self.ROWS, limit) == list(self.ROWS)


class TestAtHand:
    def test_the_original_comes_before_the_copy_and_the_folder_before_the_cache(self, tmp_path: Path) -> None:
        known = SETS["hatecheck"]
        cache().mkdir(parents=True)
        cached = write_csv(cache() / known.originals[0].file, {"case_id": "1", **HATECHECK})
        assert files("hatecheck", None) == (cached,)
        copy = write_jsonl(tmp_path / "hatecheck.jsonl.gz", normalised("a", hate=1))
        assert files("hatecheck", tmp_path) == (copy,)
        original = write_csv(tmp_path / known.originals[0].file, {"case_id": "1", **HATECHECK})
        assert files("hatecheck", tmp_path) == (original,)

    def test_a_set_of_several_files_needs_all_of_them(self, tmp_path: Path) -> None:
        names = [original.file for original in SETS["multilingual"].originals]
        for number, name in enumerate(names):
            with pytest.raises(
                Invalid, match=r"Multilingual HateCheck .* is not at hand: run `python -m evals.download"
            ):
                files("multilingual", tmp_path)
            write_csv(tmp_path / name, {"mhc_case_id": f"polish-{number}", **HATECHECK})
        assert len(texts("multilingual", tmp_path)) == len(names) == 10

    def test_what_is_missing_is_told_with_its_place(self, tmp_path: Path) -> None:
        with pytest.raises(Invalid, match=f"put it into {tmp_path} as toxic-chat_annotation_test.csv"):
            files("toxicchat", tmp_path)
        with pytest.raises(Invalid, match="put its normalised copy topical_chat"):
            files("topical_chat", tmp_path)

    def test_nothing_is_measured_on_what_training_reads(self, tmp_path: Path) -> None:
        write_jsonl(tmp_path / "civil_toxic_spans.jsonl.gz", normalised("You  FOOL", toxic=1))
        write_jsonl(
            tmp_path / "jigsaw_samples.jsonl.gz", normalised("you fool", toxic=1), normalised("you genius", toxic=0)
        )
        assert why_not("civil_toxic_spans", tmp_path) == "training reads it"
        with pytest.raises(Invalid, match="training reads it"):
            held_out("civil_toxic_spans", tmp_path)
        assert [text.text for text in held_out("jigsaw_samples", tmp_path)] == ["you genius"]
        assert str(tmp_path) not in (why_not("openai", tmp_path) or str(tmp_path)), "reports name no folder"


class Shelf:
    """A web server of fixed files, as an ASGI application."""

    def __init__(self, **kept: bytes) -> None:
        self.kept = kept
        self.asked: list[str] = []

    async def __call__(self, scope: Mapping[str, Any], receive: object, send: Any) -> None:
        name = scope["path"].removeprefix("/")
        self.asked.append(name)
        body = self.kept.get(name)
        await send({"type": "http.response.start", "status": 200 if body else 404, "headers": []})
        await send({"type": "http.response.body", "body": body or b""})


class Offline(httpx2.AsyncBaseTransport):
    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("no route to host")


def kept(*originals: Original) -> PublicSet:
    return PublicSet("set", "a set", "MIT", "https://shelf.test", originals)


class TestDownload:
    CONTENT = b"text,is_toxic\na,Toxic\n"
    SHA256 = hashlib.sha256(CONTENT).hexdigest()
    KNOWN = kept(Original("set.csv", "https://shelf.test/set", SHA256))

    async def test_what_was_promised_is_kept_and_not_fetched_again(self, tmp_path: Path) -> None:
        shelf = Shelf(set=self.CONTENT)
        for _ in range(2):
            (path,) = await download(self.KNOWN, tmp_path / "new", transport=httpx2.ASGITransport(app=shelf))
            assert path.read_bytes() == self.CONTENT
        assert shelf.asked == ["set"]
        path.write_bytes(b"changed since")
        await download(self.KNOWN, tmp_path / "new", transport=httpx2.ASGITransport(app=shelf))
        assert path.read_bytes() == self.CONTENT

    async def test_anything_else_is_thrown_away(self, tmp_path: Path) -> None:
        shelf = httpx2.ASGITransport(app=Shelf(set=b"something else"))
        with pytest.raises(Invalid, match=f"holds another file than promised: SHA-256 .* where {self.SHA256} belongs"):
            await download(self.KNOWN, tmp_path, transport=shelf)
        assert list(tmp_path.iterdir()) == []

    async def test_without_network_it_says_which_file_belongs_where(self, tmp_path: Path) -> None:
        with pytest.raises(Invalid, match=f"ConnectError: no route to host.*put it into {tmp_path} as set.csv"):
            await download(self.KNOWN, tmp_path, transport=Offline())

    async def test_a_file_that_is_gone_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(Invalid, match=r"cannot be had .*404"):
            await download(self.KNOWN, tmp_path, transport=httpx2.ASGITransport(app=Shelf()))
        assert list(tmp_path.iterdir()) == []

    async def test_no_checksum_is_made_up(self, tmp_path: Path) -> None:
        unknown = kept(Original("set.csv", "https://shelf.test/set"))
        shelf = httpx2.ASGITransport(app=Shelf(set=self.CONTENT))
        for promised in (None, "abc"):
            with pytest.raises(Invalid, match="pass one that you trust as --sha256"):
                await download(unknown, tmp_path, sha256=promised, transport=shelf)
        (path,) = await download(unknown, tmp_path, sha256=self.SHA256.upper(), transport=shelf)
        assert path.read_bytes() == self.CONTENT

    async def test_what_has_no_address_is_fetched_by_hand(self, tmp_path: Path) -> None:
        with pytest.raises(Invalid, match="cannot be downloaded without an account"):
            await download(kept(Original("set.csv")), tmp_path, transport=Offline())
        with pytest.raises(Invalid, match="cannot be downloaded: "):
            await download(replace(kept(), normalised="set"), tmp_path, transport=Offline())
        with pytest.raises(Invalid, match="leave it out"):
            await download(kept(), tmp_path, sha256=self.SHA256, transport=Offline())

    def test_the_command_tells_what_it_could_not_have(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["jigsaw", "--to", str(tmp_path)]) == 1
        assert "cannot be downloaded without an account" in capsys.readouterr().err


def pinned() -> Iterator[Original]:
    for known in SETS.values():
        yield from (original for original in known.originals if original.sha256)


def test_a_checksum_is_told_only_of_an_address_whose_content_cannot_change() -> None:
    found: Sequence[Original] = list(pinned())
    assert len(found) == 15
    for original in found:
        assert len(original.sha256 or "") == 64
        commit = (original.url or "").split("/")[5]
        assert len(commit) == 40, f"{original.url} names no commit"
        assert int(commit, 16)
