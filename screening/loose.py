"""Reads a text loosely, for rules alone: letters masked (k*ll), words joined by a hyphen or a dot (whats-app).

Ordinary writing masks swear words and joins words too, and the model reads both better as they were
written; so this form is never scored, shown or stored, and is no evidence of a disguise.
"""

import re

from screening.disguises import Draft, Edit
from screening.lexicon import known
from screening.normalise import Normalised

MASKED = (
    "bitch",
    "bitcoin",
    "blackmail",
    "cashapp",
    "cocaine",
    "cock",
    "coke",
    "crypto",
    "cunt",
    "dick",
    "drugs",
    "escort",
    "fuck",
    "fuckin",
    "fucking",
    "gun",
    "hurt",
    "kill",
    "killed",
    "killing",
    "money",
    "murder",
    "naked",
    "nude",
    "nudes",
    "paypal",
    "pills",
    "porn",
    "pussy",
    "rape",
    "sell",
    "selling",
    "sex",
    "sexting",
    "shit",
    "shoot",
    "slut",
    "snap",
    "snapchat",
    "stab",
    "suicide",
    "telegram",
    "venmo",
    "weed",
    "whatsapp",
    "whore",
    "zelle",
)
"""What is masked, and looked for by rules."""

SHORTEST = 4
"""Letters of a word that is put together from two."""

_MASKED = re.compile(r"(?<![^\W_])[^\W\d_](?:[^\W\d_]|[*#%•_×?~^]){1,9}[^\W\d_](?![^\W_])")
_MASK = frozenset("*#%•_×?~^")
_JOINED = re.compile(r"(?<![^\W\d_])([^\W\d_]+)[-.·•_~]([^\W\d_]+)")


def loosely(text: Normalised) -> Normalised:
    """The same text as rules may read it besides; `text` itself where nothing is masked or joined."""
    if _MASK.isdisjoint(text.text) and not _JOINED.search(text.text):
        return text
    draft = Draft(text.raw, text.text, list(text.offsets[:-1]))
    for edits in (_unmasked, _joined):
        draft.apply(edits(draft))
    return Normalised(text.raw, draft.text, [*draft.origins, len(text.raw)], text.hidden)


def _unmasked(draft: Draft) -> list[Edit]:
    """Put back masked letters where one word that rules look for fits: k*ll, n#des."""
    edits: list[Edit] = []
    for match in _MASKED.finditer(draft.text):
        written = match[0].lower()
        if _MASK.isdisjoint(written):
            continue
        fits = [word for word in MASKED if len(word) == len(written) and _fits(word, written)]
        if len(fits) == 1:
            edits.append(draft.respell(match.start(), fits[0]))
    return edits


def _fits(word: str, written: str) -> bool:
    return all(a == b or b in _MASK for a, b in zip(word, written, strict=True))


def _joined(draft: Draft) -> list[Edit]:
    """Leave out what joins the halves of a word: cash-app, whats.app."""
    return [
        Edit(pair.end(1), pair.start(2), "", ())
        for pair in _JOINED.finditer(draft.text)
        if len(pair[0]) > SHORTEST and known((pair[1] + pair[2]).lower())
    ]
