"""The apps (tenants) that use the service, and where each is told of decisions."""

import base64
import secrets
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Column
from sqlmodel import Field, Session, SQLModel, col, select

from data.columns import UtcDateTime
from data.statements import dialect_of, inserting_if_new
from domain.base import Frozen
from domain.clock import now
from domain.errors import Invalid, NotFound
from domain.ids import new_id


class AppRow(SQLModel, table=True):
    """One tenant."""

    __tablename__ = "apps"

    id: str = Field(primary_key=True)
    name: str = Field(unique=True)
    webhook_url: str | None = None
    webhook_secret: str | None = None
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class App(Frozen):
    """A tenant as it may be shown: without its webhook's secret."""

    id: str
    name: str
    webhook_url: str | None
    created_at: datetime


class Webhook(Frozen):
    """Where an app is told of decisions, and the secret that signs what it is told."""

    url: str
    secret: str


def get_or_create(session: Session, *, name: str) -> App:
    """The app of this name, made if it does not exist."""
    if not 1 <= len(name) <= 100:
        raise Invalid("an app's name must have 1 to 100 characters")
    if (row := _row(session, name)) is None:
        values = {"id": new_id("app"), "name": name, "created_at": now()}
        session.execute(inserting_if_new(AppRow, dialect_of(session)), values)
        row = _row(session, name)
    assert row is not None, "it was there, or was made"
    return _app(row)


def by_name(session: Session, *, name: str) -> App:
    """The app of this name. Raises NotFound."""
    row = _row(session, name)
    if row is None:
        raise NotFound(f"there is no app named {name!r}; 'cupidsshield apps list' shows them")
    return _app(row)


def list_apps(session: Session) -> tuple[App, ...]:
    """All apps by name."""
    return tuple(_app(row) for row in session.exec(select(AppRow).order_by(col(AppRow.name))))


def set_webhook(session: Session, *, name: str, url: str | None) -> str | None:
    """Set or clear an app's webhook; returns the new signing secret, shown this once."""
    row = _row(session, name)
    if row is None:
        raise NotFound(f"there is no app named {name!r}; 'cupidsshield apps list' shows them")
    row.webhook_url = url
    row.webhook_secret = f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}" if url else None
    session.add(row)
    return row.webhook_secret


def webhooks(session: Session, *, app_ids: Collection[str]) -> dict[str, Webhook]:
    """Where these apps are told, by app; those that fetch their messages themselves are left out."""
    rows = session.exec(select(AppRow).where(col(AppRow.id).in_(app_ids)))
    return {
        row.id: Webhook(url=row.webhook_url, secret=row.webhook_secret)
        for row in rows
        if row.webhook_url and row.webhook_secret
    }


def _row(session: Session, name: str) -> AppRow | None:
    return session.exec(select(AppRow).where(AppRow.name == name)).first()


def _app(row: AppRow) -> App:
    return App(id=row.id, name=row.name, webhook_url=row.webhook_url, created_at=row.created_at)
