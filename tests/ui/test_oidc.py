"""Signing in by OpenID Connect, against a provider that keeps to the protocol and one that does not."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from fastapi import FastAPI
from joserfc.jwk import OctKey

from cupidsshield.bootstrap import House
from data import staff as accounts
from gateway.app import create_app
from gateway.parts import Parts
from tests.own_task import in_own_task
from tests.ui.browsing import ORIGIN, Browser
from tests.ui.conftest import Hire
from tests.ui.provider import CLIENT_ID, CLIENT_SECRET, LocalProvider, key, serving
from ui.oidc import Provider
from ui.routes.oidc import RETURN_PATH

RETURN = ORIGIN + RETURN_PATH


@pytest_asyncio.fixture(loop_scope="session")
async def provider() -> AsyncIterator[LocalProvider]:
    async with in_own_task(serving(RETURN)) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def browser(web: FastAPI, provider: LocalProvider) -> AsyncIterator[Browser]:
    """At a console that knows the provider."""
    parts: Parts = web.state.parts
    client = Provider(
        name="Single Sign", issuer=provider.issuer, client_id=CLIENT_ID, client_secret=CLIENT_SECRET, return_url=RETURN
    )

    @asynccontextmanager
    async def opened() -> AsyncIterator[Parts]:
        yield replace(parts, servers={}, ui=replace(parts.ui, oidc=client))

    app = create_app(opened, version="test")
    async with in_own_task(app.router.lifespan_context(app)), Browser.of(app) as browser:
        yield browser


async def sent_back(browser: Browser, next: str = "/account") -> str:
    """The address to which the provider sends the browser back."""
    out = await browser.get("/login/oidc", params={"next": next})
    assert out.status_code == 303, out.text
    async with httpx2.AsyncClient() as elsewhere:
        answer = await elsewhere.get(out.headers["location"])
    assert answer.status_code == 302, answer.text
    return answer.headers["location"].removeprefix(ORIGIN)


async def test_an_account_is_signed_in_by_its_verified_mail_address(
    browser: Browser, provider: LocalProvider, hire: Hire, house: House
) -> None:
    person = await hire()
    provider.user["email"] = person.email.upper()
    assert "Sign in with Single Sign" in (await browser.get("/login")).text
    answer = await browser.get(await sent_back(browser))
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    assert person.email in (await browser.get("/account")).text
    seen = await house.database.read(lambda s: accounts.get(s, staff_id=person.id))
    assert seen.last_login_at is not None


async def test_the_mail_address_may_come_from_the_userinfo(
    browser: Browser, provider: LocalProvider, hire: Hire
) -> None:
    person = await hire()
    provider.user |= {"email": person.email, "sub": "userinfo-1"}
    provider.mail_in_token = False
    assert (await browser.get(await sent_back(browser))).status_code == 303
    provider.lie = {"sub": "somebody-else"}
    assert (await browser.get(await sent_back(browser))).status_code == 401


async def refused(browser: Browser, path: str) -> str:
    answer = await browser.get(path)
    assert answer.status_code == 401
    assert browser.session is None
    return answer.text


async def test_nobody_gets_an_account_by_it(browser: Browser, provider: LocalProvider) -> None:
    provider.user["email"] = "nobody@example.org"
    assert "There is no account for you here" in await refused(browser, await sent_back(browser))


@pytest.mark.parametrize("verified", [False, None, "true", 1])
async def test_an_address_that_was_not_verified_counts_for_nothing(
    browser: Browser, provider: LocalProvider, hire: Hire, verified: Any
) -> None:
    provider.user |= {"email": (await hire()).email, "email_verified": verified}
    assert "has not verified" in await refused(browser, await sent_back(browser))


async def test_a_mail_address_that_passed_to_somebody_else_opens_nothing(
    browser: Browser, provider: LocalProvider, hire: Hire
) -> None:
    provider.user |= {"email": (await hire()).email, "sub": "first"}
    assert (await browser.get(await sent_back(browser))).status_code == 303
    browser.cookies.clear()
    provider.user["sub"] = "second"
    assert "no account" in await refused(browser, await sent_back(browser))


LIES: list[dict[str, Any]] = [
    {"nonce": "of another sign-in"},
    {"iss": "https://evil.example"},
    {"aud": "another-client"},
    {"aud": [CLIENT_ID, "another-client"], "azp": "another-client"},
    {"exp": int(time.time()) - 3_600},
    {"iat": None},
    {"at_hash": "bm90IHRoZSBoYXNo"},
]


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: next(iter(lie)))
async def test_a_token_with_a_false_claim_is_refused(
    browser: Browser, provider: LocalProvider, hire: Hire, lie: dict[str, Any]
) -> None:
    provider.user["email"] = (await hire()).email
    provider.lie = lie
    assert "cannot be trusted" in await refused(browser, await sent_back(browser))


@pytest.mark.parametrize("forged", ["another key", "our own secret"])
async def test_a_token_that_the_provider_did_not_sign_is_refused(
    browser: Browser, provider: LocalProvider, hire: Hire, forged: str
) -> None:
    provider.user["email"] = (await hire()).email
    if forged == "another key":
        provider.sign_with = key("1", "somebody else")
    else:
        provider.sign_with, provider.algorithm = OctKey.import_key(CLIENT_SECRET * 2), "HS256"
    assert "cannot be trusted" in await refused(browser, await sent_back(browser))


async def test_a_provider_may_change_its_keys(browser: Browser, provider: LocalProvider, hire: Hire) -> None:
    provider.user |= {"email": (await hire()).email, "sub": "keys"}
    assert (await browser.get(await sent_back(browser))).status_code == 303
    provider.key = key("2")
    assert (await browser.get(await sent_back(browser))).status_code == 303


async def test_an_answer_is_taken_once_and_only_in_the_browser_that_asked(
    browser: Browser, provider: LocalProvider, hire: Hire, stranger: Browser
) -> None:
    provider.user |= {"email": (await hire()).email, "sub": "once"}
    path = await sent_back(browser)
    kept = browser.cookies.get("__Host-cupidsshield-oidc")
    assert kept
    browser.cookies.clear()
    assert "another browser" in await refused(browser, path)
    await sent_back(browser)
    assert "another browser" in await refused(browser, path), "the state is that of the first try"
    browser.cookies.set("__Host-cupidsshield-oidc", kept, domain="console.test", path="/")
    assert (await browser.get(path)).status_code == 303
    browser.cookies.clear()
    browser.cookies.set("__Host-cupidsshield-oidc", kept, domain="console.test", path="/")
    assert "cannot be trusted" in await refused(browser, path), "the code was used"


@pytest.mark.parametrize("change", ["error=access_denied&", "iss=https%3A%2F%2Fevil.example&"])
async def test_a_refusal_or_another_issuer_signs_nobody_in(
    browser: Browser, provider: LocalProvider, hire: Hire, change: str
) -> None:
    provider.user["email"] = (await hire()).email
    path = (await sent_back(browser)).partition("&iss=")[0]
    assert "did not sign you in" in await refused(browser, path.replace("?", f"?{change}"))


async def test_a_provider_that_does_not_answer_is_said_to_be_down(web: FastAPI) -> None:
    parts: Parts = web.state.parts
    gone = Provider(name="Gone", issuer="http://127.0.0.1:9", client_id="a", client_secret="b", return_url=RETURN)

    @asynccontextmanager
    async def opened() -> AsyncIterator[Parts]:
        yield replace(parts, servers={}, ui=replace(parts.ui, oidc=gone))

    app = create_app(opened, version="test")
    async with in_own_task(app.router.lifespan_context(app)), Browser.of(app) as browser:
        answer = await browser.get("/login/oidc")
    assert answer.status_code == 503
    assert "does not answer" in answer.text


async def test_without_a_provider_there_is_nothing(stranger: Browser) -> None:
    assert (await stranger.get("/login/oidc")).status_code == 404
    assert (await stranger.get(RETURN_PATH)).status_code == 404
    assert "/login/oidc" not in (await stranger.get("/login")).text
