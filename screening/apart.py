"""Joins words whose letters were set apart (k i l l, k.i.l.l) or that were broken into pieces (mo-ney, mon\\ney)."""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from screening.disguises import BROKEN, SPACED, Draft, Edit
from screening.lexicon import LONGEST, cost, known, price, segment

FEWEST = 4
"""Single letters in a row that are a word set apart; three are one where they spell a common word."""

FEWEST_DOTTED_CAPITALS = 6
"""The same for capitals with dots, which are mostly an abbreviation: U.S.A., R.S.V.P."""

WIDEST = 5
"""Characters between two letters, or two pieces, of one word."""

COMMON = 11.2
"""What a word of three letters may cost to be read from letters set apart."""

EXPLAINED = 0.7
"""Share of the letters set apart that must lie in words."""

PIECES = 8
"""Pieces of one broken word."""

SHORTEST = 4
"""Letters of a word that is put together from pieces."""

TELLING = 2.5
"""Letters that words have on average where none is longer: shorter ones are what single letters look like."""

_ALONE = re.compile(r"(?<![^\W_])[^\W_](?![^\W_])[^\w]{1,5}[^\W_](?![^\W_])[^\w]{1,5}[^\W_](?![^\W_])")
_PIECE = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_VOWELS = frozenset("aeiouyаеиоуыэюяієїαεηιουω")
_CLAUSE_ENDS = re.compile(r"[,;:!?]\s")
_SENTENCE_ENDS = re.compile(r"[.,!?;:…)\"]\s")

HYPHENED, HYPHENED_SHARE = 4, 0.2
"""Hyphens inside words, and their share of all that stands between words, from which they break words."""

_HYPHENS = frozenset({"-", "–", "-\n"})
_HARMLESS = _HYPHENS | {" ", "\n"}
NEVER = math.inf
_BEFORE = re.compile(r"(?:^|[^\w (])\s*$")
_AFTER = re.compile(r"\s{0,5}(?:$|[^\w )])")


def join_set_apart(draft: Draft) -> None:
    """Join letters set apart by spaces, dots, dashes, line breaks, emoji or all of these, and find the words."""
    text = draft.text
    if not _ALONE.search(text):
        return
    edits: list[Edit] = []
    for letters in _chains([m.start() for m in _PIECE.finditer(text) if len(m[0]) == 1], text):
        words = _words(letters, text)
        if not words:
            continue
        positions: list[int] = []
        new: list[str] = []
        taken = 0
        for number, word in enumerate(words):
            if number:
                new.append(" ")
                positions.append(letters[taken - 1] + 1)
            positions += letters[taken : taken + len(word)]
            new += [text[i] for i in letters[taken : taken + len(word)]]
            taken += len(word)
        edits.append(Edit(letters[0], letters[-1] + 1, "".join(new), positions))
    for edit in edits:
        letters_of = sum(c != " " for c in edit.new)
        if letters_of >= FEWEST and not edit.new.isupper() and not _is_heading(edit, text):
            draft.note(edit.start, edit.end, SPACED)
    draft.apply(edits)


def _is_heading(edit: Edit, text: str) -> bool:
    """Whether letters set apart stand apart from the text too, as a greeting or a title does; there it is a style."""
    before, after = _BEFORE.search(text[max(0, edit.start - WIDEST) : edit.start]), _AFTER.match(text, edit.end)
    return before is not None and after is not None


def _chains(singles: Sequence[int], text: str) -> Iterator[list[int]]:
    """Positions of letters that stand alone and near each other, three or more in a row."""
    chain: list[int] = []
    for index in singles:
        if not _is_joinable(text[index]):
            continue
        gap = text[chain[-1] + 1 : index] if chain else ""
        if chain and (not _is_gap(gap) or _CLAUSE_ENDS.search(gap)):
            if len(chain) >= FEWEST - 1:
                yield chain
            chain = []
        chain.append(index)
    if len(chain) >= FEWEST - 1:
        yield chain


def _words(letters: Sequence[int], text: str) -> list[str]:
    """The words that letters set apart make; none where they are an abbreviation, a list or a pattern."""
    written = "".join(text[i] for i in letters)
    plain = written.lower()
    gaps = [text[i + 1 : j] for i, j in pairwise(letters)]
    if len(set(plain)) < 3 or len(plain) != len(letters) or _is_alphabet(plain):
        return []
    common = Counter(gaps).most_common(1)[0][0]
    uniform = len(set(gaps)) == 1
    if len(letters) < FEWEST:
        return [plain] if uniform and written.islower() and cost(plain) < COMMON else []
    if "." in common and written.isupper() and len(letters) < FEWEST_DOTTED_CAPITALS:
        return []
    found = segment(plain, [0.0, *_toll(gaps, common)])
    explained = sum(len(word) for word in found if math.isfinite(cost(word)))
    told = max(map(len, found)) >= SHORTEST or len(plain) >= TELLING * len(found)
    if explained >= EXPLAINED * len(plain) and told:
        return found
    spelt = uniform and len(plain) > FEWEST and not _VOWELS.isdisjoint(plain) and not _VOWELS.issuperset(plain)
    return [plain] if spelt else []


def _toll(gaps: Sequence[str], common: str) -> list[float]:
    """What a cut at each gap costs: where some gaps are wider than the rest, words begin there."""
    wide = [len(gap) > len(common) or (gap.isspace() and not common.isspace()) for gap in gaps]
    if not any(wide) or 2 * sum(wide) > len(wide):
        return [0.0] * len(gaps)
    return [-6.0 if is_wide else 6.0 for is_wide in wide]


def _is_alphabet(letters: str) -> bool:
    """Whether most letters follow their neighbour in the alphabet: a b c d."""
    return 2 * sum(ord(b) - ord(a) == 1 for a, b in pairwise(letters)) >= len(letters) - 1


@dataclass(frozen=True)
class _Pieces:
    """The runs of letters in a text, in lower case, and what stands after each but the last.

    `odd` says which are no words, though longer than a letter; `hyphened` that hyphens stand inside words everywhere.
    """

    spans: tuple[tuple[int, int], ...]
    letters: tuple[str, ...]
    gaps: tuple[str, ...]
    odd: tuple[bool, ...]
    hyphened: bool

    @classmethod
    def of(cls, text: str) -> "_Pieces":
        spans = tuple(piece.span() for piece in _PIECE.finditer(text))
        letters = tuple(text[start:end].lower() for start, end in spans)
        gaps = tuple(text[a:b] for (_, a), (b, _) in pairwise(spans))
        odd = tuple(len(word) > 1 and not known(word.replace("’", "").replace("'", "")) for word in letters)
        hyphens = sum(gap in _HYPHENS for gap in gaps)
        return cls(spans, letters, gaps, odd, hyphens >= HYPHENED and hyphens > HYPHENED_SHARE * len(gaps))

    def may_begin_word(self, first: int) -> bool:
        """Whether a broken word can begin here: where all are words, with spaces between, there is none."""
        return self.gaps[first] != " " or any(self.odd[first : first + PIECES])

    def in_word(self, first: int) -> int:
        """How many pieces from the first on make one word; 1 where it stands for itself."""
        word, apart, asked = self.letters[first], price(self.letters[first]), 0.0
        best, count, gain = 1, 1, 0.0
        some_odd = self.odd[first]
        if not _is_joinable(word):
            return 1
        for number in range(first + 1, min(first + PIECES, len(self.letters))):
            piece, gap = self.letters[number], self.gaps[number - 1]
            word, count = word + piece, count + 1
            if len(word) > LONGEST or not _is_joinable(piece) or not _is_gap(gap) or _SENTENCE_ENDS.search(gap):
                break
            some_odd = some_odd or self.odd[number]
            apart += price(piece)
            asked = max(asked, self._asked(gap, some_odd=some_odd))
            gained = apart - cost(word) - asked
            if gained > gain and count < len(word) and len(word) >= SHORTEST:
                best, gain = count, gained
        return best

    def _asked(self, gap: str, *, some_odd: bool) -> float:
        """How many nats likelier a word must be than its pieces, by what stands between them."""
        if gap == " ":
            return 12.0 if some_odd else NEVER
        if gap.isspace():
            return 6.0 if some_odd else 9.0
        if any(c.isspace() for c in gap) and gap not in _HYPHENS:
            return 9.0 if some_odd else NEVER
        if gap in _HYPHENS and not self.hyphened:
            return 4.0 if some_odd else NEVER
        return 4.0 if some_odd else 7.0


def join_broken_words(draft: Draft) -> None:
    """Join the pieces of words broken by a line break, a dot, a dash, an emoji or a space.

    Pieces are joined where that makes a word that is far likelier than they are. It is a disguise where it comes more
    than once, or where no piece is a word itself.
    """
    pieces = _Pieces.of(draft.text)
    edits: list[Edit] = []
    index = 0
    while index < len(pieces.gaps):
        count = pieces.in_word(index) if pieces.may_begin_word(index) else 1
        if count > 1:
            spans = pieces.spans[index : index + count]
            positions = [i for span in spans for i in range(*span)]
            edits.append(Edit(spans[0][0], spans[-1][1], "".join(draft.text[i] for i in positions), positions))
            odd, gaps = pieces.odd[index : index + count], set(pieces.gaps[index : index + count - 1])
            if any(odd):
                draft.note(spans[0][0], spans[-1][1], BROKEN, slip=gaps <= _HARMLESS or (count == 2 and not all(odd)))
        index += count
    draft.apply(edits)


def _is_joinable(letters: str) -> bool:
    """Whether it is written in an alphabet whose words are letters alone."""
    return letters.isalpha() and letters < "\u0530" and max(letters) < "\u0530"


def _is_gap(gap: str) -> bool:
    """Whether no letter, digit or accent stands between two pieces, and no apostrophe."""
    return 0 < len(gap) <= WIDEST and all(
        c.isspace() or (unicodedata.category(c)[0] in "PSZ" and c not in "'’") for c in gap
    )
