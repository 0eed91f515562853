"""What administrators do with accounts."""

import re

from cupidsshield.bootstrap import House
from data import apps
from data import staff as accounts
from domain.ids import new_id
from domain.staff import Role
from tests.ui.browsing import Browser
from tests.ui.conftest import Hire, SignIn

ONCE = re.compile(r'class="once"[^>]*>([^<]+)<')


async def test_an_account_is_made_with_a_password_that_is_shown_once(
    sign_in: SignIn, hire: Hire, house: House, stranger: Browser
) -> None:
    admin = await hire(Role.ADMIN)
    browser = await sign_in(admin)
    app = await house.database.write(lambda s: apps.get_or_create(s, name=new_id("shop")))
    email = f"{new_id('new')}@example.org"
    form = {"email": email, "name": "<b>New</b>", "role": "senior", "app": app.id}
    answer = await browser.submit("/staff", form)
    assert answer.status_code == 200
    assert "<b>New</b>" not in answer.text
    assert "&lt;b&gt;New&lt;/b&gt;" in answer.text
    made = await house.database.read(lambda s: accounts.by_email(s, email=email))
    assert (made.role, made.app_ids) == (Role.SENIOR, {app.id})
    password = ONCE.search(answer.text)
    assert password
    assert password[1] not in (await browser.get(f"/staff/{made.id}")).text
    assert (await stranger.sign_in(email, password[1])).status_code == 303
    assert email in (await browser.get("/staff")).text


async def test_role_apps_and_access_are_changed(sign_in: SignIn, hire: Hire, house: House, stranger: Browser) -> None:
    browser = await sign_in(await hire(Role.ADMIN))
    person = await hire()
    theirs = await sign_in(person)
    await browser.submit(f"/staff/{person.id}/role", {"role": "legal"})
    await browser.submit(f"/staff/{person.id}/apps")
    changed = await house.database.read(lambda s: accounts.get(s, staff_id=person.id))
    assert (changed.role, changed.app_ids) == (Role.LEGAL, frozenset())
    assert (await theirs.get("/account")).status_code == 303
    answer = await browser.submit(f"/staff/{person.id}/password")
    password = ONCE.search(answer.text)
    assert password
    assert (await stranger.sign_in(person.email, password[1])).status_code == 303
    await browser.submit(f"/staff/{person.id}/disabled", {"disabled": "true"})
    assert (await stranger.get("/account")).status_code == 303
    assert "is shut" in (await browser.get(f"/staff/{person.id}")).text
    await browser.submit(f"/staff/{person.id}/disabled", {"disabled": "false"})
    assert (await stranger.sign_in(person.email, password[1])).status_code == 303


async def test_what_cannot_be_done_is_said(sign_in: SignIn, hire: Hire) -> None:
    browser = await sign_in(await hire(Role.ADMIN))
    person = await hire()
    taken = {"email": person.email, "name": "Twice", "role": "moderator"}
    assert "There is an account with this mail address already" in (await browser.submit("/staff", taken)).text
    assert (await browser.get("/staff/staff_none")).status_code == 404
    assert (await browser.submit("/staff/staff_none/role", {"role": "legal"})).status_code == 404
