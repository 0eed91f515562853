"""API keys: `cs_live_`, 192 random bits in base62, a checksum. Only a hash is kept.

The checksum lets a mistyped or invented key be refused without asking the database.
"""

import hashlib
import hmac
import secrets
import string
import zlib
from datetime import datetime

from sqlalchemy import Column
from sqlmodel import Field, Session, SQLModel, col, select

from data.columns import UtcDateTime
from domain.actor import Actor, ActorKind
from domain.base import Frozen
from domain.clock import now
from domain.errors import Invalid, NotAuthenticated, NotFound
from domain.ids import new_id
from domain.vocabulary import Scope

MARK = "cs_live_"
ALPHABET = string.digits + string.ascii_letters
RANDOM_LENGTH = 33
CHECK_LENGTH = 6
SHOWN = len(MARK) + 4
REFUSAL = "this API key is not valid; make one with 'cupidsshield keys create'"


class KeyRow(SQLModel, table=True):
    """One key, by its hash."""

    __tablename__ = "api_keys"

    id: str = Field(primary_key=True)
    app_id: str = Field(foreign_key="apps.id", index=True)
    name: str
    prefix: str
    key_hash: str = Field(unique=True)
    scopes: str
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    expires_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    revoked_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    last_used_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))


class ApiKey(Frozen):
    """A key as it may be shown."""

    id: str
    name: str
    prefix: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class NewKey(Frozen):
    """A key just made; `key` is never available again."""

    id: str
    key: str


def create(
    session: Session, *, app_id: str, name: str, scopes: frozenset[Scope], expires_at: datetime | None
) -> NewKey:
    """Make a key for an app. Any number may live at once, so keys can be rotated without a gap."""
    if not scopes:
        raise Invalid("a key needs at least one scope")
    body = "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_LENGTH))
    key = f"{MARK}{body}{_checksum(body)}"
    row = KeyRow(
        id=new_id("key"),
        app_id=app_id,
        name=name,
        prefix=key[:SHOWN],
        key_hash=_hash(key),
        scopes=",".join(sorted(scopes)),
        created_at=now(),
        expires_at=expires_at,
    )
    session.add(row)
    session.flush()
    return NewKey(id=row.id, key=key)


def verify(session: Session, *, key: str) -> Actor:
    """The actor of a live key. Raises NotAuthenticated, always with the same words."""
    body, check = key[len(MARK) : -CHECK_LENGTH], key[-CHECK_LENGTH:]
    well_formed = key.startswith(MARK) and len(body) == RANDOM_LENGTH and key.isascii()
    if not well_formed or not hmac.compare_digest(check, _checksum(body)):
        raise NotAuthenticated(REFUSAL)
    row = session.exec(select(KeyRow).where(KeyRow.key_hash == _hash(key))).first()
    at = now()
    if row is None or row.revoked_at or (row.expires_at and row.expires_at <= at):
        raise NotAuthenticated(REFUSAL)
    return Actor(kind=ActorKind.APP, id=row.id, app_id=row.app_id, scopes=_scopes(row))


def list_keys(session: Session, *, app_id: str) -> tuple[ApiKey, ...]:
    """An app's keys, newest first."""
    rows = session.exec(select(KeyRow).where(KeyRow.app_id == app_id).order_by(col(KeyRow.created_at).desc()))
    return tuple(
        ApiKey(
            id=row.id,
            name=row.name,
            prefix=row.prefix,
            scopes=_scopes(row),
            created_at=row.created_at,
            expires_at=row.expires_at,
            revoked_at=row.revoked_at,
            last_used_at=row.last_used_at,
        )
        for row in rows
    )


def revoke(session: Session, *, app_id: str, key_id: str) -> None:
    """End a key's life. Raises NotFound for a key that is absent or another app's."""
    row = session.get(KeyRow, key_id)
    if row is None or row.app_id != app_id:
        raise NotFound(f"there is no key {key_id}")
    row.revoked_at = row.revoked_at or now()
    session.add(row)


def touch(session: Session, *, key_id: str) -> None:
    """Note that a key was used."""
    row = session.get(KeyRow, key_id)
    if row is not None:
        row.last_used_at = now()
        session.add(row)


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _checksum(body: str) -> str:
    number, digits = zlib.crc32(body.encode()), []
    for _ in range(CHECK_LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        digits.append(ALPHABET[digit])
    return "".join(digits)


def _scopes(row: KeyRow) -> frozenset[Scope]:
    """What the key may do. A scope that there is no more grants nothing."""
    return frozenset(scope for scope in Scope if scope in row.scopes.split(","))
