"""The page of a case: what it shows, what it must never show, and deciding beside it."""

from datetime import timedelta

import pytest

from cupidsshield.bootstrap import House
from data import cases, claims, exposure, reviews
from data.staff import set_preferences
from domain.clock import now
from domain.content import ContentContext
from domain.review import ReviewKind
from domain.signals import Evidence, Signal
from domain.staff import Preferences, Role
from domain.vocabulary import DecisionKind, Policy, Route, Severity, SignalSource
from tests import factories
from tests.ui.browsing import Browser
from tests.ui.conftest import Hire, SignIn
from tests.ui.working import app_of, standing, taken, waiting
from ui.standing import Stand

LEASE = timedelta(minutes=5)
REJECT = {
    "kind": "rejected",
    "policy": "scams",
    "severity": "high",
    "action": "warn_and_remove",
    "reasoning": "It asks for money in the second line.",
}


def epoch_of(page: str) -> str:
    return page.split('name="epoch" value="')[1].split('"')[0]


async def test_evidence_is_marked_in_place_and_user_text_stays_text(house: House, hire: Hire, sign_in: SignIn) -> None:
    text = "send <b>money</b> to me"
    told = Signal(
        name="rule.money",
        source=SignalSource.RULE,
        policy=Policy.SCAMS,
        weight=1.5,
        reason="asks for money",
        evidence=(Evidence(start=0, end=13, quote=text[:13]),),
    )
    person = await hire()
    thought = factories.assessment().model_copy(update={"signals": (told,)})
    item = await waiting(house, person, text, thought=thought)
    page = (await (await sign_in(person)).get(f"/cases/{item.case_id}")).text
    assert '<mark class="evidence" title="1">send &lt;b&gt;money</mark><sup class="evidence-number">1</sup>' in page
    assert "asks for money" in page
    assert "<b>money" not in page


async def test_what_is_hidden_is_named(house: House, hire: Hire, sign_in: SignIn) -> None:
    person = await hire()
    item = await waiting(house, person, "add me on Wh\u0430tsapp, it is m\u200bo\u200bney")
    page = (await (await sign_in(person)).get(f"/cases/{item.case_id}")).text
    assert "\u200b" not in page
    assert '<span class="unseen-mark" title="cannot be seen in the text">ZWSP</span>' in page
    assert "cyrillic small letter a" in page
    assert "add me on Whatsapp, it is money" in page


async def test_the_conversation_stands_round_it_in_order(house: House, hire: Hire, sign_in: SignIn) -> None:
    person = await hire()
    context = ContentContext(conversation_id="talk")
    _, asked, _ = [
        await waiting(house, person, content=factories.content(text, app_id=app_of(person), context=context))
        for text in ("the first line", "the line in question", "the last line")
    ]
    await waiting(house, person, "of another conversation")
    page = (await (await sign_in(person)).get(f"/cases/{asked.case_id}")).text
    talk = page.split('class="talk"')[1].split("</ol>")[0]
    assert talk.index("the first line") < talk.index("the line in question") < talk.index("the last line")
    assert "of another conversation" not in talk
    assert "this one" in talk


async def test_what_went_to_legal_is_shown_to_legal_alone(house: House, hire: Hire, sign_in: SignIn) -> None:
    moderator = await hire()
    lawyer = await hire(Role.LEGAL, app_ids=[app_of(moderator)])
    context = ContentContext(conversation_id="talk")
    hidden = factories.content("for legal eyes", app_id=app_of(moderator), context=context)
    legal = await waiting(house, moderator, content=hidden, route=Route.LEGAL)
    near = await waiting(
        house, moderator, content=factories.content("beside it", app_id=app_of(moderator), context=context)
    )
    theirs, his = await sign_in(moderator), await sign_in(lawyer)
    assert (await theirs.get(f"/cases/{legal.case_id}")).status_code == 403
    assert "for legal eyes" not in (await theirs.get(f"/cases/{near.case_id}")).text
    assert "for legal eyes" in (await his.get(f"/cases/{legal.case_id}")).text


async def test_the_title_of_a_page_holds_no_content(house: House, hire: Hire, sign_in: SignIn) -> None:
    person = await hire()
    item = await waiting(house, person, "unrepeatable")
    page = (await (await sign_in(person)).get(f"/cases/{item.case_id}")).text
    assert page.split("<title>")[1].split("</title>")[0] == f"Case {item.case_id[5:13]} · CupidsShield"


async def test_only_who_holds_an_item_sees_the_form(house: House, hire: Hire, sign_in: SignIn) -> None:
    person = await hire()
    item = await waiting(house, person)
    browser = await sign_in(person)
    assert 'id="decide"' not in (await browser.get(f"/cases/{item.case_id}")).text
    page = await taken(browser, item)
    assert 'id="decide"' in page
    lead = await sign_in(await hire(Role.POLICY_LEAD, app_ids=[app_of(person)]))
    assert 'id="decide"' not in (await lead.get(f"/cases/{item.case_id}")).text


async def test_a_decision_is_recorded_and_the_next_item_opens_with_the_way_to_undo(
    house: House, hire: Hire, sign_in: SignIn
) -> None:
    person = await hire()
    item, following = await waiting(house, person), await waiting(house, person)
    browser = await sign_in(person)
    page = await taken(browser, item)
    answer = await browser.submit(f"/reviews/{item.id}/decide", {**REJECT, "epoch": epoch_of(page)})
    assert answer.headers["location"] == f"/cases/{following.case_id}"
    case = await house.database.read(lambda s: cases.get(s, app_id=item.app_id, case_id=item.case_id))
    assert (case.decision, case.severity, case.reviewed_by) == (DecisionKind.REJECTED, Severity.HIGH, person.id)
    opened = (await browser.get(answer.headers["location"])).text
    assert "Rejected for scams: warn and remove." in opened
    undo = opened.split('action="/undo/')[1].split('"')[0]
    back = await browser.submit(f"/undo/{undo}")
    assert back.headers["location"] == f"/cases/{item.case_id}"
    case = await house.database.read(lambda s: cases.get(s, app_id=item.app_id, case_id=item.case_id))
    assert case.decision is DecisionKind.ESCALATED
    assert (await standing(house, person, item)).is_mine


@pytest.mark.parametrize(
    ("lack", "told"),
    [({"reasoning": " "}, "Say why"), ({"kind": ""}, "Choose whether"), ({"action": "blur"}, "The ladder of scams")],
    ids=str,
)
async def test_what_cannot_be_accepted_is_told_beside_what_was_typed(
    house: House, hire: Hire, sign_in: SignIn, lack: dict[str, str], told: str
) -> None:
    person = await hire()
    item = await waiting(house, person)
    browser = await sign_in(person)
    page = await taken(browser, item)
    form = {**REJECT, "epoch": epoch_of(page), "severity": "low", **lack}
    answer = await browser.submit(f"/reviews/{item.id}/decide", form)
    assert answer.status_code == 422
    assert told in answer.text
    assert form["reasoning"].strip() in answer.text
    assert '<option value="low" selected>' in answer.text
    assert (await standing(house, person, item)).is_mine


async def test_a_decision_under_a_claim_that_was_lost_changes_nothing_and_keeps_the_words(
    house: House, hire: Hire, sign_in: SignIn
) -> None:
    ann = await hire()
    bob = await hire(app_ids=[app_of(ann)], name="Bob Tan")
    item = await waiting(house, ann)
    browser = await sign_in(ann)
    epoch = epoch_of(await taken(browser, item))
    await browser.submit(f"/reviews/{item.id}/release", {"epoch": epoch})
    await house.database.write(lambda s: claims.claim(s, staff=bob, review_id=item.id, lease=LEASE))
    answer = await browser.submit(f"/reviews/{item.id}/decide", {**REJECT, "epoch": epoch})
    assert answer.status_code == 409
    assert "Bob Tan has it" in answer.text
    assert REJECT["reasoning"] in answer.text
    assert 'id="decide"' not in answer.text


async def test_a_claim_is_renewed_taken_anew_when_it_was_free_and_told_when_it_is_lost(
    house: House, hire: Hire, sign_in: SignIn
) -> None:
    ann = await hire()
    bob = await hire(app_ids=[app_of(ann)], name="Bob Tan")
    item = await waiting(house, ann)
    browser = await sign_in(ann)
    epoch = epoch_of(await taken(browser, item))
    kept = (await browser.submit(f"/reviews/{item.id}/renew", {"epoch": epoch})).text
    assert epoch_of(kept) == epoch
    await browser.submit(f"/reviews/{item.id}/release", {"epoch": epoch})
    anew = (await browser.submit(f"/reviews/{item.id}/renew", {"epoch": epoch})).text
    assert epoch_of(anew) == str(int(epoch) + 1)
    await browser.submit(f"/reviews/{item.id}/release", {"epoch": epoch_of(anew)})
    await house.database.write(lambda s: claims.claim(s, staff=bob, review_id=item.id, lease=LEASE))
    lost = (await browser.submit(f"/reviews/{item.id}/renew", {"epoch": epoch_of(anew)})).text
    assert "Bob Tan has it now." in lost
    assert 'data-stand="taken"' in lost


async def test_the_offers_follow_policy_and_severity_with_what_the_user_would_read(
    house: House, hire: Hire, sign_in: SignIn
) -> None:
    person = await hire()
    item = await waiting(house, person)
    browser = await sign_in(person)
    await taken(browser, item)
    offers = (await browser.get(f"/reviews/{item.id}/offers?policy=harassment&severity=medium")).text
    assert 'value="temp_ban_24h" checked' in offers
    assert "Your account is paused for 24 hours." in offers
    assert "Treat the other person as someone who may always say no" in offers
    chosen = (await browser.get(f"/reviews/{item.id}/offers?policy=harassment&severity=medium&action=warn")).text
    assert "This is a warning" in chosen
    reserved = (await browser.get(f"/reviews/{item.id}/offers?policy=age_verification&severity=high")).text
    assert "This is for legal to decide" in reserved


async def test_asking_a_senior_moves_the_item_on(house: House, hire: Hire, sign_in: SignIn) -> None:
    person = await hire()
    senior = await hire(Role.SENIOR, app_ids=[app_of(person)])
    item = await waiting(house, person)
    browser = await sign_in(person)
    form = {"kind": "escalated", "route": "senior", "epoch": epoch_of(await taken(browser, item))}
    asked = await browser.submit(f"/reviews/{item.id}/decide", form)
    assert asked.status_code == 422
    await browser.submit(f"/reviews/{item.id}/decide", {**form, "reasoning": "Is this banter?"})
    page = await taken(await sign_in(senior), item)
    assert "Is this banter?" in page
    assert "It waits for senior" in (await browser.get(f"/cases/{item.case_id}")).text


async def test_skipping_handing_over_and_holding_go_on_to_the_next(house: House, hire: Hire, sign_in: SignIn) -> None:
    ann = await hire()
    bob = await hire(app_ids=[app_of(ann)], name="Bob Tan")
    items = [await waiting(house, ann, order_at=now() + timedelta(minutes=n)) for n in range(4)]
    browser = await sign_in(ann)
    page = await taken(browser, items[0])
    for item, act, form in (
        (items[0], "skip", {"reason": "I know them"}),
        (items[1], "hand-over", {"to": bob.id, "reason": "You know this wave"}),
        (items[2], "hold", {"hours": "4", "reason": "We asked the app"}),
    ):
        answer = await browser.submit(f"/reviews/{item.id}/{act}", {"epoch": epoch_of(page), **form})
        page = (await browser.get(answer.headers["location"])).text
    assert items[3].case_id in answer.headers["location"]
    stands = [(await standing(house, ann, item)).stand for item in items]
    assert stands == [Stand.FREE, Stand.FOR_OTHER, Stand.ON_HOLD, Stand.MINE]


async def test_passing_on_without_a_reason_is_told_and_changes_nothing(
    house: House, hire: Hire, sign_in: SignIn
) -> None:
    person = await hire()
    item = await waiting(house, person)
    browser = await sign_in(person)
    epoch = epoch_of(await taken(browser, item))
    answer = await browser.submit(f"/reviews/{item.id}/skip", {"epoch": epoch, "reason": ""})
    assert "That was not done" in (await browser.get(answer.headers["location"])).text
    assert (await standing(house, person, item)).is_mine


async def test_a_second_look_shows_nothing_of_the_first(house: House, hire: Hire, sign_in: SignIn) -> None:
    ann = await hire(name="Ann Reyes")
    bob = await hire(app_ids=[app_of(ann)])
    first = await waiting(house, ann)
    browser = await sign_in(ann)
    epoch = epoch_of(await taken(browser, first))
    await browser.submit(f"/reviews/{first.id}/decide", {**REJECT, "epoch": epoch})
    again = first.model_copy(update={"id": f"{first.id}q", "kind": ReviewKind.QUALITY})
    await house.database.write(lambda s: reviews.add(s, again))
    page = await taken(await sign_in(bob), again)
    assert 'id="decide"' in page
    assert REJECT["reasoning"] not in page
    assert "Ann Reyes" not in page.split("<main")[1].replace("Hand over", "").split("hand-over")[0]
    assert "warn and remove" not in page.split('class="desk-column"')[2].split('id="policy"')[0]


async def test_a_case_that_nobody_looks_at_can_be_put_before_people_once(
    house: House, hire: Hire, sign_in: SignIn
) -> None:
    person = await hire()
    content = factories.content("let through", app_id=app_of(person))
    record = factories.record(content, factories.decision(DecisionKind.APPROVED, policy=None, action=None))
    await house.database.write(
        lambda s: cases.record(
            s, record=record, review=None, messages=[], memory=None, actor=factories.person(content.app_id)
        )
    )
    browser = await sign_in(person)
    assert "Open a review" in (await browser.get(f"/cases/{record.case_id}")).text
    answer = await browser.submit(f"/cases/{record.case_id}/review")
    assert 'id="decide"' in (await browser.get(answer.headers["location"])).text
    assert (await browser.submit(f"/cases/{record.case_id}/review")).status_code == 409


async def test_what_was_looked_at_is_counted_by_severity_and_a_pause_is_suggested_once(
    house: House, hire: Hire, sign_in: SignIn
) -> None:
    person = await hire()
    quick = Preferences(pause_after_minutes=10)
    await house.database.write(lambda s: set_preferences(s, staff_id=person.id, preferences=quick))
    item = await waiting(house, person)
    browser = await sign_in(person)
    first = await browser.submit(f"/cases/{item.case_id}/seen", {"seconds": "60", "items": "1"})
    assert first.status_code == 204
    enough = await browser.submit(f"/cases/{item.case_id}/seen", {"seconds": "500"})
    assert "A short pause" in enough.text
    assert (await browser.submit(f"/cases/{item.case_id}/seen", {"seconds": "1"})).status_code == 204
    load = await house.database.read(lambda s: exposure.today(s, staff=person))
    assert (load.items, load.seconds) == (1, 561.0)
    assert list(load.by_severity) == [Severity.HIGH]


async def test_similar_cases_are_told_or_that_memory_is_away(house: House, hire: Hire, sign_in: SignIn) -> None:
    person = await hire()
    item = await waiting(house, person)
    browser: Browser = await sign_in(person)
    assert "Nothing alike is remembered" in (await browser.get(f"/cases/{item.case_id}/similar")).text


async def test_snippets_that_were_kept_are_offered_beside_the_decision(
    house: House, hire: Hire, sign_in: SignIn
) -> None:
    person = await hire()
    item = await waiting(house, person)
    browser = await sign_in(person)
    await browser.submit("/account/snippets", {"title": "Banter", "text": "Both joke, nobody minds."})
    assert 'data-insert="Both joke, nobody minds."' in await taken(browser, item)
    snippet_id = (await browser.get("/account")).text.split("/account/snippets/")[1].split("/")[0]
    await browser.submit(f"/account/snippets/{snippet_id}/forget")
    assert "Both joke" not in (await browser.get("/account")).text
    refused = await browser.submit("/account/snippets", {"title": "All", "text": "For all.", "shared": "true"})
    assert refused.status_code == 403
