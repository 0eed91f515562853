"""Which language models were asked about a text, why, and at what cost: the record in words. Pure."""

from collections.abc import Iterator

from domain.assessment import Assessment
from domain.opinion import MOST_CERTAIN, AskReason, Consultation, Opinion

WHY = {
    AskReason.ALWAYS: "because this app has every text read",
    AskReason.DOUBT: "because screening alone left doubt",
    AskReason.STAKES: "because much was at stake",
}
HASH = 8
"""Characters of a prompt's hash that tell it from others."""


def consulted(assessment: Assessment) -> tuple[str, ...]:
    """Why and how models were asked, then a sentence for each specialist; nothing where none was."""
    asked = assessment.consultation
    return tuple(_told(asked, assessment)) if asked else ()


def _told(asked: Consultation, assessment: Assessment) -> Iterator[str]:
    used = asked.usage
    cost = f", at a cost of {used.cost:.4f}" if used.cost else ""
    cached = f", {used.cached} answered from what was asked before" if used.cached else ""
    yield f"Asked {WHY[asked.reason]}: {_many(asked.rounds, 'round')}, {used.tokens} tokens{cost}{cached}."
    for opinion in asked.opinions:
        weights = assessment.opinion_weights.get(opinion.specialist, "not recorded")
        yield (
            f"{_name(opinion.specialist)} {_reads(opinion)}, {opinion.certainty} of {MOST_CERTAIN} sure: "
            f"{opinion.model}, instructions {opinion.prompt[:HASH]}, weights {weights}."
        )
    for specialist in asked.missing:
        yield f"{_name(specialist)} gave no usable answer."


def _reads(opinion: Opinion) -> str:
    if opinion.policy is None:
        return f"reads it as {opinion.reading}"
    return f"reads {opinion.policy.replace('_', ' ')} ({opinion.severity or 'severity open'})"


def _name(specialist: str) -> str:
    return specialist.replace("_", " ").capitalize()


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
