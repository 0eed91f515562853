"""What every answer of a model is held to: words that can be kept, that people here can read, and that stand where they
are said to stand."""

from domain.errors import UnusableAnswer
from domain.signals import Evidence

FEWEST_WORDS = 4
ENGLISH = frozenset({"the", "is", "and", "of", "to", "it", "this", "that", "not", "no", "with", "for", "a", "an", "in"})
"""Some of the commonest words; two of them tell English from the languages nearest to it well enough."""


def place_of(quote: str, posted: str, normalised: str, note: str) -> Evidence | None:
    """Where a quote stands in a text; of one that only its plain form has, the words and no place; else None."""
    words = quote.strip()
    if not words:
        return None
    for wanted, text in ((words, posted), (words.lower(), posted.lower())):
        start = text.find(wanted)
        if start >= 0 and len(text) == len(posted):
            end = start + len(wanted)
            return Evidence(start=start, end=end, quote=posted[start:end], note=note)
    if words.lower() in normalised.lower():
        return Evidence(start=0, end=0, quote=words, note=f"{note}, with disguises undone")
    return None


def require_unicode(model: str, *texts: str) -> None:
    """Raise UnusableAnswer for what cannot be kept, such as a lone surrogate, which JSON can say."""
    for text in texts:
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise UnusableAnswer(f"{model} answered with what is not Unicode") from error
        if "\x00" in text:
            raise UnusableAnswer(f"{model} answered with what is not Unicode")


def is_english(text: str) -> bool:
    """Whether people here can read it: mostly Latin letters, and some of the commonest words among them."""
    words = text.lower().split()
    if len(words) < FEWEST_WORDS or not is_latin(text):
        return False
    return len({word.strip(".,;:!?()'\"") for word in words} & ENGLISH) >= 2


def is_latin(text: str) -> bool:
    """Whether nearly all of its letters are plain Latin ones."""
    letters = [char for char in text if char.isalpha()]
    return sum(char.isascii() for char in letters) >= 0.9 * len(letters)


def in_one_line(text: str, longest: int) -> str:
    """The text without line breaks and doubled blanks, at most `longest` characters of it."""
    return " ".join(text.split())[:longest]
