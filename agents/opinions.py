"""The form in which specialists answer, and the check that makes an opinion of an answer, or an error.

Closed words and small integers only, and quotes that must stand in the text. What cannot be used is an error, never a
verdict (I3).
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.errors import UnusableAnswer
from domain.opinion import REMIT, ConfidenceFactor, Need, Opinion, Reading, Specialist
from domain.signals import Evidence
from domain.vocabulary import Policy, Severity

MOST_QUOTES = 3
LONGEST_REASONING = 1_200
FEWEST_WORDS = 4
ENGLISH = frozenset({"the", "is", "and", "of", "to", "it", "this", "that", "not", "no", "with", "for", "a", "an", "in"})
"""Some of the commonest words; two of them tell English from the languages nearest to it well enough."""


class OpinionForm(BaseModel):
    """What a specialist answers."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    reading: Reading
    policy: Policy | None
    severity: Severity | None
    certainty: Literal[1, 2, 3, 4, 5]
    factors: list[ConfidenceFactor] = Field(max_length=len(ConfidenceFactor))
    quotes: list[str] = Field(max_length=MOST_QUOTES)
    needs: Need
    reasoning: str


def opinion_of(
    form: OpinionForm, *, specialist: Specialist, posted: str, normalised: str, model: str, prompt: str
) -> Opinion:
    """The opinion of an answer. Raises UnusableAnswer where it contradicts itself, names a policy outside the remit,
    quotes what does not stand in the text, or gives no reasons in English."""
    violates = form.reading is Reading.VIOLATES
    if violates and (form.policy is None or form.severity is None or not form.quotes):
        raise UnusableAnswer(f"{model} reads a violation without policy, severity and quote")
    if violates and form.policy not in REMIT[specialist]:
        raise UnusableAnswer(f"{model} names a guideline that it was not asked about")
    if any(not _is_unicode(words) for words in (form.reasoning, *form.quotes)):
        raise UnusableAnswer(f"{model} answered with what is not Unicode")
    if not _is_english(form.reasoning):
        raise UnusableAnswer(f"{model} gave no reasons in English")
    evidence = tuple(_found(quote, posted, normalised, model, specialist) for quote in dict.fromkeys(form.quotes))
    return Opinion(
        specialist=specialist,
        reading=form.reading,
        policy=form.policy if violates else None,
        severity=form.severity if violates else None,
        certainty=form.certainty,
        factors=tuple(dict.fromkeys(form.factors)),
        evidence=evidence,
        needs=form.needs,
        reasoning=" ".join(form.reasoning.split())[:LONGEST_REASONING],
        model=model,
        prompt=prompt,
    )


def _found(quote: str, posted: str, normalised: str, model: str, specialist: Specialist) -> Evidence:
    """Where a quote stands in the posted text; of one that only its plain form has, the words and no place."""
    words, note = quote.strip(), f"quoted by the {specialist.replace('_', ' ')}"
    if words:
        for wanted, text in ((words, posted), (words.lower(), posted.lower())):
            start = text.find(wanted)
            if start >= 0 and len(text) == len(posted):
                end = start + len(wanted)
                return Evidence(start=start, end=end, quote=posted[start:end], note=note)
        if words.lower() in normalised.lower():
            return Evidence(start=0, end=0, quote=words, note=f"{note}, with disguises undone")
    raise UnusableAnswer(f"{model} quotes what does not stand in the text")


def _is_unicode(words: str) -> bool:
    """Whether it can be kept: a lone surrogate, which JSON can say, cannot."""
    try:
        words.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in words


def _is_english(reasoning: str) -> bool:
    """Whether people here can read it: mostly Latin letters, and some of the commonest words among them."""
    words = reasoning.lower().split()
    letters = [char for char in reasoning if char.isalpha()]
    if len(words) < FEWEST_WORDS or sum(char.isascii() for char in letters) < 0.9 * len(letters):
        return False
    return len({word.strip(".,;:!?()'\"") for word in words} & ENGLISH) >= 2
