"""Statements of the hot path, built once: building one anew for each row costs more than running it."""

from functools import cache
from typing import Any, cast

from sqlalchemy import Insert, Table, insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningInsert
from sqlmodel import Session, SQLModel

POSTGRESQL = "postgresql"


def dialect_of(session: Session) -> str:
    """`postgresql` or `sqlite`."""
    return session.get_bind().dialect.name


def table_of(row: type[SQLModel]) -> Table:
    """The table behind a row class."""
    return cast(Table, row.__table__)  # type: ignore[attr-defined]


@cache
def inserting(row: type[SQLModel]) -> Insert:
    """Insert a row whose values come as parameters."""
    return insert(table_of(row))


@cache
def inserting_if_new(row: type[SQLModel], dialect: str) -> ReturningInsert[Any]:
    """Insert a row, or do nothing where a unique key is taken; returns the primary key of what was inserted."""
    table = table_of(row)
    make = postgresql.insert if dialect == POSTGRESQL else sqlite.insert
    return make(table).on_conflict_do_nothing().returning(*table.primary_key)


@cache
def counting(
    row: type[SQLModel], dialect: str, keys: tuple[str, ...], counters: tuple[str, ...], last: str | None = None
) -> Insert:
    """Insert a row of counts, or add to the counts of the row that is there and set its `last` column, if any."""
    table = table_of(row)
    make = postgresql.insert if dialect == POSTGRESQL else sqlite.insert
    fresh = make(table)
    added = {name: table.c[name] + fresh.excluded[name] for name in counters}
    latest = {last: fresh.excluded[last]} if last else {}
    return fresh.on_conflict_do_update(index_elements=list(keys), set_={**added, **latest})
