"""Signing in and out, and what stands in the way of whoever should not."""

import json
import re
from datetime import timedelta

import pytest
from fastapi import FastAPI
from sqlalchemy import update
from sqlmodel import Session, select

from cupidsshield.bootstrap import House
from data import audit, passwords, staff_sessions
from data import staff as accounts
from data.login_failures import MOST_BY_MAIL
from data.staff_table import StaffSessionRow
from domain.ids import new_id
from domain.staff import Role
from tests.ui.browsing import PASSWORD, SESSION, Browser
from tests.ui.conftest import Hire, SignIn
from ui.access import local_path
from ui.routes.login import REFUSED, WAIT


@pytest.fixture(autouse=True)
def from_a_place_of_its_own(stranger: Browser) -> None:
    """Failures are counted by place as well: each test comes from another."""
    stranger.comes_from(f"2001:db8::{new_id('')[-4:]}")


async def test_the_right_password_signs_in_and_leads_on(stranger: Browser, hire: Hire) -> None:
    person = await hire()
    answer = await stranger.sign_in(f" {person.email.upper()} ", next="/account?x=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/account?x=1")
    page = await stranger.get("/account")
    assert person.email in page.text


async def test_the_cookie_is_for_this_host_over_https_and_out_of_reach_of_scripts(
    stranger: Browser, hire: Hire
) -> None:
    answer = await stranger.sign_in((await hire()).email)
    (cookie,) = [line for line in answer.headers.get_list("set-cookie") if line.startswith(f"{SESSION}=")]
    attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"secure", "httponly", "samesite=lax", "path=/", "max-age=86400"} <= attributes
    assert not any(part.startswith("domain") for part in attributes)


async def test_a_wrong_password_and_an_unknown_address_answer_alike(stranger: Browser, hire: Hire) -> None:
    person = await hire()
    shut = await hire(Role.SENIOR)
    house_answers = []
    for email in (person.email, shut.email, "nobody@example.org"):
        answer = await stranger.sign_in(email, "the wrong password")
        assert answer.status_code == 401
        assert REFUSED in answer.text
        assert stranger.session is None
        house_answers.append(re.sub(r'value="[^"]*"', "", answer.text))
    assert len(set(house_answers)) == 1


async def test_a_password_is_compared_also_where_there_is_no_account(
    stranger: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[str | None] = []
    real = passwords.matches
    monkeypatch.setattr(passwords, "matches", lambda kept, typed: compared.append(kept) or real(kept, typed))
    await stranger.sign_in("nobody@example.org")
    assert compared == [None]


async def test_refusals_are_noted_without_the_address(stranger: Browser, hire: Hire, house: House) -> None:
    person = await hire()
    for email in (person.email, "nobody@example.org"):
        await stranger.sign_in(email, "the wrong password")

    def rows(session: Session) -> list[str]:
        wanted = select(audit.AuditRow.details).where(audit.AuditRow.action == "staff.sign_in_refused")
        return list(session.exec(wanted.order_by(audit.AuditRow.id)))  # type: ignore[arg-type]

    details = (await house.database.read(rows))[-2:]
    assert [json.loads(row) for row in details] == [{"staff": person.id}, {"staff": None}]


async def test_a_shut_account_and_one_without_a_password_do_not_open(
    stranger: Browser, hire: Hire, house: House
) -> None:
    person = await hire()
    await house.database.write(lambda s: accounts.set_disabled(s, staff_id=person.id, disabled=True, by="system:test"))
    assert (await stranger.sign_in(person.email)).status_code == 401

    def without_password(session: object) -> str:
        known = {"name": "Bo", "role": Role.LEGAL, "app_ids": [], "password_hash": None, "by": "system:test"}
        return accounts.create(session, email=f"{new_id('m')}@example.org", **known).email  # type: ignore[arg-type]

    email = await house.database.write(without_password)
    for password in ("", PASSWORD):
        assert (await stranger.sign_in(email, password)).status_code == 401


async def test_who_guesses_must_wait_even_with_the_right_password(stranger: Browser, hire: Hire) -> None:
    person = await hire()
    for _ in range(MOST_BY_MAIL):
        assert (await stranger.sign_in(person.email, "a guess at it")).status_code == 401
    answer = await stranger.sign_in(person.email)
    assert answer.status_code == 429
    assert WAIT in answer.text
    assert stranger.session is None


async def test_the_identifier_is_new_at_each_sign_in_and_the_old_one_ends(
    stranger: Browser, hire: Hire, web: FastAPI
) -> None:
    person = await hire()
    stranger.keep_session("planted-by-somebody-else")
    await stranger.sign_in(person.email)
    first = stranger.session
    assert first not in (None, "planted-by-somebody-else")
    async with Browser.of(web) as thief:
        thief.keep_session(first or "")
        assert (await thief.get("/account")).status_code == 200
        await stranger.post(
            "/login", data={"csrf": await stranger.token(), "email": person.email, "password": PASSWORD}
        )
        assert stranger.session not in (None, first)
        assert (await thief.get("/account")).status_code == 303


async def test_signing_out_ends_the_session_on_the_server(sign_in: SignIn, hire: Hire, web: FastAPI) -> None:
    browser = await sign_in(await hire())
    token = browser.session or ""
    answer = await browser.submit("/logout")
    assert answer.headers["location"] == "/login"
    assert browser.session is None
    async with Browser.of(web) as thief:
        thief.keep_session(token)
        assert (await thief.get("/account")).status_code == 303


async def test_who_is_signed_in_goes_on_from_the_form(sign_in: SignIn, hire: Hire) -> None:
    browser = await sign_in(await hire())
    answer = await browser.get("/login?next=/account")
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "", "/\t/evil.example"],
)
async def test_the_way_on_never_leads_to_another_site(elsewhere: str) -> None:
    assert local_path(elsewhere) == "/"


async def test_scripts_are_told_that_the_session_ended(stranger: Browser) -> None:
    answer = await stranger.get("/search?q=a", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/login?next=/search%3Fq%3Da")
    stream = await stranger.get("/search", headers={"Accept": "text/event-stream"})
    assert stream.status_code == 401


async def test_reading_pages_writes_a_sign_of_life_only_now_and_then(
    sign_in: SignIn, hire: Hire, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = await sign_in(await hire())
    touched: list[str] = []
    monkeypatch.setattr(staff_sessions, "touch", lambda s, *, token: touched.append(token))
    await browser.get("/account")
    assert touched == []
    old = house.parts().ui.clock() - timedelta(minutes=2)
    await house.database.write(lambda s: s.execute(update(StaffSessionRow).values(seen_at=old)))
    await browser.get("/account")
    assert touched == [browser.session]
