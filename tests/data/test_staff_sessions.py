"""Sessions: only a hash is kept, age is judged by the database's clock, and ended is ended."""

from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlmodel import Session, col, select

from data import staff, staff_sessions
from data.clock import database_now
from data.database import Database
from data.staff_sessions import ABSOLUTE, IDLE
from data.staff_table import StaffSessionRow
from domain.errors import NotFound
from domain.staff import Role


async def account(database: Database, email: str = "ada@example.org") -> str:
    def work(session: Session) -> str:
        known = {"name": "Ada", "role": Role.MODERATOR, "app_ids": [], "password_hash": None, "by": "system:test"}
        return staff.create(session, email=email, **known).id  # type: ignore[arg-type]

    return await database.write(work)


async def begun(database: Database, staff_id: str) -> str:
    return (await database.write(lambda s: staff_sessions.begin(s, staff_id=staff_id, client="Firefox"))).token


async def found(database: Database, token: str) -> bool:
    return await database.read(lambda s: staff_sessions.find(s, token=token)) is not None


async def shift(database: Database, **columns: timedelta) -> None:
    """Set columns of all sessions to so far from now, by the database's clock."""
    await database.write(
        lambda s: s.execute(update(StaffSessionRow).values({n: database_now(s, d) for n, d in columns.items()}))
    )


async def test_a_token_opens_its_session_and_is_not_kept(database: Database) -> None:
    staff_id = await account(database)
    made = await database.write(lambda s: staff_sessions.begin(s, staff_id=staff_id, client="x" * 999))
    session = await database.read(lambda s: staff_sessions.find(s, token=made.token))
    assert session is not None
    assert (session.staff_id, session.csrf) == (staff_id, made.csrf)
    assert abs(session.expires_at - session.created_at - ABSOLUTE) < timedelta(seconds=1)
    (row,) = await database.read(lambda s: list(s.exec(select(StaffSessionRow))))
    assert made.token not in row.model_dump_json()
    assert len(row.client) == 200
    assert not await found(database, made.token + "x")
    assert len(made.token) * 6 >= 160


async def test_nonsense_opens_nothing(database: Database) -> None:
    await begun(database, await account(database))
    for token in ("", "ü", "\ud800", "x" * 5_000):
        assert not await found(database, token)


class TestASessionEnds:
    async def test_after_eight_hours_without_a_sign_of_life(self, database: Database) -> None:
        token = await begun(database, await account(database))
        await shift(database, seen_at=-IDLE + timedelta(minutes=1))
        assert await found(database, token)
        await shift(database, seen_at=-IDLE - timedelta(seconds=1))
        assert not await found(database, token)

    async def test_after_a_day_however_busy(self, database: Database) -> None:
        token = await begun(database, await account(database))
        await shift(database, expires_at=timedelta(minutes=1))
        assert await found(database, token)
        await shift(database, expires_at=timedelta(seconds=-1))
        assert not await found(database, token)

    async def test_and_no_sign_of_life_wakes_it(self, database: Database) -> None:
        token = await begun(database, await account(database))
        await shift(database, seen_at=-IDLE - timedelta(seconds=1))
        await database.write(lambda s: staff_sessions.touch(s, token=token))
        assert not await found(database, token)

    async def test_and_is_cleared_away_at_the_next_sign_in(self, database: Database) -> None:
        staff_id = await account(database)
        await begun(database, staff_id)
        await shift(database, expires_at=timedelta(seconds=-1))
        await begun(database, staff_id)
        assert len(await database.read(lambda s: s.exec(select(StaffSessionRow)).all())) == 1


async def test_a_sign_of_life_is_written_once_a_minute(database: Database) -> None:
    token = await begun(database, await account(database))

    async def seen() -> object:
        return (await database.read(lambda s: s.exec(select(col(StaffSessionRow.seen_at))).all()))[0]

    first = await seen()
    await database.write(lambda s: staff_sessions.touch(s, token=token))
    assert await seen() == first
    await shift(database, seen_at=timedelta(minutes=-2))
    old = await seen()
    await database.write(lambda s: staff_sessions.touch(s, token=token))
    assert await seen() > old  # type: ignore[operator]


async def test_somebody_ends_their_own_sessions_and_nobody_elses(database: Database) -> None:
    ada, bo = await account(database), await account(database, "bo@example.org")
    one, two, theirs = [await begun(database, staff_id) for staff_id in (ada, ada, bo)]
    listed = await database.read(lambda s: staff_sessions.list_for(s, staff_id=ada))
    assert len(listed) == 2
    (other,) = await database.read(lambda s: staff_sessions.list_for(s, staff_id=bo))
    with pytest.raises(NotFound):
        await database.write(lambda s: staff_sessions.end_one(s, staff_id=ada, session_id=other.id))
    await database.write(lambda s: staff_sessions.end(s, token=one))
    assert [await found(database, token) for token in (one, two, theirs)] == [False, True, True]
    await database.write(lambda s: staff_sessions.end_all(s, staff_id=ada))
    assert [await found(database, token) for token in (two, theirs)] == [False, True]
