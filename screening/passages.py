"""The passages of a text, which the classifier reads each for itself beside the whole.

Harmless words around a violation, or orders to whoever judges it, make the whole look milder than its worst part.
"""

import re
from collections.abc import Sequence

from screening.explain import Span

SHORTEST = 12
"""Characters that say anything by themselves; shorter passages go with the one before."""

MOST_SENTENCES, MOST_LINES = 16, 8

_END = re.compile(r"\n+|(?<=[.!?…。！？])\s+")
_LINE_END = re.compile(r"\n+")


def passages(text: str) -> tuple[Span, ...]:
    """Where the sentences stand, and of a text of several lines the whole lines as well: harm that takes two sentences
    shows in neither alone. Neighbours go together where there are many. None for a text that is one passage."""
    sentences = _pieces(text, _END)
    if len(sentences) < 2:
        return ()
    lines = _pieces(text, _LINE_END)
    whole = _grouped(lines, MOST_LINES) if len(lines) > 1 else []
    return tuple(dict.fromkeys([*_grouped(sentences, MOST_SENTENCES), *whole]))


def _pieces(text: str, end: re.Pattern[str]) -> list[Span]:
    """What stands between the ends, without space around it; a piece too short to say anything joins a neighbour."""
    bounds = [0, *(at for found in end.finditer(text) for at in found.span()), len(text)]
    pieces: list[Span] = []
    for start, stop in zip(bounds[::2], bounds[1::2], strict=True):
        start += len(text[start:stop]) - len(text[start:stop].lstrip())
        stop = start + len(text[start:stop].rstrip())
        if start == stop:
            continue
        if pieces and (stop - start < SHORTEST or pieces[-1][1] - pieces[-1][0] < SHORTEST):
            pieces[-1] = (pieces[-1][0], stop)
        else:
            pieces.append((start, stop))
    return pieces


def _grouped(pieces: Sequence[Span], most: int) -> list[Span]:
    together = -(-len(pieces) // most)
    return [(pieces[i][0], pieces[i : i + together][-1][1]) for i in range(0, len(pieces), together)]
