"""The tables of accounts: who reviews, for which tenants, by which sessions, and what they keep for themselves."""

from datetime import datetime

from sqlalchemy import Column
from sqlmodel import Field, SQLModel

from data.columns import UtcDateTime


class StaffRow(SQLModel, table=True):
    """One account. Without a password hash it signs in by OpenID Connect alone."""

    __tablename__ = "staff"

    id: str = Field(primary_key=True)
    email: str = Field(unique=True)
    name: str
    role: str
    password_hash: str | None = None
    oidc_subject: str | None = Field(default=None, unique=True)
    preferences: str
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    disabled_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    last_login_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))


class StaffAppRow(SQLModel, table=True):
    """One tenant given to one account."""

    __tablename__ = "staff_apps"

    staff_id: str = Field(primary_key=True, foreign_key="staff.id")
    app_id: str = Field(primary_key=True, foreign_key="apps.id")


class StaffSessionRow(SQLModel, table=True):
    """One signed-in browser. The cookie holds the token, the table only its hash; `client` is how it named itself."""

    __tablename__ = "staff_sessions"

    token_hash: str = Field(primary_key=True)
    staff_id: str = Field(foreign_key="staff.id", index=True)
    csrf: str
    client: str = ""
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    seen_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    expires_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))


class LoginFailureRow(SQLModel, table=True):
    """Failed sign-ins under one key (a digest of an address or of a mail address) in the running window."""

    __tablename__ = "login_failures"

    key: str = Field(primary_key=True)
    failures: int
    since: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    blocked_until: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))


class SavedViewRow(SQLModel, table=True):
    """A view of the queue that somebody named: the query string of its filters."""

    __tablename__ = "saved_views"

    id: str = Field(primary_key=True)
    staff_id: str = Field(foreign_key="staff.id", index=True)
    name: str
    query: str
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class SnippetRow(SQLModel, table=True):
    """A piece of reasoning that somebody uses often; without an owner it is everybody's."""

    __tablename__ = "snippets"

    id: str = Field(primary_key=True)
    staff_id: str | None = Field(default=None, foreign_key="staff.id", index=True)
    title: str
    text: str
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class ExposureRow(SQLModel, table=True):
    """How much of which severity somebody looked at on one day (ISO date, UTC)."""

    __tablename__ = "exposure"

    staff_id: str = Field(primary_key=True, foreign_key="staff.id")
    day: str = Field(primary_key=True)
    severity: str = Field(primary_key=True)
    items: int = 0
    seconds: float = 0.0


class GoldenRow(SQLModel, table=True):
    """A case whose right answer is known: given out blind, to measure reviewers."""

    __tablename__ = "golden_items"

    case_id: str = Field(primary_key=True, foreign_key="moderation_cases.id")
    app_id: str = Field(index=True)
    decision: str
    policy: str | None = None
    severity: str | None = None
    set_by: str
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
