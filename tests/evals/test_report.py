"""A report comes back as it was written, and a later run is held against it."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from domain.errors import Invalid
from evals.report import Figure, Report, Table, compare, index, markdown, read, write

AUC = Figure("AUC", 0.91, 0.88, 0.94, rows=445, gate=0.01, bar="0.90 on easier text")
ERROR = Figure("error", 0.02, gate=0.005, higher_is_better=False)
SHOWN = Figure("only shown", 0.5)


def report(*figures: Figure, suite: str = "own") -> Report:
    return Report(
        suite=suite,
        title="Own texts",
        what="Texts, judged.",
        figures=figures or (AUC, ERROR, SHOWN),
        tables=(Table("By language", ("language", "AUC"), (("en", "0.910"), ("de | at", "0.900"))),),
        pictures=("curve.png",),
        model="tiny 1",
        sources=("our own corpus",),
    )


class TestRoundTrip:
    def test_what_is_written_is_read(self, tmp_path: Path) -> None:
        write(report(), tmp_path / "new")
        assert read("own", tmp_path / "new") == report()

    def test_a_number_that_is_none_survives_as_none(self, tmp_path: Path) -> None:
        write(report(Figure("nothing to measure", math.nan)), tmp_path)
        assert json.loads((tmp_path / "own.json").read_text())["figures"][0]["value"] is None
        assert math.isnan(read("own", tmp_path).figures[0].value)

    def test_people_read_the_same(self) -> None:
        text = markdown(report())
        assert "| AUC | 0.910 | 0.880 to 0.940 | 445 | 0.90 on easier text |" in text
        assert "| de \\| at | 0.900 |" in text
        assert "![curve](curve.png)" in text
        assert "- our own corpus" in text
        assert "tiny 1" in text

    def test_columns_that_say_nothing_are_left_out(self) -> None:
        assert "| figure | value |\n" in markdown(report(SHOWN))

    @pytest.mark.parametrize("broken", ["{", "[]", '{"suite": "own"}', '{"figures": [{"value": "many"}]}'])
    def test_a_broken_report_says_what_to_do(self, tmp_path: Path, broken: str) -> None:
        (tmp_path / "own.json").write_text(broken)
        with pytest.raises(Invalid, match=r"own\.json is not a report .*python -m evals own"):
            read("own", tmp_path)


class TestGate:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        write(report(), tmp_path)
        return tmp_path

    def test_the_same_figures_pass(self, folder: Path) -> None:
        assert compare(report(), folder) == []

    def test_a_loss_within_the_gate_passes(self, folder: Path) -> None:
        assert compare(report(replace(AUC, value=0.90), replace(ERROR, value=0.025), SHOWN), folder) == []

    def test_a_gain_passes(self, folder: Path) -> None:
        assert compare(report(replace(AUC, value=0.99), replace(ERROR, value=0.0), SHOWN), folder) == []

    def test_a_figure_that_got_worse_fails(self, folder: Path) -> None:
        (said,) = compare(report(replace(AUC, value=0.89), ERROR), folder)
        assert said == "own: AUC was 0.910 and is 0.890, worse by 0.020 where 0.010 is allowed"

    def test_an_error_that_grew_fails(self, folder: Path) -> None:
        (said,) = compare(report(AUC, replace(ERROR, value=0.03)), folder)
        assert "error was 0.020 and is 0.030" in said

    @pytest.mark.parametrize("figures", [(ERROR,), (ERROR, replace(AUC, value=math.nan))])
    def test_a_figure_that_is_no_longer_measured_fails(self, folder: Path, figures: tuple[Figure, ...]) -> None:
        (said,) = compare(report(*figures), folder)
        assert said == "own: AUC was 0.910 and is no longer measured"

    def test_what_is_only_shown_never_fails(self, folder: Path) -> None:
        assert compare(report(AUC, ERROR, replace(SHOWN, value=0.0)), folder) == []

    def test_a_run_cannot_loosen_the_gate_that_it_must_pass(self, folder: Path) -> None:
        assert compare(report(replace(AUC, value=0.5, gate=None), ERROR), folder)

    def test_a_new_figure_is_welcome(self, folder: Path) -> None:
        assert compare(report(AUC, ERROR, Figure("new", 0.1, gate=0.0)), folder) == []

    def test_without_an_earlier_report_nothing_can_be_compared(self, tmp_path: Path) -> None:
        with pytest.raises(Invalid, match=r"there is no report .*python -m evals own"):
            compare(report(), tmp_path)


def test_the_index_lists_every_report_with_its_first_figures(tmp_path: Path) -> None:
    many = tuple(Figure(f"figure {number}", number / 10) for number in range(6))
    write(report(), tmp_path)
    write(report(*many, suite="speed"), tmp_path)
    (tmp_path / "bench.md").write_text("# Bench\n")
    index(tmp_path)
    index(tmp_path)
    text = (tmp_path / "README.md").read_text()
    assert "## [Own texts](own.md)" in text
    assert "- AUC: **0.910** (0.880 to 0.940)" in text
    assert "figure 3" in text
    assert "figure 4" not in text
    assert text.endswith("Also here: [bench.md](bench.md)\n")
