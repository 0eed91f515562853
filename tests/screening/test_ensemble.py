"""Two readers speak together, and n-grams come back from disk as they were."""

from pathlib import Path

import numpy as np
import pytest

from domain.errors import ModelUnavailable
from screening.ensemble import SHARES, class_logits, log_odds, pooled
from screening.ngrams import BITS, CLASSES, NGrams, load, write

TEXTS = ["send money now", "see you at six", "money money", "the river", ""]


def odds(seed: int) -> np.ndarray:
    return log_odds(np.random.default_rng(seed).normal(0, 2, (50, CLASSES)))


def test_class_logits_order_texts_and_classes_as_the_log_odds_do() -> None:
    assert log_odds(class_logits(odds(0))) == pytest.approx(odds(0), abs=1e-3)


def test_readers_who_agree_are_heard_as_they_speak() -> None:
    assert pooled([odds(0), odds(0)]) == pytest.approx(odds(0), abs=1e-3)


def test_either_reader_moves_what_is_said_by_its_share() -> None:
    read, letters = odds(0), odds(1)
    said = pooled([read, letters])
    more = np.zeros(CLASSES)
    more[-1] = -1.0
    by_encoder = pooled([log_odds(class_logits(read) + more), letters])[:, -1] - said[:, -1]
    by_ngrams = pooled([read, log_odds(class_logits(letters) + more)])[:, -1] - said[:, -1]
    assert by_encoder == pytest.approx(np.full(50, SHARES[0]), abs=0.01)
    assert by_ngrams == pytest.approx(np.full(50, SHARES[1]), abs=0.01)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    dice = np.random.default_rng(0)
    ngrams = NGrams(dice.normal(0, 1, (1 << BITS, CLASSES)).astype(np.float16), np.ones(CLASSES, np.float32))
    write(tmp_path / "ngrams.npz", ngrams)
    assert np.array_equal(load(tmp_path / "ngrams.npz").logits(TEXTS), ngrams.logits(TEXTS))


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ngrams.npz"
    with pytest.raises(ModelUnavailable, match="rebuild the folder"):
        load(path)
    for broken in (b"something else", b"", b"PK\x03\x04 and no more"):
        path.write_bytes(broken)
        with pytest.raises(ModelUnavailable, match="rebuild the folder"):
            load(path)
    np.savez(path, weight=np.zeros((4, 10)), bias=np.zeros(10))
    with pytest.raises(ModelUnavailable, match="other classes or buckets"):
        load(path)
