"""Names emoji, so that words and rules meet what they say, and frees words from those that are glued to them."""

import re
import string
import unicodedata
from functools import cache

from screening.disguises import Draft, Edit
from screening.lookalikes import MEANINGS, STYLED

MAX_NAMED_EMOJI = 20
_JOINT = re.compile(r"(?<=[^\s(\"“])[^\w\s]{1,8}(?=[\w@#])")
GLUED = 3
"""Places where emoji stand between words without a space, anywhere in a text, from which all such stand for spaces.

Fewer do so only where they say nothing by themselves: I❤you, but 14💀dont.
"""

_OPENING, _CLOSING = string.whitespace + "([\"'“‘", string.whitespace + ".,;:!?)]\"'”’"
"""What stands before, and after, a word without a space between."""


def joints(text: str) -> list[tuple[int, int]]:
    """Where emoji and signs stand between words that nothing else parts."""
    return [joint.span() for joint in _JOINT.finditer(text) if any(map(is_emoji, joint[0]))]


def name_emoji(draft: Draft, glued: int) -> None:
    """Name emoji, each once in a row and so many in a text, and free them from the words they are glued to.

    Where they stand in place of spaces, they are read as spaces; at so many places they were `glued` before words were
    mended, some by reading emoji as letters.
    """
    edits: list[Edit] = []
    named, last = 0, ""
    between = {place for start, end in joints(draft.text) for place in range(start, end)}
    for index, character in enumerate(draft.text):
        if character.isascii() or not is_emoji(character):
            last = last if character.isspace() else ""
            continue
        space = index in between and (glued >= GLUED or character not in MEANINGS)
        name = "" if space or character == last or named >= MAX_NAMED_EMOJI else _name(character)
        named += bool(name)
        last = character
        new = _freed(name, draft.text[max(0, index - 1) : index], draft.text[index + 1 : index + 2])
        edits.append(Edit(index, index + 1, new, [index] * len(new)))
    draft.apply(edits)


def _freed(name: str, before: str, after: str) -> str:
    """A name with the spaces that it needs between its neighbours; no name is a space."""
    if not name:
        return " "
    return (" " if before.strip(_OPENING) else "") + name + (" " if after.strip(_CLOSING) else "")


@cache
def _name(emoji: str) -> str:
    """What an emoji is called, or what it is taken to mean."""
    if "\U0001f1e6" <= emoji <= "\U0001f1ff":
        return "flag"
    name = unicodedata.name(emoji, "").lower()
    return MEANINGS.get(emoji) or name.removeprefix("squared ").removesuffix(" face")


def is_skin(character: str) -> bool:
    """Whether it says which skin the emoji before it has."""
    return "\U0001f3fb" <= character <= "\U0001f3ff"


def is_emoji(character: str) -> bool:
    """Whether it is a picture, or a flag's half, and no letter in disguise."""
    if character in STYLED or is_skin(character):
        return False
    if "\U0001f000" <= character <= "\U0001faff":
        return True
    if character < "\u2139":
        return False
    if character == "ℹ":
        return True
    return unicodedata.category(character) == "So" and not unicodedata.normalize("NFKC", character).isascii()
