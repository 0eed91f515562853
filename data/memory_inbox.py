"""What the vector memory is still to be told: written with the case, removed once memory has it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Column, delete
from sqlmodel import Field, Session, SQLModel, col, select

from data.columns import UtcDateTime
from data.statements import inserting
from domain.base import Frozen
from domain.memory import MemoryItem


class MemoryInboxRow(SQLModel, table=True):
    """One item on its way into memory."""

    __tablename__ = "memory_inbox"

    id: int | None = Field(default=None, primary_key=True)
    app_id: str
    item: str
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class Pending(Frozen):
    """An item, and the row it waits in."""

    id: int
    item: MemoryItem


def add(session: Session, *, item: MemoryItem) -> None:
    """Have an item taken into memory."""
    values = {"app_id": item.app_id, "item": item.model_dump_json(), "created_at": item.created_at}
    session.execute(inserting(MemoryInboxRow), values)


def pending(session: Session, *, limit: int) -> tuple[Pending, ...]:
    """The oldest items that wait, across all apps."""
    rows = session.exec(select(MemoryInboxRow).order_by(col(MemoryInboxRow.id)).limit(limit))
    return tuple(Pending(id=row.id or 0, item=MemoryItem.model_validate_json(row.item)) for row in rows)


def done(session: Session, *, ids: Sequence[int]) -> None:
    """Remove items that memory has."""
    session.execute(delete(MemoryInboxRow).where(col(MemoryInboxRow.id).in_(ids)))
