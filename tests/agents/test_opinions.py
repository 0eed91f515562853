"""What makes an answer usable: closed words, quotes that stand in the text, reasons that people here can read."""

from typing import Any

import pytest

from agents.opinions import LONGEST_REASONING, OpinionForm, opinion_of
from domain.errors import UnusableAnswer
from domain.opinion import ConfidenceFactor, Opinion, Reading, Specialist
from domain.vocabulary import Policy, Severity

POSTED = "Hi! S3nd me the  CODE you got, İ need it"
NORMALISED = "Hi! Send me the code you got, I need it"
VIOLATES = {
    "reading": "violates",
    "policy": "scams",
    "severity": "critical",
    "certainty": 4,
    "factors": ["explicit_violation", "explicit_violation"],
    "quotes": ["Send me the code"],
    "needs": "nothing",
    "reasoning": "The text asks the reader for a code that was sent to them.",
}


def opinion(**other: Any) -> Opinion:
    return opinion_of(
        OpinionForm.model_validate({**VIOLATES, **other}),
        specialist=Specialist.SCAM_DETECTIVE,
        posted=POSTED,
        normalised=NORMALISED,
        model="m",
        prompt="p",
    )


def test_an_answer_becomes_an_opinion() -> None:
    found = opinion()
    assert (found.reading, found.policy, found.severity) == (Reading.VIOLATES, Policy.SCAMS, Severity.CRITICAL)
    assert found.factors == (ConfidenceFactor.EXPLICIT_VIOLATION,)
    assert (found.model, found.prompt) == ("m", "p")


def test_a_quote_of_the_posted_text_is_shown_where_it_stands() -> None:
    [evidence] = opinion(quotes=["the  CODE you"]).evidence
    assert POSTED[evidence.start : evidence.end] == evidence.quote == "the  CODE you"


def test_a_quote_of_the_plain_form_has_words_and_no_place() -> None:
    [evidence] = opinion().evidence
    assert (evidence.start, evidence.end, evidence.quote) == (0, 0, "Send me the code")
    assert "disguises" in evidence.note


@pytest.mark.parametrize(
    "wrong",
    [
        {"quotes": ["Send me the money"]},
        {"quotes": ["  "]},
        {"quotes": []},
        {"policy": None},
        {"severity": None},
        {"policy": "harassment"},
        {"reasoning": "Der Text bittet um einen Code, der geschickt wurde."},
        {"reasoning": "Текст просит код, который был отправлен."},
        {"reasoning": "scam"},
        {"reasoning": "The text \ud800 asks for a code in it."},
        {"quotes": ["the \ud800"]},
    ],
)
def test_an_answer_that_contradicts_itself_or_the_text_is_unusable(wrong: dict[str, Any]) -> None:
    with pytest.raises(UnusableAnswer):
        opinion(**wrong)


def test_what_is_fine_names_no_policy_and_needs_no_quote() -> None:
    found = opinion(reading="fine", quotes=[])
    assert (found.policy, found.severity, found.evidence) == (None, None, ())


def test_what_is_fine_must_quote_truly_all_the_same() -> None:
    with pytest.raises(UnusableAnswer):
        opinion(reading="fine", quotes=["it was approved"])


def test_long_reasons_are_cut() -> None:
    assert len(opinion(reasoning="the text is a scam " * 500).reasoning) == LONGEST_REASONING
