"""Disguises are undone and shown; ordinary writing is left alone; positions lead back to the posted text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from screening.normalise import (
    INVISIBLE,
    LEET,
    MIXED,
    OVERRIDE,
    SELECTORS,
    SPACED,
    STACKED,
    STYLED_LETTERS,
    TAGS,
    normalise,
)


@pytest.mark.parametrize(
    ("posted", "plain", "disguise"),
    [
        ("w h a t s a p p me", "whatsapp me", SPACED),
        ("w.h.a.t.s.a.p.p now", "whatsapp now", SPACED),
        ("раураl me", "paypal me", MIXED),
        ("sеnd it", "send it", MIXED),
        ("s\u200bend c\u2060ash", "send cash", INVISIBLE),
        ("m0n3y and c@sh", "money and cash", LEET),
        ("s3x", "sex", LEET),
        ("𝓗𝓮𝓵𝓵𝓸", "Hello", STYLED_LETTERS),
        ("ｆｒｅｅ money", "free money", STYLED_LETTERS),
        ("ᴡʜᴀᴛꜱᴀᴘᴘ", "whatsapp", STYLED_LETTERS),
        ("🅢🅔🅝🅓", "SEND", STYLED_LETTERS),
        ("h\u0338\u0353\u0308i", "hi", STACKED),
        ("\u202eolleh", "olleh", OVERRIDE),
        ("a\ufe01\ufe02\ufe03b", "ab", SELECTORS),
        ("hi\U000e0068\U000e0069 there", "hi there", f"{TAGS} spelling “hi”"),
    ],
)
def test_a_disguise_is_undone_and_shown(posted: str, plain: str, disguise: str) -> None:
    normalised = normalise(posted)
    assert normalised.text == plain
    assert {evidence.note for evidence in normalised.hidden} == {disguise}


@pytest.mark.parametrize(
    "posted",
    [
        "I love hiking! What trails do you recommend?",
        "café, naïve, Zoë, señor, e\u0301",
        "Привет, как дела? Я работаю в банке",
        "καλημέρα, τι κάνεις",
        "カタカナ ＡＢＣ",
        "می\u200cخواهم",
        "hi 👩\u200d👩\u200d👧 ❤\ufe0f",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f supporter",
        "at7pm, 10k, iphone15pro, b4u, h1b, 5ft10, gr8, masc4masc",
        "joe55e@home.com and www.l33t.com/a1b",
        "wow!great, she|they, lunch@noon, I m ok",
        "U.S.A. and R.S.V.P. and e.g. a b c",
        "1️⃣ first",
        "soft\u00adhyphen",
    ],
)
def test_ordinary_writing_hides_nothing(posted: str) -> None:
    assert normalise(posted).hidden == ()


def test_emoji_are_named_and_freed_from_the_words_they_are_glued_to() -> None:
    assert normalise("love😂you").text.split() == ["love", "face", "with", "tears", "of", "joy", "you"]


def test_words_wholly_in_another_alphabet_stay_as_they_are() -> None:
    assert normalise("она сказала хорошо").text == "она сказала хорошо"


def test_evidence_points_at_the_posted_text() -> None:
    normalised = normalise("please s\u200be\u200bnd m0ney")
    start = normalised.text.index("send")
    assert normalised.evidence(start, start + 4).quote == "s\u200be\u200bnd"


def test_a_flood_of_emoji_does_not_grow_the_text_without_end() -> None:
    assert len(normalise("😂😀" * 10_000).text) < 25_000


@settings(max_examples=200, deadline=None)
@given(
    st.text(
        alphabet=st.one_of(
            st.characters(exclude_categories=["Cs"]),
            st.sampled_from("a0e3 .-@$\u200b\u202e\ufe0f\u0301аеο😂👩\u200d\U000e0041ｆ𝓗"),
        ),
        max_size=80,
    )
)
def test_every_position_leads_back_into_the_posted_text(text: str) -> None:
    normalised = normalise(text)
    assert len(normalised.offsets) == len(normalised.text) + 1
    assert list(normalised.offsets) == sorted(normalised.offsets)
    assert normalised.offsets[-1] == len(text)
    for evidence in normalised.hidden:
        assert text[evidence.start : evidence.end] == evidence.quote
    for start in range(len(normalised.text)):
        evidence = normalised.evidence(start, start + 1)
        assert evidence.quote == text[evidence.start : evidence.end] != ""


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="abcdefghij klmnop,.!?'\n", max_size=200).filter(lambda t: not any(c == " " for c in t[1::2])))
def test_plain_letters_keep_their_positions(text: str) -> None:
    normalised = normalise(text)
    for position, character in enumerate(normalised.text):
        assert text[normalised.offsets[position]] == character
