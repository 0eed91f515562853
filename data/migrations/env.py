"""Runs migrations on the database that `data.migrate` names."""

from alembic import context
from sqlmodel import SQLModel

from data.database import engine_for

url = context.config.get_main_option("sqlalchemy.url")
assert url, "data.migrate sets it"
engine = engine_for(url, writing=True)
try:
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=SQLModel.metadata)
        with context.begin_transaction():
            context.run_migrations()
finally:
    engine.dispose()
