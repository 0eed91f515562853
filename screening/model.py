"""The embedded classifier: one forward pass gives policy scores, severity and the memory vector; n-grams vote with it.

Scores are raw logits; `calibration` gives them meaning. Nothing here fetches anything: a model folder
is complete, and every file in it is checked against its recorded hash before it is used.
"""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import Protocol, Self

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from pydantic import ValidationError

from domain.base import Frozen
from domain.errors import ModelUnavailable
from domain.signals import ModelRef
from domain.vocabulary import Policy, Severity
from screening.ensemble import log_odds, pooled
from screening.explain import Span, alone, shares_of, strongest, words_of
from screening.ngrams import NGrams, load
from screening.tokens import Tokens, batch

OUTPUTS = ["policies", "violation", "severity", "vector", "shares"]

MAX_PASS = 32
"""Windows in one forward pass."""

PADDING = 1.5
"""A pass takes windows up to this many times as long as its shortest: beyond, padding costs more than it saves."""

NGRAMS = "ngrams.npz"
FILES = frozenset({"model.onnx", "tokenizer.json", "heads.npz", NGRAMS, "calibration.json"})
"""What a model folder consists of, besides its manifest and card."""

SLOWER = ["SkipLayerNormFusion"]
"""Fusions of onnxruntime that make a pass longer: its joint operator of sum and norm takes thrice the time of both."""


@dataclass(frozen=True)
class ModelOutput:
    """What the model says of one text: raw logits, the nine policies in the order of `Policy`.

    `severity` holds four logits, low to critical; `vector` 384 float32 of unit length; `shares` S x 10 is
    what each of S tokens adds to the encoder's logit of each policy and, last, of clean, where the model can tell
    and the text is one window long.
    """

    policies: tuple[float, ...]
    violation: float
    severity: tuple[float, ...]
    vector: NDArray[np.float32]
    shares: NDArray[np.float32] | None = None

    def severity_at(self, chance: float) -> Severity:
        """The highest severity reached with at least even chance, where `chance` is that of a violation.

        With `chance` 1 this is the median severity of a sure violation; in doubt it is the milder reading.
        """
        greatest = max(self.severity)
        odds = [math.exp(logit - greatest) for logit in self.severity]
        whole = sum(odds)
        at_least = zip(reversed(Severity), accumulate(reversed(odds)), strict=True)
        return next((rank for rank, share in at_least if share / whole * chance >= 0.5), Severity.LOW)


class Encoder(Protocol):
    """A model that scores texts, from several threads at once."""

    @property
    def ref(self) -> ModelRef: ...

    @property
    def space(self) -> str:
        """Names what its vectors can be compared with: those of the same encoder, however it is calibrated."""
        ...

    @property
    def languages(self) -> tuple[str, ...]:
        """ISO 639-1 codes of the languages that it was fitted and measured on."""
        ...

    def score(self, texts: Sequence[str]) -> list[ModelOutput]:
        """One output per text, in order; independent of which texts are scored together."""
        ...

    def familiarity(self, text: str) -> float:
        """How much of a text's spelling it met in what it learnt, 0 to 1: little in a language that it never read."""
        ...

    def phrases(self, text: str, output: ModelOutput, policy: Policy) -> list[Span]:
        """The stretches of a scored text that speak most for a policy; none where the model cannot tell."""
        ...

    def alone(self, text: str, output: ModelOutput, spans: Sequence[Span]) -> list[float] | None:
        """About which log-odds of any violation each stretch of a scored text would have by itself; None where the
        model cannot tell.
        """
        ...


class _Manifest(Frozen):
    """`model.json` of a model folder."""

    name: str
    version: str
    sha256: dict[str, str]
    policies: tuple[Policy, ...]
    severities: tuple[Severity, ...]
    languages: tuple[str, ...]
    opset: int
    inputs: tuple[str, ...]


class EmbeddedModel:
    """The shipped int8 encoder on onnxruntime, and the n-grams that read beside it."""

    def __init__(
        self,
        session: onnxruntime.InferenceSession,
        tokens: Tokens,
        ref: ModelRef,
        *,
        space: str,
        languages: tuple[str, ...],
        ngrams: NGrams | None = None,
    ) -> None:
        self._ngrams = ngrams
        self._session = session
        self._tokens = tokens
        self.ref = ref
        self.space = space
        self.languages = languages

    @classmethod
    def load(cls, folder: Path, *, threads: int = 1) -> Self:
        """Load a model folder after checking its hashes; `threads` share each pass. Raises ModelUnavailable with what
        to do.
        """
        manifest, ref = verified(folder)
        if manifest.policies != tuple(Policy) or manifest.severities != tuple(Severity):
            raise ModelUnavailable(f"{folder} was built for other policies or severities; rebuild it")
        return cls(
            session_of(folder, threads),
            Tokens.load(folder / "tokenizer.json"),
            ref,
            space=manifest.sha256["model.onnx"],
            languages=manifest.languages,
            ngrams=load(folder / NGRAMS),
        )

    def score(self, texts: Sequence[str]) -> list[ModelOutput]:
        """Score texts by both readers; of a long text's windows the one most in violation speaks, and the first gives
        the vector. Severity, vector and shares are the encoder's.
        """
        return self._scored(texts, self._ngrams)

    def read(self, texts: Sequence[str]) -> list[ModelOutput]:
        """The same by the encoder alone."""
        return self._scored(texts, None)

    def _scored(self, texts: Sequence[str], ngrams: NGrams | None) -> list[ModelOutput]:
        windows = [self._tokens.windows(text) for text in texts]
        outputs = self._passed([window for of_text in windows for window in of_text])
        if ngrams and outputs:
            pieces = [
                text[start:end]
                for text, of_text in zip(texts, windows, strict=True)
                for start, end in ([(0, len(text))] if len(of_text) == 1 else self._tokens.stretches(text))
            ]
            outputs = joined(ngrams, pieces, outputs)
        left = iter(outputs)
        return [_worst([next(left) for _ in of_text]) for of_text in windows]

    def _passed(self, windows: Sequence[list[int]]) -> list[ModelOutput]:
        """One output per window, in order."""
        order = sorted(range(len(windows)), key=lambda i: len(windows[i]))
        results: dict[int, ModelOutput] = {}
        for chosen in _passes(order, [len(window) for window in windows]):
            made = self._session.run(OUTPUTS, batch([windows[i] for i in chosen]))
            for index, policies, violation, severity, vector, shares in zip(chosen, *made, strict=True):
                results[index] = ModelOutput(
                    tuple(policies.tolist()),
                    float(violation[0]),
                    tuple(severity.tolist()),
                    vector,
                    shares[: len(windows[index])],
                )
        return [results[index] for index in range(len(windows))]

    def familiarity(self, text: str) -> float:
        """By its n-grams."""
        return self._ngrams.familiarity(text) if self._ngrams else 1.0

    def phrases(self, text: str, output: ModelOutput, policy: Policy) -> list[Span]:
        """The stretches that add most to the policy's logit over that of clean."""
        if output.shares is None:
            return []
        tokens = self._tokens.spans(text)
        words = words_of(text)
        return strongest(
            words, shares_of(words, tokens, output.shares[:, list(Policy).index(policy)] - output.shares[:, -1])
        )

    def alone(self, text: str, output: ModelOutput, spans: Sequence[Span]) -> list[float] | None:
        """From the pass over the whole text; None for a text of several windows."""
        if output.shares is None:
            return None
        return alone(spans, self._tokens.spans(text), output.shares, output.violation)


def joined(ngrams: NGrams, texts: Sequence[str], read: Sequence[ModelOutput]) -> list[ModelOutput]:
    """The outputs for these texts, at least one, n-grams now voting on the scores."""
    odds = np.array([(*output.policies, output.violation) for output in read])
    together = pooled([odds, log_odds(ngrams.logits(texts))]).tolist()
    return [
        replace(output, policies=tuple(said[:-1]), violation=said[-1])
        for output, said in zip(read, together, strict=True)
    ]


def session_of(folder: Path, threads: int = 1) -> onnxruntime.InferenceSession:
    """The encoder of a model folder, ready to run. Raises ModelUnavailable."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Idle threads that spin would take the processor from the rest of the service.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(
            str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"], disabled_optimizers=SLOWER
        )
    except Exception as error:  # onnxruntime raises a dozen unrelated classes
        raise ModelUnavailable(f"{folder / 'model.onnx'} cannot be loaded: {error}; rebuild the folder") from error


def verified(folder: Path) -> tuple[_Manifest, ModelRef]:
    """The manifest, after every file it names was found to have its recorded SHA-256."""
    try:
        text = (folder / "model.json").read_text(encoding="utf-8")
        manifest = _Manifest.model_validate_json(text)
        if missing := sorted(FILES - set(manifest.sha256)):
            raise ModelUnavailable(f"{folder / 'model.json'} names no {', '.join(missing)}; restore it or rebuild")
        for name, expected in manifest.sha256.items():
            found = hashlib.sha256((folder / name).read_bytes()).hexdigest()
            if found != expected:
                raise ModelUnavailable(f"{folder / name} is not the file that was built; restore it or rebuild")
    except OSError as error:
        raise ModelUnavailable(f"the model folder {folder} is incomplete: {error}; restore it or rebuild") from error
    except ValidationError as error:
        raise ModelUnavailable(f"{folder / 'model.json'} is broken: {error}; restore it or rebuild") from error
    whole = hashlib.sha256(json.dumps(manifest.sha256, sort_keys=True).encode()).hexdigest()
    return manifest, ModelRef(name=manifest.name, version=manifest.version, sha256=whole)


def _passes(order: Sequence[int], lengths: Sequence[int]) -> list[list[int]]:
    """Cut windows, shortest first, into forward passes of similar length."""
    passes: list[list[int]] = []
    for index in order:
        current = passes[-1] if passes else []
        if current and len(current) < MAX_PASS and lengths[index] <= PADDING * lengths[current[0]] + 4:
            current.append(index)
        else:
            passes.append([index])
    return passes


def _worst(outputs: Sequence[ModelOutput]) -> ModelOutput:
    if len(outputs) == 1:
        return outputs[0]
    worst = max(outputs, key=lambda output: output.violation)
    return replace(worst, vector=outputs[0].vector, shares=None)
