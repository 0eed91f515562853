"""Finds the words behind the classifier's score, at no cost beyond the pass that gave the score.

The heads are linear and read means over tokens, so a logit is exactly the sum of what its tokens add.
That shows what the model reacted to, each word read in its context, which is not always why a person
would agree.
"""

import math
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

PHRASE_WORDS = 3
"""Words in one phrase: enough to be understood where it is quoted alone."""

MAX_SHOWN = 3
CLEAR_SHARE = 0.5
"""A phrase is shown if it adds at least this share of what the strongest phrase adds."""

LEAST_SHARE = 0.2
"""In log-odds; a phrase that adds less explains nothing."""

Span = tuple[int, int]

_WORD = re.compile(r"\S+")


def words_of(text: str) -> list[Span]:
    """Start and end of each word."""
    return [found.span() for found in _WORD.finditer(text)]


def shares_of(words: Sequence[Span], tokens: Sequence[Span], shares: NDArray[np.float32]) -> list[float]:
    """What each word adds: the sum over the tokens that lie in it. `shares` has one number a token."""
    added = [0.0] * len(words)
    at = 0
    for (start, end), share in zip(tokens, shares, strict=True):
        while at < len(words) and words[at][1] <= start:
            at += 1
        if end > start and at < len(words) and words[at][0] <= start:
            added[at] += float(share)
    return added


def alone(spans: Sequence[Span], tokens: Sequence[Span], shares: NDArray[np.float32], whole: float) -> list[float]:
    """Estimates of the log-odds of any violation that stretches of a text would have by themselves, `whole` being the
    text's own: the same sum of shares, as if the mean were over the stretch's tokens alone. They were read in company,
    so this tells where to look closer, and no more: infinity where no token stands wholly inside. `shares` is S x 10,
    the encoder's, clean last; what n-grams said of the whole text stays in `whole`.
    """
    starts, ends = np.array(tokens, dtype=np.int64).T
    estimates = []
    for start, end in spans:
        inside = shares[(starts >= start) & (ends <= end) & (ends > starts)]
        if len(inside):
            own = inside.sum(axis=0) * (len(shares) / len(inside))
            estimates.append(whole + _any_violation(own) - _any_violation(shares.sum(axis=0)))
        else:
            estimates.append(math.inf)
    return estimates


def _any_violation(logits: NDArray[np.float32]) -> float:
    return float(np.logaddexp.reduce(logits[:-1]) - logits[-1])


def strongest(words: Sequence[Span], added: Sequence[float]) -> list[Span]:
    """The phrases that add most, strongest first, without overlap; none where none matters."""
    size = min(PHRASE_WORDS, len(words))
    ranked = sorted(
        ((sum(added[at : at + size]), at) for at in range(len(words) - size + 1)),
        key=lambda found: (-found[0], found[1]),
    )
    shown: list[Span] = []
    taken: set[int] = set()
    for total, first in ranked:
        if len(shown) == MAX_SHOWN or total < max(LEAST_SHARE, CLEAR_SHARE * ranked[0][0]):
            break
        phrase = range(first, first + size)
        if not taken.isdisjoint(phrase):
            continue
        taken |= set(phrase)
        kept = [word for word in phrase if added[word] > 0]
        shown.append((words[kept[0]][0], words[kept[-1]][1]))
    return shown
