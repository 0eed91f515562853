"""Accounts: made, changed, shut; each act noted, the last administrator kept, sessions ended where they must."""

import json

import pytest
from sqlmodel import Session, select

from data import apps, audit, passwords, staff, staff_sessions
from data.database import Database
from domain.errors import Invalid, NotFound
from domain.staff import MAX_PASSWORD, Preferences, Role, Staff, Theme, require_good_password

BY = "system:test"


def made(session: Session, email: str = "ada@example.org", role: Role = Role.MODERATOR, **fields: object) -> Staff:
    known = {"name": "Ada", "app_ids": [], "password_hash": "hash", "by": BY, **fields}
    return staff.create(session, email=email, role=role, **known)  # type: ignore[arg-type]


def noted(session: Session) -> list[tuple[str, str, dict[str, object]]]:
    rows = session.exec(select(audit.AuditRow).where(audit.AuditRow.app_id == staff.NO_APP).order_by(audit.AuditRow.id))  # type: ignore[arg-type]
    return [(row.action, row.actor, json.loads(row.details)) for row in rows]


async def test_an_account_is_found_however_its_address_is_typed(database: Database) -> None:
    person = await database.write(lambda s: made(s, email=" Ada@Example.ORG "))
    assert person.email == "ada@example.org"
    assert await database.read(lambda s: staff.by_email(s, email="ADA@example.org")) == person
    assert await database.read(lambda s: staff.get(s, staff_id=person.id)) == person


async def test_an_address_makes_one_account(database: Database) -> None:
    await database.write(made)
    with pytest.raises(Invalid, match="already"):
        await database.write(lambda s: made(s, email="ADA@example.org"))
    assert len(await database.read(staff.list_staff)) == 1


@pytest.mark.parametrize("address", ["", "ada", "@example.org", "a da@example.org", "ada@", "a@b@c"])
async def test_what_is_no_mail_address_makes_none(database: Database, address: str) -> None:
    with pytest.raises(Invalid, match="mail address"):
        await database.write(lambda s: made(s, email=address))


async def test_apps_are_given_and_taken(database: Database) -> None:
    def work(session: Session) -> tuple[Staff, Staff, list[str]]:
        one, two = (apps.get_or_create(session, name=name).id for name in ("one", "two"))
        person = made(session, app_ids=[one])
        changed = staff.set_apps(session, staff_id=person.id, app_ids=[two], by=BY)
        assert person.app_ids == {one}
        assert changed.app_ids == {two}
        return person, changed, [app.name for app in staff.apps_of(session, staff_id=person.id)]

    person, changed, names = await database.write(work)
    assert names == ["two"]
    assert (await database.read(staff.list_staff))[0] == changed
    with pytest.raises(Invalid, match="does not exist"):
        await database.write(lambda s: staff.set_apps(s, staff_id=person.id, app_ids=["app_none"], by=BY))


class TestSessionsEnd:
    @pytest.fixture
    async def person(self, database: Database) -> Staff:
        return await database.write(made)

    async def signed_in(self, database: Database, person: Staff) -> str:
        return (await database.write(lambda s: staff_sessions.begin(s, staff_id=person.id, client=""))).token

    async def alive(self, database: Database, token: str) -> bool:
        return await database.read(lambda s: staff_sessions.find(s, token=token)) is not None

    async def test_when_the_role_changes(self, database: Database, person: Staff) -> None:
        token = await self.signed_in(database, person)
        await database.write(lambda s: staff.set_role(s, staff_id=person.id, role=Role.MODERATOR, by=BY))
        assert await self.alive(database, token), "it did not change"
        done = await database.write(lambda s: staff.set_role(s, staff_id=person.id, role=Role.SENIOR, by=BY))
        assert done.role is Role.SENIOR
        assert not await self.alive(database, token)

    async def test_when_the_account_is_shut(self, database: Database, person: Staff) -> None:
        token = await self.signed_in(database, person)
        await database.write(lambda s: staff.set_disabled(s, staff_id=person.id, disabled=True, by=BY))
        assert not await self.alive(database, token)
        assert await database.read(lambda s: staff.password_of(s, email=person.email)) == (None, None)
        again = await database.write(lambda s: staff.set_disabled(s, staff_id=person.id, disabled=False, by=BY))
        assert again.disabled_at is None
        assert not await self.alive(database, token), "what ended stays ended"

    async def test_when_the_password_changes_but_for_the_browser_that_changed_it(
        self, database: Database, person: Staff
    ) -> None:
        here, there = await self.signed_in(database, person), await self.signed_in(database, person)
        await database.write(
            lambda s: staff.set_password(s, staff_id=person.id, password_hash="new", by=BY, keeping=here)
        )
        assert (await self.alive(database, here), await self.alive(database, there)) == (True, False)
        assert await database.read(lambda s: staff.password_of(s, email=person.email)) == (person.id, "new")
        await database.write(lambda s: staff.set_password(s, staff_id=person.id, password_hash="newer", by=BY))
        assert not await self.alive(database, here)


async def test_the_last_administrator_cannot_be_lost(database: Database) -> None:
    first = await database.write(lambda s: made(s, role=Role.ADMIN))
    for change in (
        lambda s: staff.set_role(s, staff_id=first.id, role=Role.SENIOR, by=BY),
        lambda s: staff.set_disabled(s, staff_id=first.id, disabled=True, by=BY),
    ):
        with pytest.raises(Invalid, match="last administrator"):
            await database.write(change)
    second = await database.write(lambda s: made(s, email="bo@example.org", role=Role.ADMIN))
    await database.write(lambda s: staff.set_disabled(s, staff_id=second.id, disabled=True, by=BY))
    with pytest.raises(Invalid, match="last administrator"):
        await database.write(lambda s: staff.set_role(s, staff_id=first.id, role=Role.LEGAL, by=BY))


async def test_every_act_is_noted_without_names_or_secrets(database: Database) -> None:
    def work(session: Session) -> list[tuple[str, str, dict[str, object]]]:
        person = made(session)
        staff.set_role(session, staff_id=person.id, role=Role.LEGAL, by="person:boss")
        staff.set_password(session, staff_id=person.id, password_hash="$argon2", by=BY)
        staff.note_signed_in(session, staff_id=person.id, way="password")
        staff.set_preferences(session, staff_id=person.id, preferences=Preferences(theme=Theme.DARK))
        staff.set_disabled(session, staff_id=person.id, disabled=True, by=BY)
        assert staff.get(session, staff_id=person.id).preferences.theme is Theme.DARK
        return noted(session)

    rows = await database.write(work)
    assert [(action, actor) for action, actor, _ in rows if actor in (BY, "person:boss")] == [
        ("staff.created", BY),
        ("staff.role_changed", "person:boss"),
        ("staff.password_set", BY),
        ("staff.disabled", BY),
    ]
    assert {"staff.signed_in", "staff.preferences_set"} <= {action for action, _, _ in rows}
    assert all("ada" not in json.dumps(details).lower() and "argon" not in json.dumps(details) for *_, details in rows)


class TestAProvider:
    async def test_is_bound_to_the_account_at_the_first_sign_in(self, database: Database) -> None:
        person = await database.write(made)
        for _ in range(2):
            assert (
                await database.write(lambda s: staff.recognise(s, email="ADA@example.org", subject="i|1")) == person.id
            )

    async def test_vouches_for_no_other_subject_afterwards(self, database: Database) -> None:
        await database.write(made)
        await database.write(lambda s: staff.recognise(s, email="ada@example.org", subject="i|1"))
        with pytest.raises(NotFound):
            await database.write(lambda s: staff.recognise(s, email="ada@example.org", subject="i|2"))

    async def test_opens_one_account_and_none_that_is_shut_or_absent(self, database: Database) -> None:
        person = await database.write(made)
        await database.write(lambda s: made(s, email="bo@example.org"))
        await database.write(lambda s: staff.recognise(s, email="ada@example.org", subject="i|1"))
        await database.write(lambda s: staff.set_disabled(s, staff_id=person.id, disabled=True, by=BY))
        for email in ("ada@example.org", "bo@example.org", "nobody@example.org"):
            with pytest.raises(NotFound):
                await database.write(lambda s, email=email: staff.recognise(s, email=email, subject="i|1"))

    async def test_is_forgotten_when_an_administrator_sets_the_password_but_not_when_its_owner_does(
        self, database: Database
    ) -> None:
        person = await database.write(made)
        await database.write(lambda s: staff.recognise(s, email="ada@example.org", subject="i|1"))
        own = f"person:{person.id}"
        await database.write(lambda s: staff.set_password(s, staff_id=person.id, password_hash="x", by=own))
        with pytest.raises(NotFound):
            await database.write(lambda s: staff.recognise(s, email="ada@example.org", subject="i|2"))
        await database.write(lambda s: staff.set_password(s, staff_id=person.id, password_hash="x", by=BY))
        assert await database.write(lambda s: staff.recognise(s, email="ada@example.org", subject="i|2")) == person.id


class TestPasswords:
    def test_match_themselves_and_nothing_else(self) -> None:
        kept = passwords.hashed("correct horse battery")
        assert kept.startswith("$argon2id$")
        assert passwords.matches(kept, "correct horse battery")
        assert not passwords.matches(kept, "correct horse batterz")

    def test_match_however_the_keyboard_writes_a_letter(self) -> None:
        assert passwords.matches(
            passwords.hashed("cafe\u0301 au lait, s'il vous plait"), "café au lait, s'il vous plait"
        )

    def test_never_match_where_there_is_none(self) -> None:
        assert not passwords.matches(None, "")
        assert not passwords.matches("not a hash", "not a hash")

    @pytest.mark.parametrize("bad", ["", "short", "elevenchars", "a" * 20, "Ada@Example.org", "x y" * MAX_PASSWORD])
    def test_that_are_bad_are_refused(self, bad: str) -> None:
        with pytest.raises(Invalid):
            require_good_password(bad, email="ada@example.org")

    @pytest.mark.parametrize(
        "good", ["twelve chars", "пароль из слов", "ab" * (MAX_PASSWORD // 2)], ids=["latin", "cyrillic", "long"]
    )
    def test_that_are_good_are_taken(self, good: str) -> None:
        require_good_password(good, email="ada@example.org")

    def test_that_are_made_are_good_and_never_the_same(self) -> None:
        made = [passwords.generated() for _ in range(20)]
        for password in made:
            require_good_password(password, email="ada@example.org")
        assert len(set(made)) == 20
