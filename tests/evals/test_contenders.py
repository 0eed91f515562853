"""Ways to judge a text are fitted on one part, compared on another, and kept or not by a rule that figures fill."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("scipy")
pytest.importorskip("onnx")

from domain.errors import Invalid
from domain.vocabulary import Policy
from evals import approaches, cascade, contenders, estimate
from evals.approaches import Neighbours, Once
from evals.contenders_report import (
    ALL,
    AUC,
    GRAMS,
    LAST,
    LIKELIEST,
    MEASURES,
    NEAR,
    RECALL,
    SHARE,
    STAGED,
    THREE,
    TUNED,
    TWO,
    Compared,
    Contender,
    Found,
    render,
)
from evals.figures import macro_f1
from evals.report import Report, read
from screening.model import ModelOutput
from screening.training.sources import CLASSES, CLEAN, Example
from tests.screening import e5_file

PLACES = e5_file.PLACES - 4
"""Letters that the tiny model has room for, as it knows hardly a word."""

SCAMS = list(Policy).index(Policy.SCAMS)


def example(label: str, number: int, *, hard: bool = False, borderline: bool = False) -> Example:
    return Example(
        text=f"text {number}",
        target={label: 1.0},
        severity=None,
        group=f"w{number % 2}",
        scenario=f"s{number}",
        hard=hard,
        borderline=borderline,
        labels=frozenset({label}),
    )


SCAM_ROWS = [example("scams", number) for number in range(20)]
HARD_ROWS = [example(CLEAN, number, hard=True) for number in range(20, 60)]
ROWS = Compared([*SCAM_ROWS, *HARD_ROWS])


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimate, "RESAMPLES", 30)


def log_odds(scams: np.ndarray) -> np.ndarray:
    """Log-odds N x 10 of readers that know of scams and nothing else."""
    made = np.full((len(scams), len(CLASSES)), -9.0)
    made[:, SCAMS] = made[:, -1] = scams
    return made


PERFECT = log_odds(np.where(ROWS.violates, 3.0, -3.0))
BLIND = log_odds(np.tile([3.0, -3.0], 30))


def found(**odds: np.ndarray) -> Found:
    """The tuned encoder, perfect or as told, the others as good but for blind n-grams; no stage skips anything."""
    ways = dict.fromkeys((TUNED, TWO, THREE, STAGED), odds.get(TUNED, PERFECT)) | {GRAMS: BLIND} | odds
    nobody = np.zeros(len(ROWS.examples), dtype=bool)
    stage = cascade.Stage(nobody, ROWS.violates, ROWS.clear, ROWS.clear, ROWS.scenarios, np.zeros(50, dtype=bool))
    return Found(
        rows=ROWS,
        contenders=[Contender(name, of, 1_000, (90.0, 100.0, 110.0)) for name, of in ways.items()],
        stage=stage,
        own=60,
        public=0,
        neighbours=5,
        timed=10,
        rounds=3,
        base_rate=0.05,
        model="a model",
        left_out=[],
    )


def verdicts(report: Report) -> dict[str, tuple[str, str]]:
    table = next(table for table in report.tables if table.title.startswith("What is kept"))
    return {name: (verdict, why) for name, verdict, why in table.rows}


def figure(report: Report, name: str) -> float:
    return next(figure.value for figure in report.figures if figure.name == name)


def test_measures_of_perfect_and_of_blind_readers() -> None:
    everything = np.arange(len(ROWS.examples))
    assert {name: measure(everything) for name, measure in ROWS.measures(PERFECT).items()} == dict.fromkeys(MEASURES, 1)
    blind = ROWS.measures(BLIND)
    assert blind[AUC](everything) == pytest.approx(0.5)
    assert blind[RECALL](everything) == 0
    assert blind[LIKELIEST](everything) == pytest.approx(2 * 10 / (20 + 30))


def test_macro_f1_is_that_of_the_figures_and_either_of_two_policies_is_right() -> None:
    dice = np.random.default_rng(0)
    rows = [example(str(dice.choice(CLASSES)), number) for number in range(300)]
    rows[0] = replace(rows[0], labels=frozenset({"scams", "spam"}))
    odds = dice.normal(0, 1, (300, len(CLASSES)))
    said = [CLASSES[place] for place in np.column_stack([odds[:, :-1], -odds[:, -1]]).argmax(axis=1)]
    truth = [word if word in row.labels else min(row.labels) for word, row in zip(said, rows, strict=True)]
    found = Compared(rows).measures(odds)[LIKELIEST](np.arange(300))
    assert found == pytest.approx(macro_f1(truth, said, list(Policy)))


def test_at_the_true_share_a_timid_reader_is_as_good_as_a_bold_one() -> None:
    everything = np.arange(len(ROWS.examples))
    timid = PERFECT - np.eye(len(CLASSES))[-1] * 50
    assert ROWS.measures(timid)[LIKELIEST](everything) == 0
    assert ROWS.measures(timid)[SHARE](everything) == 1


def test_macro_f1_leaves_out_borderline_rows() -> None:
    rows = Compared([*SCAM_ROWS, *HARD_ROWS, example("scams", 60, borderline=True)])
    odds = np.vstack([PERFECT, log_odds(np.array([-3.0]))])
    assert rows.measures(odds)[LIKELIEST](np.arange(61)) == 1
    assert rows.measures(odds)[AUC](np.arange(61)) < 1


def test_the_tuned_encoder_stays_alone_where_nothing_gains() -> None:
    told = verdicts(render(found()))
    assert told[TUNED][0] == "kept"
    assert told[GRAMS][0] == "no"
    assert "clearly worse in AUC" in told[GRAMS][1]
    assert told[TWO] == ("shipped, and no longer worth it", "no gain beyond its interval (1.000 of the rate, 0 MB)")


def test_an_ensemble_with_a_clear_and_cheap_gain_is_kept_or_worth_adding() -> None:
    report = render(found(**{TUNED: BLIND, TWO: PERFECT, THREE: PERFECT}))
    assert verdicts(report)[TWO][0] == "kept"
    assert verdicts(report)[THREE][0] == "no"
    assert verdicts(report)[TUNED] == ("kept", f"with what else is kept beside it: {TWO}")
    further = verdicts(render(found(**{TUNED: BLIND, TWO: BLIND, THREE: PERFECT})))
    assert further[THREE][0] == "worth adding"
    assert further[TUNED] == ("kept", f"alone; would gain by: {THREE}")
    assert figure(report, f"{TWO}: gain over {TUNED} in {AUC}") == pytest.approx(0.5)


def test_an_ensemble_that_costs_much_is_not_kept() -> None:
    given = found(**{TUNED: BLIND, TWO: PERFECT})
    slow = [replace(c, rates=(40.0, 50.0, 60.0)) if c.name == TWO else c for c in given.contenders]
    large = [replace(c, size=91_000_000) if c.name == TWO else c for c in given.contenders]
    for costly in (slow, large):
        verdict, why = verdicts(render(replace(given, contenders=costly)))[TWO]
        assert verdict == "shipped, and no longer worth it"
        assert "costs too much" in why


def test_a_first_stage_must_be_faster_in_every_mix_and_lose_little() -> None:
    given = found()
    quick = [replace(c, rates=(9e3, 1e4, 1.1e4)) if c.name == GRAMS else c for c in given.contenders]
    clean = replace(given.stage, skipped=~ROWS.violates, benign=np.ones(50, dtype=bool))
    assert verdicts(render(replace(given, contenders=quick, stage=clean)))[STAGED][0] == "worth adding"
    talkative = replace(clean, benign=np.zeros(50, dtype=bool))
    assert verdicts(render(replace(given, contenders=quick, stage=talkative)))[STAGED][0] == "no"
    lossy = replace(clean, skipped=np.ones(60, dtype=bool))
    verdict, why = verdicts(render(replace(given, contenders=quick, stage=lossy)))[STAGED]
    assert verdict == "no"
    assert "loses 100.0%" in why


def test_the_threshold_lets_one_in_a_hundred_go() -> None:
    scores = np.arange(400.0)
    caught = scores >= 200
    cut = cascade.threshold(scores, caught)
    assert (scores[caught] < cut).sum() == 2
    assert cascade.threshold(scores, np.zeros(400, dtype=bool)) == -np.inf


def test_the_threshold_for_a_writer_comes_from_the_others() -> None:
    scores = np.array([0.0, 1.0, 2.0, 3.0])
    caught = np.array([False, True, False, True])
    assert cascade.skipped(scores, caught, ["a", "a", "b", "b"]).tolist() == [True, True, False, False]
    with pytest.raises(Invalid, match="by one writer"):
        cascade.skipped(scores, caught, ["a"] * 4)


def test_a_cascade_reads_on_only_where_it_must() -> None:
    asked: list[str] = []

    def first(texts: list[str]) -> np.ndarray:
        return log_odds(np.array([float(len(text)) for text in texts]))

    def then(texts: list[str]) -> np.ndarray:
        asked.extend(texts)
        return log_odds(np.full(len(texts), 7.0))

    both = approaches.cascade(first, then, 3.0)
    assert both(["a", "abcd", "ab", "abc"])[:, -1].tolist() == [-np.inf, 7, -np.inf, 7]
    assert asked == ["abcd", "abc"]
    both(["a"])
    assert len(asked) == 2


def test_what_is_passed_over_is_called_clean() -> None:
    rated = approaches.passed_over(PERFECT, ROWS.violates)
    everything = np.arange(len(ROWS.examples))
    assert ROWS.measures(rated)[AUC](everything) == 0
    assert ROWS.measures(rated)[LIKELIEST](everything) == 0


def test_the_worse_form_of_a_disguised_text_counts() -> None:
    def reads_money(texts: list[str]) -> np.ndarray:
        return log_odds(np.array([1.0 if "money" in text else -1.0 for text in texts]))

    odds = approaches.likelier_form(reads_money, ["send m0n3y", "money", "m o n e y", "hello"])
    assert odds[:, -1].tolist() == [1, 1, 1, -1]


def test_a_text_is_read_once() -> None:
    asked: list[str] = []

    def score(texts: list[str]) -> list[ModelOutput]:
        asked.extend(texts)
        return [ModelOutput((0.0,) * 9, float(len(text)), (0.0,) * 4, np.zeros(2, np.float32)) for text in texts]

    once = Once(score)
    assert [output.violation for output in once(["a", "abc", "a"])] == [1, 3, 1]
    once(["abc", "ab"])
    assert asked == ["a", "abc", "ab"]


def circle(degrees: np.ndarray) -> np.ndarray:
    turned = np.deg2rad(degrees)
    return np.column_stack([np.cos(turned), np.sin(turned)]).astype(np.float32)


def test_neighbours_vote_by_their_nearness() -> None:
    known = Neighbours(circle(np.array([0.0, 10.0, 180.0, 190.0])), np.eye(10, dtype=np.float32)[[0, 0, 9, 9]], 2)
    odds = known.voted(*known.nearest(circle(np.array([5.0, 185.0]))))
    assert odds[0, 0] > 0 > odds[0, -1] - 2 * odds[0, 0]
    assert odds[0, -1] > 0 > odds[1, -1]


def test_how_many_vote_is_chosen_where_nobody_votes_on_their_own_rows() -> None:
    """Each writer's rows stand close together with labels at random; only the farther rows of others tell."""
    dice = np.random.default_rng(0)
    rows = [example("scams" if number % 4 < 2 else CLEAN, number) for number in range(200)]
    angle = np.array([30.0 if row.violates else 60.0 for row in rows]) + dice.normal(0, 12, len(rows))
    chosen = Neighbours.chosen(circle(angle), rows)
    assert chosen.count > 1
    with pytest.raises(Invalid, match="two writers"):
        Neighbours.chosen(circle(angle), [replace(row, group="w0") for row in rows])


@pytest.fixture
def parts(corpus: Path) -> Path:
    """The corpus with two writers in each part that is read here, and none of the test part's rows at hand."""
    for writer in ("wa", "wb"):
        path = corpus / "rows" / f"{writer}.jsonl"
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        for other in (f"{writer}1", f"{writer}2"):
            lines = [json.dumps(row | {"writer": other, "text": row["text"][:PLACES]}) for row in rows]
            (corpus / "rows" / f"{other}.jsonl").write_text("\n".join(lines) + "\n")
        path.unlink()
    (corpus / "frames").mkdir()
    (corpus / "frames" / "en.yaml").write_text(
        "lang: en\nwords: {people: [bakers]}\nframes: {hate: ['no {people}'], clean: ['hello {people}']}\n"
    )
    (corpus / "splits.yaml").write_text("train: [wa1, wa2]\ncalibration: [wb1, wb2]\ntest: [wz]\n")
    return corpus


def test_all_ways_are_compared_and_written_down(parts: Path, model_folder: Path, tmp_path: Path) -> None:
    weights, reports = tmp_path / "tiny.bin", tmp_path / "reports"
    e5_file.write(weights)
    places = {"corpus": parts, "model": model_folder, "weights": weights, "cache": tmp_path / "c", "reports": reports}
    assert contenders.main([part for name, path in places.items() for part in (f"--{name}", str(path))]) == 0
    written = read("contenders", reports)
    named = [row[0] for row in written.tables[0].rows]
    assert named == [GRAMS, LAST, ALL, NEAR, TUNED, TWO, THREE, STAGED]
    assert {f"{name}: {measure}" for name in named for measure in MEASURES} <= {f.name for f in written.figures}
    assert figure(written, f"{TUNED}: times the tuned encoder's rate") == 1
    assert 0 <= figure(written, f"{GRAMS}: {AUC}") <= 1
    assert "public sets in fitting" in (reports / "contenders.md").read_text()
    assert "contenders.md" in (reports / "README.md").read_text()


def test_what_is_missing_is_said(parts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (parts / "rows" / "wb1.jsonl").unlink()
    assert contenders.main(["--corpus", str(parts), "--reports", str(tmp_path)]) == 2
    assert "wb1.jsonl is missing" in capsys.readouterr().err
