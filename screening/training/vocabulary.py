"""Chooses which pieces of a multilingual vocabulary the shipped model keeps.

The published vocabulary serves a hundred languages and is most of the model. A piece is kept where all
its letters belong to an alphabet that is served; what is left out is spelled by smaller pieces.
"""

import unicodedata
from collections.abc import Iterable, Sequence

LATIN = frozenset("abcdefghijklmnopqrstuvwxyzáàâãäæçéèêëíìîïñóòôõöœøúùûüÿßąćęłńśźżğışå")
CYRILLIC = frozenset("абвгдеёжзийклмнопрстуфхцчшщъыьэюя")
WHOLE_SCRIPTS = ("ARABIC", "DEVANAGARI", "CJK")
"""Scripts kept whole: abuse comes in them, though no language written in them is served yet."""

MARK = "▁"


COMMON = 125_000
"""Rank, by probability, up to which a piece is kept whether or not a training text holds it."""


def served(pieces: Sequence[tuple[str, float]], seen: Iterable[int]) -> list[int]:
    """Rows of the pieces that are kept: those in `seen`, single characters, and the common ones of served alphabets.

    `pieces` stand in the order of their probability, as in the published vocabulary.
    """
    needed = set(seen)
    return [
        row
        for row, (piece, _) in enumerate(pieces)
        if row in needed
        or ((row < COMMON or len(piece.strip(MARK)) <= 1) and all(_kept(letter) for letter in piece.lower()))
    ]


def _kept(letter: str) -> bool:
    if letter == MARK or letter in LATIN or letter in CYRILLIC:
        return True
    if letter.isalpha() or unicodedata.combining(letter):
        return unicodedata.name(letter, "").startswith(WHOLE_SCRIPTS)
    return True
