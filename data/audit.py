"""The audit log: who did what, and when. Rows are only ever added; triggers refuse anything else."""

import json
from collections.abc import Mapping
from datetime import datetime

from pydantic import JsonValue
from sqlalchemy import Column, Index
from sqlmodel import Field, Session, SQLModel, select

from data.columns import UtcDateTime
from data.statements import inserting
from domain.base import Frozen
from domain.clock import now


class AuditRow(SQLModel, table=True):
    """One thing that was done."""

    __tablename__ = "audit_log"
    __table_args__ = (Index("ix_audit_log_case", "app_id", "case_id"),)

    id: int | None = Field(default=None, primary_key=True)
    app_id: str
    case_id: str | None = None
    action: str
    actor: str
    details: str
    timestamp: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class AuditRecord(Frozen):
    """A row as it is read."""

    action: str
    actor: str
    details: dict[str, JsonValue]
    timestamp: datetime


def add(
    session: Session, *, app_id: str, case_id: str | None, action: str, actor: str, details: Mapping[str, JsonValue]
) -> None:
    """Note what `actor` did. `details` must hold no content and no secrets."""
    session.execute(
        inserting(AuditRow),
        {
            "app_id": app_id,
            "case_id": case_id,
            "action": action,
            "actor": actor,
            "details": json.dumps(details, ensure_ascii=False),
            "timestamp": now(),
        },
    )


def for_case(session: Session, *, app_id: str, case_id: str) -> tuple[AuditRecord, ...]:
    """All that was done in a case, oldest first; nothing for a foreign or absent case."""
    rows = session.exec(
        select(AuditRow).where(AuditRow.app_id == app_id, AuditRow.case_id == case_id).order_by(AuditRow.id)  # type: ignore[arg-type]
    )
    return tuple(
        AuditRecord(action=row.action, actor=row.actor, details=json.loads(row.details), timestamp=row.timestamp)
        for row in rows
    )
