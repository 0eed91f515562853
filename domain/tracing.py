"""The port through which every room tells what it does while it does it; who listens is handed in at the start.

Names, closed words and numbers alone are told: never what people wrote, what a model was asked, or who somebody is.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from types import MappingProxyType
from typing import Protocol, Self

Word = str | int | float | bool
Words = Mapping[str, Word]

NOTHING: Words = MappingProxyType({})


class Span(Protocol):
    """Something under way."""

    def note(self, words: Words) -> None:
        """Tell more of it."""
        ...

    def fail(self, kind: str) -> None:
        """It failed, in this way: the code or the class of an error, never its message."""
        ...


class Tracer(Protocol):
    """Who listens."""

    def span(
        self, name: str, words: Words = NOTHING, *, begins: bool = False, outward: bool = False
    ) -> AbstractContextManager[Span]:
        """Something that lasts as long as the block; an error that leaves the block fails it.

        It is told only as a part of something else that is told, unless it `begins` a trace of its own. `outward`: it
        is a call of something outside this process, or that may be.
        """
        ...

    def continuing(self, carried: Mapping[str, str]) -> AbstractContextManager[object]:
        """For the length of the block, what begins goes on with a caller's trace (W3C `traceparent`, `tracestate`)."""
        ...


class Silence:
    """Nobody listens. It is tracer, span and block in one, so that it costs next to nothing."""

    def span(self, name: str, words: Words = NOTHING, *, begins: bool = False, outward: bool = False) -> Self:
        """Tell nobody."""
        return self

    def continuing(self, carried: Mapping[str, str]) -> Self:
        """Go on with nothing."""
        return self

    def note(self, words: Words) -> None:
        """Tell nobody."""

    def fail(self, kind: str) -> None:
        """Tell nobody."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Let every error pass."""


SILENCE = Silence()


def kind_of(error: BaseException) -> str:
    """What an error is called in traces: our code, else its class."""
    return str(getattr(error, "code", None) or type(error).__name__)
