"""What it takes to be asked: a question with its parts kept apart, a reply with what it cost, and the protocol between.

Knows no vendor. `models` holds the ones that there are.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from pydantic import BaseModel

from domain.opinion import Usage

Form = TypeVar("Form", bound=BaseModel)
Form_co = TypeVar("Form_co", bound=BaseModel, covariant=True)
Checked = TypeVar("Checked")

CHARACTERS_A_TOKEN = 4
"""A rough count where a model gave none: what was asked must be paid for all the same."""


@dataclass(frozen=True)
class Question(Generic[Form_co]):
    """One question. `instructions` and `facts` are ours; `material` is what people wrote, already marked off, and is
    never to be obeyed. The answer must have the form `form`."""

    instructions: str
    facts: str
    material: str
    form: type[Form_co]
    temperature: float = 0.0

    @property
    def tokens(self) -> int:
        """About how many tokens it has."""
        return (len(self.instructions) + len(self.facts) + len(self.material)) // CHARACTERS_A_TOKEN


@dataclass(frozen=True)
class Reply(Generic[Form_co]):
    """An answer in the form that was asked for, by whom, and what it cost."""

    answer: Form_co
    model: str
    usage: Usage


class Judge(Protocol):
    """One model behind one address."""

    @property
    def name(self) -> str:
        """What it is called in records."""
        ...

    async def ask(self, question: Question[Form]) -> Reply[Form]:
        """Ask once. Raises ModelUnavailable where no answer came, UnusableAnswer where it has not the form."""
        ...

    async def close(self) -> None:
        """End its connections."""
        ...

    def cost_of(self, input_tokens: int, output_tokens: int) -> float:
        """What so many tokens cost."""
        ...


Check = Callable[[Form, str], Checked]
"""Makes of an answer, and the name of who gave it, what is wanted of it, or raises UnusableAnswer."""
