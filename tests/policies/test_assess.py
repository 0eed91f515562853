"""How signals, memory, history and behaviour become one opinion."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.assessment import Assessment
from domain.content import Content, ContentContext
from domain.decision import Decision
from domain.history import SameContent, SubjectHistory
from domain.memory import Collection, Precedent
from domain.signals import Evidence, Language, ModelRef, Screening, Signal
from domain.vocabulary import ContentType, DecisionKind, Floor, Policy, Route, Severity, SignalSource
from policies.assess import assess
from policies.decide import decide
from policies.loader import load

POLICIES = load()
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MODEL = ModelRef(name="tiny", version="1", sha256="0" * 64)
APPROVED, REJECTED = DecisionKind.APPROVED, DecisionKind.REJECTED


def logit(probability: float) -> float:
    return math.log(probability / (1 - probability))


def screening(scores: dict[Policy, float], any_violation: float, *more: Signal, **other: Any) -> Screening:
    """What the classifier said, as probabilities; a policy that is not named stands at .02."""
    signals = [
        Signal(name="any", source=SignalSource.CLASSIFIER, weight=logit(any_violation), reason="the model's opinion")
    ]
    for policy in Policy:
        weight = logit(scores.get(policy, 0.02))
        reason = f"the model reads it as {policy}"
        signals.append(Signal(name=policy, source=SignalSource.CLASSIFIER, policy=policy, weight=weight, reason=reason))
    fields: dict[str, Any] = {
        "normalised": "text",
        "language": Language(code="en", confidence=0.99, competent=True),
        "severities": dict.fromkeys(Policy, Severity.MEDIUM),
        "vector": "",
        "model": MODEL,
    }
    return Screening(**{**fields, **other, "signals": (*signals, *more)})


def scam(probability: float, *more: Signal, **other: Any) -> Screening:
    return screening({Policy.SCAMS: probability}, probability, *more, **other)


def rule(name: str = "asks_money", weight: float = 1.0, policy: Policy | None = Policy.SCAMS, **other: Any) -> Signal:
    fields: dict[str, Any] = {"source": SignalSource.RULE, "reason": "asks for money"}
    return Signal(name=name, policy=policy, weight=weight, **{**fields, **other})


def content(**context: Any) -> Content:
    circumstances = ContentContext(**context)
    return Content(
        app_id="app", content_id="c", content_type=ContentType.MESSAGE, text="hi", user_id="u", context=circumstances
    )


def precedent(case: str, similarity: float = 0.9, **other: Any) -> Precedent:
    fields: dict[str, Any] = {
        "collection": Collection.FLAGGED_CONTENT,
        "text": "alike",
        "decision": REJECTED,
        "policy": Policy.SCAMS,
        "severity": Severity.HIGH,
        "confirmed": True,
    }
    return Precedent(case_id=case, similarity=similarity, **{**fields, **other})


def approved(case: str, similarity: float = 0.9, **other: Any) -> Precedent:
    fields: dict[str, Any] = {"decision": APPROVED, "policy": None, "collection": Collection.HISTORICAL_CASES}
    return precedent(case, similarity, **{**fields, "severity": None, **other})


def assessed(seen: Screening | None, *precedents: Precedent, violations: int = 0, **other: Any) -> Assessment:
    fields: dict[str, Any] = {
        "content": content(),
        "history": SubjectHistory(user_id="u", cases=violations, violations=violations),
        "same_content": None,
        "unavailable": (),
        "policies": POLICIES,
        "now": NOW,
    }
    return assess(screening=seen, precedents=precedents, **{**fields, **other})


def decided(assessment: Assessment) -> Decision:
    return decide(assessment, SubjectHistory(user_id="u"), POLICIES, "app")


def named(assessment: Assessment, name: str) -> list[Signal]:
    return [signal for signal in assessment.signals if signal.name == name]


class TestTheText:
    def test_clean_text_is_as_sure_as_the_likeliest_violation_is_unlikely(self) -> None:
        assessment = assessed(screening({Policy.SPAM: 0.05}, 0.02))
        assert assessment.policy is assessment.severity is None
        assert assessment.confidence == pytest.approx(0.95)
        assert assessment.risk_score == 0

    def test_a_violation_has_the_confidence_of_its_policy_and_the_risk_of_its_severity(self) -> None:
        assessment = assessed(scam(0.95, severities={Policy.SCAMS: Severity.HIGH}))
        assert (assessment.policy, assessment.severity) == (Policy.SCAMS, Severity.HIGH)
        assert assessment.confidence == pytest.approx(0.95)
        assert assessment.risk_score == pytest.approx(0.76)

    def test_where_something_is_wrong_but_no_policy_is_likely_people_see_it(self) -> None:
        assessment = assessed(screening({Policy.SCAMS: 0.4, Policy.SPAM: 0.35}, 0.8))
        assert assessment.policy is Policy.SCAMS
        assert assessment.confidence == pytest.approx(0.4)
        assert decided(assessment).kind is DecisionKind.ESCALATED

    def test_a_policy_that_is_likely_is_the_verdict_even_where_a_violation_as_such_seems_unlikely(self) -> None:
        assessment = assessed(screening({Policy.SCAMS: 0.55}, 0.3))
        assert (assessment.policy, assessment.confidence) == (Policy.SCAMS, pytest.approx(0.55))

    def test_rules_add_to_their_policy_and_to_any_violation(self) -> None:
        assessment = assessed(scam(0.5, rule(weight=1.0), rule("link", 0.5, Policy.SPAM, reason="links")))
        assert assessment.scores[Policy.SCAMS] == pytest.approx(1 / (1 + math.exp(-1.0)))
        assert assessment.violation_probability == pytest.approx(1 / (1 + math.exp(-1.0)))

    def test_the_scores_are_the_sums_that_the_signals_show(self) -> None:
        assessment = assessed(scam(0.7, rule()), precedent("a"), violations=2, content=content(reported=True))
        for policy, score in assessment.scores.items():
            total = sum(signal.weight for signal in assessment.signals if signal.policy is policy)
            assert score == pytest.approx(1 / (1 + math.exp(-total)))

    def test_severity_rises_to_what_the_signals_imply_and_never_falls(self) -> None:
        assert assessed(scam(0.9, rule(severity=Severity.CRITICAL))).severity is Severity.CRITICAL
        assert assessed(scam(0.9, rule(severity=Severity.LOW))).severity is Severity.MEDIUM
        other = rule("knife", 1.0, Policy.THREATS, severity=Severity.CRITICAL)
        assert assessed(scam(0.9, other)).severity is Severity.MEDIUM

    def test_a_claim_without_weight_obtains_a_look_and_no_harsher_penalty(self) -> None:
        claim = rule("flag", 0.0, source=SignalSource.AGENT, severity=Severity.CRITICAL, floor=Floor.REVIEW)
        assessment = assessed(scam(0.95, claim))
        assert (assessment.severity, assessment.floor) == (Severity.MEDIUM, Floor.REVIEW)

    def test_the_highest_floor_stands(self) -> None:
        review, legal = rule("a", floor=Floor.REVIEW), rule("b", 0.0, None, floor=Floor.LEGAL)
        assert assessed(scam(0.02, review, legal)).floor is Floor.LEGAL


class TestMemory:
    def test_three_confirmed_look_alikes_lift_72_to_about_85(self) -> None:
        for similarity in (0.80, 0.90, 0.99):
            alike = [precedent(case, similarity) for case in "abc"]
            assert 0.10 <= assessed(scam(0.72), *alike).confidence - 0.72 <= 0.15

    def test_no_look_alikes_change_nothing(self) -> None:
        assert assessed(scam(0.72)).confidence == pytest.approx(0.72)

    def test_a_fourth_vote_adds_nothing(self) -> None:
        three = assessed(scam(0.72), *[precedent(case) for case in "abc"])
        four = assessed(scam(0.72), *[precedent(case) for case in "abcd"])
        assert four.confidence == three.confidence

    def test_approved_look_alikes_lower_it_by_as_much(self) -> None:
        lowered = assessed(scam(0.72), *[approved(case) for case in "abcd"])
        assert logit(lowered.scores[Policy.SCAMS]) == pytest.approx(logit(0.72) - 3 * 0.30 * 0.9)

    def test_what_no_person_confirmed_is_shown_and_does_not_vote(self) -> None:
        assessment = assessed(scam(0.72), precedent("a", confirmed=False))
        assert assessment.confidence == pytest.approx(0.72)
        assert [signal.weight for signal in named(assessment, "memory_unconfirmed")] == [0]
        assert "no person has looked at" not in assessment.reasoning

    def test_a_case_in_both_collections_counts_once(self) -> None:
        twice = [precedent("a"), precedent("a", collection=Collection.HISTORICAL_CASES)]
        assert assessed(scam(0.72), *twice).confidence == assessed(scam(0.72), twice[0]).confidence

    def test_what_is_only_vaguely_alike_does_not_vote(self) -> None:
        assert (
            assessed(scam(0.72), precedent("a", 0.79), precedent("b", math.nan)).signals == assessed(scam(0.72)).signals
        )

    def test_a_look_alike_speaks_for_its_own_policy(self) -> None:
        assessment = assessed(scam(0.72), precedent("a", policy=Policy.SPAM))
        assert assessment.confidence == pytest.approx(0.72)
        assert assessment.scores[Policy.SPAM] > 0.02

    def test_approved_look_alikes_never_talk_down_a_possible_minor(self) -> None:
        seen = screening({Policy.AGE_VERIFICATION: 0.35}, 0.35)
        assessment = assessed(seen, *[approved(case, 0.99) for case in "abc"])
        assert assessment.scores[Policy.AGE_VERIFICATION] == pytest.approx(0.35)
        assert decided(assessment).route is Route.LEGAL

    def test_the_very_text_that_a_person_rejected_is_rejected_again(self) -> None:
        same = SameContent(case_id="a", decision=REJECTED, policy=Policy.SCAMS)
        assessment = assessed(scam(0.3), same_content=same)
        assert decided(assessment).kind is DecisionKind.REJECTED
        assert "a person judged this very text" in assessment.reasoning

    def test_the_very_text_that_a_person_approved_is_approved_again(self) -> None:
        seen = screening({Policy.SCAMS: 0.7, Policy.SPAM: 0.6}, 0.75)
        same = SameContent(case_id="a", decision=APPROVED, policy=None)
        assessment = assessed(seen, same_content=same)
        assert decided(assessment).kind is DecisionKind.APPROVED

    def test_the_very_text_does_not_vote_again_as_its_own_look_alike(self) -> None:
        same = SameContent(case_id="a", decision=REJECTED, policy=Policy.SCAMS)
        with_itself = assessed(scam(0.3), precedent("a", 1.0), same_content=same)
        assert with_itself.confidence == assessed(scam(0.3), same_content=same).confidence


class TestHistoryAndBehaviour:
    def test_earlier_violations_weigh_up_to_three(self) -> None:
        confidences = [assessed(scam(0.6), violations=n).confidence for n in range(5)]
        assert confidences[0] < confidences[1] < confidences[2] < confidences[3] == confidences[4]

    def test_new_and_reported_accounts_raise_and_good_standing_lowers_a_suspicion(self) -> None:
        plain = assessed(scam(0.6)).confidence
        new = content(account_created_at=NOW - timedelta(days=2))
        old = content(account_created_at=NOW - timedelta(days=400))
        assert assessed(scam(0.6), content=new).confidence > plain
        assert assessed(scam(0.6), content=content(reported=True)).confidence > plain
        assert assessed(scam(0.6), content=old).confidence < plain
        assert not named(assessed(scam(0.6), content=old, violations=1), "good_standing")

    def test_verification_speaks_against_a_fake_profile_and_against_nothing_else(self) -> None:
        fake = screening({Policy.FAKE_PROFILE: 0.6}, 0.6)
        verified = content(verified=True)
        assert assessed(fake, content=verified).confidence < 0.6
        assert assessed(scam(0.6), content=verified).confidence == pytest.approx(0.6)

    @given(st.floats(0.001, 0.199), st.integers(0, 50), st.booleans(), st.none() | st.floats(0, 4_000), st.booleans())
    @settings(max_examples=50, deadline=None)
    def test_nobody_is_suspected_for_clean_words(
        self, probability: float, violations: int, reported: bool, age: float | None, verified: bool
    ) -> None:
        created = None if age is None else NOW - timedelta(days=age)
        around = content(reported=reported, verified=verified, account_created_at=created)
        assert assessed(scam(probability), content=around, violations=violations) == assessed(scam(probability))

    def test_what_screening_noticed_around_the_text_does_not_make_the_words_suspect(self) -> None:
        burst = rule("burst", 3.0, source=SignalSource.BEHAVIOUR, reason="sent forty messages in a minute")
        assert not named(assessed(scam(0.05, burst), violations=3), "earlier_violations")
        assert named(assessed(scam(0.6, burst), violations=3), "earlier_violations")

    def test_the_worst_circumstances_never_carry_clean_words_to_a_penalty(self) -> None:
        around = content(reported=True, account_created_at=NOW)
        for hundredths in range(1, 50):
            assessment = assessed(scam(hundredths / 100), content=around, violations=50)
            assert decided(assessment).kind is not DecisionKind.REJECTED

    def test_good_standing_never_talks_down_a_possible_minor(self) -> None:
        seen = screening({Policy.AGE_VERIFICATION: 0.4}, 0.4)
        old = content(account_created_at=NOW - timedelta(days=400))
        assert assessed(seen, content=old).scores[Policy.AGE_VERIFICATION] == pytest.approx(0.4)


class TestWhatIsMissing:
    def test_without_screening_nothing_is_known(self) -> None:
        assessment = assessed(None, precedent("a"), unavailable=("history",))
        assert (assessment.policy, assessment.confidence, assessment.model) == (None, 0, None)
        assert assessment.unavailable == ("history", "screening")
        assert len(assessment.precedents) == 1
        assert decided(assessment).trigger == "unavailable"

    @pytest.mark.parametrize("weight", [math.nan, math.inf, -math.inf, 1e308])
    def test_a_weight_that_is_no_number_has_no_vote_and_stops_the_machine(self, weight: float) -> None:
        for seen in (scam(0.01, rule(weight=weight)), scam(0.99, rule(weight=weight))):
            assessment = assessed(seen)
            assert assessment.unavailable == ("asks_money",)
            assert all(math.isfinite(signal.weight) for signal in assessment.signals)
            assert decided(assessment).kind is DecisionKind.ESCALATED

    def test_a_score_that_is_no_number_is_no_even_chance(self) -> None:
        broken = screening({}, 0.02, rule("classifier", math.nan, Policy.AGE_VERIFICATION, floor=Floor.REVIEW))
        signals = tuple(s for s in broken.signals if s.name != Policy.AGE_VERIFICATION)
        assessment = assessed(broken.model_copy(update={"signals": signals}))
        assert Policy.AGE_VERIFICATION not in assessment.scores
        assert assessment.floor is Floor.REVIEW
        assert decided(assessment).kind is DecisionKind.ESCALATED

    def test_a_claim_without_weight_gives_no_score_to_a_policy_that_nobody_scored(self) -> None:
        claim = rule("flag", 0.0, Policy.SPAM, source=SignalSource.AGENT)
        signals = tuple(s for s in scam(0.02, claim).signals if s.name != Policy.SPAM)
        assert Policy.SPAM not in assessed(scam(0.02).model_copy(update={"signals": signals})).scores

    def test_a_screening_without_any_opinion_approves_nothing(self) -> None:
        silent = scam(0.5).model_copy(update={"signals": ()})
        assert decided(assessed(silent)).kind is DecisionKind.ESCALATED

    def test_a_violation_whose_severity_nobody_told_is_looked_at_first(self) -> None:
        assessment = assessed(scam(0.9, severities={}))
        assert (assessment.severity, assessment.risk_score) == (None, pytest.approx(0.9))
        assert decided(assessment).kind is DecisionKind.ESCALATED

    @given(st.lists(st.tuples(st.sampled_from([None, *Policy]), st.floats()), max_size=12))
    @settings(max_examples=50, deadline=None)
    def test_any_weights_at_all_give_a_valid_assessment(self, weights: list[tuple[Policy | None, float]]) -> None:
        signals = tuple(rule(f"r{n}", weight, policy) for n, (policy, weight) in enumerate(weights))
        assessment = assessed(scam(0.5).model_copy(update={"signals": signals}))
        assert Assessment.model_validate_json(assessment.model_dump_json()) == assessment
        if not all(math.isfinite(weight) for _, weight in weights):
            assert decided(assessment).kind is DecisionKind.ESCALATED


class TestReasoning:
    def test_a_violation_names_the_strongest_first_and_quotes_it(self) -> None:
        asks = rule(weight=2.0, evidence=(Evidence(start=0, end=12, quote="send\nme  400"),))
        link = rule("link", 0.5, reason="moves the talk off the app.")
        reasoning = assessed(scam(0.6, link, asks), violations=1).reasoning
        assert reasoning == (
            "Falls under “Scams and fraud” at medium severity, 95% sure. Noticed: asks for money (“send me 400”); "
            "moves the talk off the app; the model reads it as scams; its author has one earlier violation."
        )

    def test_clean_text_says_what_came_nearest(self) -> None:
        reasoning = assessed(screening({Policy.SPAM: 0.05}, 0.02)).reasoning
        assert reasoning == "Reads as fine, 95% sure; what comes nearest is “Spam and promotion” with 5%."

    def test_what_speaks_against_a_violation_is_named_too(self) -> None:
        reasoning = assessed(scam(0.72), approved("a", 0.91)).reasoning
        assert reasoning.endswith("What holds this back: resembles a case that a person approved (similarity 0.91).")

    def test_a_floor_of_another_policy_is_not_passed_over(self) -> None:
        hint = rule("year", 0.0, Policy.AGE_VERIFICATION, reason="names a school year", floor=Floor.LEGAL)
        assert "names a school year" in assessed(scam(0.95, hint)).reasoning

    @given(st.floats(0.001, 0.999), st.floats(0.001, 0.999), st.integers(0, 5), st.booleans(), st.booleans())
    @settings(max_examples=50, deadline=None)
    def test_it_is_one_to_three_sentences(
        self, policy: float, overall: float, violations: int, hit: bool, known: bool
    ) -> None:
        language = Language(code="en", confidence=1, competent=known)
        hits = (rule(),) if hit else ()
        seen = screening({Policy.THREATS: policy}, overall, *hits, language=language)
        reasoning = assessed(seen, approved("a"), violations=violations).reasoning
        assert 1 <= reasoning.replace("0.90", "").count(".") <= 3
