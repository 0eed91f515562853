"""How a text is shown: evidence in place, overlaps, and nothing that cannot be seen."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from domain.signals import Evidence, Signal
from domain.vocabulary import SignalSource
from ui.highlight import ORDINARY, Shown, readable, shown


def signal(*spans: tuple[int, int], weight: float = 1.0) -> Signal:
    found = tuple(Evidence(start=start, end=end, quote="") for start, end in spans)
    return Signal(name="x", source=SignalSource.RULE, weight=weight, reason="told", evidence=found)


def told(of: Shown) -> list[tuple[str, tuple[int, ...]]]:
    return [(piece.text, piece.numbers) for piece in of.pieces]


def test_overlapping_evidence_is_cut_where_it_begins_and_ends() -> None:
    of = shown("abcdefgh", [signal((0, 5), weight=2), signal((3, 8))])
    assert told(of) == [("abc", (1,)), ("de", (1, 2)), ("fgh", (2,))]
    assert [piece.ends for piece in of.pieces] == [(), (1,), (2,)]


def test_the_weightiest_is_number_one_and_what_has_no_place_has_no_number() -> None:
    of = shown("abc", [signal((0, 1)), signal(weight=9), signal((1, 2), weight=-3)])
    assert [(reason.number, reason.signal.weight) for reason in of.reasons] == [(None, 9.0), (1, -3.0), (2, 1.0)]


def test_evidence_beyond_the_text_does_no_harm() -> None:
    assert told(shown("abc", [signal((1, 99), (50, 60))])) == [("a", ()), ("bc", (1,))]


def test_what_cannot_be_seen_is_named() -> None:
    marks = [piece.mark for piece in shown("a\u200bb \U000e0068\U000e0069 c\u202ed", []).pieces if piece.mark]
    assert marks == ["ZWSP", "tags: hi", "RLO"]


def test_joined_emoji_are_no_disguise() -> None:
    family = "👨\u200d👩\u200d👧 ❤\ufe0f"
    assert told(shown(family, [])) == [(family, ())]


def test_a_look_alike_is_named() -> None:
    of = shown("join my Wh\u0430tsapp", [])
    assert [piece.looks for piece in of.pieces if piece.looks] == ["cyrillic small letter a, seems “a”"]
    assert of.plain == "join my Whatsapp"


def test_text_without_disguise_has_no_plain_form_beside_it() -> None:
    assert shown("hello", []).plain is None


@given(st.text(max_size=60), st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=4))
def test_no_control_or_format_character_is_passed_on_and_nothing_else_is_lost(
    text: str, spans: list[tuple[int, int]]
) -> None:
    of = shown(text, [signal(*((min(span), max(span)) for span in spans))])
    passed = "".join(piece.text for piece in of.pieces)
    seen = [c for c in passed if c not in ORDINARY and c != "\u200d"]
    assert all(unicodedata.category(c) not in ("Cf", "Cc", "Cn") for c in seen)
    kept = iter(text)
    assert all(c in kept for c in passed)
    assert all(unicodedata.category(c) not in ("Cf", "Cc", "Cn") for c in readable(text))
