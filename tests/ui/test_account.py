"""What people set for themselves, and that they set it for nobody else."""

import pytest

from cupidsshield.bootstrap import House
from data import apps, staff_sessions
from data import staff as accounts
from domain.ids import new_id
from domain.staff import Preferences, Role, Theme
from tests.ui.browsing import PASSWORD
from tests.ui.conftest import Hire, SignIn

NEW_PASSWORD = "another four words here"


async def test_preferences_are_kept_and_shape_the_page(sign_in: SignIn, hire: Hire, house: House) -> None:
    person = await hire()
    browser = await sign_in(person)
    page = (await browser.get("/account")).text
    for mark in ('data-theme="auto"', " data-blur", " data-grey", " data-shortcuts"):
        assert mark in page
    answer = await browser.submit("/account/preferences", {"theme": "dark", "pause_after_minutes": "30"})
    assert answer.status_code == 303
    kept = await house.database.read(lambda s: accounts.get(s, staff_id=person.id))
    assert kept.preferences == Preferences(
        theme=Theme.DARK, pause_after_minutes=30, blur_text=False, grey_images=False, shortcuts=False
    )
    page = (await browser.get("/account")).text
    assert 'data-theme="dark"' in page
    assert "Your preferences are saved." in page
    for mark in (" data-blur", " data-grey", " data-shortcuts"):
        assert mark not in page.partition("<head>")[0]
    assert "Your preferences are saved." not in (await browser.get("/account")).text, "it is said once"


async def test_nonsense_is_refused_in_words(sign_in: SignIn, hire: Hire) -> None:
    browser = await sign_in(await hire())
    answer = await browser.submit("/account/preferences", {"theme": "pink", "pause_after_minutes": "3"})
    assert answer.status_code == 422
    assert "Something is not right" in answer.text
    assert "pink" not in answer.text


async def test_a_new_password_takes_the_old_ones_place_and_ends_other_sessions(sign_in: SignIn, hire: Hire) -> None:
    person = await hire()
    here, there = await sign_in(person), await sign_in(person)
    answer = await here.submit("/account/password", {"current": PASSWORD, "password": NEW_PASSWORD})
    assert answer.status_code == 303
    assert (await here.get("/account")).status_code == 200
    assert (await there.get("/account")).status_code == 303
    assert (await there.sign_in(person.email, PASSWORD)).status_code == 401
    assert (await there.sign_in(person.email, NEW_PASSWORD)).status_code == 303


@pytest.mark.parametrize(
    ("current", "password", "status"), [("wrong", NEW_PASSWORD, 403), (PASSWORD, "short", 422), ("", "", 403)]
)
async def test_the_old_password_is_needed_and_the_new_one_must_be_good(
    sign_in: SignIn, hire: Hire, house: House, current: str, password: str, status: int
) -> None:
    person = await hire()
    browser = await sign_in(person)
    before = await house.database.read(lambda s: accounts.password_of(s, email=person.email))
    answer = await browser.submit("/account/password", {"current": current, "password": password})
    assert answer.status_code == status
    assert await house.database.read(lambda s: accounts.password_of(s, email=person.email)) == before


async def test_sessions_are_listed_and_ended_one_by_one_or_all(sign_in: SignIn, hire: Hire, house: House) -> None:
    person = await hire()
    here, there = await sign_in(person), await sign_in(person)
    page = (await here.get("/account")).text
    assert page.count("Firefox on Linux") >= 2
    assert page.count("this one") == 1
    listed = await house.database.read(lambda s: staff_sessions.list_for(s, staff_id=person.id))
    mine = await house.database.read(lambda s: staff_sessions.find(s, token=here.session or ""))
    (other,) = [session.id for session in listed if mine and session.id != mine.id]
    assert (await here.submit(f"/account/sessions/{other}/end")).status_code == 303
    assert (await there.get("/account")).status_code == 303
    third = await sign_in(person)
    assert (await here.submit("/account/sessions/end")).headers["location"] == "/login"
    for browser in (here, third):
        assert (await browser.get("/account")).status_code == 303


async def test_who_has_several_apps_looks_at_one_or_all(sign_in: SignIn, hire: Hire, house: House) -> None:
    names = [new_id("one"), new_id("two")]
    ids = [(await house.database.write(lambda s, n=n: apps.get_or_create(s, name=n))).id for n in names]
    browser = await sign_in(await hire(Role.MODERATOR, app_ids=ids))
    page = (await browser.get("/account")).text
    assert all(f'<option value="{app_id}">' in page for app_id in ids)
    answer = await browser.submit("/account/app", {"app": ids[1]})
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    assert f'<option value="{ids[1]}" selected>' in (await browser.get("/account")).text
    assert f'<option value="{ids[0]}" selected>' in (await browser.get(f"/account?app={ids[0]}")).text
    await browser.submit("/account/app", {"app": ""})
    assert " selected>" not in (await browser.get("/account")).text.partition("</header>")[0]


async def test_an_app_of_others_cannot_be_looked_at(sign_in: SignIn, hire: Hire, house: House) -> None:
    foreign = (await house.database.write(lambda s: apps.get_or_create(s, name=new_id("foreign")))).id
    browser = await sign_in(await hire())
    assert (await browser.submit("/account/app", {"app": foreign})).status_code == 404
    browser.cookies.set("__Host-cupidsshield-app", foreign, domain="console.test", path="/")
    assert foreign not in (await browser.get("/account")).text
