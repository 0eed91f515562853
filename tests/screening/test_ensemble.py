"""Two readers count alike whatever their scale, speak together, and come back from disk as they were."""

from pathlib import Path

import numpy as np
import pytest

from domain.errors import ModelUnavailable
from screening.ensemble import Ensemble, Standard, class_logits, log_odds, mean_of
from screening.ngrams import BITS, CLASSES, NGrams

TEXTS = ["send money now", "see you at six", "money money", "the river", ""]


@pytest.fixture
def ensemble() -> Ensemble:
    dice = np.random.default_rng(0)
    ngrams = NGrams(dice.normal(0, 1, (1 << BITS, CLASSES)).astype(np.float16), np.zeros(CLASSES, np.float32))
    return Ensemble.of(ngrams, TEXTS, log_odds(dice.normal(0, 2, (len(TEXTS), CLASSES))))


def test_standardised_readers_count_alike_whatever_their_scale() -> None:
    dice = np.random.default_rng(0)
    odds = log_odds(dice.normal(0, 2, (500, CLASSES)))
    standard = Standard.of(odds)
    assert standard(odds).mean(axis=0) == pytest.approx(np.zeros(10), abs=1e-9)
    assert standard(odds).std(axis=0) == pytest.approx(np.ones(10))
    one, other = standard(odds), -standard(odds)
    neither = mean_of([one, other], 3.0)
    assert neither == pytest.approx(np.tile(neither[0], (500, 1)), abs=1e-4)
    assert np.array_equal(mean_of([one, one], 3.0), mean_of([one], 3.0))


def test_class_logits_order_texts_and_classes_as_the_log_odds_do() -> None:
    odds = log_odds(np.random.default_rng(0).normal(0, 2, (50, CLASSES)))
    again = log_odds(class_logits(odds))
    assert again == pytest.approx(odds, abs=1e-3)


def test_both_readers_move_what_is_said_together(ensemble: Ensemble) -> None:
    dice = np.random.default_rng(1)
    read = log_odds(dice.normal(0, 2, (len(TEXTS), CLASSES)))
    said = ensemble.together(TEXTS, read)
    surer = ensemble.together(TEXTS, np.column_stack([read[:, :-1], read[:, -1] + 1]))
    assert (surer[:, -1] > said[:, -1]).all()
    others = ensemble.together(TEXTS[::-1], read)
    assert np.abs(others - said).max() > 0.1
    assert others[2] == pytest.approx(said[2])


def test_a_text_is_read_the_same_beside_others(ensemble: Ensemble) -> None:
    read = log_odds(np.random.default_rng(1).normal(0, 2, (len(TEXTS), CLASSES)))
    alone = [ensemble.together([text], read[row : row + 1])[0] for row, text in enumerate(TEXTS)]
    assert ensemble.together(TEXTS, read) == pytest.approx(np.array(alone))


def test_what_is_written_is_read_again(ensemble: Ensemble, tmp_path: Path) -> None:
    ensemble.write(tmp_path / "ngrams.npz")
    read = log_odds(np.random.default_rng(1).normal(0, 2, (len(TEXTS), CLASSES)))
    again = Ensemble.load(tmp_path / "ngrams.npz").together(TEXTS, read)
    assert again == pytest.approx(ensemble.together(TEXTS, read), abs=0.02)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ngrams.npz"
    with pytest.raises(ModelUnavailable, match="rebuild the folder"):
        Ensemble.load(path)
    path.write_bytes(b"something else")
    with pytest.raises(ModelUnavailable, match="rebuild the folder"):
        Ensemble.load(path)
    np.savez(path, weight=np.zeros((4, 10)), bias=np.zeros(10), standards=np.zeros((4, 10)))
    with pytest.raises(ModelUnavailable, match="other classes or buckets"):
        Ensemble.load(path)
