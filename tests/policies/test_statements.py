"""What users are told of decisions about them, and the same for the transparency database: plain and nameless."""

import json
import re
from datetime import timedelta

import pytest
from pydantic import ValidationError

from domain.appeal import Appeal, AppealStatus
from domain.case import Case
from domain.clock import now
from domain.enforcement import Enforcement
from domain.statement import Stand
from domain.vocabulary import Action, DecisionKind, Policy, Severity
from policies.dsa import NO_RESTRICTION, DsaStatement, dsa_statement
from policies.loader import load
from policies.statements import as_told, statement_of
from tests import factories

POLICIES = load()
TEXT = "Send me money, dearest Peregrine"


def case(kind: DecisionKind = DecisionKind.REJECTED, **changed: object) -> Case:
    record = factories.record(factories.content(TEXT, user_id="user_peregrine"), factories.decision(kind))
    return Case.opened(record, None).model_copy(update=changed)


def appeal(of: Case, status: AppealStatus, **changed: object) -> Appeal:
    return Appeal(
        id="appeal_1",
        app_id=of.app_id,
        case_id=of.id,
        user_id=of.content.user_id,
        explanation="I meant the song.",
        status=status,
        due_at=now() + timedelta(hours=24),
        created_at=now(),
    ).model_copy(update=changed)


def decided_appeal(of: Case, status: AppealStatus, ago: timedelta) -> Appeal:
    return appeal(of, status, reasoning="It was a song.", resolved_by="sam", resolved_at=now() - ago)


class TestForUsers:
    def test_a_restriction_says_what_why_by_whom_and_what_one_can_do(self) -> None:
        told = statement_of(case(), None, None, POLICIES, now())
        assert told.stand is Stand.RESTRICTED
        assert "closed" in told.what
        assert told.rule == POLICIES.guideline(Policy.SCAMS).rule
        assert told.facts[0] == POLICIES.guideline(Policy.SCAMS).user_message
        assert "decided without a person" in told.automated
        assert told.appeal_until == told.decided_at + timedelta(days=30)

    @pytest.mark.parametrize("action", [action for action in Action if action is not Action.OFFER_SUPPORT])
    def test_every_action_is_put_in_words(self, action: Action) -> None:
        told = statement_of(case(action=action), None, None, POLICIES, now())
        assert len(told.what) > 15
        assert "_" not in told.what

    def test_the_end_of_a_term_is_told_and_that_it_is_over(self) -> None:
        of, at = case(action=Action.TEMP_BAN_24H), now()
        ban = Enforcement(
            id="e1",
            app_id=of.app_id,
            case_id=of.id,
            user_id="u1",
            action=Action.TEMP_BAN_24H,
            starts_at=at,
            ends_at=at + timedelta(hours=24),
        )
        assert statement_of(of, ban, None, POLICIES, at).ends_at == ban.ends_at
        later = statement_of(of, ban, None, POLICIES, at + timedelta(days=2))
        assert later.ends_at is None
        assert "over" in later.what

    def test_a_person_who_decided_is_said_and_never_named(self) -> None:
        told = statement_of(case(reviewed_by="moderator_jane"), None, None, POLICIES, now())
        assert "A person on our team decided" in told.automated
        assert "jane" not in told.model_dump_json()

    def test_what_is_not_a_restriction_offers_no_appeal(self) -> None:
        for kind, stand in ((DecisionKind.ESCALATED, Stand.WAITING), (DecisionKind.APPROVED, Stand.FINE)):
            told = statement_of(case(kind), None, None, POLICIES, now())
            assert (told.stand, told.appeal_until, told.rule) == (stand, None, None)

    def test_care_is_no_accusation(self) -> None:
        cared = case(DecisionKind.ESCALATED, action=Action.OFFER_SUPPORT, violation_type=Policy.SELF_HARM)
        told = statement_of(cared, None, None, POLICIES, now())
        assert (told.stand, told.rule, told.facts, told.appeal_until) == (Stand.SUPPORTED, None, (), None)

    def test_too_late_is_said_with_the_day(self) -> None:
        old = case()
        told = statement_of(old, None, None, POLICIES, old.updated_at + timedelta(days=31))
        assert told.appeal_until is None
        assert "30 days" in (told.no_appeal or "")

    @pytest.mark.parametrize("status", [AppealStatus.PENDING, AppealStatus.UNDER_REVIEW, AppealStatus.ESCALATED])
    def test_an_appeal_on_its_way_shows_where_it_is(self, status: AppealStatus) -> None:
        of = case()
        told = statement_of(of, None, appeal(of, status), POLICIES, now())
        assert (told.appeal, told.appeal_until, told.answer) == (status, None, None)
        assert told.appeal_due_at is not None

    def test_an_overturned_decision_apologises(self) -> None:
        of = case(decision=DecisionKind.APPROVED, violation_type=None, action=None, reviewed_by="sam")
        done = decided_appeal(of, AppealStatus.OVERTURNED, timedelta(minutes=5))
        told = statement_of(of, None, done, POLICIES, now())
        assert told.stand is Stand.LIFTED
        assert "sorry" in told.headline
        assert told.answer == "It was a song."
        assert told.rule_title == "Scams and fraud", "what it was about is still known"
        assert "sam" not in told.model_dump_json()

    def test_what_can_be_undone_is_not_told_yet(self) -> None:
        of = case(decision=DecisionKind.APPROVED, violation_type=None, action=None)
        fresh = decided_appeal(of, AppealStatus.OVERTURNED, timedelta(seconds=10))
        assert as_told(fresh, now(), POLICIES).status is AppealStatus.UNDER_REVIEW
        told = statement_of(of, None, fresh, POLICIES, now())
        assert (told.stand, told.answer) == (Stand.RESTRICTED, None)


class TestForTheTransparencyDatabase:
    REQUIRED = frozenset(
        {
            "decision_ground",
            "content_type",
            "category",
            "content_date",
            "application_date",
            "decision_facts",
            "source_type",
            "automated_detection",
            "automated_decision",
            "puid",
            "incompatible_content_ground",
            "incompatible_content_explanation",
        }
    )

    @pytest.mark.parametrize("policy", Policy)
    @pytest.mark.parametrize("action", [action for action in Action if action not in NO_RESTRICTION])
    def test_every_policy_and_action_makes_a_valid_statement(self, policy: Policy, action: Action) -> None:
        made = dsa_statement(case(violation_type=policy, action=action), reported=False, policies=POLICIES)
        assert made is not None
        sent = json.loads(made.model_dump_json(exclude_none=True))
        assert sent.keys() >= self.REQUIRED
        assert {"decision_visibility", "decision_provision", "decision_account"} & sent.keys()
        assert re.fullmatch(r"[a-zA-Z0-9-_]+", sent["puid"])
        assert len(sent["puid"]) <= 500
        assert len(sent["decision_facts"]) <= 5_000
        assert len(sent["incompatible_content_ground"]) <= 500
        assert len(sent["incompatible_content_explanation"]) <= 2_000
        for day in ("content_date", "application_date"):
            assert re.fullmatch(r"\d{4}-\d\d-\d\d", sent[day])
        assert ("decision_visibility_other" in sent) == ("DECISION_VISIBILITY_OTHER" in sent["decision_visibility"])
        assert ("account_type" in sent) == ("decision_account" in sent)

    def test_no_personal_data_is_in_it(self) -> None:
        of = case(reviewed_by="moderator_jane", reasoning=f"He wrote: {TEXT}")
        made = dsa_statement(of, reported=True, policies=POLICIES)
        assert made is not None
        text = made.model_dump_json().lower()
        assert not [word for word in ("peregrine", "jane", "money, dearest", "user_") if word in text]

    @pytest.mark.parametrize(
        ("machine", "by", "reported", "automated", "detected", "source"),
        [
            (DecisionKind.REJECTED, "machine", False, "FULLY", "Yes", "SOURCE_VOLUNTARY"),
            (DecisionKind.REJECTED, "machine", True, "FULLY", "Yes", "SOURCE_VOLUNTARY"),
            (DecisionKind.ESCALATED, "ann", False, "PARTIALLY", "Yes", "SOURCE_VOLUNTARY"),
            (DecisionKind.APPROVED, "ann", True, "NOT_AUTOMATED", "No", "SOURCE_TYPE_OTHER_NOTIFICATION"),
        ],
    )
    def test_who_noticed_and_who_decided_is_told(
        self, machine: DecisionKind, by: str, reported: bool, automated: str, detected: str, source: str
    ) -> None:
        of = case(reviewed_by=by)
        of = of.model_copy(update={"machine": of.machine.model_copy(update={"kind": machine})})
        made = dsa_statement(of, reported=reported, policies=POLICIES)
        assert made is not None
        assert made.automated_decision == f"AUTOMATED_DECISION_{automated}"
        assert (made.automated_detection, made.source_type) == (detected, source)

    def test_a_term_has_its_end(self) -> None:
        of = case(action=Action.TEMP_BAN_7D)
        made = dsa_statement(of, reported=False, policies=POLICIES)
        assert made is not None
        assert made.decision_account == "DECISION_ACCOUNT_SUSPENDED"
        assert made.end_date_account_restriction == (of.updated_at + timedelta(days=7)).date()

    def test_a_new_decision_has_a_new_identifier(self) -> None:
        of = case()
        later = of.model_copy(update={"updated_at": of.updated_at + timedelta(hours=1)})
        first, second = (dsa_statement(one, reported=False, policies=POLICIES) for one in (of, later))
        assert first
        assert second
        assert first.puid != second.puid

    def test_what_restricts_nobody_is_not_stated(self) -> None:
        nothing = [
            case(DecisionKind.APPROVED),
            case(DecisionKind.ESCALATED),
            case(action=Action.OFFER_SUPPORT),
            case(violation_type=None, severity=Severity.LOW),
        ]
        assert [dsa_statement(one, reported=False, policies=POLICIES) for one in nothing] == [None] * 4

    def test_the_field_rules_hold(self) -> None:
        good = dsa_statement(case(), reported=False, policies=POLICIES)
        assert good is not None
        for broken in (
            {"puid": "with spaces"},
            {"decision_facts": "x" * 5_001},
            {"decision_visibility": None, "decision_account": None},
            {"decision_visibility": ("DECISION_VISIBILITY_OTHER",)},
            {"category": "STATEMENT_CATEGORY_SOMETHING"},
            {"content_type": ()},
        ):
            with pytest.raises(ValidationError):
                DsaStatement.model_validate({**good.model_dump(), **broken})
