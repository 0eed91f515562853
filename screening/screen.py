"""Screens one text: normalises it, scores both forms, applies the rules, and says what was noticed.

Signals carry calibrated log-odds and their evidence. Nothing is decided here, and nothing is looked up.
"""

import asyncio
import base64
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from domain.content import Content
from domain.signals import Evidence, Language, Screening, Signal
from domain.vocabulary import Policy, Severity, SignalSource
from screening.batcher import QUEUE_LIMIT, Batcher
from screening.calibration import Calibration
from screening.explain import phrases, strongest, without
from screening.language import LanguageDetector
from screening.model import Encoder, ModelOutput, load_encoder
from screening.normalise import Normalised, normalise
from screening.rules import DEFAULT_RULES, Match, Rules

DEFAULT_MODEL = "minilm-v1"
EXPLAIN_FROM = 0.2
"""Probability of any violation from which the words behind it are looked for."""

EXPLAIN_UP_TO = 600
"""Characters of a text beyond which that would cost more passes than it tells."""

LONG = 2_000
"""Characters from which rules and normalisation leave the event loop to a thread."""


NEVER_MILD = frozenset({Policy.THREATS, Policy.SELF_HARM, Policy.AGE_VERIFICATION})
"""Policies whose severity is read as if the violation were certain."""


class Screener:
    """Everything local that is known about a text. Load once, share, close at the end."""

    def __init__(
        self,
        model: Encoder,
        rules: Rules,
        calibration: Calibration,
        languages: LanguageDetector,
        *,
        queue_limit: int = QUEUE_LIMIT,
    ) -> None:
        self.ref = model.ref
        self._rules = rules
        self._calibration = calibration
        self._languages = languages
        self._batcher = Batcher(model, queue_limit=queue_limit)

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
        """Load model folder and rules. Raises ModelUnavailable or PolicyFileError with what to do."""
        return cls(
            load_encoder(model, folder, threads=threads),
            Rules.load(rules),
            Calibration.load(folder / "calibration.json"),
            LanguageDetector(),
            queue_limit=queue_limit,
        )

    def close(self) -> None:
        """Stop the worker thread."""
        self._batcher.close()

    async def screen(self, content: Content) -> Screening:
        """Screen one text. Raises Overloaded when too many wait, ModelUnavailable when the model fails."""
        if len(content.text) > LONG:
            normalised, matches, language = await asyncio.to_thread(self._read, content)
        else:
            normalised, matches, language = self._read(content)
        forms = [content.text] if normalised.text == content.text else [content.text, normalised.text]
        outputs = await self._batcher.score(forms)
        chosen = max(range(len(forms)), key=lambda i: outputs[i].violation)
        output = outputs[chosen]
        unmasked = normalised if chosen == 1 else None
        noticed = [
            *(self._rule_signal(match) for match in matches),
            *self._hidden_signals(normalised),
            *_language_signals(language),
        ]
        top = self._top(output, noticed)
        evidence = await self._explain(forms[chosen], output, top, unmasked)
        disguised = unmasked is not None and bool(normalised.hidden)
        signals = [*self._classifier_signals(output, top, evidence, disguised=disguised), *noticed]
        return Screening(
            normalised=normalised.text,
            language=language,
            signals=tuple(signals),
            severities=_severities(output, signals),
            vector=encode_vector(outputs[0].vector),
            model=self.ref,
        )

    async def embed(self, texts: Sequence[str]) -> list[str]:
        """The memory vectors of texts, as base64 of 384 little-endian float32 of unit length."""
        return [encode_vector(output.vector) for output in await self._batcher.score(texts)]

    def _read(self, content: Content) -> tuple[Normalised, tuple[Match, ...], Language]:
        normalised = normalise(content.text)
        matches = self._rules.match(normalised, verified=content.context.verified)
        return normalised, matches, self._languages.detect(normalised.text or content.text)

    def _top(self, output: ModelOutput, noticed: Sequence[Signal]) -> int:
        """The place, in the order of `Policy`, of the policy that classifier and rules together think likeliest."""
        sums = [
            self._calibration.policies[policy](logit) + sum(s.weight for s in noticed if s.policy is policy)
            for policy, logit in zip(Policy, output.policies, strict=True)
        ]
        return sums.index(max(sums))

    async def _explain(
        self, text: str, output: ModelOutput, top: int, normalised: Normalised | None
    ) -> tuple[Evidence, ...]:
        """The phrases behind the likeliest policy, as they stood in the posted text."""
        if probability(self._calibration.violation(output.violation)) < EXPLAIN_FROM or len(text) > EXPLAIN_UP_TO:
            return ()
        spans = phrases(text)
        if len(spans) < 2:
            return ()
        others = await self._batcher.score([without(text, span) for span in spans])
        drops = [output.policies[top] - other.policies[top] for other in others]
        note = "without this the classifier is less sure"
        return tuple(
            normalised.evidence(start, end, note)
            if normalised
            else Evidence(start=start, end=end, quote=text[start:end], note=note)
            for start, end in strongest(spans, drops)
        )

    def _classifier_signals(
        self, output: ModelOutput, top: int, evidence: tuple[Evidence, ...], *, disguised: bool
    ) -> list[Signal]:
        """One signal per policy and one for any violation; their weights include the prior."""
        seen = " once its disguise is undone" if disguised else ""
        weight = self._calibration.violation(output.violation)
        signals = [
            Signal(
                name="classifier.violation",
                source=SignalSource.CLASSIFIER,
                value=output.violation,
                weight=weight,
                reason=f"the classifier sees a violation with {probability(weight):.0%} probability{seen}",
                evidence=evidence,
            )
        ]
        for index, policy in enumerate(Policy):
            weight = self._calibration.policies[policy](output.policies[index])
            signals.append(
                Signal(
                    name=f"classifier.{policy}",
                    source=SignalSource.CLASSIFIER,
                    policy=policy,
                    value=output.policies[index],
                    weight=weight,
                    reason=f"the classifier sees {policy} with {probability(weight):.0%} probability{seen}",
                    evidence=evidence if index == top else (),
                )
            )
        return signals

    def _rule_signal(self, match: Match) -> Signal:
        rule = match.rule
        return Signal(
            name=f"rule.{rule.name}",
            source=SignalSource.RULE,
            policy=rule.policy,
            value=float(len(match.evidence)),
            weight=self._calibration.rules.get(rule.name, rule.weight),
            reason=rule.reason,
            severity=rule.severity,
            floor=rule.floor,
            evidence=match.evidence,
        )

    def _hidden_signals(self, normalised: Normalised) -> list[Signal]:
        if not normalised.hidden:
            return []
        kinds = sorted({evidence.note.split(" spelling")[0] for evidence in normalised.hidden})
        return [
            Signal(
                name="hidden_text",
                source=SignalSource.HIDDEN_TEXT,
                value=float(len(normalised.hidden)),
                weight=self._calibration.hidden_text,
                reason=f"the text is disguised: {', '.join(kinds)}",
                evidence=normalised.hidden,
            )
        ]


def any_violation(signals: Sequence[Signal]) -> float:
    """The log-odds of any violation: what speaks of no policy, and the most that is said for one of them.

    Rules of different policies see the same violation from several sides; adding them up would count it twice.
    """
    of_none = sum(signal.weight for signal in signals if signal.policy is None)
    rules = [signal for signal in signals if signal.source is not SignalSource.CLASSIFIER]
    return of_none + max(sum(signal.weight for signal in rules if signal.policy is policy) for policy in Policy)


def _severities(output: ModelOutput, signals: Sequence[Signal]) -> dict[Policy, Severity]:
    """The milder reading in doubt, but not where waiting could cost a life or a child."""
    doubtful = output.severity_at(probability(any_violation(signals)))
    sure = output.severity_at(1.0)
    return {policy: sure if policy in NEVER_MILD else doubtful for policy in Policy}


def probability(log_odds: float) -> float:
    """The probability that log-odds (nats) stand for."""
    return 1 / (1 + math.exp(-log_odds)) if log_odds > -700 else 0.0


def encode_vector(vector: NDArray[np.float32]) -> str:
    """Base64 of little-endian float32."""
    return base64.b64encode(vector.astype("<f4").tobytes()).decode("ascii")


def _language_signals(language: Language) -> list[Signal]:
    if language.competent:
        return []
    return [
        Signal(
            name="language.foreign",
            source=SignalSource.LANGUAGE,
            value=language.confidence,
            reason=f"written in '{language.code}', which the classifier cannot read",
        )
    ]
