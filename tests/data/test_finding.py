"""Finding cases by a few letters: one's own tenants only, exact ones first, none that are hidden."""

from sqlmodel import Session

from data import cases, finding
from data.database import Database
from domain.vocabulary import DecisionKind, Route
from tests import factories


def recorded(session: Session, text: str = "hello", app_id: str = "app_a", user_id: str = "u1") -> str:
    content = factories.content(text, app_id=app_id, user_id=user_id)
    record = factories.record(content, factories.decision(DecisionKind.ESCALATED))
    review = factories.review(record)
    cases.record(session, record=record, review=review, messages=(), memory=None, actor=factories.person(app_id))
    return record.case_id


async def search(database: Database, words: str, app_ids: tuple[str, ...] = ("app_a",), **options: object) -> list[str]:
    found = await database.read(lambda s: finding.find_cases(s, app_ids=app_ids, words=words, **options))  # type: ignore[arg-type]
    return [case.id for case in found]


async def test_by_identifier_user_and_words(database: Database) -> None:
    case_id = await database.write(lambda s: recorded(s, "Send me CRYPTO now", user_id="user-77"))
    other = await database.write(lambda s: recorded(s, "good morning", user_id="user-78"))
    for words in (case_id, case_id[:12], case_id[5:13], "user-77", "crypto", " Crypto ", "ser-77"):
        assert await search(database, words) == [case_id], words
    assert set(await search(database, "user-7")) == {case_id, other}
    for words in ("", " ", "xy", "nothing like it", "100%", "_____"):
        assert await search(database, words) == [], words


async def test_never_across_tenants(database: Database) -> None:
    theirs = await database.write(lambda s: recorded(s, "crypto", app_id="app_b", user_id="user-9"))
    for words in (theirs, "crypto", "user-9"):
        assert await search(database, words) == []
        assert await search(database, words, app_ids=()) == []
        assert await search(database, words, app_ids=("app_a", "app_b")) == [theirs]


async def test_without_the_routes_that_are_hidden(database: Database) -> None:
    case_id = await database.write(lambda s: recorded(s, "crypto"))
    assert await search(database, "crypto", hidden=[Route.LEGAL]) == [case_id]
    assert await search(database, "crypto", hidden=[Route.MODERATOR]) == []
    assert await search(database, case_id, hidden=[Route.MODERATOR]) == []


async def test_not_more_than_wanted_and_each_once(database: Database) -> None:
    for _ in range(5):
        await database.write(lambda s: recorded(s, "crypto crypto", user_id="crypto"))
    found = await search(database, "crypto", limit=3)
    assert len(found) == len(set(found)) == 3
    assert len(set(await search(database, "crypto", limit=10))) == len(await search(database, "crypto", limit=10)) == 5
