"""The outbox: messages owed to apps, users and moderators, written with what they tell about (I6)."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Column, Index, func, update
from sqlmodel import Field, Session, SQLModel, col, select

from data import audit
from data.clock import TICK, database_now
from data.columns import UtcDateTime
from data.statements import inserting
from domain.actor import Actor
from domain.clock import now
from domain.errors import NotFound, StaleVersion
from domain.ids import new_id
from domain.notification import Message, Notification, NotificationStatus


class OutboxRow(SQLModel, table=True):
    """One message and what became of it."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_due", "status", "next_attempt_at"),
        Index("ix_outbox_app", "app_id", "created_at"),
        Index("ix_outbox_case", "app_id", "case_id"),
    )

    id: str = Field(primary_key=True)
    app_id: str
    case_id: str | None = None
    decision_id: str | None = Field(default=None, index=True)
    message: str
    status: str
    attempts: int = 0
    last_error: str | None = None
    next_attempt_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    delivered_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))


def put(
    session: Session,
    *,
    app_id: str,
    case_id: str | None,
    messages: Sequence[Message],
    at: datetime,
    decision_id: str | None = None,
) -> list[str]:
    """Owe messages, due at `at`; returns their identifiers in the same order.

    `decision_id` is the decision of a person that they tell of, under which they can be withdrawn.
    """
    rows = [
        {
            "id": new_id("msg"),
            "app_id": app_id,
            "case_id": case_id,
            "decision_id": decision_id,
            "message": message.model_dump_json(),
            "status": NotificationStatus.PENDING.value,
            "attempts": 0,
            "next_attempt_at": at,
            "created_at": at,
        }
        for message in messages
    ]
    if rows:
        session.execute(inserting(OutboxRow), rows)
    return [str(row["id"]) for row in rows]


def add(
    session: Session, *, app_id: str, case_id: str | None, messages: Sequence[Message], actor: Actor
) -> tuple[Notification, ...]:
    """Owe messages that somebody asked to be sent, and note who did."""
    ids = put(session, app_id=app_id, case_id=case_id, messages=messages, at=now())
    for identifier, message in zip(ids, messages, strict=True):
        details = {"notification": identifier, "audience": message.audience.value}
        audit.add(session, app_id=app_id, case_id=case_id, action="message.sent", actor=actor.label, details=details)
    return tuple(_get(session, identifier) for identifier in ids)


def take(session: Session, *, limit: int, lease: timedelta) -> tuple[Notification, ...]:
    """Take what should be delivered now, of all apps, the longest due first.

    Nobody else can take it before the lease is over; then it is due again, so that who dies with it only delays it.
    """
    rows = session.exec(
        select(OutboxRow)
        .where(
            OutboxRow.status == NotificationStatus.PENDING,
            col(OutboxRow.next_attempt_at) <= database_now(session, TICK),
        )
        .order_by(col(OutboxRow.next_attempt_at))
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    taken = tuple(_notification(row) for row in rows)
    if taken:
        leased = update(OutboxRow).values(next_attempt_at=database_now(session, lease))
        session.execute(leased.where(col(OutboxRow.id).in_([message.id for message in taken])))
    return taken


def withdraw(session: Session, *, decision_id: str, due_at: datetime) -> None:
    """Take back the messages of a decision that were owed for `due_at`. Raises StaleVersion once one is on its way."""
    told = select(func.count()).select_from(OutboxRow).where(OutboxRow.decision_id == decision_id)
    waiting = (
        col(OutboxRow.decision_id) == decision_id,
        col(OutboxRow.status) == NotificationStatus.PENDING,
        col(OutboxRow.next_attempt_at) == due_at,
        col(OutboxRow.attempts) == 0,
    )
    done = session.execute(update(OutboxRow).where(*waiting).values(status=NotificationStatus.WITHDRAWN.value))
    if done.rowcount != session.exec(told).one():  # type: ignore[attr-defined]
        raise StaleVersion("people have been told already; it can no longer be undone")


def find(
    session: Session, *, app_id: str, status: NotificationStatus | None, case_id: str | None, limit: int
) -> tuple[Notification, ...]:
    """An app's messages, newest first."""
    wanted = select(OutboxRow).where(OutboxRow.app_id == app_id)
    if status is not None:
        wanted = wanted.where(OutboxRow.status == status)
    if case_id is not None:
        wanted = wanted.where(OutboxRow.case_id == case_id)
    rows = session.exec(wanted.order_by(col(OutboxRow.created_at).desc(), col(OutboxRow.id)).limit(limit))
    return tuple(_notification(row) for row in rows)


def settle(
    session: Session, *, notification_id: str, delivered: bool, error: str, again_at: datetime | None
) -> NotificationStatus:
    """Note what became of a try: delivered, to be tried again at `again_at`, or given up where that is None.

    What was delivered or given up already stays so, also where a try outlasted its lease.
    """
    row = session.get(OutboxRow, notification_id, with_for_update=True)
    if row is None:
        raise NotFound(f"there is no message {notification_id}")
    if row.status != NotificationStatus.PENDING:
        return NotificationStatus(row.status)
    row.attempts += 1
    row.last_error = error or None
    if delivered:
        row.status, row.delivered_at = NotificationStatus.DELIVERED, now()
    elif again_at is not None:
        row.next_attempt_at = again_at
    else:
        row.status = NotificationStatus.DEAD
    session.add(row)
    if row.status != NotificationStatus.PENDING:
        audit.add(
            session,
            app_id=row.app_id,
            case_id=row.case_id,
            action=f"message.{row.status}",
            actor="system:delivery",
            details={"notification": row.id, "attempts": row.attempts, "error": error or None},
        )
    return NotificationStatus(row.status)


def _get(session: Session, identifier: str) -> Notification:
    row = session.get(OutboxRow, identifier)
    assert row is not None, "it was written in this transaction"
    return _notification(row)


def _notification(row: OutboxRow) -> Notification:
    return Notification(
        id=row.id,
        app_id=row.app_id,
        case_id=row.case_id,
        message=Message.model_validate_json(row.message),
        status=NotificationStatus(row.status),
        attempts=row.attempts,
        last_error=row.last_error,
        next_attempt_at=row.next_attempt_at,
        created_at=row.created_at,
        delivered_at=row.delivered_at,
    )
