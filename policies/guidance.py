"""What makes an appeal easier to hear: advice given before it is sent, and the traits that the machine notices.

The words are in `guidance.yaml`. Nothing here refuses anything: traits only move a recommendation.
"""

import re
from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field

from domain.base import Frozen

FILE = Path(__file__).parent / "guidance.yaml"
Pattern = Annotated[str, Field(min_length=1)]


class Remark(Frozen):
    """One piece of advice: said where `when` is found and `unless` is not."""

    name: str
    when: Pattern
    unless: Pattern | None = None
    say: str

    def applies(self, text: str) -> bool:
        """Whether this is worth saying about a text."""
        return _found(self.when, text) and not (self.unless and _found(self.unless, text))


class Guidance(Frozen):
    """The whole file. `shortest` is in characters."""

    shortest: Annotated[int, Field(ge=1)]
    too_short: str
    remarks: tuple[Remark, ...]
    context: Pattern
    responsibility: Pattern
    checkable: Pattern


@cache
def load() -> Guidance:
    """The guidance that is shipped."""
    return Guidance.model_validate(yaml.safe_load(FILE.read_text("utf-8")))


def advice(explanation: str, new_evidence: str | None = None) -> tuple[str, ...]:
    """What would help the writer of an appeal, in words for them; empty where nothing comes to mind.

    Evidence that can be checked answers most of it: then only an explanation that is all but empty is remarked on.
    """
    guidance, text = load(), explanation.strip()
    if len(text) < guidance.shortest:
        return (guidance.too_short,)
    whole = f"{text}\n{new_evidence or ''}"
    if can_be_checked(new_evidence or ""):
        return ()
    return tuple(remark.say for remark in guidance.remarks if remark.applies(whole))


def gives_context(text: str) -> bool:
    """Whether a text tells of circumstances: what was meant, to whom, in answer to what."""
    return _found(load().context, text)


def takes_responsibility(text: str) -> bool:
    """Whether the writer owns a part of what happened."""
    return _found(load().responsibility, text)


def can_be_checked(text: str) -> bool:
    """Whether a text names something that a person can look up: a link, a date, a screenshot, a record."""
    return _found(load().checkable, text)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.DOTALL)


def _found(pattern: str, text: str) -> bool:
    return _compiled(pattern).search(text) is not None
