"""The fresh database of each test, open."""

from collections.abc import AsyncIterator

import pytest

from data.database import Database


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    await database.start()
    yield database
    await database.close()
