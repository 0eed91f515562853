"""Rules read masked letters and joined words; the model never does."""

import pytest

from screening.loose import loosely
from screening.normalise import normalise
from screening.rules import Rules


@pytest.mark.parametrize(
    ("posted", "read"),
    [
        ("i'll k*ll you", "i'll kill you"),
        ("send n#des", "send nudes"),
        ("K**L", "KILL"),
        ("text me on whats-app or cash.app", "text me on whatsapp or cashapp"),
        ("w\u200bhats-app", "whatsapp"),
    ],
)
def test_masked_and_joined_words_are_read(posted: str, read: str) -> None:
    normalised = normalise(posted)
    assert loosely(normalised).text.lower() == read.lower()
    assert normalised.text != read, "the model is given the text without the guess"


@pytest.mark.parametrize(
    "posted",
    ["*hugs* and 5 * 3", "s**t happens", "a_b", "sunny-deals.xyz", "what?ever", "***", "C# and F#", "so.what"],
)
def test_what_fits_no_word_or_several_stays(posted: str) -> None:
    assert loosely(normalise(posted)).text == normalise(posted).text


def test_a_text_with_nothing_to_read_is_not_read_twice() -> None:
    normalised = normalise("nothing to see here")
    assert loosely(normalised) is normalised


def test_a_mask_is_no_evidence() -> None:
    assert normalise("what the f*ck, that k*lls me").hidden == ()


def test_a_rule_sees_through_a_mask_and_quotes_what_was_posted(rules: Rules) -> None:
    posted = "I will k*ll you tonight"
    match = next(m for m in rules.match(normalise(posted)) if m.rule.name == "stated_threat")
    assert "k*ll you" in match.evidence[0].quote
    assert posted[match.evidence[0].start : match.evidence[0].end] == match.evidence[0].quote
