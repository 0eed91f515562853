"""A posted text as a moderator must see it: the evidence marked in place, and nothing left invisible.

Gives pieces for a template to escape and dress; whatever cannot be seen, or would reorder what is around it, becomes a
mark with a name and is never passed on itself.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from domain.base import Frozen
from domain.signals import Evidence, Signal
from domain.vocabulary import Policy, SignalSource
from screening.disguises import INVISIBLE, SELECTORS, TAGS
from screening.lookalikes import LOOKALIKES
from screening.normalise import Normalised, normalise

SHORT = {
    "\u200b": "ZWSP",
    "\u200c": "ZWNJ",
    "\u200d": "ZWJ",
    "\u2060": "WJ",
    "\ufeff": "BOM",
    "\u00ad": "SHY",
    "\u200e": "LRM",
    "\u200f": "RLM",
    "\u202a": "LRE",
    "\u202b": "RLE",
    "\u202c": "PDF",
    "\u202d": "LRO",
    "\u202e": "RLO",
}
ORDINARY = frozenset("\n\t\r")
TAG_CHARACTERS = range(0xE0000, 0xE0080)
EMOJI_JOINS = frozenset("\u200d\ufe0f")
"""Invisible, but at home between emoji, where they are no disguise unless screening says so."""

NAMED_BY_MARKS = (INVISIBLE, TAGS, SELECTORS)
"""Disguises that the marks themselves show; the words around them need no dress."""

MOST_NAMED = 40


class Reason(Frozen):
    """One thing that was noticed, with the number under which it is marked in the text; None: it has no place there."""

    number: int | None
    signal: Signal


class Piece(Frozen):
    """A stretch of the text that is dressed alike. `numbers` are the reasons that speak of it, `hidden` how it is
    disguised, `ends` the numbers of those that end here. `mark` stands in place of what cannot be seen; `looks` names
    a letter that is not what it seems."""

    text: str
    numbers: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()
    hidden: tuple[str, ...] = ()
    mark: str | None = None
    looks: str | None = None


class Shown(Frozen):
    """A text with its marks, what was noticed by number, and what it reads without its disguises, if that differs."""

    pieces: tuple[Piece, ...]
    reasons: tuple[Reason, ...]
    plain: str | None
    disguises: tuple[Evidence, ...]


def shown(text: str, signals: Sequence[Signal], about: Policy | None = None) -> Shown:
    """How to show a text for which these signals were noticed: first what speaks of the verdict, the weightiest first.

    `about` is the policy in question; what a classifier scores for others comes last.
    """
    clear = normalise(text)
    reasons = tuple(_numbered(signals, about))
    spans = [
        (_within(found.start, text), _within(found.end, text), reason.number)
        for reason in reasons
        if reason.number is not None
        for found in reason.signal.evidence
    ]
    return Shown(
        pieces=tuple(_pieces(text, spans, clear)),
        reasons=reasons,
        plain=clear.text if clear.hidden else None,
        disguises=tuple(_readable(found) for found in clear.hidden),
    )


def readable(text: str) -> str:
    """A text with names in place of what cannot be seen, on one line."""
    return " ".join(readable_lines(text).split())


def readable_lines(text: str) -> str:
    """The same with its lines kept."""
    return "".join(_named(c) if _is_unseen(c) else c for c in text)


def _numbered(signals: Sequence[Signal], about: Policy | None) -> Iterator[Reason]:
    def place(signal: Signal) -> tuple[int, bool, float]:
        beside = signal.source is SignalSource.CLASSIFIER and signal.policy is not about
        return -signal.floor.rank, beside, -abs(signal.weight)

    ranked = sorted(signals, key=place)
    number = 0
    for signal in ranked:
        number += bool(signal.evidence)
        yield Reason(number=number if signal.evidence else None, signal=signal)


def _pieces(text: str, spans: list[tuple[int, int, int]], clear: Normalised) -> Iterator[Piece]:
    disguised = [(_within(found.start, text), _within(found.end, text), found.note) for found in clear.hidden]
    bounds = {0, len(text), *(edge for start, end, _ in (*spans, *disguised) for edge in (start, end))}
    cuts = sorted(bounds)
    for start, end in pairwise(cuts):
        numbers = tuple(sorted({n for a, b, n in spans if a <= start and end <= b}))
        notes = tuple(dict.fromkeys(note for a, b, note in disguised if a <= start and end <= b))
        made = list(_without_unseen(text[start:end], numbers, notes))
        ends = tuple(sorted({n for _, b, n in spans if b == end and n in numbers}))
        yield from made[:-1]
        yield made[-1].model_copy(update={"ends": ends})


def _without_unseen(text: str, numbers: tuple[int, ...], notes: tuple[str, ...]) -> Iterator[Piece]:
    """Runs of ordinary characters, of invisible ones of one kind, and, where it is disguised, single look-alikes."""
    run, kind = "", ""
    hidden = tuple(note for note in notes if not note.startswith(NAMED_BY_MARKS))

    def made() -> Piece:
        if kind == "unseen":
            return Piece(text="", numbers=numbers, hidden=hidden, mark=_run_name(run))
        looks = f"{unicodedata.name(run, 'unnamed').lower()}, seems “{LOOKALIKES[run]}”" if kind == "alike" else None
        return Piece(text=run, numbers=numbers, hidden=hidden, looks=looks)

    for character in text:
        if _is_unseen(character, joins=not notes):
            new = "unseen"
        else:
            new = "alike" if hidden and character in LOOKALIKES else "seen"
        if run and (new != kind or new == "alike"):
            yield made()
            run = ""
        run, kind = run + character, new
    if run:
        yield made()


def _is_unseen(character: str, *, joins: bool = False) -> bool:
    if character in ORDINARY or (joins and character in EMOJI_JOINS):
        return False
    variation = 0xFE00 <= ord(character) <= 0xFE0F or 0xE0100 <= ord(character) <= 0xE01EF
    return unicodedata.category(character) in ("Cf", "Cc", "Co", "Cn") or variation or character in "\u3164\uffa0\u2800"


def _run_name(run: str) -> str:
    """A name for a run of what cannot be seen; tag characters are spelt out, for they carry words."""
    if all(ord(c) in TAG_CHARACTERS for c in run):
        letters = "".join(filter(str.isprintable, (chr(ord(c) - TAG_CHARACTERS.start) for c in run)))
        return f"tags: {letters}" if letters else "tags"
    names = list(dict.fromkeys(map(_short, run[:MOST_NAMED])))
    return f"{names[0]} ×{len(run)}" if len(names) == 1 and len(run) > 1 else " ".join(names)


def _named(character: str) -> str:
    return f"⟨{_run_name(character)}⟩"


def _short(character: str) -> str:
    return SHORT.get(character, f"U+{ord(character):04X}")


def _readable(found: Evidence) -> Evidence:
    return found.model_copy(update={"quote": _joined(found.quote)})


def _joined(quote: str) -> str:
    """A quote in which runs of invisible characters are named once."""
    parts: list[str] = []
    for unseen, run in _runs(quote):
        parts.append(f"⟨{_run_name(run)}⟩" if unseen else run)
    return "".join(parts)


def _runs(text: str) -> Iterable[tuple[bool, str]]:
    run, kind = "", False
    for character in text:
        unseen = _is_unseen(character)
        if run and unseen != kind:
            yield kind, run
            run = ""
        run, kind = run + character, unseen
    if run:
        yield kind, run


def _within(position: int, text: str) -> int:
    return min(position, len(text))
