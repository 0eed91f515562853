"""Ways to write a text so that machines stumble over it and people do not; and harmless ways of writing oddly.

Each is a pure function of a text and a seed. They stand alone: they share no table with what undoes disguises, nor
with what varies texts in training, so that they measure both. The attacks follow what is seen in the wild and in the
literature (Eger et al. 2019, "Text processing like humans do"; Le et al. 2022, ANTHRO; Boucher et al. 2022, "Bad
characters"); look-alikes are from Unicode's confusables (UTS 39).
"""

import random
import re
from collections.abc import Callable, Mapping

Change = Callable[[str, int], str]
Dice = random.Random

_WORD = re.compile(r"[^\W\d_]+")
_LETTER = re.compile(r"[^\W\d_]")
_GAP = re.compile(r"(?<=\S) (?=\S)")
HARDLY = 3
"""Letters from which a word is worth disguising."""

_LEET = {"a": "4@", "e": "3", "i": "1!", "o": "0", "s": "5$", "t": "7", "l": "1", "b": "8", "g": "9"}
_HOMOGLYPHS: tuple[Mapping[str, str], ...] = (
    # Cyrillic, Greek, a mixture of alphabets, and Cherokee.
    dict(zip("aceiopsxyhjdqwkmtABCEHIKMOPSTXY", "асеіорѕхуһјԁԛԝкмтАВСЕНІКМОРЅТХУ", strict=True)),
    dict(zip("aiovupyxnwkABEZHIKMNOPTYX", "αιονυργχηωκΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", strict=True)),
    dict(zip("aegihlnoprsuvxyzcd", "ɑеցіհӏոօрꭇѕսνхуᴢⅽԁ", strict=True)),
    dict(zip("ADERTIYJKWMHGSVLCPBZ", "ᎪᎠᎬᎡᎢᏆᎩᎫᏦᎳᎷᎻᏀᏚᏙᏞᏟᏢᏴᏃ", strict=True)),
)
_ALPHABETS = (0x1D400, 0x1D434, 0x1D468, 0x1D4D0, 0x1D56C, 0x1D5A0, 0x1D5D4, 0x1D608, 0x1D63C, 0x1D670)
"""Where alphabets of the mathematical block begin that have no gaps: bold, italic, script, Fraktur, sans, monospace."""

_CIRCLED, _SMALL_CAPITALS = 0x24D0, 0x1D00
_CYRILLIC_TWINS = dict(zip("асеорхуіАВСЕНКМОРТХ", "aceopxyiABCEHKMOPTX", strict=True))
_ZERO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff"
_SEPARATORS = (".", "-", "_", "*", "·", "/", ".-", "~")
_EMOJI = "😂💀🔥✨😍🙈💦🎉😈🥺👀🤣"
_WALL = (
    "✨",
    "🌸",
    "🌙",
    "💕",
    "🦋",
    "🌈",
    "🔥",
    "😂",
    "🎶",
    "🐶",
    "🏳️‍🌈",
    "🌻",
    "💫",
    "🍕",
    "⚽",
    "🇬🇧",
    "👩‍❤️‍👩",
    "👍🏽",
)
_GREETINGS = (
    "h e l l o",
    "h e y y y",
    "g o o d  m o r n i n g",
    "W E L C O M E",
    "h i  t h e r e",
    "c i a o  b e l l i",
)
_WORDS_AS_EMOJI = {
    **{"you": "🫵", "u": "🫵", "i": "👁️", "be": "🐝", "to": "2️⃣", "too": "2️⃣", "for": "4️⃣", "ok": "🆗"},
    **{"money": "💰", "cash": "💵", "dollars": "💵", "bank": "🏦", "card": "💳", "gift": "🎁", "phone": "📱"},
    **{"call": "📞", "picture": "📷", "pics": "📸", "photo": "📷", "photos": "📸", "video": "🎥", "love": "❤️"},
    **{"kill": "🔪", "gun": "🔫", "knife": "🔪", "house": "🏠", "home": "🏠", "dead": "💀", "fire": "🔥", "pig": "🐷"},
    **{
        "rat": "🐀",
        "rats": "🐀🐀",
        "monkey": "🐒",
        "dog": "🐕",
        "trash": "🗑️",
        "shit": "💩",
        "baby": "👶",
        "school": "🏫",
    },
    **{"girl": "👧", "boy": "👦", "eyes": "👀", "bed": "🛏️", "car": "🚗", "no": "🚫", "free": "🆓", "new": "🆕"},
}
_LETTERS_AS_EMOJI = {"o": "⭕", "x": "❌", "t": "✝️", "i": "ℹ️", "s": "💲", "a": "🅰️", "b": "🅱️", "p": "🅿️", "m": "Ⓜ️"}


def leet(text: str, seed: int) -> str:
    """Digits and signs for letters in most words: m0n3y."""
    return _in_words(text, _dice("leet", seed, text), 0.7, lambda word, dice: _swapped(word, _LEET, dice))


def homoglyphs(text: str, seed: int) -> str:
    """Look-alikes from one foreign alphabet, or a mathematical one, in most words; Latin ones in Cyrillic words."""
    dice = _dice("homoglyphs", seed, text)
    if sum("\u0400" <= c <= "\u04ff" for c in text) * 2 > len(_LETTER.findall(text)):
        table: Mapping[str, str] = _CYRILLIC_TWINS
    elif dice.random() < 0.2:
        start = dice.choice(_ALPHABETS)
        table = {letter: _mathematical(letter, start) for letter in "abcdefghijklmnopqrstuvwxyz"}
    else:
        table = dice.choice(_HOMOGLYPHS)
        if not any(letter.islower() for letter in table):
            text = text.upper()
    return _in_words(text, dice, 0.7, lambda word, dice: _swapped(word, table, dice))


def zero_width(text: str, seed: int) -> str:
    """Invisible characters inside most words."""
    return _in_words(text, _dice("zero-width", seed, text), 0.8, lambda word, d: _sprinkled(word, d, _ZERO_WIDTH))


def tag_characters(text: str, seed: int) -> str:
    """Invisible tag characters inside most words."""
    tags = "".join(chr(0xE0000 + ord(c)) for c in "abcdefghijklmnopqrstuvwxyz")
    return _in_words(text, _dice("tags", seed, text), 0.8, lambda word, d: _sprinkled(word, d, tags))


def spacing(text: str, seed: int) -> str:
    """Letters set apart by spaces: of some words, of these with wider gaps around them, or of the whole text."""
    dice = _dice("spacing", seed, text)
    mode = dice.choice(("some", "some, wider", "all"))
    if mode == "all":
        return "   ".join(" ".join(word) if word.isalpha() else word for word in text.split(" "))
    around = "  " if mode == "some, wider" else ""
    apart = _in_words(text, dice, 0.5, lambda word, _: around + " ".join(word) + around, shortest=4)
    return apart.strip()


def dots(text: str, seed: int) -> str:
    """Dots, dashes and other signs between all letters of some words, or in one place of others."""
    dice = _dice("dots", seed, text)
    sign = dice.choice(_SEPARATORS)

    def change(word: str, dice: Dice) -> str:
        if dice.random() < 0.5:
            return sign.join(word)
        cut = dice.randrange(1, len(word))
        return word[:cut] + sign + word[cut:]

    return _in_words(text, dice, 0.6, change, shortest=4)


def fullwidth(text: str, seed: int) -> str:
    """Most words in the wide letters of East Asian typography."""

    def change(word: str, _: Dice) -> str:
        return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in word)

    return _in_words(text, _dice("fullwidth", seed, text), 0.8, change)


def glued_emoji(text: str, seed: int) -> str:
    """Emoji in place of most spaces, or in the middle of some words."""
    dice = _dice("glued", seed, text)
    if dice.random() < 0.6:
        return _GAP.sub(lambda _: dice.choice(_EMOJI) if dice.random() < 0.7 else " ", text)
    emoji = dice.choice(_EMOJI)

    def change(word: str, dice: Dice) -> str:
        cut = dice.randrange(1, len(word))
        return word[:cut] + emoji + word[cut:]

    return _in_words(text, dice, 0.5, change, shortest=4)


def emoji_letters(text: str, seed: int) -> str:
    """Emoji for words, and flag letters, circled, boxed or pictured letters for those of other words."""
    dice = _dice("emoji letters", seed, text)

    def change(word: str, dice: Dice) -> str:
        lower = word.lower()
        if lower in _WORDS_AS_EMOJI and dice.random() < 0.7:
            return _WORDS_AS_EMOJI[lower]
        if len(word) < 4 or not lower.isascii() or dice.random() < 0.6:
            return word
        start = dice.choice((0x1F1E6, 0x24D0, 0x1F130, 0x1F150, 0x1F170, 0))
        if not start:
            return _swapped(word, _LETTERS_AS_EMOJI, dice)
        joint = "\u200b" if start == 0x1F1E6 else ""
        return joint.join(chr(ord(c) - ord("a") + start) for c in lower)

    return _in_words(text, dice, 1.0, change, shortest=1)


def repeated_letters(text: str, seed: int) -> str:
    """One or two letters of most words drawn out to three to five."""

    def change(word: str, dice: Dice) -> str:
        drawn = dice.sample(range(len(word)), min(len(word), dice.choice((1, 2))))
        return "".join(c * dice.randint(3, 5) if i in drawn else c for i, c in enumerate(word))

    return _in_words(text, _dice("repeats", seed, text), 0.6, change)


def random_casing(text: str, seed: int) -> str:
    """Each letter in upper or lower case, by chance."""
    dice = _dice("casing", seed, text)
    return "".join(_cased(c, upper=dice.random() < 0.5) for c in text)


def line_breaks(text: str, seed: int) -> str:
    """Line breaks inside some words and between others, or some words written downwards."""
    dice = _dice("breaks", seed, text)
    if dice.random() < 0.25:
        return _in_words(text, dice, 0.4, lambda word, _: "\n" + "\n".join(word) + "\n", shortest=4).strip()

    def change(word: str, dice: Dice) -> str:
        cut = dice.randrange(1, len(word))
        return word[:cut] + "\n" + word[cut:]

    broken = _in_words(text, dice, 0.4, change, shortest=5)
    return _GAP.sub(lambda _: "\n" if dice.random() < 0.2 else " ", broken)


ATTACKS: dict[str, Change] = {
    "leet": leet,
    "homoglyphs": homoglyphs,
    "zero-width characters": zero_width,
    "tag characters": tag_characters,
    "spacing": spacing,
    "dots and dashes": dots,
    "fullwidth letters": fullwidth,
    "glued emoji": glued_emoji,
    "emoji for letters or words": emoji_letters,
    "repeated letters": repeated_letters,
    "random casing": random_casing,
    "line breaks": line_breaks,
}
"""What somebody does who wants to be read by people alone."""


def fancy_font(text: str, seed: int) -> str:
    """The whole text in one decorative alphabet, as profiles wear it."""
    dice = _dice("font", seed, text)
    start = dice.choice((*_ALPHABETS, _CIRCLED, _SMALL_CAPITALS))

    def font(letter: str) -> str:
        if start == _CIRCLED:
            return chr(ord(letter.lower()) - ord("a") + _CIRCLED)
        return _small_capital(letter) if start == _SMALL_CAPITALS else _mathematical(letter, start)

    return "".join(font(c) if c.isascii() and c.isalpha() else c for c in text)


def emoji_wall(text: str, seed: int) -> str:
    """A row of emoji before the text and one after it."""
    dice = _dice("wall", seed, text)
    walls = ["".join(dice.choices(_WALL, k=dice.randint(4, 12))) for _ in range(2)]
    return f"{walls[0]} {text} {walls[1]}"


def spaced_greeting(text: str, seed: int) -> str:
    """A greeting before the text, its letters set apart for looks."""
    greeting = _dice("greeting", seed, text).choice(_GREETINGS)
    return f"{greeting} ~ {text}"


def light_zalgo(text: str, seed: int) -> str:
    """One mark above, below or through about half of the letters."""
    dice = _dice("zalgo", seed, text)
    marks = "\u0301\u0303\u0323\u0330\u0334\u0336\u0337"
    return _LETTER.sub(lambda m: m[0] + dice.choice(marks) if dice.random() < 0.5 else m[0], text)


def all_capitals(text: str, seed: int) -> str:
    """The text in capitals."""
    return text.upper()


def bare_lower_case(text: str, seed: int) -> str:
    """The text in lower case, without punctuation."""
    return re.sub(r"[.,!?;:\"()…–—-]+", "", text.lower())


ODDITIES: dict[str, Change] = {
    "fancy font": fancy_font,
    "emoji wall": emoji_wall,
    "spaced greeting": spaced_greeting,
    "light zalgo": light_zalgo,
    "all capitals": all_capitals,
    "lower case, no punctuation": bare_lower_case,
}
"""What people do who hide nothing."""


def _dice(name: str, seed: int, text: str) -> Dice:
    return random.Random(f"{name}\n{seed}\n{text}")


def _in_words(
    text: str, dice: Dice, share: float, change: Callable[[str, Dice], str], *, shortest: int = HARDLY
) -> str:
    """Change a share of the words that are long enough, and at least one; links and handles are left alone."""
    words = [m for m in _WORD.finditer(text) if len(m[0]) >= shortest and _is_plain(text, m)]
    chosen = [word for word in words if dice.random() < share] or words[:1]
    parts: list[str] = []
    at = 0
    for word in chosen:
        parts += (text[at : word.start()], change(word[0], dice))
        at = word.end()
    return "".join((*parts, text[at:]))


def _is_plain(text: str, word: re.Match[str]) -> bool:
    """Whether a word is no part of a link, a handle or a word with marks of another script."""
    around = text[max(0, word.start() - 1) : word.start()] + text[word.end() : word.end() + 2]
    return not re.search(r"[@/_\d]|\.\w|[\u0900-\u0dff]", around) and not re.search(r"[\u0900-\u0dff]", word[0])


def _swapped(word: str, table: Mapping[str, str], dice: Dice) -> str:
    """About three in five of the letters in a table, and at least one, by what it says; case is not kept."""
    eligible = [i for i, c in enumerate(word) if c in table or c.lower() in table]
    if not eligible:
        return word
    chosen = {i for i in eligible if dice.random() < 0.6} or {dice.choice(eligible)}
    return "".join(_stand_in(table.get(c) or table[c.lower()], dice) if i in chosen else c for i, c in enumerate(word))


def _stand_in(found: str, dice: Dice) -> str:
    """One of several signs; an emoji with its selector is one sign."""
    return found if "\ufe0f" in found else dice.choice(found)


def _sprinkled(word: str, dice: Dice, characters: str) -> str:
    """One of some characters after about half of the letters but the last, and after at least one."""
    places = [i for i in range(len(word) - 1) if dice.random() < 0.5] or [0]
    return "".join(c + dice.choice(characters) if i in places else c for i, c in enumerate(word))


def _mathematical(letter: str, start: int) -> str:
    """A Latin letter in the alphabet that begins with a code point: 26 capitals, then 26 small letters."""
    return chr(start + ord(letter) - (ord("A") if letter.isupper() else ord("a") - 26))


def _small_capital(letter: str) -> str:
    return dict(zip("abcdefghijklmnopqrstuvwxyz", "ᴀʙᴄᴅᴇғɢʜɪᴊᴋʟᴍɴᴏᴘǫʀsᴛᴜᴠᴡxʏᴢ", strict=True))[letter.lower()]


def _cased(letter: str, *, upper: bool) -> str:
    changed = letter.upper() if upper else letter.lower()
    return changed if len(changed) == 1 else letter
