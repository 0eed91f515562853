"""Which encoder a name stands for: the shipped one, or any of the library sentence-transformers."""

import importlib
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from domain.errors import ModelUnavailable
from domain.signals import ModelRef
from domain.vocabulary import Policy
from screening.ensemble import log_odds
from screening.explain import Span
from screening.model import NGRAMS, EmbeddedModel, Encoder, ModelOutput, joined, verified
from screening.ngrams import NGrams, load

SENTENCE_TRANSFORMERS = "sentence-transformers:"


class SentenceTransformerModel:
    """Any sentence-transformers model of the same width, read by the linear heads in the model folder.

    The heads were fitted on the shipped encoder's vectors; another encoder is for trials, until heads
    are fitted for it.
    """

    languages = ("en",)

    def __init__(self, encoder: Any, heads: dict[str, NDArray[np.float32]], ngrams: NGrams, ref: ModelRef) -> None:
        self._encoder = encoder
        self._turn = threading.Lock()
        self._heads = heads
        self._ngrams = ngrams
        self.ref = ref
        self.space = ref.name

    @classmethod
    def load(cls, path: str, folder: Path) -> Self:
        """Load an encoder by path. Raises ModelUnavailable where the extra is missing or widths differ."""
        try:
            library = importlib.import_module("sentence_transformers")
        except ImportError as error:
            raise ModelUnavailable(
                "sentence-transformers is not installed; install the extra 'embedders' or choose the model "
                f"'{folder.name}'"
            ) from error
        _, ref = verified(folder)
        try:
            encoder = library.SentenceTransformer(path, device="cpu", local_files_only=True)
        except Exception as error:  # the library raises whatever its parts raise
            raise ModelUnavailable(f"no sentence-transformers model can be loaded from {path}: {error}") from error
        with np.load(folder / "heads.npz") as stored:
            heads = {name: stored[name] for name in stored.files}
        width = encoder.get_sentence_embedding_dimension()
        if width != heads["classes.weight"].shape[0]:
            raise ModelUnavailable(
                f"{path} makes vectors of {width} numbers and the heads in {folder} need "
                f"{heads['classes.weight'].shape[0]}; choose a model of that width or fit heads for this one"
            )
        ngrams = load(folder / NGRAMS)
        return cls(encoder, heads, ngrams, ModelRef(name=path, version=ref.version, sha256=ref.sha256))

    def score(self, texts: Sequence[str]) -> list[ModelOutput]:
        """Score texts by their sentence vector and n-grams; the library's tokenizer serves one thread at a time."""
        with self._turn:
            vectors = np.asarray(self._encoder.encode(list(texts), normalize_embeddings=True), dtype=np.float32)
        classes = vectors @ self._heads["classes.weight"] + self._heads["classes.bias"]
        severity = vectors @ self._heads["severity.weight"] + self._heads["severity.bias"]
        read = [
            ModelOutput(tuple(odds[:-1]), odds[-1], tuple(s.tolist()), v)
            for odds, s, v in zip(log_odds(classes).tolist(), severity, vectors, strict=True)
        ]
        return joined(self._ngrams, texts, read) if read else []

    def familiarity(self, text: str) -> float:
        """By its n-grams."""
        return self._ngrams.familiarity(text)

    def phrases(self, text: str, output: ModelOutput, policy: Policy) -> list[Span]:
        """None: the library gives no states of single tokens."""
        return []

    def alone(self, text: str, output: ModelOutput, spans: Sequence[Span]) -> list[float] | None:
        """None, for the same reason."""
        return None


def load_encoder(name: str, folder: Path) -> Encoder:
    """The encoder of that name: the name of the model folder, or `sentence-transformers:<model path>`."""
    if name.startswith(SENTENCE_TRANSFORMERS):
        return SentenceTransformerModel.load(name.removeprefix(SENTENCE_TRANSFORMERS), folder)
    if name == folder.name:
        return EmbeddedModel.load(folder)
    raise ModelUnavailable(f"there is no model '{name}'; choose '{folder.name}' or '{SENTENCE_TRANSFORMERS}<path>'")
