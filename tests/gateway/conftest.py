"""The whole application in this process: real graph, real MCP servers, real model, a fresh folder."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TypeVar

import httpx2
import pytest
from fastapi import FastAPI
from sqlmodel import Session

from cupidsshield.bootstrap import House, open_house
from cupidsshield.settings import read_settings
from data import apps, keys
from domain.vocabulary import Scope
from gateway.app import create_app
from gateway.parts import Parts

T = TypeVar("T")


@asynccontextmanager
async def in_own_task(opened: AbstractAsyncContextManager[T]) -> AsyncIterator[T]:
    """Enter and leave in one task, as servers do; pytest sets fixtures up and down in different ones."""
    ready: asyncio.Future[T] = asyncio.get_running_loop().create_future()
    over = asyncio.Event()

    async def live() -> None:
        async with opened as value:
            ready.set_result(value)
            await over.wait()

    task = asyncio.create_task(live())
    done, _ = await asyncio.wait({task, asyncio.ensure_future(ready)}, return_when=asyncio.FIRST_COMPLETED)
    if task in done:
        await task
    yield ready.result()
    over.set()
    await task


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    folder = Path(tmp_path_factory.mktemp("house"))
    async with in_own_task(open_house(read_settings(data_dir=folder, rate_limit="100000/second"))) as house:
        yield house


@pytest.fixture(scope="module")
async def web(house: House) -> AsyncIterator[FastAPI]:
    @asynccontextmanager
    async def parts() -> AsyncIterator[Parts]:
        yield house.parts()

    app = create_app(parts, version="test")
    async with in_own_task(app.router.lifespan_context(app)):
        yield app


async def key_for(house: House, app: str, *scopes: Scope) -> str:
    def make(session: Session) -> str:
        owner = apps.get_or_create(session, name=app)
        return keys.create(session, app_id=owner.id, name="test", scopes=frozenset(scopes), expires_at=None).key

    return await house.database.write(make)


def client_of(web: FastAPI, key: str | None) -> httpx2.AsyncClient:
    headers = {"X-API-Key": key} if key else {}
    transport = httpx2.ASGITransport(app=web, raise_app_exceptions=False)
    return httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000", headers=headers)


@pytest.fixture
async def api(web: FastAPI, house: House) -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(web, await key_for(house, "app one", Scope.MODERATE, Scope.READ)) as client:
        yield client


@pytest.fixture
async def other_api(web: FastAPI, house: House) -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(web, await key_for(house, "app two", Scope.MODERATE, Scope.READ)) as client:
        yield client
