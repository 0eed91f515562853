"""N-grams are found in every text and learn what letters tell."""

import numpy as np
import pytest

pytest.importorskip("scipy")

from domain.errors import Invalid
from screening import ngrams
from screening.training.ngrams import fit
from screening.training.sources import CLASSES, Example

SCAMS, CLEAN = CLASSES.index("scams"), CLASSES.index("clean")


def example(text: str, label: str, weight: float = 1.0) -> Example:
    return Example(text, {label: 1.0}, None, "w0", labels=frozenset({label}), weight=weight)


def fitted(*examples: Example) -> ngrams.NGrams:
    return fit([e.text for e in examples], examples)


MONEY = [f"send {n} dollars to my wallet {n}" for n in range(40, 60)]
TALK = [f"we walked {n} miles by the river {n}" for n in range(40, 60)]


@pytest.fixture(scope="module")
def reader() -> ngrams.NGrams:
    return fitted(*(example(text, "scams") for text in MONEY), *(example(text, "clean") for text in TALK))


def test_it_tells_texts_apart_by_n_grams_seen_in_fitting(reader: ngrams.NGrams) -> None:
    money, talk = reader.logits(["please send dollars to this wallet", "walked along a river for miles"])
    assert money.argmax() == SCAMS
    assert talk.argmax() == CLEAN


def test_spelling_is_familiar_as_far_as_it_was_learnt(reader: ngrams.NGrams) -> None:
    assert reader.familiarity("dollars to my wallet") > 0.9
    assert reader.familiarity("qux zyzzyva") < 0.1 < reader.familiarity("dollars to qux zyzzyva") < 0.9
    assert reader.familiarity("") == 1


def test_neither_case_nor_blanks_matter_but_words_and_their_order_do() -> None:
    plain = set(ngrams.buckets("Send Money now"))
    assert set(ngrams.buckets("  send \n money   NOW ")) == plain
    assert set(ngrams.buckets("money send now")) != plain
    assert len(plain & set(ngrams.buckets("send money later"))) > 10


def test_every_n_gram_of_a_text_has_a_bucket() -> None:
    text = "ab cd"
    characters = sum(len(f" {text} ") - size + 1 for size in ngrams.CHARACTERS)
    words = 2 + 1
    assert len(ngrams.buckets(text)) == characters + words
    assert ngrams.buckets(text).max() < 1 << ngrams.BITS


@pytest.mark.parametrize("text", ["", "   ", "a", "!", "漢", "\ud800 lone"])
def test_texts_too_short_for_n_grams_and_broken_ones_are_read(reader: ngrams.NGrams, text: str) -> None:
    assert np.isfinite(reader.logits([text])).all()
    if not ngrams.buckets(text).size:
        assert reader.logits([text])[0] == pytest.approx(reader.bias)


def test_a_text_is_read_the_same_beside_others(reader: ngrams.NGrams) -> None:
    texts = [*MONEY[:3], "", *TALK[:3]]
    assert np.array_equal(reader.logits(texts), np.vstack([reader.logits([text]) for text in texts]))


def test_rows_count_by_their_weight() -> None:
    text = "see you at the station"
    others = [example(word, "clean") for word in MONEY]
    for chance, likelier in ((0.1, CLEAN), (0.9, SCAMS)):
        split = [example(text, "scams", chance), example(text, "clean", 1 - chance)] * 2
        assert fitted(*split, *others).logits([text])[0].argmax() == likelier


def test_n_grams_too_rare_to_teach_anything_weigh_nothing() -> None:
    rows = [example(text, "scams") for text in MONEY] + [example(text, "clean") for text in TALK]
    known = fitted(*rows, example("zebra", "scams"), example("zebra", "scams"))
    assert known.logits(["zebra"])[0] == pytest.approx(known.bias)
    assert known.logits(["dollars"])[0] != pytest.approx(known.bias)


def test_nothing_to_fit_on_is_refused() -> None:
    with pytest.raises(Invalid, match="no text"):
        fit([], [])
