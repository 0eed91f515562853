"""Screens one text: normalises it, scores its forms, applies the rules, and says what was noticed.

Signals carry calibrated log-odds and their evidence. Nothing is decided here, and nothing is looked up.
"""

import asyncio
import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from domain.content import Content
from domain.signals import Evidence, Language, Screening
from domain.vocabulary import Policy
from screening.batcher import QUEUE_LIMIT, Batcher
from screening.calibration import Calibration
from screening.encoders import load_encoder
from screening.explain import Span
from screening.language import LanguageDetector
from screening.model import Encoder, ModelOutput
from screening.normalise import Normalised, normalise
from screening.passages import passages
from screening.rules import DEFAULT_RULES, Match, Rules
from screening.signals import (
    any_violation,
    classifier_signals,
    likeliest,
    noticed_signals,
    passage_signals,
    probability,
    severities,
    with_evidence,
)

DEFAULT_MODEL = "e5-small-v1"
EXPLAIN_FROM = 0.2
"""Probability of any violation from which the words behind it are looked for."""

SUSPECT_FROM = 0.2
"""Probability of any violation that a passage would have by itself, as the pass over the whole tells, from which it is
read by itself."""

LONG = 2_000
"""Characters from which rules and normalisation leave the event loop to a thread."""


class Screener:
    """Everything local that is known about a text. Load once, share, close at the end."""

    def __init__(
        self,
        model: Encoder,
        rules: Rules,
        calibration: Calibration,
        languages: LanguageDetector,
        *,
        threads: int = 1,
        queue_limit: int = QUEUE_LIMIT,
    ) -> None:
        self.ref = model.ref
        self.space = model.space
        self._model = model
        self._rules = rules
        self._calibration = calibration
        self._languages = languages
        self._batcher = Batcher(model, workers=threads, queue_limit=queue_limit)

    @classmethod
    def load(
        cls,
        folder: Path,
        *,
        model: str = DEFAULT_MODEL,
        rules: Path = DEFAULT_RULES,
        threads: int = 1,
        queue_limit: int = QUEUE_LIMIT,
    ) -> Self:
        """Load model folder and rules, for so many passes at once. Raises ModelUnavailable or PolicyFileError with
        what to do.
        """
        encoder = load_encoder(model, folder)
        return cls(
            encoder,
            Rules.load(rules),
            Calibration.load(folder / "calibration.json"),
            LanguageDetector(encoder.languages, encoder.familiarity),
            threads=threads,
            queue_limit=queue_limit,
        )

    def close(self) -> None:
        """Stop the worker threads."""
        self._batcher.close()

    async def screen(self, content: Content) -> Screening:
        """Screen one text. Raises Overloaded when too many wait, ModelUnavailable when the model fails."""
        if len(content.text) > LONG:
            normalised, matches, language = await asyncio.to_thread(self._read, content)
        else:
            normalised, matches, language = self._read(content)
        forms = normalised.forms
        outputs = await self._batcher.score(forms)
        worst = max(range(len(outputs)), key=lambda form: outputs[form].violation)
        output, plain = outputs[worst], worst == len(forms) - 1
        unmasked = worst > 0 and bool(normalised.hidden)
        signals = classifier_signals(output, self._calibration, unmasked=unmasked)
        signals += noticed_signals(matches, normalised, language, self._calibration)
        if probability(any_violation(signals)) >= EXPLAIN_FROM:
            top = likeliest(signals)
            evidence = self._explain(content.text, output, top, normalised if plain else None)
            signals = with_evidence(signals, top, evidence)
        spans = self._suspects(normalised.text, outputs[-1])
        texts = [normalised.text[start:end] for start, end in spans]
        alone = await self._batcher.score(texts, admitted=True) if texts else []
        signals += passage_signals(alone, spans, normalised, self._calibration)
        return Screening(
            normalised=normalised.text,
            language=language,
            signals=tuple(signals),
            severities=severities(output, signals),
            vector=encode_vector(outputs[0].vector),
            model=self.ref,
        )

    async def embed(self, texts: Sequence[str]) -> list[str]:
        """The memory vectors of texts as `screen` gives them, base64 of 384 little-endian float32 of unit length."""
        forms = await asyncio.to_thread(lambda: [normalise(text).forms[0] for text in texts])
        return [encode_vector(output.vector) for output in await self._batcher.score(forms)]

    def _read(self, content: Content) -> tuple[Normalised, tuple[Match, ...], Language]:
        normalised = normalise(content.text)
        matches = self._rules.match(normalised, verified=content.context.verified)
        return normalised, matches, self._languages.detect(normalised.text or content.text)

    def _suspects(self, text: str, output: ModelOutput) -> list[Span]:
        """The passages that are worth a pass of their own; all of them where the model cannot tell."""
        spans = passages(text)
        estimates = self._model.alone(text, output, spans) if spans else None
        if estimates is None:
            return list(spans)
        platt = self._calibration.violation
        return [s for s, z in zip(spans, estimates, strict=True) if not probability(platt(z)) < SUSPECT_FROM]

    def _explain(self, posted: str, output: ModelOutput, top: Policy, plain: Normalised | None) -> tuple[Evidence, ...]:
        """The phrases behind a policy's score, as they stood in the posted text."""
        note = f"the classifier reads this as {top}"
        return tuple(
            plain.evidence(start, end, note)
            if plain
            else Evidence(start=start, end=end, quote=posted[start:end], note=note)
            for start, end in self._model.phrases(plain.text if plain else posted, output, top)
        )


def encode_vector(vector: NDArray[np.float32]) -> str:
    """Base64 of little-endian float32."""
    return base64.b64encode(vector.astype("<f4").tobytes()).decode("ascii")
