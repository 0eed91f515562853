"""Undoes the disguises of a text: look-alike letters, invisible characters, leet, letters spaced out.

Both forms are kept: what was posted stays the text of record, and every position of the normalised
form leads back to it. Undoing a disguise is itself an observation, but only where something was
disguised: accents, joined emoji and other people's alphabets are not. Every step is one pass over the
characters; there is no pattern matching that an attacker could slow down.
"""

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from domain.signals import Evidence
from screening.lookalikes import LOOKALIKES, STYLED

INVISIBLE = "an invisible character inside a word"
TAGS = "invisible tag characters"
SELECTORS = "variation selectors that carry hidden data"
OVERRIDE = "a control character that reverses the direction of the text"
STACKED = "a stack of accents over a letter"
STYLED_LETTERS = "letters of a decorative alphabet in place of ordinary ones"
MIXED = "letters of another alphabet in place of Latin ones"
LEET = "digits or signs in place of letters"
SPACED = "a word with its letters set apart"

MAX_EVIDENCE = 20
MAX_NAMED_EMOJI = 20
QUOTED_AROUND = 12
"""Characters shown on each side of something invisible, so that a moderator sees where it stood."""

_ZERO_WIDTH = frozenset(
    "\u200b\u200c\u200d\u2060\u2061\u2062\u2063\u2064\ufeff\u180e\u034f\u115f\u1160\u3164\uffa0\u2800"
)
_SILENT = frozenset("\u00ad\u200e\u200f\u061c\u202a\u202b\u202c\u2066\u2067\u2068\u2069")
_OVERRIDES = frozenset("\u202d\u202e")
_BLACK_FLAG = "\U0001f3f4"
_LEET = {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s"}
_SHORT_LEET = frozenset("03@")
_UNITS = frozenset(
    {"am", "pm", "ish", "yo", "yr", "yrs", "min", "mins", "hr", "hrs", "k", "km", "m", "mi", "ft", "cm", "kg", "lb"}
    | {"lbs", "f", "th", "st", "nd", "rd", "pro", "plus", "max", "mini"}
)
"""What may follow a number in one word, so that `at7pm` and `iphone15pro` keep their digits."""

MAX_BEFORE_AT = 2
"""Letters before an @ that is read as an a: `c@sh` and `wh@tsapp`, but not `lunch@noon`."""

_SEPARATORS = frozenset(" .-_*·/,")


@dataclass(frozen=True)
class Normalised:
    """A text without its disguises.

    `offsets[i]` is the position in the posted text of character `i`, and `offsets[len(text)]` the length
    of the posted text; offsets never decrease. `hidden` points at the disguises, in the posted text.
    """

    raw: str
    text: str
    offsets: Sequence[int]
    hidden: tuple[Evidence, ...]

    def evidence(self, start: int, end: int, note: str = "") -> Evidence:
        """Evidence for `text[start:end]`, as it stood in the posted text."""
        first = self.offsets[start]
        last = max(self.offsets[end], min(first + 1, len(self.raw)))
        return Evidence(start=first, end=last, quote=self.raw[first:last], note=note)


@dataclass
class _Draft:
    """A text under way: its characters, where each came from, and the disguises found (start, end, note)."""

    raw: str
    characters: list[str]
    origins: list[int]
    found: list[tuple[int, int, str]]


def normalise(text: str) -> Normalised:
    """Undo the disguises of a text, in time linear in its length."""
    draft = _Draft(text, [], [], [])
    if text.isascii():
        draft.characters, draft.origins = list(text), list(range(len(text)))
    else:
        _unmask_characters(draft)
        _fold_lookalikes(draft)
    _undo_leet(draft)
    _join_spaced_letters(draft)
    return Normalised(text, "".join(draft.characters), [*draft.origins, len(text)], tuple(_merged(draft)))


def _unmask_characters(draft: _Draft) -> None:
    """Drop what cannot be seen, put compatibility forms into plain ones, and name emoji."""
    raw = draft.raw
    japanese = any("\u3040" <= c <= "\u30ff" or "\u4e00" <= c <= "\u9fff" for c in raw)
    position, named, last_emoji = 0, 0, ""
    while position < len(raw):
        character = raw[position]
        end = position + 1
        if "\U000e0000" <= character <= "\U000e007f":
            end = _run(raw, position, "\U000e0000", "\U000e007f")
            if raw[position - 1 : position] != _BLACK_FLAG:
                spelt = "".join(chr(ord(c) - 0xE0000) for c in raw[position:end] if 0xE0020 <= ord(c) <= 0xE007E)
                draft.found.append((position, end, f"{TAGS} spelling “{spelt[:80]}”" if spelt else TAGS))
        elif _is_selector(character):
            while end < len(raw) and _is_selector(raw[end]):
                end += 1
            before = raw[position - 1 : position]
            if end - position > 1 or (before.isascii() and before.isalpha()):
                draft.found.append((position, end, SELECTORS))
        elif character in _ZERO_WIDTH:
            while end < len(raw) and raw[end] in _ZERO_WIDTH:
                end += 1
            if position and end < len(raw) and _is_latin(raw[position - 1]) and _is_latin(raw[end]):
                draft.found.append((max(0, position - QUOTED_AROUND), min(len(raw), end + QUOTED_AROUND), INVISIBLE))
        elif character in _OVERRIDES:
            draft.found.append((position, min(len(raw), end + QUOTED_AROUND), OVERRIDE))
        elif character in _SILENT:
            pass
        elif _is_emoji(character):
            fresh = character != last_emoji and named < MAX_NAMED_EMOJI
            name = unicodedata.name(character, "").lower() if fresh else ""
            named += bool(name)
            last_emoji = character
            _emit(draft, f" {name} " if name else " ", position)
        else:
            if not character.isspace():
                last_emoji = ""
            end = _emit_cluster(draft, position, japanese)
        position = end


def _emit_cluster(draft: _Draft, position: int, japanese: bool) -> int:
    """Emit one letter with its accents in composed, plain form; return where it ends."""
    raw, character = draft.raw, draft.raw[position]
    end = position + 1
    if character.isascii() and (end == len(raw) or raw[end].isascii()):
        _emit(draft, character, position)
        return end
    while end < len(raw) and unicodedata.combining(raw[end]):
        end += 1
    accents = end - position - 1
    if accents >= 3:
        draft.found.append((position, end, STACKED))
        cluster = character
    else:
        cluster = raw[position:end]
    plain = STYLED.get(character) or unicodedata.normalize("NFKC", cluster)
    if not character.isascii() and len(plain) == 1 and plain.isascii() and plain.isalnum():
        fullwidth = "\uff01" <= character <= "\uff5e"
        if not (fullwidth and japanese) and plain.isalpha() and character not in "ªº":
            draft.found.append((position, end, STYLED_LETTERS))
    _emit(draft, plain, position)
    return end


def _fold_lookalikes(draft: _Draft) -> None:
    """Fold foreign letters where a word mixes alphabets, or where a Latin text holds a word made only of them."""
    if LOOKALIKES.keys().isdisjoint(draft.characters):
        return
    words = list(_words(draft.characters, str.isalpha))
    kinds = [_alphabets(draft.characters[start:end]) for start, end in words]
    latin_text = any(latin and not foreign for latin, foreign, _ in kinds)
    own_words = any(foreign and not latin and not foldable for latin, foreign, foldable in kinds)
    for (start, end), (latin, foreign, foldable) in zip(words, kinds, strict=True):
        disguised = latin or (foldable and latin_text and not own_words and end - start > 1)
        if not foreign or not disguised:
            continue
        for index in range(start, end):
            draft.characters[index] = LOOKALIKES.get(draft.characters[index], draft.characters[index])
        draft.found.append((draft.origins[start], draft.origins[end - 1] + 1, MIXED))


def _alphabets(word: Sequence[str]) -> tuple[bool, bool, bool]:
    """Whether a word holds Latin letters, holds letters with a look-alike's alphabet, and holds only look-alikes."""
    latin = foreign = False
    foldable = True
    for letter in word:
        if letter in LOOKALIKES:
            foreign = True
        elif _is_latin(letter):
            latin, foldable = True, False
        else:
            foreign, foldable = foreign or "\u0370" <= letter <= "\u058f", False
    return latin, foreign, foldable


def _undo_leet(draft: _Draft) -> None:
    """Read digits and signs as letters where letters stand on both sides: m0n3y, c@sh."""
    characters = draft.characters
    for start, end in _words(characters, lambda c: c.isascii() and (c.isalnum() or c in "@$")):
        if end - start < 3 or not any(c in _LEET for c in characters[start:end]):
            continue
        after = characters[end : end + 2]
        if len(after) == 2 and after[0] in "./" and after[1].isalnum():
            continue  # an address or a link, whose digits are its own
        inner = _inner_leet(characters, start, end)
        if not inner:
            continue
        for index in inner:
            characters[index] = _LEET[characters[index]]
        draft.found.append((draft.origins[start], draft.origins[end - 1] + 1, LEET))


def _inner_leet(characters: Sequence[str], start: int, end: int) -> list[int]:
    """Positions to be read as letters in the word `characters[start:end]`."""
    short = end - start == 3
    positions: list[int] = []
    index = start
    while index < end:
        stop = index
        while stop < end and not characters[stop].isalpha():
            stop += 1
        if start < index < stop < end:
            tail_end = stop
            while tail_end < end and characters[tail_end].isalpha():
                tail_end += 1
            tail = "".join(characters[stop:tail_end]).lower()
            readable = all(c in (_SHORT_LEET if short else _LEET) for c in characters[index:stop])
            place = "@" in characters[index:stop] and index - start > MAX_BEFORE_AT
            twin = "".join(characters[start:index]).lower() == tail  # "masc4masc" says "for"
            if readable and stop - index <= 2 and not twin and not place and not (tail_end == end and tail in _UNITS):
                positions.extend(range(index, stop))
            index = tail_end
        else:
            index = max(stop, index + 1)
    return positions


def _join_spaced_letters(draft: _Draft) -> None:
    """Join four or more single letters set apart by the same separator: w h a t s a p p, c.a.s.h.a.p.p."""
    characters, origins = draft.characters, draft.origins
    kept: list[int] = []
    index, total = 0, len(characters)
    while index < total:
        before = characters[index - 1] if index else ""
        if not characters[index].isalpha() or before.isalnum() or before in ("'", "’"):
            kept.append(index)
            index += 1
            continue
        letters = [index]
        separator = characters[index + 1] if index + 1 < total else ""
        if separator in _SEPARATORS:
            while (
                (following := letters[-1] + 2) < total
                and characters[following - 1] == separator
                and characters[following].isalpha()
                and not (following + 1 < total and characters[following + 1].isalnum())
            ):
                letters.append(following)
        word = "".join(characters[i] for i in letters)
        needed = 6 if separator == "." and word.isupper() else 4
        if separator and len(letters) >= needed:
            draft.found.append((origins[index], origins[letters[-1]] + 1, SPACED))
            kept.extend(letters)
        else:
            kept.extend(range(index, letters[-1] + 1))
        index = letters[-1] + 1
    draft.characters = [characters[i] for i in kept]
    draft.origins = [origins[i] for i in kept]


def _words(characters: Sequence[str], belongs: Callable[[str], bool]) -> Iterator[tuple[int, int]]:
    """Start and end of each longest run of characters that belong."""
    start: int | None = None
    for index, character in enumerate(characters):
        if belongs(character):
            start = index if start is None else start
        elif start is not None:
            yield start, index
            start = None
    if start is not None:
        yield start, len(characters)


def _emit(draft: _Draft, text: str, origin: int) -> None:
    draft.characters.extend(text)
    draft.origins.extend([origin] * len(text))


def _run(text: str, start: int, lowest: str, highest: str) -> int:
    end = start
    while end < len(text) and lowest <= text[end] <= highest:
        end += 1
    return end


def _is_selector(character: str) -> bool:
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"


def _is_latin(character: str) -> bool:
    return character.isalnum() and (character.isascii() or character < "\u0250")


def _is_emoji(character: str) -> bool:
    if character in STYLED:
        return False
    if "\U0001f000" <= character <= "\U0001faff":
        return True
    return character >= "\u2190" and unicodedata.category(character) == "So"


def _merged(draft: _Draft) -> Iterator[Evidence]:
    """Evidence in order of position, neighbours of one kind joined into one."""
    spans: list[tuple[int, int, str]] = []
    for start, end, note in sorted(draft.found):
        if spans and spans[-1][2] == note and start <= spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]), note)
        else:
            spans.append((start, end, note))
    for start, end, note in spans[:MAX_EVIDENCE]:
        yield Evidence(start=start, end=end, quote=draft.raw[start:end], note=note)
