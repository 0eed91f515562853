"""Reads stand-ins as the letters they stand for: other alphabets' look-alikes, emoji, digits and signs."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from screening.disguises import EMOJI_LETTERS as EMOJI
from screening.disguises import LEET as LEETED
from screening.disguises import MIXED, Draft, Edit
from screening.lexicon import cost, known
from screening.lookalikes import CYRILLIC_TWINS, EMOJI_LETTERS, LEET, LOOKALIKES

MAX_STAND_INS = 6
"""Stand-ins in one word whose readings are all tried; the word is left alone beyond."""

SHORT = 3
"""Letters of words that many a code name looks like (h1b, t4t): only common ones are read from leet."""

SHORT_COST = 10.0
COMMON = 11.0
"""What a word may cost that is written in look-alikes alone, in a text that mixes alphabets nowhere else."""

LEETED_WORDS = 2
"""Words with stand-ins inside from which a text is written in leet, so that those at the edges are read too."""

MAX_RUNS = 4
"""Runs of a letter in one word whose lengths are all tried."""

DRAWN_OUT_WORDS = 3
"""Drawn out words from which the text is full of them."""

_RUN = re.compile(r"([^\W\d_])\1{2,}", re.IGNORECASE)
_LETTERS = re.compile(r"[^\W\d_]+")
_EMOJI_WORD = re.compile(f"(?:[^\\W\\d_]|[{''.join(EMOJI_LETTERS)}])+")
_SIGNS = "".join(re.escape(sign) for sign in LEET if not sign.isdigit())
_TOKEN = re.compile(rf"(?:[^\W_]|[{_SIGNS}])+")
_STAND_IN = re.compile(rf"[\d{_SIGNS}]")
_EDGES = "!|+"
"""Signs that are punctuation at the edge of a word."""

_PUNCTUATION = re.compile(r"[!|+]")
_SEEKS = re.compile(r"([mfwt]|[a-z]{3,})4(?:\1|[mfwt])")
"""Who seeks whom in personal ads: m4w, masc4masc."""

_NATURAL = frozenset({"a$ap", "ke$ha", "p!nk", "c3po", "l33t", "gr8t", "ca$h"})
"""Names and jokes that wear stand-ins openly."""


def fold_lookalikes(draft: Draft) -> None:
    """Fold foreign letters where a word mixes alphabets, or where a Latin text holds a word made only of them."""
    if LOOKALIKES.keys().isdisjoint(draft.text):
        return
    words = list(_LETTERS.finditer(draft.text))
    own = sum(_kinds(word[0])[2] for word in words)
    latin_text = sum(word[0].isascii() for word in words) >= own
    tables = [_table(word[0], latin_text=latin_text) for word in words]
    mixed = any(table and _kinds(word[0])[0] for word, table in zip(words, tables, strict=True))
    edits: list[Edit] = []
    for word, table in zip(words, tables, strict=True):
        if not table or not (mixed or _kinds(word[0])[0] or _is_common("".join(table[c] for c in word[0]))):
            continue
        edits.append(draft.respell(word.start(), "".join(table.get(c, c) for c in word[0])))
        draft.note(*word.span(), MIXED)
    draft.apply(edits)


def _table(word: str, *, latin_text: bool) -> Mapping[str, str] | None:
    """Which table may undo the look-alikes of a word; None where it is written in one alphabet of its own."""
    latin, alike, own = _kinds(word)
    if not alike:
        return None
    cyrillic = all(c in CYRILLIC_TWINS if not _is_foreign(c) else "\u0400" <= c <= "\u04ff" for c in word)
    if latin and cyrillic and (own or not latin_text):
        return CYRILLIC_TWINS
    if latin:
        return LOOKALIKES if own < latin else None
    return LOOKALIKES if latin_text and not own and len(word) >= SHORT else None


def _kinds(word: str) -> tuple[int, int, int]:
    """How many letters of a word are Latin, look like Latin ones, and belong to another alphabet alone."""
    alike = sum(c in LOOKALIKES for c in word)
    own = sum(_is_foreign(c) for c in word) - alike
    return len(word) - alike - own, alike, own


def _is_common(letters: str) -> bool:
    return cost(letters.lower()) < COMMON


def _is_foreign(letter: str) -> bool:
    """Whether it is no Latin letter."""
    return letter in LOOKALIKES or letter >= "\u0370"


def read_emoji_letters(draft: Draft) -> None:
    """Read emoji as letters where that makes a word: m⭕ney."""
    if EMOJI_LETTERS.keys().isdisjoint(draft.text):
        return
    edits: list[Edit] = []
    for word in _EMOJI_WORD.finditer(draft.text):
        plain = "".join(EMOJI_LETTERS.get(c, c) for c in word[0])
        if plain != word[0] and len(plain) >= SHORT and any(map(str.isalpha, word[0])) and known(plain.lower()):
            edits.append(draft.respell(word.start(), plain))
            draft.note(*word.span(), EMOJI)
    draft.apply(edits)


def undo_leet(draft: Draft) -> None:
    """Read digits and signs as letters where that makes a word: m0n3y, c@sh.

    Between letters a stand-in is enough; at the edges (5end, girl5), where numbers stand too, the text must hold
    other leet.
    """
    if not _STAND_IN.search(draft.text):
        return
    found = list(_candidates(draft.text))
    inner = [(start, _read(token)) for start, token in found if _is_inner(token)]
    leeted = sum(plain is not None for _, plain in inner) >= LEETED_WORDS
    edits: list[Edit] = []
    for start, token in found:
        within = _is_inner(token)
        if not leeted and (token[0] == "@" or not (within or _is_priced(token))):
            continue
        plain = _read(token, short=leeted) or (_guess(token) if leeted and within else None)
        if plain:
            edits.append(draft.respell(start, plain))
            draft.note(start, start + len(token), LEETED)
    draft.apply(edits)


def _candidates(text: str) -> Iterator[tuple[int, str]]:
    """Where tokens of letters and stand-ins begin, and the tokens; addresses, links and handles are none."""
    for match in _TOKEN.finditer(text):
        start, token = match.start(), match[0]
        token = token.rstrip(_EDGES)
        cut = len(token) - len(token.lstrip(_EDGES))
        start, token = start + cut, token[cut:]
        if len(token) < 2 or not _STAND_IN.search(token) or not any(c.isalpha() for c in token):
            continue
        before, after = text[max(0, start - 1) : start], text[start + len(token) : start + len(token) + 2]
        linked = len(after) == 2 and after[0] in "./" and after[1].isalnum()
        handle = before in {"@", "_", "/", "#"} or after[:1] == "_"
        natural = _SEEKS.fullmatch(token.lower()) or token.lower() in _NATURAL or _is_punctuated(token)
        if not linked and not handle and not natural:
            yield start, token


def _is_punctuated(token: str) -> bool:
    """Whether signs stand between words, as where a space was left out: hi!there, she|they."""
    parts = _PUNCTUATION.split(token.lower())
    return len(parts) > 1 and ("" in parts or all(part == "i" or known(part) for part in parts))


def _is_inner(token: str) -> bool:
    """Whether a stand-in has letters on both sides."""
    letters = [i for i, c in enumerate(token) if c.isalpha()]
    return any(c in LEET for c in token[letters[0] : letters[-1]])


def _is_priced(token: str) -> bool:
    """Whether a dollar sign stands where no price has one: profit$, $exy."""
    return token[0] == "$" or token[-1] == "$"


def _read(token: str, *, short: bool = False) -> str | None:
    """The commonest word that a token can be read as, in its own case."""
    options = [LEET.get(c, c) for c in token]
    if any(c.isdigit() and c not in LEET for c in token) or sum(c in LEET for c in token) > MAX_STAND_INS:
        return None
    readings = ["".join(letters) for letters in product(*options)]
    best = min(readings, key=lambda reading: cost(reading.lower()))
    if not known(best.lower()):
        best = next((reading for reading in readings if known(reading.lower())), "")
    if not best or (len(token) <= SHORT and cost(best.lower()) > SHORT_COST) or (len(token) < SHORT and not short):
        return None
    return best.upper() if _letters(token).isupper() and len(_letters(token)) > 1 else best


def _guess(token: str) -> str:
    """A token that makes no word, each stand-in read as its likeliest letter: for texts full of leet."""
    return "".join(LEET.get(c, c)[0] for c in token)


def shorten_drawn_out(draft: Draft) -> None:
    """Cut runs of three or more of a letter to two, or to one, where that makes a word: mooooney, killll.

    People write so for emphasis; it is no evidence of a disguise. Runs that make no word when cut are left alone, as
    cutting all of them costs a model more than it helps, unless the text is full of drawn out words.
    """
    if not _RUN.search(draft.text):
        return
    drawn = [(word, runs) for word in _LETTERS.finditer(draft.text) if (runs := _runs(word[0]))]
    edits: list[Edit] = []
    for word, runs in drawn:
        kept = _shortened(word[0], runs)
        if not kept and len(drawn) >= DRAWN_OUT_WORDS:
            kept = _kept(word[0], runs, [1] * len(runs))
        if kept:
            edits.append(Edit(*word.span(), "".join(word[0][i] for i in kept), [word.start() + i for i in kept]))
    draft.apply(edits)


def _runs(word: str) -> list[re.Match[str]]:
    """The runs of one letter in a word; none where the word is nothing else."""
    runs = list(_RUN.finditer(word))
    return runs if runs and len(runs[0][0]) < len(word) else []


def _shortened(word: str, runs: Sequence[re.Match[str]]) -> list[int]:
    """Positions in a word that are left when its runs are cut so that the commonest word remains; none without one."""
    if len(runs) > MAX_RUNS:
        return []
    readings = [_kept(word, runs, lengths) for lengths in product((2, 1), repeat=len(runs))]
    spelt = {"".join(word[i] for i in kept).lower(): kept for kept in readings}
    best = min(spelt, key=lambda reading: (cost(reading), not known(reading)))
    return spelt[best] if known(best) else []


def _kept(word: str, runs: Sequence[re.Match[str]], lengths: Sequence[int]) -> list[int]:
    """Positions in a word that are left when each run is cut to a length."""
    dropped = {i for run, length in zip(runs, lengths, strict=True) for i in range(run.start() + length, run.end())}
    return [i for i in range(len(word)) if i not in dropped]


def _letters(token: Sequence[str]) -> str:
    return "".join(c for c in token if c.isalpha())
