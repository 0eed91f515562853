"""What policy makes of an assessment."""

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.assessment import Assessment
from domain.decision import Decision
from domain.history import SubjectHistory
from domain.signals import Signal
from domain.vocabulary import Action, DecisionKind, Floor, Policy, Priority, Route, Severity, SignalSource
from policies.decide import Trigger, decide, review_of_proposal
from policies.loader import load

POLICIES = load()
WEIGHTS = POLICIES.thresholds.severity_weights
NOT_POSSIBLE = dict.fromkeys(Policy, 0.02)
PENALTIES = frozenset(Action) - {Action.OFFER_SUPPORT}


def opinion(policy: Policy | None, severity: Severity | None, confidence: float, **other: Any) -> Assessment:
    risk = min(confidence * WEIGHTS.of(severity), 1.0) if severity else 0.0
    scores = dict(NOT_POSSIBLE) if policy is None else {**NOT_POSSIBLE, policy: confidence}
    fields: dict[str, Any] = {
        "policy": policy,
        "severity": severity,
        "confidence": confidence,
        "risk_score": risk,
        "violation_probability": confidence if policy else 1 - confidence,
        "scores": scores,
        "floor": Floor.NONE,
        "signals": (),
        "reasoning": "as noticed",
        "model": None,
    }
    return Assessment(**{**fields, **other})


def decided(assessment: Assessment, *, earlier: int = 0, policies: Any = POLICIES, app_id: str = "app") -> Decision:
    return decide(assessment, SubjectHistory(user_id="u", cases=earlier, violations=earlier), policies, app_id)


def test_what_a_person_approved_before_is_never_penalised_by_the_machine_alone() -> None:
    cleared = Signal(
        name="same_text_approved",
        source=SignalSource.MEMORY,
        policy=Policy.SCAMS,
        value=1.0,
        weight=-4.0,
        reason="a person approved this very text before",
    )
    sure = opinion(Policy.SCAMS, Severity.HIGH, 0.99)
    assert decided(sure).kind is DecisionKind.REJECTED
    decision = decided(sure.model_copy(update={"signals": (cleared,)}))
    assert (decision.kind, decision.trigger) == (DecisionKind.ESCALATED, Trigger.CLEARED_BEFORE)
    assert decision.action not in PENALTIES


class TestTheTableOfTheBrief:
    def test_sure_clean_is_approved(self) -> None:
        decision = decided(opinion(None, None, 0.98))
        assert (decision.kind, decision.action, decision.trigger) == (DecisionKind.APPROVED, None, "sure_clean")
        assert decision.priority is decision.route is decision.sla_hours is decision.policy_version is None

    def test_a_sure_scam_of_high_severity_is_banned_with_risk_76(self) -> None:
        assessment = opinion(Policy.SCAMS, Severity.HIGH, 0.95)
        decision = decided(assessment)
        assert (decision.kind, decision.action) == (DecisionKind.REJECTED, Action.PERMANENT_BAN)
        assert assessment.risk_score == pytest.approx(0.76)
        assert decision.policy_version == "1.0.0"

    def test_a_scam_just_short_of_sure_goes_to_a_moderator(self) -> None:
        decision = decided(opinion(Policy.SCAMS, Severity.HIGH, 0.82))
        assert (decision.kind, decision.route) == (DecisionKind.ESCALATED, Route.MODERATOR)
        assert (decision.action, decision.proposed_action) == (None, Action.PERMANENT_BAN)
        assert (decision.priority, decision.sla_hours) == (Priority.HIGH, 4)

    def test_low_harassment_at_72_waits_with_medium_priority(self) -> None:
        assessment = opinion(Policy.HARASSMENT, Severity.LOW, 0.72)
        decision = decided(assessment)
        assert (decision.kind, decision.priority, decision.sla_hours) == (DecisionKind.ESCALATED, Priority.MEDIUM, 24)
        assert assessment.risk_score == pytest.approx(0.216)
        assert decision.proposed_action is Action.WARN

    def test_a_template_profile_at_65_waits_with_low_priority(self) -> None:
        decision = decided(opinion(Policy.FAKE_PROFILE, Severity.LOW, 0.65))
        assert (decision.kind, decision.priority, decision.sla_hours) == (DecisionKind.ESCALATED, Priority.LOW, 72)
        assert decision.proposed_action is Action.REQUEST_VERIFICATION


LADDERS = {
    Policy.HARASSMENT: ("warn", "temp_ban_24h", "temp_ban_7d", "permanent_ban"),
    Policy.SCAMS: ("flag_for_review", "permanent_ban", "permanent_ban", "permanent_ban_and_report"),
    Policy.FAKE_PROFILE: ("request_verification", "suspend_until_verified", "permanent_ban", "permanent_ban"),
    Policy.INAPPROPRIATE: ("warn_and_remove", "temp_ban_7d", "permanent_ban", "permanent_ban_and_report"),
    Policy.AGE_VERIFICATION: (
        "request_id_verification",
        "suspend_until_verified",
        "permanent_ban",
        "permanent_ban_and_report",
    ),
    Policy.SELF_HARM: ("offer_support",) * 4,
}


@pytest.mark.parametrize("policy", LADDERS)
def test_the_ladder_is_the_one_that_was_promised(policy: Policy) -> None:
    assert tuple(action for _, action in POLICIES.guideline(policy).ladder.rungs()) == LADDERS[policy]


class TestFixedRoutes:
    @pytest.mark.parametrize("severity", list(Severity))
    def test_minors_go_to_legal_at_every_severity_however_sure(self, severity: Severity) -> None:
        decision = decided(opinion(Policy.AGE_VERIFICATION, severity, 0.99))
        assert (decision.kind, decision.route, decision.priority) == (
            DecisionKind.ESCALATED,
            Route.LEGAL,
            Priority.URGENT,
        )
        assert decision.proposed_action is POLICIES.guideline(Policy.AGE_VERIFICATION).ladder.at(severity)

    def test_a_possible_minor_goes_to_legal_though_the_verdict_is_another(self) -> None:
        scores = {**NOT_POSSIBLE, Policy.SCAMS: 0.95, Policy.AGE_VERIFICATION: 0.30}
        decision = decided(opinion(Policy.SCAMS, Severity.HIGH, 0.95, scores=scores))
        assert (decision.route, decision.policy, decision.severity) == (Route.LEGAL, Policy.AGE_VERIFICATION, None)
        assert decision.proposed_action is Action.REQUEST_ID_VERIFICATION
        assert "30%" in decision.reasoning

    def test_a_possible_minor_in_otherwise_clean_text_is_not_approved(self) -> None:
        scores = {**NOT_POSSIBLE, Policy.AGE_VERIFICATION: 0.31}
        assert decided(opinion(None, None, 0.97, scores=scores)).route is Route.LEGAL

    def test_just_below_possible_is_no_matter_for_legal(self) -> None:
        scores = {**NOT_POSSIBLE, Policy.AGE_VERIFICATION: 0.29}
        assert decided(opinion(None, None, 0.97, scores=scores)).kind is DecisionKind.APPROVED

    def test_somebody_at_risk_is_offered_support_at_once_and_goes_to_care(self) -> None:
        decision = decided(opinion(Policy.SELF_HARM, Severity.CRITICAL, 0.97), earlier=5)
        assert (decision.route, decision.priority) == (Route.CARE, Priority.URGENT)
        assert decision.action is decision.proposed_action is Action.OFFER_SUPPORT

    def test_a_rule_that_demands_a_look_for_somebody_at_risk_goes_to_care_whatever_the_score(self) -> None:
        noticed = Signal(
            name="rule.wish_to_die",
            source=SignalSource.RULE,
            policy=Policy.SELF_HARM,
            reason="speaks of dying",
            floor=Floor.REVIEW,
        )
        decision = decided(opinion(None, None, 0.95, floor=Floor.REVIEW, signals=(noticed,)))
        assert (decision.route, decision.policy, decision.action) == (
            Route.CARE,
            Policy.SELF_HARM,
            Action.OFFER_SUPPORT,
        )

    def test_somebody_possibly_at_risk_who_insults_is_not_punished_by_the_machine(self) -> None:
        scores = {**NOT_POSSIBLE, Policy.HARASSMENT: 0.95, Policy.SELF_HARM: 0.35}
        decision = decided(opinion(Policy.HARASSMENT, Severity.HIGH, 0.95, scores=scores))
        assert (decision.route, decision.policy) == (Route.CARE, Policy.SELF_HARM)
        assert decision.action is decision.proposed_action is Action.OFFER_SUPPORT

    def test_support_is_offered_even_where_legal_looks_and_where_something_was_unavailable(self) -> None:
        scores = {**NOT_POSSIBLE, Policy.AGE_VERIFICATION: 0.6, Policy.SELF_HARM: 0.4}
        minor = opinion(Policy.AGE_VERIFICATION, Severity.HIGH, 0.6, scores=scores, unavailable=("memory",))
        decision = decided(minor)
        assert (decision.route, decision.action) == (Route.LEGAL, Action.OFFER_SUPPORT)
        assert decision.trigger == Trigger.UNAVAILABLE

    @pytest.mark.parametrize("policy", [Policy.INAPPROPRIATE, Policy.HATE])
    def test_illegal_content_goes_to_legal_when_critical_and_only_then(self, policy: Policy) -> None:
        assert decided(opinion(policy, Severity.CRITICAL, 0.99)).route is Route.LEGAL
        assert decided(opinion(policy, Severity.HIGH, 0.99)).kind is DecisionKind.REJECTED

    def test_a_legal_floor_goes_to_legal_whatever_the_verdict(self) -> None:
        for assessment in (
            opinion(None, None, 0.99, floor=Floor.LEGAL),
            opinion(Policy.SCAMS, Severity.CRITICAL, 0.99, floor=Floor.LEGAL),
        ):
            decision = decided(assessment)
            assert (decision.route, decision.trigger) == (Route.LEGAL, Trigger.LEGAL_FLOOR)


class TestOtherRules:
    def test_a_third_strike_at_critical_goes_to_a_senior(self) -> None:
        threat = opinion(Policy.THREATS, Severity.CRITICAL, 0.99)
        assert decided(threat, earlier=2).kind is DecisionKind.REJECTED
        decision = decided(threat, earlier=3)
        assert (decision.kind, decision.route) == (DecisionKind.ESCALATED, Route.SENIOR)
        assert decision.proposed_action is Action.PERMANENT_BAN_AND_REPORT
        assert "3 earlier violations" in decision.reasoning

    def test_a_sure_low_scam_goes_to_a_moderator_because_the_ladder_says_so(self) -> None:
        decision = decided(opinion(Policy.SCAMS, Severity.LOW, 0.99))
        assert (decision.kind, decision.trigger) == (DecisionKind.ESCALATED, Trigger.LADDER_REVIEW)

    def test_a_review_floor_stops_an_approval_and_not_a_rejection(self) -> None:
        assert decided(opinion(None, None, 0.99, floor=Floor.REVIEW)).trigger == Trigger.REVIEW_FLOOR
        scam = opinion(Policy.SCAMS, Severity.HIGH, 0.95, floor=Floor.REVIEW)
        assert decided(scam).kind is DecisionKind.REJECTED

    def test_the_limits_themselves_suffice(self) -> None:
        assert decided(opinion(None, None, 0.90)).kind is DecisionKind.APPROVED
        assert decided(opinion(None, None, 0.8999)).kind is DecisionKind.ESCALATED
        assert decided(opinion(Policy.SPAM, Severity.HIGH, 0.85)).kind is DecisionKind.REJECTED
        below = decided(opinion(Policy.SPAM, Severity.HIGH, 0.8499))
        assert below.kind is DecisionKind.ESCALATED
        assert "84% sure" in below.reasoning

    def test_urgent_begins_above_70_percent_risk(self) -> None:
        doubt = opinion(Policy.THREATS, Severity.CRITICAL, 0.84)
        assert decided(doubt).priority is Priority.URGENT
        assert decided(opinion(Policy.THREATS, Severity.CRITICAL, 0.70)).priority is Priority.HIGH


class TestWhatIsMissing:
    def test_a_violation_of_unknown_severity_is_not_punished(self) -> None:
        decision = decided(opinion(Policy.SCAMS, None, 0.99, risk_score=0.99))
        assert (decision.kind, decision.trigger) == (DecisionKind.ESCALATED, Trigger.UNUSABLE)
        assert decision.priority is Priority.URGENT

    @pytest.mark.parametrize("policy", [Policy.AGE_VERIFICATION, Policy.SELF_HARM])
    def test_clean_text_is_not_approved_while_nobody_scored_a_policy_with_a_fixed_route(self, policy: Policy) -> None:
        scores = {k: p for k, p in NOT_POSSIBLE.items() if k is not policy}
        decision = decided(opinion(None, None, 0.99, scores=scores))
        assert (decision.kind, decision.trigger) == (DecisionKind.ESCALATED, Trigger.UNUSABLE)
        assert policy in decision.reasoning

    @pytest.mark.parametrize("field", ["confidence", "risk_score", "violation_probability", "scores"])
    @pytest.mark.parametrize("number", [math.nan, math.inf])
    @pytest.mark.parametrize("policy", [None, Policy.SCAMS])
    def test_no_number_that_is_not_one_leads_to_approval_or_penalty(
        self, field: str, number: float, policy: Policy | None
    ) -> None:
        whole = opinion(policy, Severity.HIGH if policy else None, 0.99)
        value: Any = {**whole.scores, Policy.SELF_HARM: number} if field == "scores" else number
        decision = decided(whole.model_copy(update={field: value}))
        assert decision.kind is DecisionKind.ESCALATED
        if field == "risk_score":
            assert decision.priority is Priority.URGENT


probabilities = st.floats(0, 1)


@st.composite
def opinions(draw: st.DrawFn) -> Assessment:
    policy = draw(st.none() | st.sampled_from(Policy))
    severity = draw(st.none() | st.sampled_from(Severity)) if policy else None
    return opinion(
        policy,
        severity,
        draw(probabilities),
        risk_score=draw(probabilities),
        violation_probability=draw(probabilities),
        scores=draw(
            st.fixed_dictionaries({p: st.floats(0, 0.29) | probabilities for p in Policy})
            | st.dictionaries(st.sampled_from(Policy), probabilities)
        ),
        floor=draw(st.sampled_from(Floor)),
        unavailable=draw(st.just(()) | st.just(("memory",))),
    )


class TestWhatHoldsForEveryAssessment:
    @given(opinions(), st.integers(0, 9))
    @settings(deadline=None)
    def test_what_a_floor_flags_is_never_approved_and_legal_floors_are_never_rejected(
        self, assessment: Assessment, earlier: int
    ) -> None:
        decision = decided(assessment, earlier=earlier)
        if assessment.floor is not Floor.NONE:
            assert decision.kind is not DecisionKind.APPROVED
        if assessment.floor is Floor.LEGAL:
            assert decision.route is Route.LEGAL

    @given(opinions(), st.integers(0, 9))
    @settings(deadline=None)
    def test_only_sure_and_complete_assessments_are_decided_by_the_machine(
        self, assessment: Assessment, earlier: int
    ) -> None:
        decision = decided(assessment, earlier=earlier)
        possible = [k for k, limit in POLICIES.possible_at.items() if not assessment.scores.get(k, 1.0) < limit]
        if assessment.unavailable or possible:
            assert decision.kind is DecisionKind.ESCALATED
        if decision.kind is DecisionKind.APPROVED:
            assert assessment.policy is None
            assert assessment.confidence >= 0.90
        if decision.kind is DecisionKind.REJECTED:
            assert assessment.policy is decision.policy is not None
            assert assessment.severity is decision.severity is not None
            assert assessment.confidence >= 0.85

    @given(opinions(), st.integers(0, 9))
    @settings(deadline=None)
    def test_self_harm_is_never_penalised(self, assessment: Assessment, earlier: int) -> None:
        decision = decided(assessment, earlier=earlier)
        possible = assessment.scores.get(Policy.SELF_HARM, 0) >= 0.30 or assessment.policy is Policy.SELF_HARM
        if possible:
            assert decision.kind is DecisionKind.ESCALATED
            assert decision.action is Action.OFFER_SUPPORT
        if decision.policy is Policy.SELF_HARM:
            assert not {decision.action, decision.proposed_action} & PENALTIES

    @given(opinions(), probabilities, st.integers(0, 9))
    @settings(deadline=None)
    def test_more_confidence_never_turns_a_decision_into_a_doubt(
        self, assessment: Assessment, other: float, earlier: int
    ) -> None:
        low, high = sorted((assessment.confidence, other))
        less = decided(assessment.model_copy(update={"confidence": low}), earlier=earlier)
        more = decided(assessment.model_copy(update={"confidence": high}), earlier=earlier)
        if less.kind is not DecisionKind.ESCALATED:
            assert (more.kind, more.action) == (less.kind, less.action)

    @given(opinions(), st.integers(0, 9))
    @settings(deadline=None)
    def test_every_decision_explains_itself_and_is_the_same_again(self, assessment: Assessment, earlier: int) -> None:
        decision = decided(assessment, earlier=earlier)
        assert decision == decided(assessment, earlier=earlier)
        assert decision.trigger in set(Trigger)
        assert decision.policy_set == POLICIES.set_hash
        assert decision.reasoning.endswith(".")
        assert ("sure" in decision.reasoning) != decision.reasoning.startswith("No verdict")
        waits = decision.kind is DecisionKind.ESCALATED
        assert (decision.route is None, decision.priority is None, decision.sla_hours is None) == (not waits,) * 3
        assert (decision.policy_version is None) == (decision.policy is None)
        if decision.kind is DecisionKind.REJECTED:
            assert decision.action not in (None, Action.FLAG_FOR_REVIEW)
        if waits:
            assert decision.action in (None, Action.OFFER_SUPPORT)
            assert (decision.proposed_action is None) == (decision.policy is None)


class TestProposals:
    @pytest.mark.parametrize(
        ("policy", "severity", "expected"),
        [
            (None, None, (Route.MODERATOR, Priority.MEDIUM, 24)),
            (Policy.SCAMS, Severity.CRITICAL, (Route.MODERATOR, Priority.MEDIUM, 24)),
            (Policy.AGE_VERIFICATION, Severity.LOW, (Route.LEGAL, Priority.URGENT, 1)),
            (Policy.SELF_HARM, None, (Route.CARE, Priority.URGENT, 1)),
            (Policy.HATE, Severity.CRITICAL, (Route.LEGAL, Priority.URGENT, 1)),
            (Policy.HATE, None, (Route.LEGAL, Priority.URGENT, 1)),
            (Policy.HATE, Severity.HIGH, (Route.MODERATOR, Priority.MEDIUM, 24)),
        ],
    )
    def test_a_proposal_goes_where_its_policy_goes(
        self, policy: Policy | None, severity: Severity | None, expected: tuple[Route, Priority, float]
    ) -> None:
        assert review_of_proposal(policy, severity, POLICIES) == expected

    def test_its_deadline_is_the_one_of_the_policies(self) -> None:
        thresholds = POLICIES.thresholds
        slower = thresholds.model_copy(update={"sla_hours": thresholds.sla_hours.model_copy(update={"medium": 48})})
        policies = POLICIES.model_copy(update={"thresholds": slower})
        assert review_of_proposal(Policy.SPAM, None, policies) == (Route.MODERATOR, Priority.MEDIUM, 48)
