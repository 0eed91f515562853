"""The word list: what is a word, what is not, and how a run of letters is cut into words."""

import pytest

from screening.lexicon import WORDS, cost, known, price, segment


@pytest.mark.parametrize("word", ["money", "whatsapp", "kill", "kills", "paywall", "cashapp"])
def test_words_inflected_words_and_compounds_are_known(word: str) -> None:
    assert known(word)


@pytest.mark.parametrize("letters", ["mon3y", "kll", "iphonei", "attpm", "", "q", "lunchanoon"])
def test_other_strings_are_not(letters: str) -> None:
    assert not known(letters)


def test_commoner_words_cost_less() -> None:
    assert cost("the") < cost("money") < cost("whatsapp") < price("krytorx")


def test_no_word_holds_anything_but_letters_in_lower_case() -> None:
    assert [word for word in WORDS if not word.isalpha() or word != word.lower()] == []


@pytest.mark.parametrize(
    ("letters", "words"),
    [
        ("sendmemoneyonwhatsapp", ["send", "me", "money", "on", "whatsapp"]),
        ("iwillkillyou", ["i", "will", "kill", "you"]),
        ("krytorx", ["krytorx"]),
        ("", []),
    ],
)
def test_letters_are_cut_into_words(letters: str, words: list[str]) -> None:
    assert segment(letters, [0.0] * len(letters)) == words


def test_a_toll_keeps_words_together_and_draws_cuts() -> None:
    assert segment("giftcard", [0.0, 0, 0, 0, -6, 0, 0, 0]) == ["gift", "card"]
    assert segment("someone", [0.0] + [6.0] * 6) == ["someone"]
