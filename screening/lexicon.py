"""Knows which strings are words, and how common: what tells a disguise that can be undone from ordinary writing.

The list is small and serves no judgement of meaning: `k1ll` is read as a word because `kill` is one, and
`iphone15` is left alone because `iphonei5` is none.
"""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path


def _read(path: Path) -> dict[str, float]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return {word: float(cost) for word, _, cost in (line.partition(" ") for line in lines if not line.startswith("#"))}


WORDS: Mapping[str, float] = _read(Path(__file__).with_name("words.txt"))
"""Each word in lower case, without apostrophes, and its cost in nats (minus the logarithm of its frequency)."""

LONGEST = 20
"""Letters of the longest word that is looked for in a run of letters."""

SHORTEST_PART = 3
"""Letters of each half of a compound: `cash` and `app`."""

COMMON_PART = 11.0
"""What each half of a compound may cost at most."""

REMEMBERED = 20_000
"""Strings whose being known is remembered."""

UNKNOWN, PER_LETTER = 10.0, 3.0
"""What a string that is no word costs: so much, and more for each letter, so that names are not cut to pieces."""


def cost(word: str) -> float:
    """What a word in lower case costs, in nats; infinite where it is none."""
    return WORDS.get(word, math.inf)


@lru_cache(REMEMBERED)
def known(word: str) -> bool:
    """Whether a string in lower case is a word, an inflected one, or a compound of two common ones."""
    if word in WORDS or any(word.endswith(end) and word[: -len(end)] in WORDS for end in ("s", "ed", "ing", "er")):
        return True
    return any(
        WORDS.get(word[:cut], math.inf) < COMMON_PART and WORDS.get(word[cut:], math.inf) < COMMON_PART
        for cut in range(SHORTEST_PART, min(len(word), LONGEST) - SHORTEST_PART + 1)
    )


def price(word: str) -> float:
    """What a string in lower case costs, word or not."""
    return WORDS.get(word, UNKNOWN + PER_LETTER * len(word))


def segment(letters: str, toll: Sequence[float]) -> list[str]:
    """The cheapest way to cut letters in lower case into words (a unigram model, found as by Viterbi 1967).

    `toll[i]`, one for each letter, is what a cut before letter `i` costs beside the words. Time is linear in the
    length.
    """
    best, cut = [0.0], [0]
    for end in range(1, len(letters) + 1):
        starts = range(max(0, end - LONGEST), end)
        total, start = min((best[s] + toll[s] + price(letters[s:end]), s) for s in starts)
        best.append(total)
        cut.append(start)
    parts: list[str] = []
    end = len(letters)
    while end:
        parts.append(letters[cut[end] : end])
        end = cut[end]
    return parts[::-1]
