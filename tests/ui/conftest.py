"""The console over the whole application in this process, and people to sign in to it.

One house serves all tests of this folder, for it takes seconds to open; each test has apps and accounts of its own.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
from fastapi import FastAPI
from sqlmodel import Session

from cupidsshield.bootstrap import House, open_house
from cupidsshield.settings import read_settings
from data import apps, passwords, staff_sessions
from data import staff as accounts
from domain.ids import new_id
from domain.staff import Role, Staff
from gateway.app import create_app
from gateway.parts import Parts
from tests.own_task import in_own_task
from tests.ui.browsing import PASSWORD, Browser

HERE = Path(__file__).parent

Hire = Callable[..., Awaitable[Staff]]
SignIn = Callable[..., Awaitable[Browser]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One event loop for all tests here: it is the one that the house lives in."""
    for item in items:
        if item.path.is_relative_to(HERE) and asyncio.iscoroutinefunction(getattr(item, "obj", None)):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    folder = Path(tmp_path_factory.mktemp("house"))
    settings = read_settings(data_dir=folder, public_url="https://console.test", rate_limit="100000/second")
    async with in_own_task(open_house(settings)) as house:
        yield house


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def web(house: House) -> AsyncIterator[FastAPI]:
    @asynccontextmanager
    async def opened() -> AsyncIterator[Parts]:
        yield house.parts()

    app = create_app(opened, version="test")
    async with in_own_task(app.router.lifespan_context(app)):
        yield app


@pytest.fixture(scope="session")
def password_hash() -> str:
    """Hashed once: it is slow on purpose."""
    return passwords.hashed(PASSWORD)


@pytest.fixture
def hire(house: House, password_hash: str) -> Hire:
    """Makes an account, with access to a new app unless `app_ids` says otherwise."""

    async def make(role: Role = Role.MODERATOR, *, app_ids: list[str] | None = None, **fields: str) -> Staff:
        def work(session: Session) -> Staff:
            given = [apps.get_or_create(session, name=new_id("app")).id] if app_ids is None else app_ids
            known = {"email": f"{new_id('mail')}@example.org", "name": "Ada", **fields}
            return accounts.create(
                session, role=role, app_ids=given, password_hash=password_hash, by="system:test", **known
            )

        return await house.database.write(work)

    return make


@pytest_asyncio.fixture(loop_scope="session")
async def stranger(web: FastAPI) -> AsyncIterator[Browser]:
    """A browser in which nobody is signed in."""
    async with Browser.of(web) as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="session")
async def sign_in(web: FastAPI, house: House) -> AsyncIterator[SignIn]:
    """Opens a browser in which somebody is signed in already: comparing passwords takes long on purpose."""
    open_browsers: list[httpx2.AsyncClient] = []

    async def opened(person: Staff) -> Browser:
        browser = Browser.of(web)
        open_browsers.append(browser)
        made = await house.database.write(lambda s: staff_sessions.begin(s, staff_id=person.id, client="Firefox Linux"))
        browser.keep_session(made.token)
        return browser

    yield opened
    for browser in open_browsers:
        await browser.aclose()
