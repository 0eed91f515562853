"""The panel of specialists: asks several of them at once about one text, and says who gave no usable answer.

What they are told is handed in. Which of them are asked, and what follows from what they say, is policy's.
"""

import asyncio
import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from agents.judge import Question
from agents.material import Piece, marked_off, pieces_of
from agents.opinions import OpinionForm, opinion_of
from agents.prompts import Prompt, Prompts
from agents.spending import Allowance
from agents.steady import Settled, Steady
from domain.errors import ModelUnavailable, UnusableAnswer
from domain.opinion import Opinion, Specialist, Usage
from domain.tracing import SILENCE, Tracer

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Dossier:
    """What is known of one text. `facts` are the service's own findings; all else was written by people."""

    app_id: str
    posted: str
    normalised: str
    facts: tuple[str, ...] = ()
    others: tuple[Piece, ...] = ()


@dataclass(frozen=True)
class Heard:
    """What a round of asking came to."""

    opinions: tuple[Opinion, ...]
    missing: tuple[Specialist, ...]
    usage: Usage


class Panel:
    """The specialists over the models of one service."""

    def __init__(self, models: Steady, prompts: Prompts, tracer: Tracer = SILENCE) -> None:
        self._models = models
        self._prompts = prompts
        self._tracer = tracer

    async def close(self) -> None:
        """End all connections to models."""
        await self._models.close()

    def affords(self, app_id: str, allowance: Allowance) -> bool:
        """Whether the app has something left to spend today."""
        return self._models.spending.allows(app_id, allowance)

    async def hear(self, specialists: Sequence[Specialist], dossier: Dossier, *, within_s: float) -> Heard:
        """Ask each of them, all at once. Never raises for what a model did or did not do: such are `missing`."""
        settled = await asyncio.gather(*(self._ask(who, dossier, within_s) for who in specialists))
        opinions = tuple(each.value for each in settled if each is not None)
        missing = tuple(who for who, each in zip(specialists, settled, strict=True) if each is None)
        usage = sum((each.usage for each in settled if each is not None), start=Usage())
        return Heard(opinions, missing, usage)

    async def _ask(self, who: Specialist, dossier: Dossier, within_s: float) -> Settled[Opinion] | None:
        prompt = self._prompts.of(who)

        def check(form: OpinionForm, model: str) -> Opinion:
            return opinion_of(
                form,
                specialist=who,
                posted=dossier.posted,
                normalised=dossier.normalised,
                model=model,
                prompt=prompt.hash,
            )

        question, key = question_of(prompt, dossier), _key(prompt, dossier)
        told = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": who}
        with self._tracer.span(f"invoke_agent {who}", told) as span:
            try:
                settled = await self._models.ask(question, check, key=key, app_id=dossier.app_id, within_s=within_s)
            except (ModelUnavailable, UnusableAnswer) as error:
                span.fail(error.code)
                logger.warning("the %s gave no opinion, a person decides: %s", who, error)
                return None
            cached = settled.usage.cached > 0
            span.note({"cupidsshield.cache_hit": cached, "cupidsshield.reading": settled.value.reading})
            return settled


def question_of(prompt: Prompt, dossier: Dossier, mark: str | None = None) -> Question[OpinionForm]:
    """The question: instructions, what the service noticed, and apart from both what people wrote."""
    noticed = "\n".join(f"- {fact}" for fact in dossier.facts) or "- nothing in particular"
    pieces = pieces_of(dossier.posted, dossier.normalised, dossier.others)
    return Question(
        instructions=prompt.text,
        facts=f"What the service noticed:\n{noticed}",
        material=marked_off(pieces, mark),
        form=OpinionForm,
        temperature=prompt.temperature,
    )


def _key(prompt: Prompt, dossier: Dossier) -> str:
    """The same for the same question of the same app, whatever its mark was."""
    others = [(piece.title, piece.text) for piece in dossier.others]
    whole = [dossier.app_id, prompt.hash, dossier.posted, dossier.normalised, dossier.facts, others]
    return hashlib.sha256(json.dumps(whole).encode()).hexdigest()
