"""The whole application in this process: real graph, real MCP servers, real model, a fresh folder.

One house serves all tests of this folder, for it takes seconds to open; each test has apps (tenants) of its own.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from fastapi import FastAPI
from sqlmodel import Session

from cupidsshield.bootstrap import House, open_house
from cupidsshield.settings import read_settings
from data import apps, keys
from domain.ids import new_id
from domain.vocabulary import Scope
from gateway.app import create_app
from gateway.metrics import Metrics
from gateway.parts import Parts
from tests.own_task import in_own_task

HERE = Path(__file__).parent

OpenApp = Callable[..., AbstractAsyncContextManager[FastAPI]]
MakeKey = Callable[..., Awaitable[keys.NewKey]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One event loop for all tests here: it is the one that the house lives in."""
    for item in items:
        if item.path.is_relative_to(HERE) and asyncio.iscoroutinefunction(getattr(item, "obj", None)):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    folder = Path(tmp_path_factory.mktemp("house"))
    async with in_own_task(open_house(read_settings(data_dir=folder, rate_limit="100000/second"))) as house:
        yield house


@asynccontextmanager
async def app_of(parts: Parts) -> AsyncIterator[FastAPI]:
    """A running web application of these parts."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Parts]:
        yield parts

    app = create_app(opened, version="test")
    async with in_own_task(app.router.lifespan_context(app)):
        yield app


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def web(house: House) -> AsyncIterator[FastAPI]:
    async with app_of(house.parts()) as app:
        yield app


@pytest.fixture(scope="session")
def open_app(web: FastAPI) -> OpenApp:
    """Opens another application over the same house, with parts exchanged: `open_app(gate=Gate(1))`.

    It counts for itself, and mounts no MCP servers, for they take long to build.
    """

    def opened(**exchanged: Any) -> AbstractAsyncContextManager[FastAPI]:
        parts: Parts = web.state.parts
        fresh = {"servers": {}, "metrics": Metrics(exchanged.get("gate", parts.gate))}
        return app_of(replace(parts, **fresh, **exchanged))

    return opened


@pytest.fixture(scope="session")
def make_key(house: House) -> MakeKey:
    """Makes a key of a new app, or of the app named."""

    async def make(*scopes: Scope, app: str | None = None, expires_at: datetime | None = None) -> keys.NewKey:
        def work(session: Session) -> keys.NewKey:
            owner = apps.get_or_create(session, name=app or new_id("app"))
            wanted = frozenset(scopes or (Scope.MODERATE, Scope.READ))
            return keys.create(session, app_id=owner.id, name="test", scopes=wanted, expires_at=expires_at)

        return await house.database.write(work)

    return make


def client_of(web: FastAPI, key: str | None = None) -> httpx2.AsyncClient:
    headers = {"X-API-Key": key} if key else {}
    transport = httpx2.ASGITransport(app=web, raise_app_exceptions=False)
    return httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000", headers=headers)


@pytest_asyncio.fixture(loop_scope="session")
async def api(web: FastAPI, make_key: MakeKey) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of an app that nothing has been posted to."""
    async with client_of(web, (await make_key()).key) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="session")
async def other_api(web: FastAPI, make_key: MakeKey) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of another such app."""
    async with client_of(web, (await make_key()).key) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="session")
async def stranger(web: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """A client without a key."""
    async with client_of(web) as client:
        yield client
