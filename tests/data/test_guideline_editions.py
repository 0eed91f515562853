"""Editions of guidelines are kept as they come into force, once each time, and found again by version and moment."""

from datetime import UTC, datetime, timedelta

from sqlmodel import Session

from data import guideline_editions
from data.database import Database
from domain.vocabulary import Policy

START = datetime(2026, 3, 1, tzinfo=UTC)
SCAMS = Policy.SCAMS


def in_force(session: Session, version: str, body: str, day: int) -> int:
    since = START + timedelta(days=day)
    return guideline_editions.keep(session, in_force={SCAMS: (version, body)}, since=since)


def at(session: Session, version: str, day: int) -> str | None:
    return guideline_editions.edition(session, policy=SCAMS, version=version, at=START + timedelta(days=day))


async def test_an_edition_is_kept_when_it_comes_into_force_and_not_again(database: Database) -> None:
    kept = [
        await database.write(lambda s, args=args: in_force(s, *args))  # type: ignore[misc]
        for args in (("1.0.0", "first", 0), ("1.0.0", "first", 1), ("1.1.0", "second", 2), ("1.0.0", "first", 3))
    ]
    assert kept == [1, 0, 1, 1]


async def test_the_one_of_the_moment_is_found(database: Database) -> None:
    def changing(session: Session) -> None:
        in_force(session, "1.0.0", "first", 0)
        in_force(session, "1.0.0", "first, mended", 2)
        in_force(session, "2.0.0", "second", 4)

    await database.write(changing)
    asked = [("1.0.0", 1), ("1.0.0", 3), ("1.0.0", 9), ("2.0.0", 9), ("2.0.0", 3), ("1.0.0", -1), ("3.0.0", 9)]
    found = await database.read(lambda s: [at(s, version, day) for version, day in asked])
    assert found == ["first", "first, mended", "first, mended", "second", None, None, None]


async def test_policies_are_apart(database: Database) -> None:
    await database.write(lambda s: in_force(s, "1.0.0", "first", 0))
    found = await database.read(
        lambda s: guideline_editions.edition(s, policy=Policy.SPAM, version="1.0.0", at=START + timedelta(days=1))
    )
    assert found is None
