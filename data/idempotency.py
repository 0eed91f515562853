"""Idempotency keys: the first answer is kept for a day and given again."""

from datetime import datetime, timedelta

from sqlalchemy import Column, delete
from sqlmodel import Field, Session, SQLModel, col

from data.columns import UtcDateTime
from data.statements import dialect_of, inserting_if_new
from domain.base import Frozen
from domain.clock import now
from domain.errors import IdempotencyMismatch, RequestInProgress

KEPT = timedelta(hours=24)
ABANDONED_AFTER = timedelta(seconds=60)


class IdempotencyRow(SQLModel, table=True):
    """One key of one app. `status` and `body` are set once there is an answer."""

    __tablename__ = "idempotency"

    app_id: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    request_hash: str
    status: int | None = None
    body: str | None = None
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    expires_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))


class Replay(Frozen):
    """The first answer: status and body as they were."""

    status: int
    body: str


def begin(session: Session, *, app_id: str, key: str, request_hash: str) -> Replay | None:
    """Start on a request, or give the first answer again.

    Raises IdempotencyMismatch for a key used with other parameters, RequestInProgress while the first
    request is being worked on (a start older than a minute is taken to have died).
    """
    at = now()
    values = {"app_id": app_id, "key": key, "request_hash": request_hash, "created_at": at, "expires_at": at + KEPT}
    if session.execute(inserting_if_new(IdempotencyRow, dialect_of(session)), values).first():
        return None
    row = session.get_one(IdempotencyRow, (app_id, key), with_for_update=True, populate_existing=True)
    if row.expires_at > at:
        if row.request_hash != request_hash:
            raise IdempotencyMismatch("this Idempotency-Key was used with other parameters; use a new key")
        if row.status is not None and row.body is not None:
            return Replay(status=row.status, body=row.body)
        if row.created_at > at - ABANDONED_AFTER:
            raise RequestInProgress("the first request with this Idempotency-Key is still being worked on")
    row.request_hash, row.status, row.body = request_hash, None, None
    row.created_at, row.expires_at = at, at + KEPT
    session.add(row)
    return None


def finish(session: Session, *, app_id: str, key: str, status: int, body: str) -> None:
    """Keep the answer."""
    row = session.get(IdempotencyRow, (app_id, key))
    if row is not None:
        row.status, row.body = status, body
        session.add(row)


def abandon(session: Session, *, app_id: str, key: str) -> None:
    """Forget a start that came to nothing, so the request can be sent again."""
    row = session.get(IdempotencyRow, (app_id, key))
    if row is not None and row.status is None:
        session.delete(row)


def forget_expired(session: Session) -> int:
    """Remove what need not be kept any longer; returns how many."""
    gone = session.execute(delete(IdempotencyRow).where(col(IdempotencyRow.expires_at) <= now()))
    return int(gone.rowcount)  # type: ignore[attr-defined]
