"""Puts the guidelines into memory, so that people and agents are shown the passage that applies."""

from data.memory import Memory
from domain.vocabulary import Policy
from policies.model import Guideline, PolicySet
from screening.screen import Screener


async def index_guidelines(policies: PolicySet, screener: Screener, memory: Memory) -> None:
    """Replace the remembered passages by those of the policies in force."""
    passages = [(policy, passage) for policy in Policy for passage in passages_of(policies.guideline(policy))]
    vectors = await screener.embed([passage for _, passage in passages])
    await memory.index_policies(
        [(policy, passage, vector) for (policy, passage), vector in zip(passages, vectors, strict=True)]
    )


def passages_of(guideline: Guideline) -> tuple[str, ...]:
    """What of a guideline can be found by likeness: the rule, what it covers and does not, and examples."""
    return (
        guideline.rule,
        *(f"Covered: {covered}" for covered in guideline.covers),
        *(f"Not covered: {fine}" for fine in guideline.does_not_cover),
        *(f"Example ({example.severity}): {example.text}" for example in guideline.examples),
        *(f"Fine: {example.text}" for example in guideline.fine),
    )
