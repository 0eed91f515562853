"""Training reads its own part alone, recovers known weights, and writes texts anew without losing them."""

import gzip
import json
import random
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("scipy")
pytest.importorskip("onnx")

from domain.errors import Invalid
from domain.vocabulary import Policy, Severity
from screening.ensemble import log_odds
from screening.training import augment, calibrate, heads, readings, sources
from screening.training.card import auc


def row(writer: str, policy: str = "clean", **fields: object) -> str:
    base = {"writer": writer, "scenario": "s1", "kind": "message", "text": f"by {writer}", "policy": policy, "also": []}
    return json.dumps({**base, "severity": None, "borderline": False, "hard": False, **fields}) + "\n"


SPLITS = "train: [w1, w2]\ncalibration: [w3]\ntest: [w4]\n"


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    folder = tmp_path / "rows"
    folder.mkdir()
    (tmp_path / "splits.yaml").write_text(SPLITS)
    for writer in ("w1", "w2", "w3", "w4", "w5"):
        (folder / f"{writer}.jsonl").write_text(row(writer))
    return folder


def test_each_part_holds_its_writers_and_nobody_else(rows: Path) -> None:
    assert {example.group for example in sources.corpus(rows, sources.TRAIN)} == {"w1", "w2"}
    assert {example.group for example in sources.corpus(rows, sources.CALIBRATION)} == {"w3"}


@pytest.mark.parametrize("text", ["test: [w1]\n", SPLITS.replace("w3", "w2"), "- w1\n", "train: ["])
def test_splits_that_share_a_writer_or_lack_a_part_are_refused(rows: Path, text: str) -> None:
    (rows.parent / "splits.yaml").write_text(text)
    with pytest.raises(Invalid, match=r"splits\.yaml"):
        sources.corpus(rows, sources.TRAIN)


def test_a_writer_without_rows_is_named(rows: Path) -> None:
    (rows / "w2.jsonl").unlink()
    with pytest.raises(Invalid, match=r"w2\.jsonl"):
        sources.corpus(rows, sources.TRAIN)


def test_a_borderline_row_counts_partly_as_clean(rows: Path) -> None:
    (rows / "w3.jsonl").write_text(row("w3", "scams", severity="low", borderline=True))
    (example,) = sources.corpus(rows, sources.CALIBRATION)
    assert example.target == {"scams": pytest.approx(0.65), "clean": pytest.approx(0.35)}


def test_a_bad_row_is_named_by_file_and_line(rows: Path) -> None:
    (rows / "w1.jsonl").write_text(row("w1") + row("w1", "scam"))
    with pytest.raises(Invalid, match=r"w1.jsonl:2"):
        sources.corpus(rows, sources.TRAIN)


def test_a_missing_public_set_is_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="sms_spam"):
        sources.public(tmp_path, {})


def test_public_texts_that_were_read_by_our_guide_carry_our_label_and_no_other_text_does(tmp_path: Path) -> None:
    for chosen in sources.PUBLIC:
        labels = dict.fromkeys(chosen.clean, 0) | dict.fromkeys(chosen.classes, 1)
        texts = [f"{chosen.name} {number}  of these" for number in range(3)]
        with gzip.open(tmp_path / f"{chosen.name}.jsonl.gz", "wt") as file:
            file.writelines(json.dumps({"text": text, "labels": labels}) + "\n" for text in texts)
    edos = [readings.digest(f"edos {number} of these") for number in range(3)]
    label = {"policy": "harassment", "severity": "low", "borderline": True}
    (tmp_path / readings.FILE).write_text(
        json.dumps({"sha256": edos[0], **label}) + "\n" + json.dumps({"sha256": edos[1], "policy": None}) + "\n"
    )
    found = [e for e in sources.public(tmp_path, readings.load(tmp_path)) if e.group == "edos"]
    assert {(e.text, *e.labels, e.weight, e.borderline) for e in found} == {
        ("edos 0  of these", "harassment", 1.0, True),
        ("edos 2  of these", "threats", sources.PUBLIC_WEIGHT, False),
    }


def observed(count: int = 4_000) -> calibrate.Observations:
    """Texts whose violations, half of all, follow a logit and one rule of weight 2."""
    random = np.random.default_rng(0)
    logit = random.normal(0, 2, count)
    matched = (random.random((count, 3)) < 0.2).astype(np.float32)
    true = random.random(count) < 1 / (1 + np.exp(-(logit + 2 * matched[:, 0] - 0.4)))
    targets = np.zeros((count, 10), np.float32)
    targets[:, list(Policy).index(Policy.SCAMS)] = true
    targets[:, -1] = ~true
    policies = np.full((count, 9), -5, np.float32)
    policies[:, list(Policy).index(Policy.SCAMS)] = logit
    return calibrate.Observations(policies, logit.astype(np.float32), matched, targets)


RULES = [("good", Policy.SCAMS, 1.0), ("empty", Policy.SCAMS, 1.0), ("hidden", None, 0.5)]


def test_calibration_finds_what_a_rule_is_worth() -> None:
    fitted = calibrate.fit(observed(), RULES, "hidden")
    assert fitted.rules["good"] == pytest.approx(2, abs=0.4)
    assert fitted.rules["empty"] == pytest.approx(0, abs=0.3)
    assert min(fitted.rules.values()) >= 0
    assert fitted.violation.slope == pytest.approx(1, abs=0.15)


def test_calibrated_sums_hit_the_base_rate() -> None:
    seen = observed()
    fitted = calibrate.fit(seen, RULES, "hidden")
    chance = 1 / (1 + np.exp(-calibrate.log_odds(fitted, seen, RULES)[:, -1]))
    violates = seen.targets[:, -1] == 0
    rate = calibrate.BASE_RATE
    weights = np.where(violates, rate / violates.mean(), (1 - rate) / (~violates).mean())
    assert np.average(chance, weights=weights) == pytest.approx(calibrate.BASE_RATE, abs=0.02)


def test_heads_learn_what_can_be_learned() -> None:
    random = np.random.default_rng(0)
    features = random.normal(0, 1, (300, 20)).astype(np.float32)
    labels = ["scams" if value > 0 else "clean" for value in features[:, 3]]
    examples = [
        sources.Example(str(n), {label: 1.0}, Severity.LOW, f"w{n % 3}", labels=frozenset({label}))
        for n, label in enumerate(labels)
    ]
    head = heads.fit_classes(features[:200], examples[:200])
    violation = log_odds(heads.apply(head, features[200:]))[:, -1]
    assert auc(np.array([label == "scams" for label in labels[200:]]), violation) > 0.97


def test_memory_sets_unrelated_texts_apart_and_keeps_near_ones_near() -> None:
    random_ = np.random.default_rng(0)
    cone = random_.normal(0, 0.1, (500, 30)) + 1
    near = cone + random_.normal(0, 0.005, cone.shape)
    head = heads.fit_memory(cone.astype(np.float32))
    mapped, close = (heads.apply(head, x.astype(np.float32)) for x in (cone, near))
    unit, other = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (mapped, close))
    assert abs(float((unit[:250] * unit[250:]).sum(1).mean())) < 0.05
    assert float((unit * other).sum(1).mean()) > 0.95


def test_a_slope_from_few_rows_stays_near_one() -> None:
    seen = observed(12)
    fitted = calibrate.fit(seen, RULES, "hidden")
    assert 0.3 < fitted.policies[Policy.SCAMS].slope < 2.5


def test_the_reference_holds_the_deciles_at_the_base_rate() -> None:
    seen = observed()
    fitted = calibrate.fit(seen, RULES, "hidden")
    sums = calibrate.log_odds(fitted, seen, RULES)[:, -1]
    violates = seen.targets[:, -1] == 0
    rate = calibrate.BASE_RATE
    weights = np.where(violates, rate / violates.mean(), (1 - rate) / (1 - violates.mean()))
    assert list(fitted.reference) == sorted(fitted.reference)
    shares = [weights[sums <= edge].sum() / weights.sum() for edge in fitted.reference]
    assert shares == pytest.approx([n / 10 for n in range(1, 10)], abs=0.005)


def test_most_texts_are_left_alone_and_a_seed_gives_the_same_again() -> None:
    text = "Send the money on Friday, please. I will pay you back!"
    made = [augment.varied(text, random.Random(seed)) for seed in range(400)]
    assert made == [augment.varied(text, random.Random(seed)) for seed in range(400)]
    changed = sum(one != text for one in made) / len(made)
    assert 0.2 < changed < 0.4
    assert len(set(made)) > 60
    assert all(made)
