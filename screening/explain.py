"""Finds the words that moved the classifier: those without which its score falls most.

Occlusion (Zeiler and Fergus 2014): leave a phrase out, score again, compare. It shows what the model
reacted to, which is not always why a person would agree.
"""

import re
from collections.abc import Sequence

MAX_PHRASES = 12
"""Phrases tried, hence extra texts scored, for one explanation."""

MAX_SHOWN = 3
CLEAR_SHARE = 0.4
"""A phrase is shown if leaving it out costs at least this share of what the strongest phrase costs."""

LEAST_DROP = 0.2
"""In log-odds; below this no phrase explains anything."""

_WORD = re.compile(r"\S+")


def phrases(text: str) -> list[tuple[int, int]]:
    """Start and end of up to MAX_PHRASES stretches of whole words that cover the text."""
    words = [hit.span() for hit in _WORD.finditer(text)]
    size = max(1, -(-len(words) // MAX_PHRASES))
    return [(group[0][0], group[-1][1]) for at in range(0, len(words), size) if (group := words[at : at + size])]


def without(text: str, span: tuple[int, int]) -> str:
    """The text with one stretch left out."""
    return f"{text[: span[0]]}{text[span[1] :].lstrip()}".strip()


def strongest(spans: Sequence[tuple[int, int]], drops: Sequence[float]) -> list[tuple[int, int]]:
    """The stretches that matter most, strongest first; none where none matters."""
    ranked = sorted(zip(drops, spans, strict=True), reverse=True)[:MAX_SHOWN]
    if not ranked or ranked[0][0] < LEAST_DROP:
        return []
    return [span for drop, span in ranked if drop >= CLEAR_SHARE * ranked[0][0]]
