"""Undoes the disguises of a text: look-alike letters, invisible characters, leet, letters set apart, broken words.

What was posted stays the text of record, and every position of the normalised form leads back to it. Undoing a
disguise is itself an observation, but only where something was disguised: accents, joined emoji, capitals, a font or a
spacing that the whole text wears, and other people's alphabets are not. Every step is linear in the length of the
text, whatever an attacker writes.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from domain.signals import Evidence
from screening.apart import join_broken_words, join_set_apart
from screening.disguises import (
    EMOJI_LETTERS,
    INVISIBLE,
    OVERRIDE,
    SELECTORS,
    STACKED,
    STYLED_LETTERS,
    TAGS,
    Draft,
)
from screening.emoji import is_emoji, is_skin, joints, name_emoji
from screening.letters import fold_lookalikes, read_emoji_letters, shorten_drawn_out, undo_leet
from screening.lookalikes import FLAGS, SMALL_CAPITALS, STYLED

QUOTED_AROUND = 12
"""Characters shown on each side of something invisible, so that a moderator sees where it stood."""

STACK = 3
"""Accents over one letter that no orthography needs."""

_ZERO_WIDTH = frozenset(
    "\u200b\u200c\u200d\u2060\u2061\u2062\u2063\u2064\ufeff\u180b\u180c\u180d\u180e\u034f\u115f\u1160\u17b4\u17b5"
    "\u3164\uffa0\u2800\u206a\u206b\u206c\u206d\u206e\u206f\ufff9\ufffa\ufffb"
) | {chr(code) for code in range(0x1D173, 0x1D17B)}
_SILENT = frozenset("™℠\u200e\u200f\u061c\u202a\u202b\u202c\u2066\u2067\u2068\u2069")
_SOFT_HYPHEN = "\u00ad"
_OVERRIDES = frozenset("\u202d\u202e")
_BLACK_FLAG = "\U0001f3f4"
_FLAG_LETTERS = re.compile("[\U0001f1e6-\U0001f1ff]+")
_TAG_RUN = re.compile("[\U000e0000-\U000e007f]+")
_WORD = re.compile(r"[^\W\d_]+")
_ODD_CASE = re.compile("[a-zß-öø-ÿа-яё][A-ZÀ-ÖØ-ÞА-ЯЁ]")
_SENTENCE = re.compile(r"(?:^|[.!?…]\s|\n)\s{0,5}[^\W\d_]")
_NAME = re.compile(r"(?:[A-Z][a-z]{2,}|[a-z]|Mc|Mac|De|La|Le|Di)(?:[A-Z][a-z]{2,})+")
"""Words that capitals inside belong to: PayPal, iPhone, McDonald."""

_UNSTYLED = frozenset("sxfq")
"""Letters that fonts of small capitals lack, and leave as they are."""

LOUD = 6
"""Capitals in words next to each other from which they are shouted; fewer are mostly an abbreviation."""

ODD_WORDS = 3
"""Words in random case from which the whole text is; two, where these are a third of it."""


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

    @property
    def forms(self) -> tuple[str, ...]:
        """What a model reads: the posted form and the normalised one, or the latter alone where only case differs."""
        return (self.text,) if _lowered(self.raw) == _lowered(self.text) else (self.raw, self.text)

    def evidence(self, start: int, end: int, note: str = "") -> Evidence:
        """Evidence for `text[start:end]`, as it stood in the posted text."""
        first = self.offsets[start]
        last = max(self.offsets[end], min(first + 1, len(self.raw)))
        return Evidence(start=first, end=last, quote=self.raw[first:last], note=note)


def normalise(text: str) -> Normalised:
    """Undo the disguises of a text, in time linear in its length."""
    draft = Draft(text, text, list(range(len(text))))
    glued = 0
    if not text.isascii():
        draft = _Unmasking(text).draft()
        glued = len(joints(draft.text))
        fold_lookalikes(draft)
        read_emoji_letters(draft)
    undo_leet(draft)
    shorten_drawn_out(draft)
    join_set_apart(draft)
    join_broken_words(draft)
    _settle_case(draft)
    if not draft.text.isascii():
        name_emoji(draft, glued)
    return Normalised(text, draft.text, [*draft.origins, len(text)], tuple(draft.evidence()))


class _Unmasking:
    """The first pass: drops what cannot be seen and puts compatibility forms into plain ones. Emoji stay."""

    def __init__(self, raw: str) -> None:
        self._raw = raw
        self._characters: list[str] = []
        self._origins: list[int] = []
        self._found: list[tuple[int, int, str]] = []
        self._styled: set[int] = set()
        self._scrawled = False

    def draft(self) -> Draft:
        """The text with its disguises so far."""
        position = 0
        while position < len(self._raw):
            position = self._read(position)
        draft = Draft(self._raw, "".join(self._characters), self._origins, self._found)
        if self._styled:
            self._note_styled(draft)
        return draft

    def _read(self, position: int) -> int:
        """Read the character at a position, with what belongs to it; where the next one begins."""
        raw, character = self._raw, self._raw[position]
        if character.isascii() and raw[position + 1 : position + 2].isascii():
            self._emit(character, position)
            return position + 1
        if "\U000e0000" <= character <= "\U000e007f":
            return self._tags(position)
        if _is_selector(character):
            return self._selectors(position)
        if character in _ZERO_WIDTH or character == _SOFT_HYPHEN:
            return self._zero_width(position)
        if character in _OVERRIDES:
            self._found.append((position, min(len(raw), position + 1 + QUOTED_AROUND), OVERRIDE))
        elif "\U0001f1e6" <= character <= "\U0001f1ff":
            return self._flags(position)
        elif is_emoji(character):
            self._emit(character, position)
        elif character not in _SILENT and unicodedata.category(character) != "Me" and not is_skin(character):
            return self._cluster(position)
        return position + 1

    def _tags(self, start: int) -> int:
        end = _end(_TAG_RUN, self._raw, start)
        if self._raw[start - 1 : start] != _BLACK_FLAG:
            spelt = "".join(chr(ord(c) - 0xE0000) for c in self._raw[start:end] if 0xE0020 <= ord(c) <= 0xE007E)
            self._found.append((start, end, f"{TAGS} spelling “{spelt[:80]}”" if spelt else TAGS))
        return end

    def _selectors(self, start: int) -> int:
        end = start + 1
        while end < len(self._raw) and _is_selector(self._raw[end]):
            end += 1
        before = self._raw[start - 1 : start]
        if end - start > 1 or (before.isascii() and before.isalpha()):
            self._found.append((start, end, SELECTORS))
        return end

    def _zero_width(self, start: int) -> int:
        """Invisible characters hide something between Latin letters; soft hyphens, where one letter is cut off."""
        raw, end = self._raw, start + 1
        while end < len(raw) and (raw[end] in _ZERO_WIDTH or raw[end] == _SOFT_HYPHEN):
            end += 1
        hyphen = set(raw[start:end]) == {_SOFT_HYPHEN}
        between = start and end < len(raw) and _is_latin(raw[start - 1]) and _is_latin(raw[end])
        if between and (not hyphen or not _is_latin(raw[end + 1 : end + 2])):
            self._found.append((max(0, start - QUOTED_AROUND), min(len(raw), end + QUOTED_AROUND), INVISIBLE))
        return end

    def _flags(self, start: int) -> int:
        """Regional indicators: flags where each pair is one, and else the letters that they show."""
        end = _end(_FLAG_LETTERS, self._raw, start)
        letters = "".join(chr(ord(c) - 0x1F1E6 + ord("a")) for c in self._raw[start:end])
        pairs = [letters[i : i + 2].upper() for i in range(0, len(letters), 2)]
        if FLAGS.issuperset(pairs):
            for index in range(start, end, 2):
                self._emit(self._raw[index], index)
        else:
            self._found.append((start, end, EMOJI_LETTERS))
            for index, letter in enumerate(letters, start):
                self._emit(letter, index)
        return end

    def _cluster(self, position: int) -> int:
        """One letter with its accents, in composed and plain form."""
        raw, character = self._raw, self._raw[position]
        end = position + 1
        while end < len(raw) and unicodedata.combining(raw[end]):
            end += 1
        accents = end - position - 1
        plain = self._plain(position, end)
        if accents >= STACK:
            self._found.append((position, end, STACKED))
        if accents and character.isascii():
            self._scrawled = self._scrawled or len(plain) > 1
        if accents >= STACK or (accents and character.isascii() and self._scrawled):
            plain = self._plain(position, position + 1)
        if (
            not character.isascii()
            and len(plain) == 1
            and plain.isascii()
            and plain.isalpha()
            and character not in "ªº🅱"
        ):
            self._styled.add(position)
        self._emit(plain, position)
        return end

    def _plain(self, start: int, end: int) -> str:
        """A letter and its accents in plain form. `ғ`, a letter of Kazakh, is decorative only beside small capitals."""
        letter = self._raw[start]
        if letter in "ªº":
            return letter
        if letter == "ғ" and not SMALL_CAPITALS.isdisjoint(self._raw[max(0, start - 1) : start + 2]):
            return "f"
        plain = STYLED.get(letter) or unicodedata.normalize("NFKC", self._raw[start:end])
        return STYLED.get(plain, plain)

    def _note_styled(self, draft: Draft) -> None:
        """Decorative letters hide something where a word mixes them with ordinary ones; whole words are a font."""
        for word in _WORD.finditer(draft.text):
            styled = [draft.origins[i] in self._styled for i in range(*word.span())]
            if not any(styled):
                continue
            small = any(self._raw[draft.origins[i]] in SMALL_CAPITALS for i in range(*word.span()))
            plain = [
                letter
                for letter, is_styled in zip(word[0][1:], styled[1:], strict=True)
                if not is_styled and letter.isascii() and not (small and letter.lower() in _UNSTYLED)
            ]
            if plain:
                draft.note(*word.span(), STYLED_LETTERS)

    def _emit(self, text: str, origin: int) -> None:
        self._characters.append(text)
        self._origins.extend([origin] * len(text))


def _settle_case(draft: Draft) -> None:
    """Write words in capitals next to each other, or a text full of words in random case, as sentences are written.

    Models know words in capitals as rare strange ones. Mockery is in random case too, so neither hides anything.
    """
    spans = [(0, len(draft.text))] if _is_random(draft.text) else _shouted(draft.text)
    lowered = _lowered(draft.text)
    if spans and len(lowered) == len(draft.text):
        spoken = _SENTENCE.sub(lambda start: start[0][:-1] + start[0][-1].upper()[:1], lowered)
        draft.apply([draft.respell(start, spoken[start:end]) for start, end in spans])


def _shouted(text: str) -> list[tuple[int, int]]:
    """Where two or more words, longer than a letter, stand together in capitals: SEND MONEY."""
    runs: list[list[re.Match[str]]] = [[]]
    for word in _WORD.finditer(text):
        if word[0].isupper():
            runs[-1].append(word)
        elif runs[-1]:
            runs.append([])
    spoken = ((run, [len(word[0]) for word in run if len(word[0]) > 1]) for run in runs)
    return [(run[0].start(), run[-1].end()) for run, long in spoken if len(long) > 1 and sum(long) >= LOUD]


def _lowered(text: str) -> str:
    """Small letters, one for each."""
    return text.replace("İ", "i").lower()


def _is_random(text: str) -> bool:
    if not _ODD_CASE.search(text):
        return False
    words = [word[0] for word in _WORD.finditer(text) if len(word[0]) > 1]
    odd = sum(bool(_ODD_CASE.search(word)) and not _NAME.fullmatch(word) for word in words)
    return odd >= min(ODD_WORDS, max(2, len(words) / 3))


def _end(pattern: re.Pattern[str], text: str, start: int) -> int:
    found = pattern.match(text, start)
    return found.end() if found else start + 1


def _is_selector(character: str) -> bool:
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"


def _is_latin(character: str) -> bool:
    return character.isalnum() and (character.isascii() or character < "\u0250")
