"""Fits n-grams (`screening.ngrams`) on labelled texts."""

import random
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import minimize

from domain.errors import Invalid
from screening.ngrams import BITS, NGrams, buckets, scale
from screening.normalise import normalise
from screening.training import heads
from screening.training.frames import Frames
from screening.training.sources import CLASSES, Example

RAREST = 3
"""Texts that an n-gram must stand in: rarer ones teach nothing about other texts."""

L2 = 2.5e-5
MAX_ITERATIONS = 60


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
    weight = np.zeros((1 << BITS, kinds), dtype=np.float16)
    weight[used] = found[: width * kinds].reshape(width, kinds) * rarity[:, None]
    return NGrams(weight, found[width * kinds :].astype(np.float32))


def fit_on(rows: Sequence[Example], frames: Sequence[Frames]) -> NGrams:
    """Fit on rows and one filling of the frames, without disguises."""
    learnt = [*rows, *(example for some in frames for example in some.filled(random.Random(0)))]
    return fit([normalise(example.text).text for example in learnt], learnt)


def _matrix(texts: Sequence[str]) -> tuple[sparse.csr_matrix, NDArray[np.int64]]:
    """Texts as sparse rows over the buckets that are common enough, and which these are."""
    rows = [buckets(text) for text in texts]
    columns = np.concatenate(rows)
    values = np.concatenate([np.full(len(row), scale(row), dtype=np.float32) for row in rows])
    ends = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    used = np.flatnonzero(np.bincount(columns, minlength=1 << BITS) >= RAREST)
    return sparse.csr_matrix((values, columns, ends), shape=(len(texts), 1 << BITS))[:, used], used
