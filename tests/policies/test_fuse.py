"""What language models may change: they raise risk, settle doubt, and never have the last word (I4)."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.assessment import Assessment
from domain.history import SubjectHistory
from domain.opinion import REMIT, AskReason, Consultation, Need, Opinion, Reading, Specialist
from domain.signals import PASSAGE_ALONE, Language, Screening
from domain.vocabulary import DecisionKind, Floor, Policy, Severity, SignalSource
from policies.asking import whom_to_ask, why_ask, worth_more_evidence
from policies.consulting import OpinionWeights
from policies.decide import Trigger, decide
from policies.fuse import ADDRESSES_THE_MACHINE
from policies.model import PolicySet
from policies.opinion_weights import FittedWeights, JudgeWeights
from tests.policies.test_assess import POLICIES, approved, assessed, decided, named, precedent, rule, scam, screening

SCAMS, HARASSMENT = Specialist.SCAM_DETECTIVE, Specialist.HARASSMENT_ANALYST
RULES = POLICIES.thresholds.agents
NOBODY = SubjectHistory(user_id="u")


def opinion(reading: Reading = Reading.FINE, certainty: int = 5, **other: Any) -> Opinion:
    violates = reading is Reading.VIOLATES
    fields: dict[str, Any] = {
        "specialist": SCAMS,
        "policy": Policy.SCAMS if violates else None,
        "severity": Severity.MEDIUM if violates else None,
        "reasoning": "It is so.",
        "model": "m",
        "prompt": "p",
    }
    return Opinion(reading=reading, certainty=certainty, **{**fields, **other})


def violates(certainty: int = 5, **other: Any) -> Opinion:
    return opinion(Reading.VIOLATES, certainty, **other)


def asked(*opinions: Opinion, **other: Any) -> Consultation:
    return Consultation(**{"reason": AskReason.DOUBT, "rounds": 1, "opinions": opinions, **other})


def heard(seen: Screening, *opinions: Opinion, **other: Any) -> Assessment:
    return assessed(seen, consultation=asked(*opinions), **other)


class TestDoubt:
    def test_a_sure_opinion_settles_doubt_about_what_screening_lets_pass(self) -> None:
        seen = scam(0.3)
        assert decided(assessed(seen)).trigger == Trigger.DOUBT
        assert decided(heard(seen, opinion())).kind is DecisionKind.APPROVED

    def test_a_sure_opinion_settles_doubt_about_what_screening_sees(self) -> None:
        seen = scam(0.7)
        assert decided(assessed(seen)).trigger == Trigger.DOUBT
        assert decided(heard(seen, violates())).kind is DecisionKind.REJECTED

    @pytest.mark.parametrize("said", [opinion(certainty=2), opinion(Reading.UNCLEAR), violates(certainty=1)])
    def test_an_unsure_opinion_leaves_doubt_to_a_person(self, said: Opinion) -> None:
        assert decided(heard(scam(0.3), said)).kind is DecisionKind.ESCALATED

    def test_clearing_one_suspicion_does_not_clear_another(self) -> None:
        seen = screening({Policy.SCAMS: 0.3, Policy.HARASSMENT: 0.3}, 0.3)
        assert decided(heard(seen, opinion())).kind is DecisionKind.ESCALATED
        both = (opinion(), opinion(specialist=HARASSMENT))
        assert decided(heard(seen, *both)).kind is DecisionKind.APPROVED

    def test_the_explanation_says_what_settled_it(self) -> None:
        assessment = heard(scam(0.3), opinion(reasoning="It only speaks of a job in finance"))
        assert "Against a violation: a language model reads it as fine (5 of 5)" in assessment.reasoning
        assert "It only speaks of a job in finance" in assessment.reasoning

    def test_weights_of_opinions_add_up_to_what_moved(self) -> None:
        assessment = heard(scam(0.3), opinion(), opinion(certainty=3))
        [first, second] = named(assessment, "agent.scam_detective")
        assert first.source is SignalSource.AGENT
        assert first.weight == pytest.approx(-RULES.weights.fine[4] / 2)
        assert second.weight == pytest.approx(-RULES.weights.fine[2] / 2)

    def test_a_language_beyond_the_classifier_stays_with_people(self) -> None:
        foreign = scam(0.3, language=Language(code="xx", confidence=0.9, competent=False))
        assert decided(heard(foreign, opinion())).kind is DecisionKind.ESCALATED


class TestDisagreement:
    def test_it_lowers_confidence_below_any_decision_without_a_person(self) -> None:
        agreed = heard(scam(0.7), violates(), violates(specialist=HARASSMENT))
        contested = heard(scam(0.7), violates(specialist=HARASSMENT), opinion())
        assert contested.confidence < agreed.confidence
        assert contested.confidence <= RULES.ceiling
        assert decided(contested).kind is DecisionKind.ESCALATED


class TestTheFloor:
    @pytest.mark.parametrize(
        "seen",
        [
            scam(0.6),
            scam(0.9),
            scam(0.3, rule(floor=Floor.REVIEW, weight=0.0)),
            screening({Policy.SELF_HARM: 0.31}, 0.3),
            scam(0.3, rule(f"rule.{ADDRESSES_THE_MACHINE}", weight=0.5, policy=None)),
            scam(0.3, rule(PASSAGE_ALONE, weight=0.0)),
        ],
    )
    def test_above_it_the_best_is_a_person(self, seen: Screening) -> None:
        everybody = [opinion(specialist=who) for who in Specialist]
        assessment = heard(seen, *everybody)
        assert assessment.floor is not Floor.NONE
        assert decided(assessment).kind is DecisionKind.ESCALATED

    def test_what_screening_alone_flags_stays_flagged_whatever_look_alikes_were(self) -> None:
        alike = [approved(f"c{n}") for n in range(3)]
        assert assessed(scam(0.55), *alike).policy is None
        fused = assessed(scam(0.55), *alike, consultation=asked(opinion()))
        assert decided(fused).kind is DecisionKind.ESCALATED

    def test_a_ban_that_a_model_doubts_waits_for_a_person(self) -> None:
        assert decided(assessed(scam(0.9))).kind is DecisionKind.REJECTED
        doubted = heard(scam(0.9), opinion())
        assert doubted.policy is Policy.SCAMS
        assert decided(doubted).kind is DecisionKind.ESCALATED

    def test_nobody_clears_a_person_at_risk_or_a_minor(self) -> None:
        for policy, who in (
            (Policy.SELF_HARM, Specialist.SELF_HARM_CARE),
            (Policy.AGE_VERIFICATION, Specialist.MINORS_SAFETY),
        ):
            seen = screening({policy: 0.25}, 0.25)
            before, after = assessed(seen), heard(seen, opinion(specialist=who))
            assert after.scores[policy] == before.scores[policy]
            assert decided(after).kind is DecisionKind.ESCALATED


class TestHarm:
    def test_a_models_word_alone_rejects_nothing(self) -> None:
        assessment = heard(scam(0.45), violates())
        assert assessment.policy is Policy.SCAMS
        assert assessment.confidence <= RULES.ceiling
        assert decided(assessment).kind is DecisionKind.ESCALATED

    def test_a_models_word_alone_makes_no_penalty_worse(self) -> None:
        worse = heard(scam(0.9), violates(severity=Severity.CRITICAL))
        assert worse.severity is Severity.CRITICAL
        assert decided(worse).kind is DecisionKind.ESCALATED
        assert decided(heard(scam(0.9), violates(severity=Severity.LOW))).kind is DecisionKind.REJECTED

    def test_a_suspicion_of_risk_to_life_reaches_care(self) -> None:
        said = violates(specialist=Specialist.SELF_HARM_CARE, policy=Policy.SELF_HARM, severity=Severity.HIGH)
        made = decided(heard(screening({Policy.SELF_HARM: 0.2}, 0.2), said))
        assert (made.kind, made.policy) == (DecisionKind.ESCALATED, Policy.SELF_HARM)

    def test_no_usable_answer_is_a_person(self) -> None:
        for score in (0.01, 0.3, 0.97):
            silent = assessed(scam(score), consultation=asked(missing=(SCAMS,)))
            assert decided(silent).trigger == Trigger.UNAVAILABLE
            assert "agents" in silent.unavailable


opinions = st.builds(
    lambda who, reading, certainty, severity, place: opinion(
        reading,
        certainty,
        specialist=who,
        policy=REMIT[who][place % len(REMIT[who])] if reading is Reading.VIOLATES else None,
        severity=severity if reading is Reading.VIOLATES else None,
    ),
    st.sampled_from(Specialist),
    st.sampled_from(Reading),
    st.integers(1, 5),
    st.sampled_from(Severity),
    st.integers(0, 1),
)
chances = st.floats(0.001, 0.999)


log_odds = st.lists(st.floats(0, 5), min_size=5, max_size=5).map(lambda found: tuple(sorted(found)))
weights = st.builds(lambda violates, fine: OpinionWeights(violates=violates, fine=fine), log_odds, log_odds)


def fitted(weights: OpinionWeights, model: str = "m", prompt: str = "p") -> PolicySet:
    """The policies with these weights for one model under one prompt."""
    judge = JudgeWeights(model=model, prompt=prompt, specialist=SCAMS, outcomes=200, weights=weights)
    found = FittedWeights(judges=(judge,))
    return PolicySet(guidelines=POLICIES.guidelines, thresholds=POLICIES.thresholds, fitted=found)


class TestFittedWeights:
    strong = OpinionWeights(violates=(1.0, 2.0, 3.0, 4.0, 5.0), fine=(1.0, 2.0, 3.0, 4.0, 5.0))

    def test_they_hold_for_their_very_model_and_prompt(self) -> None:
        assessment = heard(scam(0.3), opinion(), policies=fitted(self.strong))
        assert named(assessment, "agent.scam_detective")[0].weight == -5.0
        assert assessment.opinion_weights == {SCAMS: fitted(self.strong).fitted.version}

    @pytest.mark.parametrize("changed", [{"model": "m-2"}, {"prompt": "p-2"}])
    def test_a_changed_model_or_prompt_weighs_what_was_set_by_hand(self, changed: dict[str, str]) -> None:
        assessment = heard(scam(0.3), opinion(**changed), policies=fitted(self.strong))
        assert named(assessment, "agent.scam_detective")[0].weight == -RULES.weights.fine[4]
        assert assessment.opinion_weights == {SCAMS: f"by hand, {POLICIES.thresholds.version}"}

    def test_other_weights_are_another_policy_set(self) -> None:
        assert fitted(self.strong).set_hash != POLICIES.set_hash

    def test_opinions_that_weigh_nothing_still_contradict_each_other(self) -> None:
        weightless = OpinionWeights(violates=(0.0,) * 5, fine=(5.0,) * 5)
        said = (violates(specialist=HARASSMENT), opinion())
        assessment = heard(scam(0.3), *said, policies=fitted(weightless))
        assert assessment.confidence <= RULES.ceiling
        assert decided(assessment).kind is DecisionKind.ESCALATED

    def test_without_an_opinion_no_weights_are_named(self) -> None:
        assert assessed(scam(0.3), policies=fitted(self.strong)).opinion_weights == {}


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(st.none(), weights),
    st.dictionaries(st.sampled_from(Policy), chances),
    chances,
    st.sampled_from(Floor),
    st.lists(opinions, min_size=1, max_size=7),
    st.integers(0, 3),
)
def test_whatever_models_say_the_floor_holds_and_nobody_is_harmed_by_their_word_alone(
    found: OpinionWeights | None,
    scores: dict[Policy, float],
    any_violation: float,
    floor: Floor,
    said: list[Opinion],
    fine_before: int,
) -> None:
    policies = fitted(found) if found else POLICIES
    seen = screening(scores, any_violation, rule(floor=floor, weight=0.0))
    alike = [approved(f"c{n}") for n in range(fine_before)] + [precedent("v")]
    before = assessed(seen, *alike, policies=policies)
    after = assessed(seen, *alike, consultation=asked(*said), policies=policies)
    made, unasked = decided(after), decided(before)
    flagged = any_violation >= 0.5 or any(score >= 0.5 for score in scores.values()) or floor is not Floor.NONE
    softened = any(one.reading is Reading.FINE for one in said)
    if flagged and (softened or unasked.kind is not DecisionKind.APPROVED):
        assert made.kind is not DecisionKind.APPROVED
    if made.kind is DecisionKind.REJECTED:
        assert (made.policy, made.severity) == (before.policy, before.severity)
    if unasked.route is not None and unasked.trigger in (Trigger.LEGAL_FLOOR, Trigger.FIXED_ROUTE):
        assert made.kind is DecisionKind.ESCALATED


class TestAsking:
    @pytest.mark.parametrize(
        ("seen", "reason"),
        [
            (scam(0.02), None),
            (scam(0.3), AskReason.DOUBT),
            (scam(0.7), AskReason.DOUBT),
            (scam(0.97), None),
            (scam(0.97, severities=dict.fromkeys(Policy, Severity.CRITICAL)), AskReason.STAKES),
            (scam(0.3, rule(floor=Floor.REVIEW)), None),
            (screening({Policy.AGE_VERIFICATION: 0.4}, 0.4), None),
        ],
    )
    def test_it_is_about_doubt_and_high_stakes(self, seen: Screening, reason: AskReason | None) -> None:
        assert why_ask(assessed(seen), NOBODY, POLICIES, "app") is reason

    def test_nobody_is_asked_where_a_person_decides_anyway(self) -> None:
        lacking = assessed(scam(0.3), unavailable=("vector-search",))
        assert why_ask(lacking, NOBODY, POLICIES, "app") is None

    @pytest.mark.parametrize(("when", "reason"), [("never", None), ("always", AskReason.ALWAYS), ("doubtful", None)])
    def test_an_app_may_ask_never_or_always(self, when: str, reason: AskReason | None) -> None:
        rules = RULES.model_validate({**RULES.model_dump(), "apps": {"own": {"when": when}}})
        thresholds = POLICIES.thresholds.model_copy(update={"agents": rules})
        policies = POLICIES.model_copy(update={"thresholds": thresholds})
        assert why_ask(assessed(scam(0.02)), NOBODY, policies, "own") is reason
        assert why_ask(assessed(scam(0.3)), NOBODY, policies, "another") is AskReason.DOUBT

    def test_specialists_are_those_of_what_is_suspected_likeliest_first(self) -> None:
        seen = screening({Policy.HARASSMENT: 0.4, Policy.SCAMS: 0.2, Policy.SPAM: 0.3}, 0.4)
        assert whom_to_ask(assessed(seen), POLICIES) == (HARASSMENT, SCAMS)

    def test_what_demands_a_look_brings_its_specialist_whatever_its_score(self) -> None:
        seen = scam(0.4, rule(policy=Policy.HATE, floor=Floor.REVIEW, weight=0.0))
        assert Specialist.HATE_AND_THREATS in whom_to_ask(assessed(seen), POLICIES)

    def test_somebody_is_asked_always_and_never_too_many(self) -> None:
        assert len(whom_to_ask(assessed(screening({}, 0.3)), POLICIES)) == 1
        everything = screening(dict.fromkeys(Policy, 0.4), 0.4)
        assert len(whom_to_ask(assessed(everything), POLICIES)) == RULES.most_specialists


class TestAskingAgain:
    unsure = opinion(Reading.UNCLEAR, 1, needs=Need.SIMILAR_CASES)

    def more(self, consultation: Consultation, seen: Screening, *gathered: Need) -> frozenset[Need]:
        assessment = assessed(seen, consultation=consultation)
        return worth_more_evidence(consultation, assessment, NOBODY, frozenset(gathered), POLICIES, "app")

    def test_it_is_for_what_was_asked_for_while_doubt_lasts(self) -> None:
        assert self.more(asked(self.unsure), scam(0.3)) == {Need.SIMILAR_CASES}

    @pytest.mark.parametrize(
        ("consultation", "gathered"),
        [
            (asked(opinion(Reading.UNCLEAR)), ()),
            (asked(unsure), (Need.SIMILAR_CASES,)),
            (asked(unsure, rounds=3), ()),
            (asked(unsure, missing=(HARASSMENT,)), ()),
            (asked(opinion(needs=Need.SIMILAR_CASES)), ()),
        ],
    )
    def test_it_ends(self, consultation: Consultation, gathered: tuple[Need, ...]) -> None:
        assert self.more(consultation, scam(0.3), *gathered) == frozenset()


def test_unusable_weights_of_opinions_are_refused() -> None:
    for weights in ([0.1, 0.2], [0.5, 0.4, 0.3, 0.2, 0.1]):
        with pytest.raises(ValueError, match="log-odds"):
            RULES.weights.model_validate({"violates": weights, "fine": [0.0, 0.1, 0.2, 0.3, 0.4]})


def test_decide_is_asked_with_the_history_that_counts() -> None:
    severe = scam(0.97, severities=dict.fromkeys(Policy, Severity.CRITICAL))
    known = SubjectHistory(user_id="u", cases=3, violations=3)
    assert decide(assessed(severe), known, POLICIES, "app").trigger == Trigger.SENIOR
    assert why_ask(assessed(severe), known, POLICIES, "app") is None
