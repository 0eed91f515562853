"""Signing in and out, and what stands in the way of whoever should not."""

from domain.staff import Role
from tests.ui.browsing import Browser
from tests.ui.conftest import Hire, SignIn


async def test_the_right_password_signs_in_and_leads_on(stranger: Browser, hire: Hire) -> None:
    person = await hire()
    answer = await stranger.sign_in(person.email, next="/account")
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    page = await stranger.get("/account")
    assert page.status_code == 200
    assert person.email in page.text


async def test_each_page_shows(sign_in: SignIn, hire: Hire) -> None:
    person = await hire(Role.ADMIN, app_ids=[])
    browser = await sign_in(person)
    for path in ("/account", "/staff", f"/staff/{person.id}", "/search", "/search?q=ada"):
        page = await browser.get(path)
        assert page.status_code == 200, page.text
