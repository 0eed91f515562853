"""Runs migrations on the database that `data.migrate` names, one process at a time."""

from alembic import context
from sqlalchemy import text
from sqlmodel import SQLModel

from data.database import engine_for

url = context.config.get_main_option("sqlalchemy.url")
assert url, "data.migrate sets it"
engine = engine_for(url, writing=True)
TURN = 7_120_514
"""The advisory lock that processes starting together wait for; it ends with the connection."""

try:
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_lock(:turn)"), {"turn": TURN})
            connection.commit()
        context.configure(connection=connection, target_metadata=SQLModel.metadata)
        with context.begin_transaction():
            context.run_migrations()
finally:
    engine.dispose()
