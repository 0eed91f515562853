"""Puts the guidelines into memory, so that people and agents are shown the passage that applies."""

from data.memory import Memory
from domain.vocabulary import Policy
from policies.model import PolicySet
from screening.screen import Screener


async def index_guidelines(policies: PolicySet, screener: Screener, memory: Memory) -> None:
    """Replace the remembered passages by those of the policies in force."""
    passages = [(policy, passage) for policy in Policy for passage in policies.guideline(policy).passages]
    vectors = await screener.embed([passage for _, passage in passages])
    await memory.index_policies(
        [(policy, passage, vector) for (policy, passage), vector in zip(passages, vectors, strict=True)]
    )
