"""Finding: each sees what is theirs to see, and nothing of what users wrote until they ask."""

import pytest
from sqlmodel import Session

from cupidsshield.bootstrap import House
from data import cases
from data.review_table import ReviewRow
from domain.ids import new_id
from domain.staff import Role, Staff
from domain.vocabulary import DecisionKind, Route
from tests import factories
from tests.ui.conftest import Hire, SignIn


async def recorded(house: House, app_id: str, text: str, route: Route = Route.MODERATOR) -> str:
    def work(session: Session) -> str:
        content = factories.content(text, app_id=app_id)
        decision = factories.decision(DecisionKind.ESCALATED).model_copy(update={"route": route})
        record = factories.record(content, decision)
        review = factories.review(record).model_copy(update={"route": route})
        cases.record(session, record=record, review=review, messages=(), memory=None, actor=factories.person(app_id))
        assert session.get(ReviewRow, review.id)
        return record.case_id

    return await house.database.write(work)


def app_of(person: Staff) -> str:
    (app_id,) = person.app_ids
    return app_id


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}], ids=["page", "finder"])
async def test_ones_own_cases_are_found_without_what_was_written(
    sign_in: SignIn, hire: Hire, house: House, headers: dict[str, str]
) -> None:
    person, other = await hire(), await hire()
    word = new_id("word")
    mine = await recorded(house, app_of(person), f"say {word} please")
    theirs = await recorded(house, app_of(other), f"say {word} please")
    browser = await sign_in(person)
    answer = await browser.get(f"/search?q={word}", headers=headers)
    assert f"/cases/{mine}" in answer.text
    assert theirs not in answer.text
    assert f"say {word}" not in answer.text
    assert ("<html" in answer.text) is not bool(headers)


async def test_what_went_to_legal_is_found_by_legal_alone(sign_in: SignIn, hire: Hire, house: House) -> None:
    person = await hire()
    case_id = await recorded(house, app_of(person), "something grave", Route.LEGAL)
    for role in Role:
        browser = await sign_in(await hire(role, app_ids=[app_of(person)]))
        page = await browser.get(f"/search?q={case_id}")
        assert (f"/cases/{case_id}" in page.text) is (role is Role.LEGAL), role


async def test_people_are_found_by_administrators_alone(sign_in: SignIn, hire: Hire) -> None:
    wanted = await hire(name=new_id("Grace"))
    for role in Role:
        browser = await sign_in(await hire(role))
        page = await browser.get(f"/search?q={wanted.name}")
        assert (f"/staff/{wanted.id}" in page.text) is (role is Role.ADMIN), role


async def test_pages_are_found_by_those_who_may_open_them(sign_in: SignIn, hire: Hire) -> None:
    for role in Role:
        browser = await sign_in(await hire(role))
        results = (await browser.get("/search?q=staff", headers={"HX-Request": "true"})).text
        assert ('href="/staff"' in results) is (role is Role.ADMIN), role


async def test_nothing_found_is_said_with_what_was_typed_as_text(sign_in: SignIn, hire: Hire) -> None:
    browser = await sign_in(await hire())
    page = await browser.get("/search", params={"q": "<script>alert(1)</script>"})
    assert "Nothing found for “&lt;script&gt;" in page.text
    assert "<script>alert" not in page.text
