"""The form in which specialists answer, and the check that makes an opinion of an answer, or an error.

Closed words and small integers only, and quotes that must stand in the text. What cannot be used is an error, never a
verdict (I3).
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from agents.checks import in_one_line, is_english, place_of, require_unicode
from domain.errors import UnusableAnswer
from domain.opinion import REMIT, ConfidenceFactor, Need, Opinion, Reading, Specialist
from domain.vocabulary import Policy, Severity

MOST_QUOTES = 3
LONGEST_REASONING = 1_200


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
    require_unicode(model, form.reasoning, *form.quotes)
    if not is_english(form.reasoning):
        raise UnusableAnswer(f"{model} gave no reasons in English")
    note = f"quoted by the {specialist.replace('_', ' ')}"
    evidence = tuple(place_of(quote, posted, normalised, note) for quote in dict.fromkeys(form.quotes))
    if None in evidence:
        raise UnusableAnswer(f"{model} quotes what does not stand in the text")
    return Opinion(
        specialist=specialist,
        reading=form.reading,
        policy=form.policy if violates else None,
        severity=form.severity if violates else None,
        certainty=form.certainty,
        factors=tuple(dict.fromkeys(form.factors)),
        evidence=tuple(filter(None, evidence)),
        needs=form.needs,
        reasoning=in_one_line(form.reasoning, LONGEST_REASONING),
        model=model,
        prompt=prompt,
    )
