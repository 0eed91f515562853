"""What is told of a run while it goes on: its steps, in words that give away nothing of what anybody wrote."""

from collections.abc import Callable

from pydantic import Field

from domain.base import Frozen


class Step(Frozen):
    """One finished step: the node of the graph, how long it took in milliseconds, and what came of it in words."""

    node: str
    ms: float = Field(ge=0)
    words: str


OnStep = Callable[[Step], None]
"""Hears of each step. It must not block and must not raise."""
