"""What the words add is what the score is, and the strongest phrases are shown once each."""

from pathlib import Path

import numpy as np
import pytest

import data
from domain.vocabulary import Policy
from screening.explain import alone, shares_of, strongest, words_of
from screening.model import EmbeddedModel

FOLDER = Path(data.__path__[0]) / "models" / "e5-small-v1"


@pytest.fixture(scope="module")
def model() -> EmbeddedModel:
    return EmbeddedModel.load(FOLDER)


def test_tokens_fall_to_the_word_they_lie_in() -> None:
    text = "send  gift cards"
    tokens = [(0, 0), (0, 4), (6, 8), (8, 10), (11, 16), (0, 0)]
    shares = np.array([9, 1, 2, 3, 4, 9], np.float32)
    assert shares_of(words_of(text), tokens, shares) == [1.0, 5.0, 4.0]


def test_phrases_do_not_overlap_and_end_in_words_that_count() -> None:
    words = words_of("a b c d e f g h i")
    shown = strongest(words, [0, 0, 3, -1, 0, 0, 2, 0, 0])
    assert shown == [(4, 5), (12, 13)]


@pytest.mark.parametrize("added", [[], [0.0, 0.1], [-1.0, -2.0, -3.0]])
def test_nothing_is_shown_where_nothing_matters(added: list[float]) -> None:
    assert strongest(words_of("x " * len(added)), added) == []


def test_the_shares_of_all_tokens_add_up_to_the_same_order_as_the_score(model: EmbeddedModel) -> None:
    """Logits differ from the sums by one constant a class, so differences between texts must agree."""
    texts = ["send me money on whatsapp for crypto", "what trails do you like to hike?", "you are worthless"]
    outputs = model.score(texts)
    sums = np.array([output.shares.sum(axis=0) for output in outputs if output.shares is not None])
    odds = np.array([output.policies for output in outputs])
    for policy in (Policy.SCAMS, Policy.HARASSMENT):
        place = list(Policy).index(policy)
        assert np.argmax(sums[:, place] - sums[:, -1]) == np.argmax(odds[:, place])


def test_the_same_text_is_explained_alike_in_any_company(model: EmbeddedModel) -> None:
    text = "Morning! Send me 200 dollars in gift cards and then we can meet"
    by_itself = model.phrases(text, model.score([text])[0], Policy.SCAMS)
    beside = model.phrases(text, model.score(["hi", text, "a longer text " * 9])[1], Policy.SCAMS)
    assert by_itself == beside
    assert any("200 dollars" in text[start:end] for start, end in by_itself)


def test_what_a_stretch_would_score_by_itself_is_told_about_right(model: EmbeddedModel) -> None:
    harmless, harmful = "We met at the library and talked about trees.", "I will find you and hurt you tonight."
    text = f"{harmless} {harmful} {harmless}"
    spans = [(0, len(harmless)), (len(harmless) + 1, len(harmless) + 1 + len(harmful))]
    [output] = model.score([text])
    told = model.alone(text, output, spans)
    assert told is not None
    fine, bad = told
    assert fine < output.violation < bad
    assert model.alone(text, output, [(0, len(text))]) == pytest.approx([output.violation], abs=0.5)


def test_a_text_of_several_windows_tells_nothing_of_its_stretches(model: EmbeddedModel) -> None:
    text = "We met at the library and talked about trees. " * 60
    assert model.alone(text, model.score([text])[0], [(0, 45)]) is None


def test_a_stretch_without_a_whole_token_is_worth_a_look() -> None:
    shares = np.ones((2, 10), np.float32)
    assert alone([(1, 2)], [(0, 0), (0, 9)], shares, -3.0) == [float("inf")]
