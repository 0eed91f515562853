"""A text whose disguises are being undone: what it reads now, where each character came from, and what was found.

Kinds of disguise are named here, in the words that a moderator reads.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from domain.signals import Evidence

INVISIBLE = "an invisible character inside a word"
TAGS = "invisible tag characters"
SELECTORS = "variation selectors that carry hidden data"
OVERRIDE = "a control character that reverses the direction of the text"
STACKED = "a stack of accents over a letter"
STYLED_LETTERS = "letters of a decorative alphabet among ordinary ones"
MIXED = "letters of another alphabet in place of ordinary ones"
LEET = "digits or signs in place of letters"
SPACED = "a word with its letters set apart"
BROKEN = "words broken into pieces"
EMOJI_LETTERS = "emoji in place of letters"

MAX_EVIDENCE = 20
SLIPS = 2
"""Slips that make a disguise: one word broken by a line break or a stray dot happens to anyone."""


@dataclass(frozen=True)
class Edit:
    """Replace `text[start:end]` by `new`; character `i` of `new` comes from character `sources[i]` of the text."""

    start: int
    end: int
    new: str
    sources: Sequence[int]


@dataclass
class Draft:
    """A text under way. `origins[i]` is where character `i` stands in `raw`, and never decreases.

    `found` holds disguises, `slips` what is one only where it comes more than once: start, end (in `raw`) and kind.
    """

    raw: str
    text: str
    origins: list[int]
    found: list[tuple[int, int, str]] = field(default_factory=list)
    slips: list[tuple[int, int, str]] = field(default_factory=list)

    def apply(self, edits: Sequence[Edit]) -> None:
        """Make changes that stand in order and do not overlap."""
        if not edits:
            return
        texts: list[str] = []
        origins: list[int] = []
        at = 0
        for edit in edits:
            texts += (self.text[at : edit.start], edit.new)
            origins += self.origins[at : edit.start]
            origins += [self.origins[source] for source in edit.sources]
            at = edit.end
        self.text = "".join((*texts, self.text[at:]))
        self.origins = origins + self.origins[at:]

    def respell(self, start: int, new: str) -> Edit:
        """Replace as many characters from `start` on as `new` has, one by one."""
        return Edit(start, start + len(new), new, range(start, start + len(new)))

    def note(self, start: int, end: int, kind: str, *, slip: bool = False) -> None:
        """Remember a disguise at `text[start:end]`."""
        (self.slips if slip else self.found).append((self.origins[start], self.origins[end - 1] + 1, kind))

    def evidence(self) -> Iterator[Evidence]:
        """The disguises in order of position, neighbours of one kind joined into one."""
        spans: list[tuple[int, int, str]] = []
        for start, end, kind in sorted(self.found + (self.slips if len(self.slips) >= SLIPS else [])):
            if spans and spans[-1][2] == kind and start <= spans[-1][1] + 1:
                spans[-1] = (spans[-1][0], max(end, spans[-1][1]), kind)
            else:
                spans.append((start, end, kind))
        for start, end, kind in spans[:MAX_EVIDENCE]:
            yield Evidence(start=start, end=end, quote=self.raw[start:end], note=kind)
