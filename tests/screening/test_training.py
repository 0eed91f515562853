"""Training keeps the held-out writer out, recovers known weights, and its encoder stays true to the weights."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("scipy")
pytest.importorskip("onnx")
pytest.importorskip("safetensors")

from domain.errors import Invalid
from domain.vocabulary import Policy, Severity
from screening.training import calibrate, heads, sources
from screening.training.card import auc


def row(writer: str, policy: str = "clean", **fields: object) -> str:
    base = {"writer": writer, "kind": "message", "text": f"by {writer}", "policy": policy, "also": []}
    return json.dumps({**base, "severity": None, "borderline": False, "hard": False, **fields}) + "\n"


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    for writer in ("w1", "w2", "w5"):
        (tmp_path / f"{writer}.jsonl").write_text(row(writer))
    return tmp_path


def test_the_held_out_writer_is_never_trained_on(rows: Path) -> None:
    assert {example.group for example in sources.corpus(rows)} == {"w1", "w2"}
    assert {example.group for example in sources.corpus(rows, held_out=True)} == {"w5"}


def test_a_borderline_row_counts_partly_as_clean(tmp_path: Path) -> None:
    (tmp_path / "w1.jsonl").write_text(row("w1", "scams", severity="low", borderline=True))
    (example,) = sources.corpus(tmp_path)
    assert example.target == {"scams": pytest.approx(0.65), "clean": pytest.approx(0.35)}


def test_a_bad_row_is_named_by_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "w1.jsonl").write_text(row("w1") + row("w1", "scam"))
    with pytest.raises(Invalid, match=r"w1.jsonl:2"):
        sources.corpus(tmp_path)


def test_a_missing_public_set_is_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="topical_chat"):
        sources.public(tmp_path)


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
    weights = np.where(violates, 0.1 / violates.mean(), 0.9 / (~violates).mean())
    assert np.average(chance, weights=weights) == pytest.approx(calibrate.BASE_RATE, abs=0.02)


def test_heads_learn_what_can_be_learned() -> None:
    random = np.random.default_rng(0)
    features = random.normal(0, 1, (300, 20)).astype(np.float32)
    labels = ["scams" if value > 0 else "clean" for value in features[:, 3]]
    examples = [
        sources.Example(str(n), {label: 1.0}, Severity.LOW, f"w{n % 3}", labels=frozenset({label}))
        for n, label in enumerate(labels)
    ]
    classes, _ = heads.out_of_fold(features, examples, features[:0], [])
    _, violation = heads.log_odds(classes)
    assert auc(np.array([label == "scams" for label in labels]), violation) > 0.97
