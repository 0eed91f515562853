"""What is told to whom: plain words, and never what was posted."""

import pytest

from domain.case import Case
from domain.notification import Audience
from domain.review import Verdict
from domain.vocabulary import Action, ContentType, DecisionKind, Policy, Severity
from graphs.moderation.messages import messages_for, messages_of_person, statement
from policies.loader import load
from policies.offers import offered
from policies.wording import CONSEQUENCES
from tests import factories

POLICIES = load(None)
POSTED = "Meet me behind the old mill, you absolute walnut."


def told(kind: DecisionKind, **decision: object) -> dict[Audience, object]:
    made = factories.decision(kind).model_copy(update=decision)
    record = factories.record(factories.content(POSTED, kind=ContentType.BIO), made)
    return {
        message.audience: message
        for message in messages_for(record, POLICIES, lambda app_id, case_id: f"https://us.test/{case_id}")
    }


def test_an_approval_tells_nobody() -> None:
    assert told(DecisionKind.APPROVED, policy=None) == {}


def test_a_rejection_tells_user_and_app() -> None:
    assert set(told(DecisionKind.REJECTED)) == {Audience.USER, Audience.APP}


def test_an_escalation_tells_moderators_as_well() -> None:
    assert set(told(DecisionKind.ESCALATED)) == set(Audience) - {Audience.REPORTER}


@pytest.mark.parametrize("kind", [DecisionKind.REJECTED, DecisionKind.ESCALATED])
@pytest.mark.parametrize("policy", [None, *Policy])
def test_no_message_holds_what_was_posted(kind: DecisionKind, policy: Policy | None) -> None:
    for action in (None, Action.OFFER_SUPPORT):
        for message in told(kind, policy=policy, action=action).values():
            text = message.model_dump_json()  # type: ignore[attr-defined]
            assert POSTED not in text
            assert "walnut" not in text


@pytest.mark.parametrize("policy", Policy)
def test_a_rejection_says_why_in_the_guidelines_words_and_that_one_can_appeal(policy: Policy) -> None:
    message = told(DecisionKind.REJECTED, policy=policy)[Audience.USER]
    assert message.event == "user.decision"  # type: ignore[attr-defined]
    assert message.subject == "Our decision about your bio"  # type: ignore[attr-defined]
    body = message.body  # type: ignore[attr-defined]
    assert body.startswith(POLICIES.guideline(policy).user_message)
    assert "decided automatically" in body
    assert "appeal" in body


@pytest.mark.parametrize("kind", [DecisionKind.REJECTED, DecisionKind.ESCALATED])
def test_support_is_offered_in_words_of_care_and_nothing_else(kind: DecisionKind) -> None:
    message = told(kind, policy=Policy.SELF_HARM, action=Action.OFFER_SUPPORT)[Audience.USER]
    assert message.event == "user.support"  # type: ignore[attr-defined]
    assert message.body == POLICIES.guideline(Policy.SELF_HARM).user_message  # type: ignore[attr-defined]
    assert "decided" not in message.body  # type: ignore[attr-defined]


def test_who_is_escalated_learns_that_a_person_looks_and_not_of_what_they_are_suspected() -> None:
    message = told(DecisionKind.ESCALATED, policy=Policy.SCAMS)[Audience.USER]
    assert message.event == "user.under_review"  # type: ignore[attr-defined]
    words = f"{message.subject} {message.body}".lower()  # type: ignore[attr-defined]
    assert "person" in words
    assert "scam" not in words


def test_moderators_learn_how_soon_and_about_what() -> None:
    message = told(DecisionKind.ESCALATED, policy=Policy.SCAMS)[Audience.MODERATORS]
    assert message.subject == "Medium: scams waits for moderator"  # type: ignore[attr-defined]
    assert message.recipient == "moderator"  # type: ignore[attr-defined]


def case(
    *, text: str = POSTED, kind: DecisionKind = DecisionKind.ESCALATED, policy: Policy | None = Policy.SCAMS
) -> Case:
    made = factories.decision(kind, policy=policy)
    return Case.opened(factories.record(factories.content(text, kind=ContentType.BIO), made), None)


def rejection(policy: Policy, severity: Severity, action: Action) -> Verdict:
    return Verdict(
        kind=DecisionKind.REJECTED, policy=policy, severity=severity, action=action, reasoning=f"They wrote: {POSTED}"
    )


APPROVAL = Verdict(kind=DecisionKind.APPROVED, reasoning=POSTED)
URL = "https://shield.example.org/decisions/t0ken"


@pytest.mark.parametrize("policy", [policy for policy in Policy if policy is not Policy.SELF_HARM])
@pytest.mark.parametrize("severity", Severity)
def test_a_persons_rejection_states_what_why_by_whom_and_how_to_appeal(policy: Policy, severity: Severity) -> None:
    for action in offered(policy, severity, POLICIES).actions:
        message = statement(case(), rejection(policy, severity, action), POLICIES, appeal_url=URL)
        assert message is not None
        assert message.body.startswith(POLICIES.guideline(policy).user_message)
        assert POLICIES.guideline(policy).rule in message.body
        assert CONSEQUENCES[action] in message.body
        assert "a person on our team read it and decided" in message.body
        assert "within 30 days" in message.body
        assert URL in message.body
        assert message.payload["statement_url"] == URL
        assert message.payload["automated"] is False


@pytest.mark.parametrize("action", Action)
def test_every_action_has_words_for_users(action: Action) -> None:
    assert CONSEQUENCES[action].endswith(".")


def test_without_an_address_one_still_learns_that_one_can_appeal() -> None:
    message = statement(case(), rejection(Policy.SPAM, Severity.LOW, Action.WARN), POLICIES)
    assert message is not None
    assert "you can appeal within 30 days, and another person" in message.body
    assert "statement_url" not in message.payload


def test_no_message_of_a_person_holds_what_was_posted_or_their_reasoning() -> None:
    for verdict in (APPROVAL, rejection(Policy.SPAM, Severity.LOW, Action.WARN)):
        for message in messages_of_person(case(), verdict, POLICIES, appeal_url=URL):
            assert POSTED not in message.model_dump_json()


def test_an_approval_of_what_was_rejected_says_sorry() -> None:
    fine, sorry = [
        statement(case(kind=kind), APPROVAL, POLICIES) for kind in (DecisionKind.ESCALATED, DecisionKind.REJECTED)
    ]
    assert fine is not None
    assert sorry is not None
    assert "nothing against our rules" in fine.body
    assert "sorry" not in fine.body
    assert "taken back, and we are sorry" in sorry.body


def test_care_is_offered_once_and_despair_is_never_called_fine() -> None:
    support = rejection(Policy.SELF_HARM, Severity.HIGH, Action.OFFER_SUPPORT)
    first = statement(case(), support, POLICIES)
    assert first is not None
    assert (first.event, first.body) == ("user.support", POLICIES.guideline(Policy.SELF_HARM).user_message)
    supported = case(policy=Policy.SELF_HARM).model_copy(update={"action": Action.OFFER_SUPPORT})
    assert statement(supported, support, POLICIES) is None
    assert statement(supported, APPROVAL, POLICIES) is None
    assert [m.audience for m in messages_of_person(supported, APPROVAL, POLICIES)] == [Audience.APP]
