"""Writes are committed in groups, fail alone, and are answered only when they are kept."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlmodel import Session

from data import apps, migrate
from data.database import QUEUE, Database, engine_for
from data.database import _begins as begins
from domain.errors import DatabaseUnavailable, Overloaded, SettingsError


async def names(database: Database) -> set[str]:
    return {app.name for app in await database.read(apps.list_apps)}


async def test_what_was_written_can_be_read(database: Database) -> None:
    made = await database.write(lambda session: apps.get_or_create(session, name="one"))
    assert await database.read(lambda session: apps.by_name(session, name="one")) == made


async def test_one_failure_in_a_group_fails_alone(database: Database) -> None:
    def fail(session: Session) -> None:
        apps.get_or_create(session, name="never kept")
        raise LookupError("on purpose")

    def keep(number: int) -> object:
        return database.write(lambda session: apps.get_or_create(session, name=f"app {number}"))

    done = await asyncio.gather(
        *(keep(n) if n % 3 else database.write(fail) for n in range(30)), return_exceptions=True
    )
    assert [isinstance(outcome, LookupError) for outcome in done] == [n % 3 == 0 for n in range(30)]
    assert await names(database) == {f"app {n}" for n in range(30) if n % 3}


async def test_an_integrity_error_fails_alone(database: Database) -> None:
    insert = text("INSERT INTO apps (id, name, created_at) VALUES (:id, 'twin', '2026-01-01')")
    done = await asyncio.gather(
        *(database.write(lambda session, n=n: session.execute(insert, {"id": str(n)})) for n in range(5)),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, Exception) for outcome in done) == 4
    assert await names(database) == {"twin"}


async def test_a_full_queue_turns_callers_away(database: Database) -> None:
    release = threading.Event()

    def block(session: Session) -> None:
        release.wait(10)

    waiting = [asyncio.ensure_future(database.write(block)) for _ in range(QUEUE + 200)]
    await asyncio.sleep(0)
    refused = [task for task in waiting if task.done() and isinstance(task.exception(), Overloaded)]
    release.set()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert refused


async def test_a_database_that_cannot_be_reached_says_so(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/absent/folder.db")
    await database.start()
    with pytest.raises(DatabaseUnavailable):
        await database.write(apps.list_apps)
    with pytest.raises(DatabaseUnavailable):
        await database.read(apps.list_apps)
    assert await database.answers() is False
    await database.close()


@asynccontextmanager
async def held(url: str) -> AsyncIterator[None]:
    """Another process is in the midst of writing, with all that this locks, until the block ends."""
    other = Database(url)
    await other.start()
    entered, release = threading.Event(), threading.Event()

    def hold(session: Session) -> None:
        apps.get_or_create(session, name="first")
        entered.set()
        release.wait(10)

    holding = asyncio.ensure_future(other.write(hold))
    try:
        assert await asyncio.to_thread(entered.wait, 10)
        yield
    finally:
        release.set()
        await holding
        await other.close()


async def test_writes_wait_for_another_process_that_holds_the_lock(
    database: Database, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = asyncio.Semaphore(0)
    loop = asyncio.get_running_loop()

    def counted(connection: Connection, *, last: bool) -> bool:
        free = begins(connection, last=last)
        loop.call_soon_threadsafe(looks.release)
        return free

    monkeypatch.setattr("data.database._begins", counted)
    async with held(url):
        second = asyncio.ensure_future(database.write(lambda session: apps.get_or_create(session, name="second")))
        if url.startswith("sqlite"):
            for _ in range(4):
                await asyncio.wait_for(looks.acquire(), 10)
            assert not second.done(), "it has looked for the lock more than once, and goes on looking"
    await second
    assert await names(database) == {"first", "second"}


async def test_a_lock_that_is_not_given_back_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path / 'held.db'}"
    migrate.upgrade(url)
    monkeypatch.setattr("data.database.LOCK_WAIT_S", 0.1)
    database = Database(url)
    await database.start()
    async with held(url):
        with pytest.raises(DatabaseUnavailable, match="SQLITE_BUSY"):
            await database.write(lambda session: apps.get_or_create(session, name="second"))
    assert await names(database) == {"first"}
    await database.write(lambda session: apps.get_or_create(session, name="second"))
    assert await names(database) == {"first", "second"}
    await database.close()


def test_migrations_and_tables_agree(url: str) -> None:
    assert migrate.current(url) == migrate.head()
    assert migrate.differences(url) == []


def test_a_database_of_a_newer_version_is_refused_clearly(url: str) -> None:
    engine = engine_for(url, writing=True)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(SettingsError, match="newer version"):
        migrate.upgrade(url)


def test_upgrading_twice_changes_nothing(url: str) -> None:
    migrate.upgrade(url)
    assert migrate.current(url) == migrate.head()
