"""What the vector memory is still to be told: written with the case, removed once memory has it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Column, delete
from sqlmodel import Field, Session, SQLModel, col, select

from data.case_table import CaseRow
from data.clock import TICK, database_now
from data.columns import UtcDateTime
from data.statements import inserting
from domain.base import Frozen
from domain.case import MACHINE
from domain.memory import MemoryItem
from domain.vocabulary import DecisionKind, Policy, Severity


class MemoryInboxRow(SQLModel, table=True):
    """One item on its way into memory."""

    __tablename__ = "memory_inbox"

    id: int | None = Field(default=None, primary_key=True)
    app_id: str
    decision_id: str | None = Field(default=None, index=True)
    item: str
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    due_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class Pending(Frozen):
    """An item, and the row it waits in."""

    id: int
    item: MemoryItem


def add(session: Session, *items: MemoryItem, due_at: datetime | None = None, decision_id: str | None = None) -> None:
    """Have items taken into memory, not before `due_at` where one is given; `decision_id` lets it be withdrawn."""
    rows = [
        {
            "app_id": item.app_id,
            "decision_id": decision_id,
            "item": item.model_dump_json(),
            "created_at": item.created_at,
            "due_at": due_at or item.created_at,
        }
        for item in items
    ]
    session.execute(inserting(MemoryInboxRow), rows)


def withdraw(session: Session, *, decision_id: str) -> None:
    """Do not have memory told of a decision that was undone."""
    session.execute(delete(MemoryInboxRow).where(col(MemoryInboxRow.decision_id) == decision_id))


def to_embed(session: Session, *, after: str, limit: int) -> tuple[MemoryItem, ...]:
    """Cases of all apps as they stand, by id, those after `after`; their vectors are still to be made."""
    rows = session.exec(select(CaseRow).where(col(CaseRow.id) > after).order_by(col(CaseRow.id)).limit(limit))
    return tuple(
        MemoryItem(
            app_id=row.app_id,
            case_id=row.id,
            text=row.content,
            vector="",
            decision=DecisionKind(row.decision),
            policy=Policy(row.violation_type) if row.violation_type else None,
            severity=Severity(row.severity) if row.severity else None,
            confidence=row.confidence,
            confirmed=row.reviewed_by != MACHINE,
            created_at=row.created_at,
        )
        for row in rows
    )


def pending(session: Session, *, limit: int) -> tuple[Pending, ...]:
    """The oldest items that are due, across all apps."""
    due = select(MemoryInboxRow).where(col(MemoryInboxRow.due_at) <= database_now(session, TICK))
    rows = session.exec(due.order_by(col(MemoryInboxRow.id)).limit(limit))
    return tuple(Pending(id=row.id or 0, item=MemoryItem.model_validate_json(row.item)) for row in rows)


def done(session: Session, *, ids: Sequence[int]) -> None:
    """Remove items that memory has."""
    session.execute(delete(MemoryInboxRow).where(col(MemoryInboxRow.id).in_(ids)))
