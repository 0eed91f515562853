"""A linear softmax over hashed character and word n-grams: what the letters alone tell of a text.

It reads a text in microseconds without an encoder. Hashing instead of a vocabulary keeps its size fixed
(Weinberger et al. 2009).
"""

import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from domain.errors import ModelUnavailable
from domain.vocabulary import Policy

Array = NDArray[np.float32]
BITS = 20
CHARACTERS = (3, 4, 5, 6)
WORDS = (1, 2, 3)
CLASSES = len(Policy) + 1
"""The policies in their order, and clean."""

_WORD = re.compile(r"\w+")
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
"""2^64 over the golden ratio, odd: multiplying by it spreads neighbouring numbers (Knuth, TAOCP 3, 6.4)."""

_WORDS_APART = np.uint64(1 << 40)
"""Keeps the numbers of words from those of letters."""


@dataclass(frozen=True)
class NGrams:
    """The fitted reader: `weight` 2^20 x 10 in half precision and `bias` 10, over the policies and, last, clean."""

    weight: NDArray[np.float16]
    bias: Array

    def logits(self, texts: Sequence[str]) -> Array:
        """Class logits, N x 10."""
        made = np.empty((len(texts), len(self.bias)), dtype=np.float32)
        for row, text in enumerate(texts):
            found = buckets(text)
            made[row] = self.weight[found].sum(axis=0, dtype=np.float32) * scale(found) + self.bias
        return made

    def familiarity(self, text: str) -> float:
        """Which share of a text's n-grams stood in the texts that were learnt, or hash to what did; 1 of no n-grams."""
        found = buckets(text)
        return float(self.weight[found].any(axis=1).mean()) if len(found) else 1.0


def write(path: Path, ngrams: NGrams) -> None:
    """Write n-grams as `load` reads them."""
    with path.open("wb") as file:
        np.savez_compressed(file, weight=ngrams.weight, bias=ngrams.bias)


def load(path: Path) -> NGrams:
    """Read what `write` wrote. Raises ModelUnavailable where it is missing or of another kind."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            weight, bias = stored["weight"].astype(np.float16), stored["bias"].astype(np.float32)
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ModelUnavailable(f"{path} holds no n-grams ({error!r}); restore it or rebuild the folder") from error
    if (weight.shape, bias.shape) != ((1 << BITS, CLASSES), (CLASSES,)):
        raise ModelUnavailable(f"{path} was written for other classes or buckets; rebuild the folder")
    return NGrams(weight, bias)


def buckets(text: str) -> NDArray[np.int64]:
    """The distinct buckets of a text's n-grams, ascending; neither case nor runs of blanks make a difference."""
    plain = " ".join(text.casefold().split())
    letters = np.frombuffer(f" {plain} ".encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.uint64)
    words = np.array([zlib.crc32(word.encode()) for word in _WORD.findall(plain)], dtype=np.uint64) + _WORDS_APART
    hashed = np.concatenate([*_grams(letters, CHARACTERS), *_grams(words, WORDS)])
    mixed = (hashed ^ (hashed >> np.uint64(29))) * _FACTOR
    return np.unique(mixed >> np.uint64(64 - BITS)).astype(np.int64)


def _grams(units: NDArray[np.uint64], sizes: Sequence[int]) -> Iterator[NDArray[np.uint64]]:
    """A number for each run of so many units, modulo 2^64: the rolling hash of Karp and Rabin (1987)."""
    rolled = units
    for size in range(1, max(sizes) + 1):
        if size > 1:
            rolled = rolled[:-1] * _FACTOR + units[size - 1 :]
        if size in sizes:
            yield rolled


def scale(found: NDArray[np.int64]) -> float:
    """What makes the vector of a text, 1 in each of its buckets, of unit length."""
    return float(1 / np.sqrt(max(len(found), 1)))
