"""The form in which the appeal reviewer answers, and the check that makes a reading of an answer, or an error.

Prose for a person, closed words and small integers, and quotes that must stand in what the user wrote or in the text
that was decided about. What cannot be used is an error, never a reading (I3).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from agents.checks import in_one_line, is_english, is_latin, place_of, require_unicode
from agents.material import Wording
from domain.appeal import AppealFactor, AppealOutcome
from domain.appeal_reading import EVEN, AppealQuote, AppealReading, FactorReading, QuotedFrom
from domain.errors import UnusableAnswer

MOST_QUOTES = 4
MOST_QUESTIONS = 4
LONGEST_PROSE = 900
LONGEST_LINE = 300
NOTE = "quoted by the appeal reviewer"


class FactorForm(BaseModel):
    """How one factor speaks."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    score: Literal[1, 2, 3, 4, 5] | None
    reason: str


class AppealForm(BaseModel):
    """What the appeal reviewer answers. The reasons come before the recommendation, so that it follows from them."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    says: str
    record: str
    policy: str
    similar: str
    for_the_user: str
    for_the_decision: str
    open_questions: list[str] = Field(max_length=MOST_QUESTIONS)
    new_evidence: FactorForm
    policy_misinterpretation: FactorForm
    explanation: FactorForm
    history: FactorForm
    quotes: list[str] = Field(max_length=MOST_QUOTES)
    recommendation: AppealOutcome


@dataclass(frozen=True)
class Grounds:
    """What an answer is checked against: the texts that may be quoted, and the factors that there is anything to judge
    by."""

    texts: Mapping[QuotedFrom, Wording]
    weighable: frozenset[AppealFactor]


def reading_of(form: AppealForm, *, grounds: Grounds, model: str, prompt: str) -> AppealReading:
    """The reading of an answer. Raises UnusableAnswer where it is not in English, quotes what does not stand in the
    texts, judges a factor by nothing, or recommends what its own scores contradict."""
    prose = (form.says, form.record, form.policy, form.similar, form.for_the_user, form.for_the_decision)
    factors = tuple(_factor(factor, form, grounds, model) for factor in AppealFactor)
    lines = (*form.open_questions, *(each.reason for each in factors))
    require_unicode(model, *prose, *lines, *form.quotes)
    if not all(text.strip() and is_latin(text) for text in (*prose, *lines)):
        raise UnusableAnswer(f"{model} left something out, or wrote it in another language")
    if not all(is_english(text) for text in (form.says, form.for_the_user, form.for_the_decision)):
        raise UnusableAnswer(f"{model} gave no reading in English")
    quotes = tuple(_quote(words, grounds, model) for words in dict.fromkeys(form.quotes))
    _require_it_follows(form.recommendation, factors, quotes, model)
    return AppealReading(
        says=in_one_line(form.says, LONGEST_PROSE),
        record=in_one_line(form.record, LONGEST_PROSE),
        policy=in_one_line(form.policy, LONGEST_PROSE),
        similar=in_one_line(form.similar, LONGEST_PROSE),
        for_the_user=in_one_line(form.for_the_user, LONGEST_PROSE),
        for_the_decision=in_one_line(form.for_the_decision, LONGEST_PROSE),
        open_questions=tuple(in_one_line(question, LONGEST_LINE) for question in form.open_questions),
        factors=factors,
        recommendation=form.recommendation,
        quotes=quotes,
        model=model,
        prompt=prompt,
    )


def _factor(factor: AppealFactor, form: AppealForm, grounds: Grounds, model: str) -> FactorReading:
    said: FactorForm = getattr(form, factor)
    if said.score is not None and factor not in grounds.weighable:
        raise UnusableAnswer(f"{model} judges {factor} by nothing")
    return FactorReading(factor=factor, score=said.score, reason=in_one_line(said.reason, LONGEST_LINE))


def _quote(words: str, grounds: Grounds, model: str) -> AppealQuote:
    for source, text in grounds.texts.items():
        if evidence := place_of(words, text.posted, text.normalised, NOTE):
            return AppealQuote(source=source, evidence=evidence)
    raise UnusableAnswer(f"{model} quotes what stands neither in the appeal nor in the text that was decided about")


def _require_it_follows(
    recommendation: AppealOutcome, factors: tuple[FactorReading, ...], quotes: tuple[AppealQuote, ...], model: str
) -> None:
    if recommendation is AppealOutcome.ESCALATE:
        return
    scores = [each.score for each in factors if each.score is not None]
    for_the_user, against = any(score > EVEN for score in scores), any(score < EVEN for score in scores)
    if not scores or not quotes:
        raise UnusableAnswer(f"{model} would {recommendation} without a reason that can be checked")
    if recommendation is AppealOutcome.OVERTURN and not for_the_user:
        raise UnusableAnswer(f"{model} would overturn what nothing speaks against")
    if recommendation is AppealOutcome.UPHOLD and for_the_user and not against:
        raise UnusableAnswer(f"{model} would uphold what everything speaks against")
