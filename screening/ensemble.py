"""Two readers of every text together: the encoder, which has seen much language, and n-grams, which know our texts.

They err in different places, and the mean of what they say is right more often than either (Lakshminarayanan et al.
2017); n-grams cost little beside the encoder's pass. The mean is of class logits, a logarithmic opinion pool
(Genest and Zidek 1986).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SHARES = (0.6, 0.4)
"""What the encoder and the n-grams count; on the calibration part .3 to .5 hardly differ for n-grams."""

Floats = NDArray[np.float64]
"""Log-odds of texts, N x 10: the nine policies in their order, then any violation."""

LEAST_SHARE = 1e-6
"""A class is never surer than this, nor more impossible."""


def log_odds(logits: NDArray[np.floating]) -> Floats:
    """Log-odds, N x 10, of class logits with clean last."""
    share = np.exp(logits - logits.max(axis=1, keepdims=True)).astype(np.float64)
    share = np.clip(share / share.sum(axis=1, keepdims=True), LEAST_SHARE, 1 - LEAST_SHARE)
    odds = np.log(share) - np.log1p(-share)
    return np.column_stack([odds[:, :-1], -odds[:, -1]])


def class_logits(odds: Floats) -> Floats:
    """Log-probabilities of the classes, clean last, less their mean in each row, of log-odds. Both N x 10."""
    signed = np.column_stack([odds[:, :-1], -odds[:, -1]])
    logs = -np.logaddexp(0, -signed)
    return np.asarray(logs - logs.mean(axis=1, keepdims=True))


def pooled(spoken: Sequence[Floats], shares: Sequence[float] = SHARES) -> Floats:
    """What several readers, the encoder and n-grams first, say together; `shares` add up to 1."""
    return log_odds(np.average([class_logits(odds) for odds in spoken], axis=0, weights=shares))
