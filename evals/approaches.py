"""Ways to judge a text that can be set side by side: each gives log-odds of the nine policies and of any violation.

Nothing here is served. What is fitted is fitted on the examples that it is given, and on nothing else.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from tqdm import tqdm

from domain.errors import Invalid
from domain.signals import ModelRef
from domain.vocabulary import Severity
from evals.figures import Bools, Floats, auc
from screening.ensemble import log_odds
from screening.model import EmbeddedModel, ModelOutput, session_of
from screening.ngrams import NGrams
from screening.normalise import normalise
from screening.tokens import Tokens
from screening.training import e5, encoder, features, heads, vocabulary
from screening.training.encoder import DIMENSIONS, Head
from screening.training.sources import CLASSES, Example

Array = NDArray[np.float32]
Score = Callable[[Sequence[str]], Sequence[ModelOutput]]
"""What an encoder says of texts."""

Approach = Callable[[Sequence[str]], Floats]
"""Log-odds of texts, N x 10: the nine policies in their order, then any violation."""

LAYERS = 8
"""Layers of the published encoder that are read: as many as the shipped model keeps."""

SAMPLED = 64
"""Every so many-th text measures the range of activations."""

NEIGHBOURS = (1, 3, 5, 10, 20, 40, 80)
TEMPERATURE = 0.1
"""Of the neighbours' votes, which weigh exp(cosine / temperature)."""

TOGETHER = 512
"""Texts scored at once, so that the progress can be shown."""


class Once:
    """An encoder that reads each text once and remembers what it said."""

    def __init__(self, score: Score) -> None:
        self._score = score
        self._known: dict[str, ModelOutput] = {}

    def __call__(self, texts: Sequence[str]) -> list[ModelOutput]:
        fresh = [text for text in dict.fromkeys(texts) if text not in self._known]
        parts = range(0, len(fresh), TOGETHER)
        for start in tqdm(parts, desc="encoder", leave=False, disable=len(parts) < 2):
            chosen = fresh[start : start + TOGETHER]
            self._known |= zip(chosen, self._score(chosen), strict=True)
        return [self._known[text] for text in texts]


@dataclass(frozen=True)
class Neighbours:
    """Known texts to be voted by: `vectors` M x 384 of unit length, `targets` M x 10, and how many of them vote."""

    vectors: Array
    targets: Array
    count: int

    @classmethod
    def chosen(cls, vectors: Array, examples: Sequence[Example]) -> "Neighbours":
        """With the `count` of NEIGHBOURS whose votes rank any violation best where no writer votes on their own rows.

        Raises Invalid where a single writer wrote everything.
        """
        targets = heads.targets(examples)
        writers = np.array([example.group for example in examples])
        violates = np.array([example.violates for example in examples])
        if len(set(writers)) < 2:
            raise Invalid("all rows of the training part are by one writer; neighbours need two writers or more")
        votes = np.empty((len(NEIGHBOURS), len(examples)))
        for writer in sorted(set(writers)):
            own = writers == writer
            others = cls(vectors[~own], targets[~own], max(NEIGHBOURS))
            cosines, nearest = others.nearest(vectors[own])
            for place, count in enumerate(NEIGHBOURS):
                votes[place, own] = others.voted(cosines[:, :count], nearest[:, :count])[:, -1]
        best = max(range(len(NEIGHBOURS)), key=lambda place: auc(violates, votes[place]))
        return cls(vectors, targets, NEIGHBOURS[best])

    def nearest(self, vectors: Array) -> tuple[Array, NDArray[np.int64]]:
        """Cosine and place of the `count` nearest of each vector, both N x count, the nearest first."""
        near = vectors @ self.vectors.T
        count = min(self.count, near.shape[1])
        chosen = np.argpartition(-near, count - 1, axis=1)[:, :count]
        cosines = np.take_along_axis(near, chosen, axis=1)
        order = np.argsort(-cosines, axis=1, kind="stable")
        return np.take_along_axis(cosines, order, axis=1), np.take_along_axis(chosen, order, axis=1)

    def voted(self, cosines: Array, nearest: NDArray[np.int64]) -> Floats:
        """Log-odds, N x 10, from the votes of the nearest and, as one vote more, the mean of all."""
        weights = np.exp((cosines - 1) / TEMPERATURE)
        weights /= weights.sum(axis=1, keepdims=True)
        share = np.einsum("nk,nkc->nc", weights, self.targets[nearest]) * nearest.shape[1] + self.targets.mean(axis=0)
        return log_odds(np.log(np.maximum(share / (nearest.shape[1] + 1), 1e-9)))

    def approach(self, score: Score) -> Approach:
        """Votes for texts by the vectors that an encoder gives them."""
        return lambda texts: self.voted(*self.nearest(vectors_of(score, texts)))


def by_ngrams(ngrams: NGrams) -> Approach:
    return lambda texts: log_odds(ngrams.logits(texts))


def by_encoder(score: Score) -> Approach:
    return lambda texts: np.array([(*output.policies, output.violation) for output in score(texts)], dtype=np.float64)


def vectors_of(score: Score, texts: Sequence[str]) -> Array:
    """Memory vectors, N x 384."""
    return np.array([output.vector for output in score(texts)], dtype=np.float32)


def cascade(first: Approach, then: Approach, threshold: float) -> Approach:
    """`first` for all, and `then` only for what `first` scores at `threshold` or above; the rest is called clean."""

    def read(texts: Sequence[str]) -> Floats:
        kept = first(texts)[:, -1] >= threshold
        read_on = [text for text, keep in zip(texts, kept, strict=True) if keep]
        made = np.full((len(texts), len(CLASSES)), -np.inf)
        if read_on:
            made[kept] = then(read_on)
        return made

    return read


def passed_over(odds: Floats, skipped: Bools) -> Floats:
    """The log-odds with the rows `skipped` called clean: below all others, and of no policy."""
    made = odds.copy()
    made[skipped] = odds.min() - 1
    return made


def likelier_form(approach: Approach, posted: Sequence[str]) -> Floats:
    """Log-odds, N x 10, of texts as posted or without their disguises: as in the service, the worse form counts."""
    forms = [normalise(text).forms for text in posted]
    odds = approach([first for first, *_ in forms])
    twice = [row for row, read in enumerate(forms) if len(read) > 1]
    if twice:
        other = approach([forms[row][-1] for row in twice])
        worse = other[:, -1] > odds[twice, -1]
        odds[np.array(twice)[worse]] = other[worse]
    return odds


@dataclass(frozen=True)
class Frozen:
    """The published encoder as it is: `known` M x 384 (layers + 1) are its features of the examples, layer by layer."""

    published: e5.Published
    known: Array
    examples: Sequence[Example]

    @classmethod
    def load(cls, weights: Path, examples: Sequence[Example], cache: Path) -> "Frozen":
        """Read the weights, prune them as training does, and compute the features or find them in `cache`.

        Raises Invalid where the weights cannot be read.
        """
        whole = e5.load(weights)
        tokenizer = whole.tokenizer()
        seen = {piece for example in examples for piece in tokenizer.encode(example.text).ids}
        kept = replace(whole.keep(vocabulary.served(whole.pieces, seen)), layers=min(LAYERS, whole.layers))
        texts = [example.text for example in examples]
        return cls(kept, features.compute(encoder.build(kept, None), Tokens(kept.tokenizer()), texts, cache), examples)

    def model(self, folder: Path, *, last_only: bool) -> EmbeddedModel:
        """An int8 model with a linear head on the means of all layers or of the last, its files in `folder`."""
        width = DIMENSIONS if last_only else self.known.shape[1]
        head = heads.fit_classes(np.ascontiguousarray(self.known[:, -width:]), self.examples)
        unread = np.zeros((self.known.shape[1] - width, len(CLASSES)), np.float32)
        classes = Head(np.vstack([unread, head.weight]), head.bias)
        severities = Head(
            np.zeros((self.known.shape[1], len(Severity)), np.float32), np.zeros(len(Severity), np.float32)
        )
        tokens = Tokens(self.published.tokenizer())
        ranges = encoder.measure_ranges(self.published, tokens, [e.text for e in self.examples[::SAMPLED]])
        folder.mkdir()
        onnx.save(encoder.build(self.published, ranges, classes, severities), folder / "model.onnx")
        tokens.save(folder / "tokenizer.json")
        return EmbeddedModel(
            session_of(folder), tokens, ModelRef(name="frozen", version="0", sha256=""), space="", languages=()
        )


def size(folder: Path) -> int:
    """Bytes of what a model folder needs for judging: the graph and the tokenizer."""
    return sum((folder / name).stat().st_size for name in ("model.onnx", "tokenizer.json"))
