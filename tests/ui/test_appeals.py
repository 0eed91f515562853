"""The pages of appeals: the list, the brief that is only a machine's, a model's reading, and who may decide (I8)."""

import dataclasses
from datetime import timedelta
from typing import Any

from fastapi import FastAPI
from sqlmodel import Session

from cupidsshield.bootstrap import House
from data import appeals, cases, claims, guideline_editions, reviews
from domain.actor import system
from domain.appeal import Appeal, AppealBrief, AppealFactor, AppealOutcome, AppealStatus, FactorScore
from domain.appeal_reading import AppealQuote, AppealReading, FactorReading, QuotedFrom
from domain.clock import now
from domain.ids import new_id
from domain.review import ReviewItem, ReviewKind
from domain.signals import Evidence
from domain.staff import Role, Staff
from domain.vocabulary import Action, DecisionKind, Policy, Route
from tests import factories
from tests.readings import appeal_read
from tests.ui.browsing import Browser
from tests.ui.conftest import Hire, SignIn
from tests.ui.test_case import LEASE, epoch_of
from tests.ui.working import app_of, standing
from ui.standing import Stand

WHY = "You quoted her words to warn others."


async def appealed(
    house: House, person: Staff, *, route: Route = Route.MODERATOR, version: str | None = None, **changed: Any
) -> ReviewItem:
    """A rejected case of somebody's app that its author appeals; the item that asks about it."""
    content = factories.content("send me money", app_id=app_of(person))
    decision = factories.decision(action=Action.TEMP_BAN_7D)
    applied = {"policy_version": version or decision.policy_version}
    record = factories.record(content, decision.model_copy(update=applied))

    def work(session: Session) -> ReviewItem:
        actor = system(content.app_id)
        cases.record(session, record=record, review=None, messages=[], memory=None, actor=actor)
        made = factories.appeal(content.app_id, record.case_id, **changed)
        waits = factories.review(record).model_copy(
            update={"id": new_id("review"), "kind": ReviewKind.APPEAL, "appeal_id": made.id, "route": route}
        )
        appeals.file(session, appeal=made, review=waits, actor=actor)
        return waits

    return await house.database.write(work)


async def kept(house: House, item: ReviewItem) -> Appeal:
    return await house.database.read(lambda s: appeals.get(s, app_id=item.app_id, appeal_id=str(item.appeal_id)))


async def opened(browser: Browser, item: ReviewItem) -> str:
    """Take the item of an appeal and read its page."""
    answer = await browser.submit(f"/reviews/{item.id}/claim")
    assert answer.headers["location"] == f"/appeals/{item.appeal_id}"
    return (await browser.get(answer.headers["location"])).text


async def test_appeals_are_listed_by_status_for_ones_own_apps_alone(house: House, hire: Hire, sign_in: SignIn) -> None:
    person, other = await hire(), await hire()
    item, foreign = await appealed(house, person), await appealed(house, other)
    browser = await sign_in(person)
    page = (await browser.get("/appeals")).text
    assert f"/appeals/{item.appeal_id}" in page
    assert str(foreign.appeal_id) not in page
    assert str(item.appeal_id) not in (await browser.get("/appeals?status=upheld")).text
    assert (await browser.get("/appeals?status=lost")).status_code == 422


async def test_overturning_restores_tells_and_can_be_undone(house: House, hire: Hire, sign_in: SignIn) -> None:
    person = await hire()
    item = await appealed(house, person, explanation="I <b>quoted</b> her.\nTo warn others.")
    browser = await sign_in(person)
    page = await opened(browser, item)
    assert "I &lt;b&gt;quoted&lt;/b&gt; her.\nTo warn others." in page
    assert "a machine&#39;s opinion; you decide" in page or "a machine's opinion; you decide" in page
    form = {"outcome": "overturn", "reasoning": WHY, "epoch": epoch_of(page)}
    answer = await browser.submit(f"/appeals/{item.appeal_id}/decide", form)
    assert answer.status_code == 303, answer.text
    assert (await kept(house, item)).status is AppealStatus.OVERTURNED
    case = await house.database.read(lambda s: cases.get(s, app_id=item.app_id, case_id=item.case_id))
    assert case.decision is DecisionKind.APPROVED
    undo = (await browser.get("/queue")).text.split('action="/undo/')[1].split('"')[0]
    back = await browser.submit(f"/undo/{undo}")
    assert back.headers["location"] == f"/appeals/{item.appeal_id}"
    case = await house.database.read(lambda s: cases.get(s, app_id=item.app_id, case_id=item.case_id))
    assert case.decision is DecisionKind.REJECTED
    assert (await standing(house, person, item)).is_mine


async def test_nobody_who_had_a_hand_in_the_case_may_decide_its_appeal(
    house: House, hire: Hire, sign_in: SignIn
) -> None:
    person = await hire()
    item = await appealed(house, person)
    looked = item.model_copy(update={"id": new_id("review"), "kind": ReviewKind.CASE, "appeal_id": None})

    def touch(session: Session) -> None:
        reviews.add(session, looked)
        held = claims.claim(session, staff=person, review_id=looked.id, lease=LEASE)
        claims.release(session, staff=person, review_id=looked.id, epoch=held.epoch)

    await house.database.write(touch)
    browser = await sign_in(person)
    page = await opened(browser, item)
    assert "you have dealt with this case before" in page
    assert 'id="decide"' not in page
    form = {"outcome": "uphold", "reasoning": WHY, "epoch": "1"}
    answer = await browser.submit(f"/appeals/{item.appeal_id}/decide", form)
    assert answer.status_code in (403, 409)
    assert (await standing(house, person, item)).stand is Stand.BARRED
    assert (await kept(house, item)).status is AppealStatus.PENDING


async def test_what_needs_a_senior_cannot_be_overturned_by_others_but_put_before_one(
    house: House, hire: Hire, sign_in: SignIn
) -> None:
    person = await hire()
    senior = await hire(Role.SENIOR, app_ids=[app_of(person)])
    item = await appealed(house, person, needs_senior=True)
    browser = await sign_in(person)
    page = await opened(browser, item)
    assert "Only a senior may overturn this" in page
    form = {"outcome": "overturn", "reasoning": WHY, "epoch": epoch_of(page)}
    refused = await browser.submit(f"/appeals/{item.appeal_id}/decide", form)
    assert refused.status_code == 403
    assert WHY in refused.text
    await browser.submit(f"/appeals/{item.appeal_id}/decide", {**form, "outcome": "escalate"})
    assert "It waits for senior" in (await browser.get(f"/appeals/{item.appeal_id}")).text
    hers = await sign_in(senior)
    page = await opened(hers, item)
    assert "It sets a precedent" in page
    form = {"outcome": "overturn", "reasoning": WHY, "sets_precedent": "true", "epoch": epoch_of(page)}
    await hers.submit(f"/appeals/{item.appeal_id}/decide", form)
    made = await kept(house, item)
    assert (made.status, made.sets_precedent) == (AppealStatus.OVERTURNED, True)


async def test_reasons_that_are_missing_are_asked_for_and_nothing_is_decided(
    house: House, hire: Hire, sign_in: SignIn
) -> None:
    person = await hire()
    item = await appealed(house, person)
    browser = await sign_in(person)
    epoch = epoch_of(await opened(browser, item))
    answer = await browser.submit(f"/appeals/{item.appeal_id}/decide", {"outcome": "uphold", "epoch": epoch})
    assert answer.status_code == 422
    assert "Say why, in words that the user will read" in answer.text
    assert (await kept(house, item)).status is AppealStatus.PENDING


BRIEF = AppealBrief(
    factors=(FactorScore(factor=AppealFactor.EXPLANATION, score=0.2, weight=0.25, reasons=("it says little",)),),
    score=0.2,
    recommendation=AppealOutcome.UPHOLD,
    for_the_user=(),
    for_the_decision=(),
    prepared_by="test",
)
READING = factories.appeal_reading(
    says="That he <b>quoted</b> her.",
    open_questions=("Had she written that before?",),
    factors=(FactorReading(factor=AppealFactor.EXPLANATION, score=5, reason="It fits the text."),),
    quotes=(
        AppealQuote(source=QuotedFrom.DECIDED_TEXT, evidence=Evidence(start=0, end=10, quote="send money", note="q")),
    ),
)


async def read(house: House, item: ReviewItem, reading: AppealReading | None = READING, **how: bool) -> None:
    """As if a model had been asked about an appeal; None: it gave nothing that could be used."""
    appeal = {"app_id": item.app_id, "appeal_id": str(item.appeal_id)}

    def work(session: Session) -> None:
        appeals.prepared(session, **appeal, brief=BRIEF, actor=system(item.app_id))
        appeal_read(session, **appeal, reading=reading, **how)

    await house.database.write(work)


async def page_of(browser: Browser, item: ReviewItem) -> str:
    return (await browser.get(f"/appeals/{item.appeal_id}")).text


async def test_a_models_reading_is_marked_as_one_and_says_where_it_differs_from_the_brief(
    house: House, hire: Hire, sign_in: SignIn
) -> None:
    person = await hire()
    item = await appealed(house, person)
    browser = await sign_in(person)
    assert "A model's reading" not in await page_of(browser, item)
    await read(house, item)
    page = await page_of(browser, item)
    for told in (
        "a language model's text; you decide",
        "That he &lt;b&gt;quoted&lt;/b&gt; her.",
        "Had she written that before?",
        "send money",
        "openai:careful",
        READING.prompt,
        "It differs from the machine's brief.",
        "The weighing would let the decision stand, the model would overturn it.",
        "Explanation: the weighing finds that it speaks for the decision, the model finds the opposite.",
    ):
        assert told in page, told
    assert "speaks to the software" not in page
    taken = await opened(browser, item)
    form = {"outcome": "uphold", "reasoning": WHY, "epoch": epoch_of(taken)}
    await browser.submit(f"/appeals/{item.appeal_id}/decide", form)
    assert (await kept(house, item)).status is AppealStatus.UPHELD, "the person decides against both or either"
    assert "A model's reading" in await page_of(browser, item), "what was read stays with the appeal"


async def test_where_reading_and_brief_agree_nothing_differs(house: House, hire: Hire, sign_in: SignIn) -> None:
    person = await hire()
    item = await appealed(house, person)
    agrees = (FactorReading(factor=AppealFactor.EXPLANATION, score=1, reason="It says little."),)
    await read(house, item, READING.model_copy(update={"recommendation": AppealOutcome.UPHOLD, "factors": agrees}))
    page = await page_of(await sign_in(person), item)
    assert "It differs from" not in page
    assert "as the brief would" in page


async def test_an_appeal_that_speaks_to_the_machine_is_told_with_and_without_a_reading(
    house: House, hire: Hire, sign_in: SignIn
) -> None:
    person = await hire()
    browser = await sign_in(person)
    for reading in (READING, None):
        item = await appealed(house, person)
        await read(house, item, reading, addresses=True)
        page = await page_of(browser, item)
        assert "The appeal speaks to the software that judges it" in page


async def test_a_reading_that_was_given_up_is_told_and_the_person_decides_without(
    house: House, hire: Hire, sign_in: SignIn
) -> None:
    person = await hire()
    item = await appealed(house, person)
    await read(house, item, None)
    browser = await sign_in(person)
    page = await opened(browser, item)
    assert "No reading: the model gave no usable answer." in page
    form = {"outcome": "overturn", "reasoning": WHY, "epoch": epoch_of(page)}
    await browser.submit(f"/appeals/{item.appeal_id}/decide", form)
    assert (await kept(house, item)).status is AppealStatus.OVERTURNED


async def test_a_reading_to_come_is_told_only_where_a_model_would_write_it(
    house: House, web: FastAPI, hire: Hire, sign_in: SignIn
) -> None:
    person = await hire()
    item = await appealed(house, person)
    await read(house, item, None, last=False)
    browser = await sign_in(person)
    assert "A model's reading" not in await page_of(browser, item)
    parts = web.state.ui
    web.state.ui = dataclasses.replace(parts, reads_appeals=True)
    try:
        page = await page_of(browser, item)
    finally:
        web.state.ui = parts
    assert "It is being written; you need not wait for it. The last try brought none" in page


async def test_the_user_never_reads_what_a_model_wrote(house: House, hire: Hire, stranger: Browser) -> None:
    person = await hire()
    item = await appealed(house, person)
    await read(house, item, addresses=True)
    link = house.links.to(item.app_id, item.case_id)
    page = (await stranger.get(link.removeprefix("https://console.test"))).text
    assert "A person is looking at your appeal" in page, "it is the page of this case"
    for written in ("Nothing changed in the guideline.", "openai:careful", "speaks to the software", "Best case"):
        assert written not in page


async def test_what_changed_in_the_guideline_since_is_shown(house: House, hire: Hire, sign_in: SignIn) -> None:
    person = await hire()
    guideline = house.policies.guideline(Policy.SCAMS)
    older = guideline.model_copy(update={"version": "0.5.0", "rule": "Ask nobody for money."})
    kept = {Policy.SCAMS: (older.version, older.model_dump_json())}
    await house.database.write(lambda s: guideline_editions.keep(s, in_force=kept, since=now() - timedelta(days=1)))
    item = await appealed(house, person, version="0.5.0")
    page = await opened(await sign_in(person), item)
    assert "The guideline has changed since the decision" in page
    assert "The rule was “Ask nobody for money.”" in page
