"""Fits the linear read-outs: one softmax over the nine policies and clean, one over the severities.

One softmax rather than ten separate questions, because "which of these, or none" is what is decided,
and because every row then teaches every class.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from domain.errors import Invalid
from domain.vocabulary import Severity
from screening.training.encoder import Head
from screening.training.sources import CLASSES, Example

Array = NDArray[np.float32]
L2 = 1e-4
SEVERITY_L2 = 3e-4
WHITENING = 0.5
MAX_ITERATIONS = 200


def targets(examples: Sequence[Example]) -> Array:
    """Soft targets, N x 10, clean last."""
    return np.array([[e.target.get(name, 0.0) for name in CLASSES] for e in examples], dtype=np.float32)


def fit_classes(features: Array, examples: Sequence[Example]) -> Head:
    """The softmax over policies and clean; rows count by their weight."""
    return _fit(features, targets(examples), np.array([e.weight for e in examples]), L2)


def fit_severity(features: Array, examples: Sequence[Example]) -> Head:
    """The softmax over severities, fitted on the rows that have one."""
    rows = [i for i, e in enumerate(examples) if e.severity is not None]
    if not rows:
        raise Invalid("no row has a severity; give labelled violations")
    wanted = np.zeros((len(rows), len(Severity)), dtype=np.float32)
    for row, index in enumerate(rows):
        severity = examples[index].severity
        if severity is not None:
            wanted[row, severity.rank] = 1
    return _fit(features[rows], wanted, np.ones(len(rows)), SEVERITY_L2)


def apply(head: Head, features: Array) -> Array:
    """Logits of a head, N x K."""
    return np.asarray(features @ head.weight + head.bias, dtype=np.float32)


def fit_memory(vectors: Array, strength: float = WHITENING) -> Head:
    """A linear map after which unrelated texts have a cosine about 0: centred and partly whitened.

    Encoders put all texts into a narrow cone (Ethayarajh 2019); `strength` 0 only centres, 1 whitens in full
    (Su et al. 2021), and between them directions that vary little are not blown up into noise.
    """
    middle = vectors.mean(axis=0)
    spread, directions = np.linalg.eigh(np.cov((vectors - middle).T))
    scale = np.maximum(spread, spread.max() * 1e-3) ** (-strength / 2)
    weight = ((directions * scale) @ directions.T).astype(np.float32)
    return Head(weight, np.asarray(-middle @ weight, dtype=np.float32))


def _fit(features: Array, wanted: Array, weights: NDArray[np.float64], l2: float) -> Head:
    """Weighted softmax regression with soft targets on standardised features, by L-BFGS."""
    middle = features.mean(axis=0)
    spread = (features.std(axis=0) + 1e-3) * np.sqrt(features.shape[1])
    inputs = ((features - middle) / spread).astype(np.float32)
    width = inputs.shape[1]
    kinds = wanted.shape[1]
    share = (weights / weights.sum()).astype(np.float32)[:, None]

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weight = flat[: width * kinds].reshape(width, kinds).astype(np.float32)
        logits = inputs @ weight + flat[width * kinds :].astype(np.float32)
        logits -= logits.max(axis=1, keepdims=True)
        logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        value = -float((share * wanted * logs).sum()) + 0.5 * l2 * float((weight**2).sum())
        slope = share * (np.exp(logs) * wanted.sum(axis=1, keepdims=True) - wanted)
        return value, np.concatenate([(inputs.T @ slope + l2 * weight).ravel(), slope.sum(axis=0)]).astype(np.float64)

    found = minimize(
        loss, np.zeros(width * kinds + kinds), jac=True, method="L-BFGS-B", options={"maxiter": MAX_ITERATIONS}
    )
    weight = (found.x[: width * kinds].reshape(width, kinds) / spread[:, None]).astype(np.float32)
    bias = (found.x[width * kinds :] - middle @ weight).astype(np.float32)
    return Head(weight, bias)
