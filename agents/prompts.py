"""Reads the instructions of each agent from its `prompt.md`, and refuses to start where one is missing or broken.

A prompt has front matter (purpose, temperature, output) and places to be filled in: the guidelines' own text and the
ground rules, which the specialists share and the appeal reviewer has of its own. Nothing about policy is written into a
prompt by hand.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field, ValidationError

from domain.base import Frozen
from domain.errors import PolicyFileError
from domain.opinion import REMIT, ConfidenceFactor, Specialist
from domain.vocabulary import Policy

FOLDER = Path(__file__).parent
PROMPT = "prompt.md"
GROUND_RULES = "ground_rules.md"
APPEAL_REVIEWER = "appeal_reviewer"
OPINION, APPEAL = "opinion", "appeal"
_FRONT_MATTER = re.compile(r"---\n(?P<head>.*?)\n---\n(?P<body>.*)", re.DOTALL)
_PLACE = re.compile(r"\{\{(\w+)\}\}")

FACTORS: dict[ConfidenceFactor, tuple[str, str]] = {
    ConfidenceFactor.EXPLICIT_VIOLATION: ("surer", "a direct threat, a plain request for money"),
    ConfidenceFactor.SEVERAL_INDICATORS: ("surer", "several warning signs that fit each other"),
    ConfidenceFactor.SIMILAR_CASES: ("surer", "three or more similar cases that people decided alike"),
    ConfidenceFactor.CLEAR_POLICY_MATCH: ("surer", "the text is just what a guideline describes"),
    ConfidenceFactor.UNAMBIGUOUS_LANGUAGE: ("surer", "the words have one meaning"),
    ConfidenceFactor.AMBIGUOUS_LANGUAGE: ("less sure", "it could be meant well"),
    ConfidenceFactor.CONTEXT_NEEDED: ("less sure", "only the conversation could tell"),
    ConfidenceFactor.MIXED_SIGNALS: ("less sure", "warning signs beside honest content"),
    ConfidenceFactor.NO_SIMILAR_CASES: ("less sure", "nothing alike was seen before"),
    ConfidenceFactor.BORDERLINE_SEVERITY: ("less sure", "between two severities, or between two guidelines"),
}


class FrontMatter(Frozen):
    """What stands above a prompt."""

    purpose: str = Field(min_length=10)
    temperature: Annotated[float, Field(ge=0, le=1)]
    output: Literal["opinion", "appeal"]


@dataclass(frozen=True)
class Prompt:
    """Instructions as they are sent, with the first 16 hex digits of their SHA-256."""

    text: str
    temperature: float
    hash: str


class Prompts:
    """All prompts, rendered once. `guidelines` is the text of each policy."""

    def __init__(self, guidelines: Mapping[Policy, str], folder: Path = FOLDER) -> None:
        missing = [policy for policy in Policy if not guidelines.get(policy, "").strip()]
        if missing:
            raise PolicyFileError(f"there is no text for {', '.join(missing)} to put into prompts")
        self._guidelines = guidelines
        rules = _read(folder / GROUND_RULES).replace("{{factors}}", _factors())
        self._of = {who: _loaded(folder / who / PROMPT, rules, OPINION) for who in Specialist}
        reviewer = folder / APPEAL_REVIEWER
        self._appeal = _loaded(reviewer / PROMPT, _read(reviewer / GROUND_RULES), APPEAL)

    def of(self, specialist: Specialist) -> Prompt:
        """The instructions of a specialist, with the guidelines of its remit."""
        return self._filled(*self._of[specialist], REMIT[specialist])

    def for_appeal(self, policies: Sequence[Policy]) -> Prompt:
        """The instructions of the appeal reviewer, with the guidelines that an appeal is about; all where none is."""
        return self._filled(*self._appeal, tuple(dict.fromkeys(policies)) or tuple(Policy))

    def _filled(self, head: FrontMatter, body: str, policies: Sequence[Policy]) -> Prompt:
        guidelines = "\n\n".join(self._guidelines[policy].strip() for policy in policies)
        text = body.replace("{{policies}}", guidelines)
        return Prompt(text=text, temperature=head.temperature, hash=hashlib.sha256(text.encode()).hexdigest()[:16])


def _loaded(path: Path, rules: str, output: str) -> tuple[FrontMatter, str]:
    """Front matter and body, the ground rules filled in. Raises PolicyFileError that names the file."""
    found = _FRONT_MATTER.fullmatch(_read(path))
    if found is None:
        raise PolicyFileError(f"{path}: expected front matter between two lines of ---, then the prompt")
    try:
        head = FrontMatter.model_validate(yaml.safe_load(found["head"]))
    except (yaml.YAMLError, ValidationError) as error:
        raise PolicyFileError(f"{path}: the front matter cannot be used: {error}") from error
    if head.output != output:
        raise PolicyFileError(f"{path}: the output of this prompt must be {output}, not {head.output}")
    body = found["body"].strip().replace("{{ground_rules}}", rules.strip())
    places = set(_PLACE.findall(body))
    if places != {"policies"}:
        raise PolicyFileError(f"{path}: the prompt must have the place {{{{policies}}}} and no unknown one: {places}")
    if rules.strip() not in body:
        raise PolicyFileError(f"{path}: the prompt must have the place {{{{ground_rules}}}}")
    return head, body


def _read(path: Path) -> str:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyFileError(f"{path}: cannot be read: {error}; every agent needs its prompt") from error
    if not text.strip():
        raise PolicyFileError(f"{path}: is empty; every agent needs its prompt")
    return text


def _factors() -> str:
    missing = set(ConfidenceFactor) - FACTORS.keys()
    assert not missing, f"factors without words: {missing}"
    return "\n".join(f"  - `{factor}` ({effect}): {words}" for factor, (effect, words) in FACTORS.items())
