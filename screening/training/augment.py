"""Writes a training text as somebody else might have typed it, on purpose or not.

Careless typing and disguises come to clean and violating rows alike, so that neither full stops nor fancy
letters give a label away, and what is disguised still reads as what it is.
"""

import random
from collections.abc import Callable

_LEET = str.maketrans({"a": "4", "e": "3", "i": "1", "o": "0", "s": "5", "t": "7"})
_TWINS = str.maketrans({"a": "а", "e": "е", "o": "о", "p": "р", "c": "с", "x": "х", "y": "у", "i": "і"})
_NEXT_TO = {"a": "s", "e": "r", "i": "o", "o": "p", "s": "d", "t": "y", "n": "m", "r": "t", "l": "k", "h": "j"}
_EMOJI = ("😂", "🙂", "❤️", "🔥", "😘", "💀", "✨", "🙏", "😅", "👀")
_HIDDEN = ("\u200b", "\u200d", "\u2060")

CARELESS_SHARE = 0.25
"""Rows an epoch that lose capitals or punctuation, or gain typos."""

DISGUISED_SHARE = 0.12
"""Rows an epoch that are disguised."""

LETTERS_DISGUISED = 0.6


def varied(text: str, dice: random.Random) -> str:
    """The text, or a careless or disguised writing of it."""
    roll = dice.random()
    if roll < CARELESS_SHARE:
        return dice.choice(_CARELESS)(text, dice)
    if roll < CARELESS_SHARE + DISGUISED_SHARE:
        return dice.choice(_DISGUISES)(text, dice)
    return text


def _lower(text: str, dice: random.Random) -> str:
    return text.lower()


def _bare(text: str, dice: random.Random) -> str:
    return "".join(c for c in text.lower() if c not in ".,!;:'\"’")


def _typos(text: str, dice: random.Random) -> str:
    made = []
    for letter in text:
        roll = dice.random()
        if letter.isalpha() and roll < 0.02:
            continue
        made.append(_NEXT_TO.get(letter, letter) if roll < 0.04 else letter)
    return "".join(made) or text


def _drawn_out(text: str, dice: random.Random) -> str:
    return "".join(c * dice.randint(2, 4) if c in "aeiouy" and dice.random() < 0.15 else c for c in text)


def _ended(text: str, dice: random.Random) -> str:
    return text.rstrip(".!? ") + dice.choice(("", ".", "..", "!", "!!", " lol", " haha", " " + dice.choice(_EMOJI)))


def _letters(text: str, dice: random.Random, change: Callable[[str], str]) -> str:
    return "".join(change(c) if dice.random() < LETTERS_DISGUISED else c for c in text)


def _leet(text: str, dice: random.Random) -> str:
    return _letters(text, dice, lambda c: c.translate(_LEET))


def _twins(text: str, dice: random.Random) -> str:
    return _letters(text, dice, lambda c: c.translate(_TWINS))


def _words(text: str, dice: random.Random, join: str) -> str:
    """Some of the longer words with something between their letters."""
    words = text.split(" ")
    return " ".join(join.join(w) if len(w) > 3 and w.isalpha() and dice.random() < 0.35 else w for w in words)


def _spaced(text: str, dice: random.Random) -> str:
    return _words(text, dice, " ")


def _dotted(text: str, dice: random.Random) -> str:
    return _words(text, dice, dice.choice((".", "-", "_", "*")))


def _invisible(text: str, dice: random.Random) -> str:
    return _words(text, dice, dice.choice(_HIDDEN))


def _wide(text: str, dice: random.Random) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def _glued(text: str, dice: random.Random) -> str:
    return " ".join(w + dice.choice(_EMOJI) if dice.random() < 0.3 else w for w in text.split(" "))


def _broken(text: str, dice: random.Random) -> str:
    return "".join("\n" if c == " " and dice.random() < 0.5 else c for c in text)


def _masked(text: str, dice: random.Random) -> str:
    """Some of the longer words with a letter starred out."""
    words = text.split(" ")
    for at, word in enumerate(words):
        if len(word) > 3 and word.isalpha() and dice.random() < 0.25:
            place = dice.randrange(1, len(word) - 1)
            words[at] = word[:place] + "*" + word[place + 1 :]
    return " ".join(words)


_CARELESS = (_lower, _lower, _bare, _bare, _bare, _typos, _typos, _ended, _ended)
_DISGUISES = (_leet, _twins, _spaced, _dotted, _invisible, _wide, _glued, _broken, _masked, _drawn_out)
