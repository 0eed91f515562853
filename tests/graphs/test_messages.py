"""What is told to whom: plain words, and never what was posted."""

import pytest

from domain.notification import Audience
from domain.vocabulary import Action, ContentType, DecisionKind, Policy
from graphs.moderation.messages import messages_for
from policies.loader import load
from tests import factories

POLICIES = load(None)
POSTED = "Meet me behind the old mill, you absolute walnut."


def told(kind: DecisionKind, **decision: object) -> dict[Audience, object]:
    made = factories.decision(kind).model_copy(update=decision)
    record = factories.record(factories.content(POSTED, kind=ContentType.BIO), made)
    return {message.audience: message for message in messages_for(record, POLICIES)}


def test_an_approval_tells_nobody() -> None:
    assert told(DecisionKind.APPROVED, policy=None) == {}


def test_a_rejection_tells_user_and_app() -> None:
    assert set(told(DecisionKind.REJECTED)) == {Audience.USER, Audience.APP}


def test_an_escalation_tells_moderators_as_well() -> None:
    assert set(told(DecisionKind.ESCALATED)) == set(Audience)


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
