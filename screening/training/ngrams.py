"""A linear softmax over hashed character and word n-grams: what the letters alone tell of a text.

It reads a text in microseconds without an encoder, so it is the yardstick for one. Hashing instead of a vocabulary
keeps its size fixed (Weinberger et al. 2009).
"""

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import minimize

from domain.errors import Invalid
from screening.training import heads
from screening.training.sources import CLASSES, Example

Array = NDArray[np.float32]
BITS = 18
CHARACTERS = (3, 4, 5)
WORDS = (1, 2)
RAREST = 3
"""Texts that an n-gram must stand in: rarer ones teach nothing about other texts."""

L2 = 2.5e-5
MAX_ITERATIONS = 60

_WORD = re.compile(r"\w+")
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
"""2^64 over the golden ratio, odd: multiplying by it spreads neighbouring numbers (Knuth, TAOCP 3, 6.4)."""

_WORDS_APART = np.uint64(1 << 40)
"""Keeps the numbers of words from those of letters."""


@dataclass(frozen=True)
class NGrams:
    """The fitted reader: `weight` 2^18 x 10, `bias` 10, classes in the order of CLASSES."""

    weight: Array
    bias: Array

    def logits(self, texts: Sequence[str]) -> Array:
        """Class logits, N x 10."""
        made = np.empty((len(texts), len(self.bias)), dtype=np.float32)
        for row, text in enumerate(texts):
            found = buckets(text)
            made[row] = self.weight[found].sum(axis=0) * _scale(found) + self.bias
        return made


def buckets(text: str) -> NDArray[np.int64]:
    """The distinct buckets of a text's n-grams, ascending; neither case nor runs of blanks make a difference."""
    plain = " ".join(text.casefold().split())
    letters = np.frombuffer(f" {plain} ".encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.uint64)
    words = np.array([zlib.crc32(word.encode()) for word in _WORD.findall(plain)], dtype=np.uint64) + _WORDS_APART
    hashed = np.concatenate([*_grams(letters, CHARACTERS), *_grams(words, WORDS)])
    mixed = (hashed ^ (hashed >> np.uint64(29))) * _FACTOR
    return np.unique(mixed >> np.uint64(64 - BITS)).astype(np.int64)


def fit(texts: Sequence[str], examples: Sequence[Example], l2: float = L2) -> NGrams:
    """Fit on texts and the targets of their examples, rows counting by their weight. Raises Invalid without texts.

    Rare n-grams weigh more, by their inverse document frequency (Spärck Jones 1972), which is folded into the
    weights; softmax regression by L-BFGS.
    """
    if not texts:
        raise Invalid("there is no text to fit n-grams on; give labelled rows")
    inputs, used = _matrix(texts)
    rarity = np.log(len(texts) / inputs.getnnz(axis=0)).astype(np.float32)
    inputs = (inputs @ sparse.diags(rarity)).tocsr().astype(np.float32)
    turned = inputs.T.tocsr()
    wanted = heads.targets(examples)
    share = np.array([example.weight for example in examples], dtype=np.float32)[:, None]
    share /= share.sum()
    width, kinds = inputs.shape[1], len(CLASSES)

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weight = flat[: width * kinds].reshape(width, kinds).astype(np.float32)
        logits = inputs @ weight + flat[width * kinds :].astype(np.float32)
        logits -= logits.max(axis=1, keepdims=True)
        logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        value = -float((share * wanted * logs).sum()) + 0.5 * l2 * float((weight**2).sum())
        slope = share * (np.exp(logs) * wanted.sum(axis=1, keepdims=True) - wanted)
        return value, np.concatenate([(turned @ slope + l2 * weight).ravel(), slope.sum(axis=0)]).astype(np.float64)

    start = np.zeros(width * kinds + kinds)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": MAX_ITERATIONS}).x
    weight = np.zeros((1 << BITS, kinds), dtype=np.float32)
    weight[used] = found[: width * kinds].reshape(width, kinds) * rarity[:, None]
    return NGrams(weight, found[width * kinds :].astype(np.float32))


def write(path: Path, ngrams: NGrams) -> None:
    """Write the reader in half precision."""
    with path.open("wb") as file:
        np.savez_compressed(file, weight=ngrams.weight.astype(np.float16), bias=ngrams.bias)


def read(path: Path) -> NGrams:
    """Read what `write` wrote. Raises Invalid where it is missing or of another kind."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            made = NGrams(stored["weight"].astype(np.float32), stored["bias"].astype(np.float32))
    except (OSError, KeyError, ValueError) as error:
        raise Invalid(f"{path} holds no n-grams ({error}); write it anew") from error
    if made.weight.shape != (1 << BITS, len(CLASSES)):
        raise Invalid(f"{path} was written for other classes or buckets; write it anew")
    return made


def _grams(units: NDArray[np.uint64], sizes: Sequence[int]) -> Iterator[NDArray[np.uint64]]:
    """A number for each run of so many units, modulo 2^64: the rolling hash of Karp and Rabin (1987)."""
    rolled = units
    for size in range(1, max(sizes) + 1):
        if size > 1:
            rolled = rolled[:-1] * _FACTOR + units[size - 1 :]
        if size in sizes:
            yield rolled


def _scale(found: NDArray[np.int64]) -> float:
    """What makes the vector of a text, 1 in each of its buckets, of unit length."""
    return float(1 / np.sqrt(max(len(found), 1)))


def _matrix(texts: Sequence[str]) -> tuple[sparse.csr_matrix, NDArray[np.int64]]:
    """Texts as sparse rows over the buckets that are common enough, and which these are."""
    rows = [buckets(text) for text in texts]
    columns = np.concatenate(rows)
    values = np.concatenate([np.full(len(row), _scale(row), dtype=np.float32) for row in rows])
    ends = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    used = np.flatnonzero(np.bincount(columns, minlength=1 << BITS) >= RAREST)
    return sparse.csr_matrix((values, columns, ends), shape=(len(texts), 1 << BITS))[:, used], used
