"""Keys are shown once, verified by their hash, bounded by scope, term and tenant."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text, update
from sqlmodel import Session

from data import apps, keys
from data.database import Database
from domain.clock import now
from domain.errors import Invalid, NotAuthenticated, NotFound
from domain.vocabulary import Scope

READ = frozenset({Scope.READ})


def made(session: Session, *, expires_in: timedelta | None = None) -> keys.NewKey:
    owner = apps.get_or_create(session, name="one")
    expires_at = now() + expires_in if expires_in else None
    return keys.create(session, app_id=owner.id, name="test", scopes=READ, expires_at=expires_at)


async def test_a_key_opens_its_own_app(database: Database) -> None:
    new = await database.write(made)
    actor = await database.read(lambda s: keys.verify(s, key=new.key))
    owner = await database.read(lambda s: apps.by_name(s, name="one"))
    assert (actor.id, actor.app_id, actor.scopes) == (new.id, owner.id, READ)


async def test_the_secret_is_nowhere_in_the_database(database: Database) -> None:
    new = await database.write(made)
    rows = await database.read(lambda s: s.execute(text("SELECT * FROM api_keys")).all())
    assert new.key not in str(rows)


@pytest.mark.parametrize(
    "change", [str.lower, lambda key: key[:-1], lambda key: key + "x", lambda key: "", str.swapcase]
)
async def test_a_changed_key_is_refused(database: Database, change: object) -> None:
    new = await database.write(made)
    with pytest.raises(NotAuthenticated):
        await database.read(lambda s: keys.verify(s, key=change(new.key)))  # type: ignore[operator]


async def test_expired_and_revoked_keys_are_refused_with_the_same_words(database: Database) -> None:
    expired = await database.write(lambda s: made(s, expires_in=timedelta(seconds=-1)))
    revoked = await database.write(made)
    owner = await database.read(lambda s: apps.by_name(s, name="one"))
    await database.write(lambda s: keys.revoke(s, app_id=owner.id, key_id=revoked.id))
    told = set()
    for key in (expired.key, revoked.key, "cs_live_invented"):
        with pytest.raises(NotAuthenticated) as refusal:
            await database.read(lambda s, key=key: keys.verify(s, key=key))
        told.add(str(refusal.value))
    assert len(told) == 1


async def test_two_keys_live_at_once_for_rotation(database: Database) -> None:
    old, new = await database.write(made), await database.write(made)
    for key in (old.key, new.key):
        assert await database.read(lambda s, key=key: keys.verify(s, key=key))


async def test_nobody_revokes_another_apps_key(database: Database) -> None:
    new = await database.write(made)
    with pytest.raises(NotFound):
        await database.write(lambda s: keys.revoke(s, app_id="app_b", key_id=new.id))


async def test_a_scope_that_there_is_no_more_grants_nothing(database: Database) -> None:
    new = await database.write(made)
    old = update(keys.KeyRow).values(scopes="admin,read")
    await database.write(lambda s: s.execute(old))
    assert (await database.read(lambda s: keys.verify(s, key=new.key))).scopes == {Scope.READ}


async def test_a_key_needs_a_scope(database: Database) -> None:
    with pytest.raises(Invalid):
        await database.write(lambda s: keys.create(s, app_id="a", name="", scopes=frozenset(), expires_at=None))


@given(body=st.text(alphabet=keys.ALPHABET, min_size=keys.RANDOM_LENGTH, max_size=keys.RANDOM_LENGTH))
def test_the_checksum_notices_every_single_change(body: str) -> None:
    changed = ("1" if body[0] == "0" else "0") + body[1:]
    assert keys._checksum(body) != keys._checksum(changed)
