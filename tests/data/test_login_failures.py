"""Guessing is slow: five failures for a mail address, twenty from one place, then a quarter of an hour of nothing."""

import asyncio
from datetime import timedelta

from sqlalchemy import update
from sqlmodel import select

from data import login_failures
from data.clock import database_now
from data.database import Database
from data.login_failures import BLOCK, MOST_BY_CLIENT, MOST_BY_MAIL, WINDOW
from data.staff_table import LoginFailureRow

ADA, HOME = "ada@example.org", "203.0.113.7"


async def attempt(database: Database, email: str = ADA, client: str = HOME) -> bool:
    return await database.write(lambda s: login_failures.attempt(s, email=email, client=client))


async def succeed(database: Database, email: str = ADA, client: str = HOME) -> None:
    await database.write(lambda s: login_failures.succeeded(s, email=email, client=client))


async def let_pass(database: Database, **columns: timedelta) -> None:
    await database.write(
        lambda s: s.execute(update(LoginFailureRow).values({n: database_now(s, d) for n, d in columns.items()}))
    )


async def test_a_mail_address_is_blocked_after_five_failures_from_anywhere(database: Database) -> None:
    tries = [await attempt(database, client=f"198.51.100.{n}") for n in range(MOST_BY_MAIL + 2)]
    assert tries == [True] * MOST_BY_MAIL + [False] * 2
    assert not await attempt(database, email=" ADA@Example.org")
    assert await attempt(database, email="bo@example.org")


async def test_a_place_is_blocked_after_twenty_failures_for_anybody(database: Database) -> None:
    tries = [await attempt(database, email=f"user{n}@example.org") for n in range(MOST_BY_CLIENT + 1)]
    assert tries == [True] * MOST_BY_CLIENT + [False]
    assert await attempt(database, email="new@example.org", client="198.51.100.1")


async def test_guesses_at_the_same_moment_count_like_one_after_the_other(database: Database) -> None:
    tries = await asyncio.gather(*(attempt(database, client=f"198.51.100.{n}") for n in range(30)))
    assert tries.count(True) == MOST_BY_MAIL


async def test_the_right_password_wipes_the_slate_of_the_address_and_is_no_failure_of_the_place(
    database: Database,
) -> None:
    for _ in range(3):
        for _ in range(MOST_BY_MAIL - 1):
            assert await attempt(database)
        assert await attempt(database), "the fifth may be right"
        await succeed(database)
    for n in range(MOST_BY_CLIENT - 3 * (MOST_BY_MAIL - 1)):
        assert await attempt(database, email=f"user{n}@example.org"), "twelve failures came before"
    assert not await attempt(database, email="bo@example.org")


async def test_failures_are_forgotten_after_a_quarter_of_an_hour(database: Database) -> None:
    for _ in range(MOST_BY_MAIL - 1):
        await attempt(database)
    await let_pass(database, since=-WINDOW - timedelta(seconds=1))
    assert [await attempt(database) for _ in range(MOST_BY_MAIL + 1)] == [True] * MOST_BY_MAIL + [False]


async def test_a_block_ends_after_a_quarter_of_an_hour_and_not_before(database: Database) -> None:
    for _ in range(MOST_BY_MAIL):
        await attempt(database)
    await let_pass(database, since=-WINDOW - BLOCK, blocked_until=timedelta(seconds=30))
    assert not await attempt(database)
    await let_pass(database, blocked_until=timedelta(seconds=-1))
    assert await attempt(database)


async def test_the_table_names_nobody(database: Database) -> None:
    await attempt(database)
    rows = await database.read(lambda s: s.exec(select(LoginFailureRow)).all())
    assert len(rows) == 2
    assert not any(ADA in row.key or HOME in row.key for row in rows)
