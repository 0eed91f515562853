"""Long texts are read by their passages too, and every passage leads back to where it stands."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.signals import PASSAGE_ALONE, Screening
from domain.vocabulary import Policy, SignalSource
from screening.model import ModelOutput
from screening.passages import MOST_LINES, MOST_SENTENCES, SHORTEST, passages
from screening.screen import Screener
from tests.screening.test_screen import content

HARMLESS = "We met at the library last week and talked about trees. It was lovely! I still think of the cake we had."
BURIED = "I know where you live and I will hurt you tonight."
FILLER = "The rain went on and on until the evening came. " * 3


def quoted(text: str) -> list[str]:
    return [text[start:end] for start, end in passages(text)]


@pytest.mark.parametrize("text", ["", "One sentence only.", "and so " * 100, "Hi! I went to the lake today. Lol."])
def test_one_passage_is_none(text: str) -> None:
    assert not passages(text)


def test_sentences_are_passages_and_short_ones_join_a_neighbour() -> None:
    assert quoted(f"Hi! How have you been lately? {BURIED} Lol. {'x' * 99}") == [
        "Hi! How have you been lately?",
        f"{BURIED} Lol.",
        "x" * 99,
    ]


def test_of_several_lines_the_whole_lines_are_passages_too() -> None:
    first, second = "You owe me an answer. I wait at your door.", f"{FILLER.strip()}"
    found = quoted(f"{first}\n{second}")
    assert {first, second, "You owe me an answer."} <= set(found)


def test_a_very_long_text_has_few_passages_and_loses_nothing() -> None:
    text = "\n".join(f"This is sentence number {number}. It has a second one." for number in range(500))
    found = passages(text)
    assert len(found) <= MOST_SENTENCES + MOST_LINES
    assert (min(found)[0], max(end for _, end in found)) == (0, len(text))


@given(st.text(alphabet="ab .!?\n…", max_size=600))
def test_passages_are_pieces_of_the_text_in_order_and_leave_out_only_space(text: str) -> None:
    found = passages(text)
    read = set()
    for start, end in found:
        assert 0 <= start < end <= len(text)
        assert text[start:end] == text[start:end].strip()
        read |= set(range(start, end))
    if found:
        assert all(letter.isspace() for at, letter in enumerate(text) if at not in read)
        assert all(end - start >= SHORTEST for start, end in found[1:-1])


def alone(screening: Screening) -> list[float]:
    return [signal.value for signal in screening.signals if signal.name == PASSAGE_ALONE]


async def test_a_violation_among_harmless_words_is_named_and_shown(screener: Screener) -> None:
    text = f"{HARMLESS} {BURIED} {FILLER}"
    seen = await screener.screen(content(text))
    signal = next(signal for signal in seen.signals if signal.name == PASSAGE_ALONE)
    assert (signal.source, signal.weight, signal.policy) == (SignalSource.CLASSIFIER, 0.0, Policy.THREATS)
    assert signal.value > 0.3
    (shown,) = signal.evidence
    assert text[shown.start : shown.end] == shown.quote == BURIED


async def test_a_disguised_passage_is_shown_as_it_was_posted(screener: Screener) -> None:
    disguised = BURIED.replace("a", "а").replace("o", "о")
    seen = await screener.screen(content(f"{HARMLESS} {disguised} {FILLER}"))
    (shown,) = next(signal for signal in seen.signals if signal.name == PASSAGE_ALONE).evidence
    assert shown.quote == disguised


@pytest.mark.parametrize("text", [HARMLESS + " " + FILLER, "How are you doing? I went to the lake today.", BURIED])
async def test_harmless_texts_and_single_sentences_have_no_such_signal(screener: Screener, text: str) -> None:
    assert not alone(await screener.screen(content(text)))


async def test_a_short_text_is_read_by_its_passages_too(screener: Screener) -> None:
    text = "In our family that means love. I will find you and hurt you."
    assert alone(await screener.screen(content(text)))


async def test_only_what_is_suspect_is_read_again(screener: Screener, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    whole = screener._batcher.score

    async def noted(texts: Sequence[str], *, admitted: bool = False) -> list[ModelOutput]:
        read.extend(texts)
        return await whole(texts, admitted=admitted)

    monkeypatch.setattr(screener._batcher, "score", noted)
    text = f"{HARMLESS} {BURIED} {FILLER.strip()}"
    await screener.screen(content(text))
    assert read[0] == text
    assert BURIED in read[1:]
    assert not any("library" in passage for passage in read[1:])


async def test_a_text_longer_than_the_model_tells_of_is_read_in_every_passage(screener: Screener) -> None:
    text = FILLER * 40 + BURIED
    assert alone(await screener.screen(content(text)))
