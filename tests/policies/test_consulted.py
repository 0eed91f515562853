"""Who was asked about a text, and why, is told from the record; where nobody was, nothing is."""

from domain.opinion import AskReason, Need, Reading, Specialist, Usage
from domain.vocabulary import Policy, Severity
from policies.consulted import consulted
from tests.policies.test_assess import assessed, scam
from tests.policies.test_fuse import asked, opinion, violates


def test_where_nobody_was_asked_nothing_is_told() -> None:
    assert consulted(assessed(scam(0.3))) == ()


def test_why_how_often_and_at_what_cost_is_told_first() -> None:
    usage = Usage(calls=2, cached=1, input_tokens=700, output_tokens=50, cost=0.0012)
    told = consulted(assessed(scam(0.3), consultation=asked(opinion(), rounds=2, usage=usage)))
    assert told[0] == (
        "Asked because screening alone left doubt: 2 rounds, 750 tokens, at a cost of 0.0012, "
        "1 answered from what was asked before."
    )


def test_each_opinion_names_its_model_its_instructions_and_its_weights() -> None:
    made = violates(4, policy=Policy.SCAMS, severity=Severity.HIGH, model="openai:m", prompt="abcdef0123456789")
    unclear = opinion(Reading.UNCLEAR, 2, specialist=Specialist.HARASSMENT_ANALYST, needs=Need.NOTHING)
    assessment = assessed(scam(0.3), consultation=asked(made, unclear, reason=AskReason.STAKES))
    first, second = consulted(assessment)[1:]
    weights = assessment.opinion_weights[Specialist.SCAM_DETECTIVE]
    assert first == (
        f"Scam detective reads scams (high), 4 of 5 sure: openai:m, instructions abcdef01, weights {weights}."
    )
    assert second.startswith("Harassment analyst reads it as unclear, 2 of 5 sure")


def test_who_gave_no_usable_answer_is_named() -> None:
    told = consulted(assessed(scam(0.3), consultation=asked(missing=(Specialist.MINORS_SAFETY,))))
    assert told[-1] == "Minors safety gave no usable answer."
