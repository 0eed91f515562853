"""Two readers of every text together: the encoder, which has seen much language, and n-grams, which know our texts.

They err in different places, and the mean of what they say is right more often than either (Lakshminarayanan et al.
2017); n-grams cost a fiftieth of the encoder's pass. Readers differ in scale and in boldness, so the class logits of
each are standardised before the mean is taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from domain.errors import ModelUnavailable
from screening.ngrams import BITS, CLASSES, NGrams

SHARES = (0.6, 0.4)
"""What the encoder and the n-grams count; the best of tenths on the calibration part, where .3 to .5 hardly differ."""

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


@dataclass(frozen=True)
class Standard:
    """Where a reader's logits of each class lie: `middle` and `spread`, 10 each."""

    middle: Floats
    spread: Floats

    @classmethod
    def of(cls, odds: Floats) -> Self:
        """Of the rows that the log-odds (N x 10) are of; their labels are not asked for."""
        logits = class_logits(odds)
        return cls(logits.mean(axis=0), logits.std(axis=0) + 1e-9)

    def __call__(self, odds: Floats) -> Floats:
        """Class logits, N x 10, of mean 0 and spread 1."""
        return np.asarray((class_logits(odds) - self.middle) / self.spread)


def mean_of(standardised: Sequence[Floats], scale: float, weights: Sequence[float] | None = None) -> Floats:
    """Log-odds of the mean of several readers' standardised logits, times `scale`; weighed, or all alike."""
    return log_odds(np.average(standardised, axis=0, weights=weights) * scale)


@dataclass(frozen=True)
class Ensemble:
    """N-grams beside an encoder, and how either one's logits lie."""

    ngrams: NGrams
    of_encoder: Standard
    of_ngrams: Standard

    @classmethod
    def of(cls, ngrams: NGrams, texts: Sequence[str], read: Floats) -> Self:
        """Standardised over texts that neither reader was fitted on, of which the encoder says `read`."""
        return cls(ngrams, Standard.of(read), Standard.of(log_odds(ngrams.logits(texts))))

    def together(self, texts: Sequence[str], read: Floats) -> Floats:
        """What both say of texts, of which the encoder says `read`; as bold as the encoder by itself."""
        letters = log_odds(self.ngrams.logits(texts))
        return mean_of([self.of_encoder(read), self.of_ngrams(letters)], float(self.of_encoder.spread.mean()), SHARES)

    def write(self, path: Path) -> None:
        """Write everything into one file."""
        standards = [self.of_encoder.middle, self.of_encoder.spread, self.of_ngrams.middle, self.of_ngrams.spread]
        with path.open("wb") as file:
            np.savez_compressed(
                file,
                weight=self.ngrams.weight,
                bias=self.ngrams.bias,
                standards=np.array(standards),
            )

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `write` wrote. Raises ModelUnavailable where it is missing or of another kind."""
        try:
            with np.load(path, allow_pickle=False) as stored:
                ngrams = NGrams(stored["weight"].astype(np.float16), stored["bias"].astype(np.float32))
                standards = stored["standards"]
        except (OSError, KeyError, ValueError) as error:
            raise ModelUnavailable(f"{path} holds no n-grams ({error}); restore it or rebuild the folder") from error
        if ngrams.weight.shape != (1 << BITS, CLASSES) or standards.shape != (4, CLASSES):
            raise ModelUnavailable(f"{path} was written for other classes or buckets; rebuild the folder")
        return cls(ngrams, Standard(standards[0], standards[1]), Standard(standards[2], standards[3]))
