"""Cases and items for the pages that people work on."""

from typing import Any

from sqlmodel import Session

from cupidsshield.bootstrap import House
from data import cases
from data.queue import lines_of_case
from domain.actor import system
from domain.content import Content
from domain.review import ReviewItem
from domain.staff import Staff
from domain.vocabulary import DecisionKind
from tests import factories
from tests.ui.browsing import Browser
from ui.standing import Standing, standing_of


def app_of(person: Staff) -> str:
    """The one app given to somebody."""
    (app_id,) = person.app_ids
    return app_id


async def waiting(house: House, person: Staff, text: str = "hello there", **changed: Any) -> ReviewItem:
    """An escalated case of somebody's app, its item changed like this."""
    content = changed.pop("content", None) or factories.content(text, app_id=app_of(person))

    def work(session: Session) -> ReviewItem:
        return opened(session, content, **changed)

    return await house.database.write(work)


def opened(session: Session, content: Content, **changed: Any) -> ReviewItem:
    thought = changed.pop("thought", None)
    record = factories.record(content, factories.decision(DecisionKind.ESCALATED), thought)
    item = factories.review(record).model_copy(update={"policy": record.decision.policy, **changed})
    cases.record(session, record=record, review=item, messages=[], memory=None, actor=system(content.app_id))
    return item


async def taken(browser: Browser, item: ReviewItem) -> str:
    """Take an item and open its page."""
    answer = await browser.submit(f"/reviews/{item.id}/claim")
    assert answer.status_code == 303, answer.text
    return (await browser.get(answer.headers["location"])).text


async def standing(house: House, person: Staff, item: ReviewItem) -> Standing:
    """How an item stands for somebody."""
    return await house.database.read(lambda s: standing_of(s, staff=person, review_id=item.id))


async def lines(house: House, person: Staff, item: ReviewItem) -> int:
    """How many open items of a case somebody may take."""
    found = await house.database.read(lambda s: lines_of_case(s, staff=person, case_id=item.case_id))
    return len(found)
