"""What policy makes of an appeal: whether it may be sent, what would help, how it is weighed, and who must decide."""

from datetime import timedelta

import pytest

from domain.appeal import AppealFactor, AppealOutcome, FactorScore
from domain.case import Case
from domain.clock import now
from domain.history import SubjectHistory
from domain.vocabulary import Action, DecisionKind, Policy, Route, Severity
from policies.appeals import (
    AppealFacts,
    appeal_until,
    due_at,
    needs_senior,
    policy_changed,
    recommended,
    route_of,
    weigh,
    weighted,
    why_not,
)
from policies.guidance import advice
from policies.loader import load
from tests import factories

POLICIES = load()
GOOD = "I meant the song, we had been quoting lyrics to each other all evening and she had started it."


def case(kind: DecisionKind = DecisionKind.REJECTED, **changed: object) -> Case:
    return Case.opened(factories.record(made=factories.decision(kind)), None).model_copy(update=changed)


def facts(of: Case, **changed: object) -> AppealFacts:
    known = AppealFacts(
        case=of,
        explanation=GOOD,
        new_evidence=None,
        history=SubjectHistory(user_id="u1", cases=1, violations=1),
        similar=(),
        reread=factories.assessment(),
        unavailable=(),
        at=now(),
    )
    return known.model_copy(update=changed)


class TestWhetherOneMayAppeal:
    def test_a_restriction_can_be_appealed_for_thirty_days(self) -> None:
        restricted = case()
        until = appeal_until(restricted, POLICIES)
        assert until == restricted.updated_at + timedelta(days=30)
        assert why_not(restricted, None, until, POLICIES) is None
        refused = why_not(restricted, None, until + timedelta(seconds=1), POLICIES)
        assert refused is not None
        assert "30 days" in refused

    def test_what_was_not_restricted_cannot(self) -> None:
        assert "nothing to appeal" in (why_not(case(DecisionKind.APPROVED), None, now(), POLICIES) or "")
        assert "still looking" in (why_not(case(DecisionKind.ESCALATED), None, now(), POLICIES) or "")


class TestGuidance:
    @pytest.mark.parametrize(
        ("text", "about"),
        [
            ("", "sentence or two"),
            ("unfair!!", "sentence or two"),
            ("you are all idiots and this app is trash", "angry"),
            ("it wasn't me, my brother wrote that", "password"),
            ("everyone else does it and nothing happens to them", "one message at a time"),
            ("I'm sorry, it won't happen again, please", "whether the decision was right"),
        ],
    )
    def test_what_seldom_helps_is_answered_kindly(self, text: str, about: str) -> None:
        [said] = advice(text)
        assert about in said

    @pytest.mark.parametrize(
        ("text", "evidence"),
        [
            (GOOD, None),
            ("I called him an idiot as a joke, we are friends and he wrote the same to me", None),
            ("It was not me, my phone was stolen on Monday and I changed my password that day", None),
            ("It wasn't me at all, somebody else had it", "Your e-mail of 12.03.2026 about an unknown device"),
        ],
    )
    def test_an_appeal_that_says_something_is_left_alone(self, text: str, evidence: str | None) -> None:
        assert advice(text, evidence) == ()

    def test_advice_asks_and_never_refuses(self) -> None:
        for text in ("", "idiots, all of you, really", "it was not me at all", "everyone does it here"):
            assert not any(word in said.lower() for said in advice(text) for word in ("reject", "invalid", "cannot"))


class TestFactors:
    def test_a_factor_that_cannot_be_weighed_lends_its_weight_to_the_others(self) -> None:
        only = (
            FactorScore(factor=AppealFactor.NEW_EVIDENCE, score=None, weight=0.4),
            FactorScore(factor=AppealFactor.POLICY, score=0.8, weight=0.3),
            FactorScore(factor=AppealFactor.EXPLANATION, score=0.5, weight=0.2),
            FactorScore(factor=AppealFactor.HISTORY, score=None, weight=0.1),
        )
        assert weighted(only) == pytest.approx((0.8 * 0.3 + 0.5 * 0.2) / 0.5)
        assert weighted(()) == 0.0

    def test_weights_are_those_of_the_policy_file(self) -> None:
        weights = {factor.factor: factor.weight for factor in weigh(facts(case()), POLICIES).factors}
        assert weights == {
            AppealFactor.NEW_EVIDENCE: 0.4,
            AppealFactor.POLICY: 0.3,
            AppealFactor.EXPLANATION: 0.2,
            AppealFactor.HISTORY: 0.1,
        }

    def test_without_any_evidence_an_appeal_can_still_be_won(self) -> None:
        brief = weigh(facts(case(), reread=factories.assessment(policy=None)), POLICIES)
        assert next(f for f in brief.factors if f.factor is AppealFactor.NEW_EVIDENCE).score is None
        assert brief.recommendation is AppealOutcome.OVERTURN

    def test_both_sides_are_told(self) -> None:
        brief = weigh(facts(case(), reread=factories.assessment(confidence=0.97)), POLICIES)
        assert "it tells of the circumstances" in brief.for_the_user
        assert any("Scams and fraud" in line for line in brief.for_the_decision)
        assert any("97" in line for line in brief.for_the_decision)

    def test_a_reason_that_speaks_to_two_factors_is_told_once(self) -> None:
        brief = weigh(facts(case(), new_evidence=GOOD), POLICIES)
        said = "it says more than a few words"
        assert sum(said in factor.reasons for factor in brief.factors) == 2
        assert brief.for_the_user.count(said) == 1

    @pytest.mark.parametrize(
        ("score", "expected"),
        [
            (0.70, AppealOutcome.OVERTURN),
            (0.6999, AppealOutcome.ESCALATE),
            (0.50, AppealOutcome.ESCALATE),
            (0.4999, AppealOutcome.UPHOLD),
            (0.0, AppealOutcome.UPHOLD),
        ],
    )
    def test_the_recommendation_follows_the_limits(self, score: float, expected: AppealOutcome) -> None:
        assert recommended(score, (), POLICIES) is expected

    @pytest.mark.parametrize("score", [0.0, 0.6, 1.0])
    def test_what_could_not_be_asked_is_never_held_against_or_for_anybody(self, score: float) -> None:
        assert recommended(score, ("vector-search",), POLICIES) is AppealOutcome.ESCALATE

    def test_a_rule_that_changed_since_is_said(self) -> None:
        old = case()
        assert not policy_changed(old, POLICIES)
        older = old.machine.model_copy(update={"policy_version": "0.9.0"})
        assert policy_changed(old.model_copy(update={"machine": older}), POLICIES)


class TestWhoDecides:
    @pytest.mark.parametrize(
        ("action", "severity", "precedent", "senior"),
        [
            (Action.WARN, Severity.HIGH, False, False),
            (Action.TEMP_BAN_7D, Severity.HIGH, False, False),
            (Action.PERMANENT_BAN, Severity.MEDIUM, False, True),
            (Action.PERMANENT_BAN_AND_REPORT, Severity.HIGH, False, True),
            (Action.WARN, Severity.CRITICAL, False, True),
            (Action.WARN, Severity.LOW, True, True),
        ],
    )
    def test_a_senior_is_needed_for_what_weighs_most(
        self, action: Action, severity: Severity, precedent: bool, senior: bool
    ) -> None:
        decided = case(action=action, severity=severity)
        assert needs_senior(decided, POLICIES, sets_precedent=precedent) is senior
        if not precedent:
            assert route_of(decided, POLICIES) is (Route.SENIOR if senior else Route.MODERATOR)

    def test_what_is_for_legal_alone_stays_there(self) -> None:
        minor = case(violation_type=Policy.AGE_VERIFICATION, severity=Severity.LOW, action=Action.WARN)
        assert route_of(minor, POLICIES) is Route.LEGAL

    def test_a_day_is_the_target_and_two_once_escalated(self) -> None:
        at = now()
        assert due_at(at, POLICIES) == at + timedelta(hours=24)
        assert due_at(at, POLICIES, escalated=True) == at + timedelta(hours=48)
