"""The command: what it writes, what it refuses, and how its gate fails."""

import json
import sys
from pathlib import Path

import pytest

from evals import estimate
from evals.__main__ import FAILED, WORSE, main
from evals.report import read
from evals.suites import NAMES, SUITES, speed


def run(corpus: Path, model: Path, reports: Path, *arguments: str) -> int:
    return main([*arguments, "--corpus", str(corpus), "--model", str(model), "--reports", str(reports)])


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Intervals are tested with the figures; here they would only take time."""
    monkeypatch.setattr(estimate, "RESAMPLES", 20)


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    return tmp_path / "reports"


class TestSuites:
    def test_they_write_what_they_found(self, corpus: Path, model_folder: Path, reports: Path) -> None:
        assert run(corpus, model_folder, reports, "own", "routing", "calibration") == 0
        own = read("own", reports)
        figures = {figure.name: figure for figure in own.figures}
        assert figures["AUC, any violation"].rows == 20
        assert figures["AUC, any violation, borderline rows left out"].value > 0.8, "plain violations stand out"
        assert {line[0] for table in own.tables if table.title == "By language" for line in table.rows} == {"de", "en"}
        shares = {figure.name: figure.value for figure in read("routing", reports).figures}
        decided = sum(shares[f"{kind}, at 5% violations"] for kind in ("approved", "rejected", "escalated"))
        assert decided == pytest.approx(1)
        assert (reports / "calibration.png").read_bytes().startswith(b"\x89PNG")
        assert "[Screening on writers it never saw](own.md)" in (reports / "README.md").read_text()

    def test_a_limit_takes_fewer_texts(self, corpus: Path, model_folder: Path, reports: Path) -> None:
        assert run(corpus, model_folder, reports, "own", "--limit", "7") == 0
        assert read("own", reports).figures[0].rows == 7

    def test_speed_is_told_beside_the_bare_pass(
        self, corpus: Path, model_folder: Path, reports: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(speed, "ROUNDS", 1)
        monkeypatch.setattr(speed, "THREADS", (1,))
        assert run(corpus, model_folder, reports, "speed", "--limit", "3") == 0
        found = {figure.name: figure.value for figure in read("speed", reports).figures}
        assert len(found) == 10
        assert all(value > 0 for value in found.values())
        assert {name for name in found if "bare" in name} == {
            "many at once, 1 thread: share of the bare pass's rate",
            "one at a time, 1 thread: share of the bare pass's rate",
            "one at a time, 1 thread: p50, times the bare pass's",
            "one at a time, 1 thread: p95, times the bare pass's",
            "loading, 1 thread: times the bare session's",
        }

    def test_all_of_them_are_known_by_name(self) -> None:
        assert tuple(SUITES) == NAMES
        assert len(NAMES) == 16


class TestGate:
    @pytest.fixture
    def measured(self, corpus: Path, model_folder: Path, reports: Path) -> Path:
        assert run(corpus, model_folder, reports, "own", "calibration") == 0
        return reports

    def test_it_passes_what_did_not_change_and_writes_nothing(
        self, corpus: Path, model_folder: Path, measured: Path
    ) -> None:
        before = {path.name: path.read_bytes() for path in measured.iterdir()}
        assert run(corpus, model_folder, measured, "own", "calibration", "--check") == 0
        assert {path.name: path.read_bytes() for path in measured.iterdir()} == before

    def test_it_fails_when_a_figure_got_worse(
        self, corpus: Path, model_folder: Path, measured: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = measured / "own.json"
        stored = json.loads(path.read_text())
        stored["figures"][0]["value"] += 0.5
        path.write_text(json.dumps(stored))
        assert run(corpus, model_folder, measured, "own", "calibration", "--check") == WORSE
        assert "worse: own: AUC, any violation was" in capsys.readouterr().err

    def test_it_cannot_pass_without_a_report(
        self, corpus: Path, model_folder: Path, reports: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(corpus, model_folder, reports, "own", "--check") == FAILED
        assert "there is no report" in capsys.readouterr().err


class TestErrors:
    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            ((), "the following arguments are required"),
            (("owl",), "invalid choice: 'owl'"),
            (("own", "--limit", "none"), "'none' is not a number of texts; give 1 or more"),
            (("own", "--limit", "0"), "'0' is not a number of texts; give 1 or more"),
            (("own", "--limit", "5", "--check"), "leave out --limit"),
            (("own", "--datasets", "/nowhere"), "/nowhere is not a folder"),
        ],
    )
    def test_a_wrong_command_says_what_is_wrong(
        self, arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 2
        assert said in capsys.readouterr().err

    def test_help_names_every_suite(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as ended:
            main(["--help"])
        assert ended.value.code == 0
        said = capsys.readouterr().out
        assert [name for name in NAMES if name not in said] == []

    def test_a_model_that_is_not_there_is_named(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["own", "--model", str(tmp_path / "none")]) == FAILED
        assert str(tmp_path / "none") in capsys.readouterr().err

    def test_a_suite_that_cannot_be_measured_fails_and_leaves_the_others_alone(
        self, corpus: Path, model_folder: Path, reports: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (corpus / "splits.yaml").write_text("test: [wz]\n")
        assert run(corpus, model_folder, reports, "own", "routing") == FAILED
        said = capsys.readouterr().err
        assert "own: not measured: " in said
        assert "routing: not measured: " in said
        assert "no rows by wz" in said

    def test_all_passes_over_what_cannot_be_measured(
        self, corpus: Path, model_folder: Path, reports: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (corpus / "splits.yaml").write_text("test: [wz]\n")
        assert run(corpus, model_folder, reports, "all", "--limit", "1") == 0
        said = capsys.readouterr().err
        assert "own: skipped: " in said
        assert "hatecheck: skipped: " in said

    def test_a_package_that_is_missing_is_named(
        self,
        corpus: Path,
        model_folder: Path,
        reports: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.delitem(sys.modules, "evals.suites.calibration", raising=False)
        monkeypatch.setitem(sys.modules, "matplotlib", None)
        assert run(corpus, model_folder, reports, "calibration") == FAILED
        said = capsys.readouterr().err
        assert "the suite 'calibration' needs matplotlib, which is not installed: pip install -e '.[test]'" in said
