"""Brings the schema up to date, and tells where it stands. Run by `serve` and by `db upgrade`."""

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy.exc import OperationalError
from sqlmodel import SQLModel

from data import tables
from data.database import engine_for, normalised, unavailable
from domain.errors import SettingsError

SCRIPTS = Path(__file__).parent / "migrations"
assert tables.ALL, "importing the tables registers them"


def upgrade(url: str) -> None:
    """Run the migrations that are missing. Raises DatabaseUnavailable, or SettingsError for a newer database."""
    try:
        command.upgrade(_config(url), "head")
    except OperationalError as error:
        raise unavailable(error) from error
    except CommandError as error:
        raise SettingsError(
            "this database was made by a newer version of CupidsShield; run that version, or restore a backup"
        ) from error


def current(url: str) -> str | None:
    """The revision of the database, None for an empty one. Raises DatabaseUnavailable."""
    engine = engine_for(url)
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except OperationalError as error:
        raise unavailable(error) from error
    finally:
        engine.dispose()


def head() -> str:
    """The newest revision."""
    newest = ScriptDirectory(str(SCRIPTS)).get_current_head()
    assert newest is not None, "there is at least one migration"
    return newest


def differences(url: str) -> list[object]:
    """How the migrated schema differs from the tables in code; nothing when all is well."""
    engine = engine_for(url)
    try:
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"include_object": ours})
            return list(compare_metadata(context, SQLModel.metadata))
    finally:
        engine.dispose()


def ours(thing: object, name: str | None, kind: str, reflected: bool, compare_to: object) -> bool:
    """Whether a table is ours: the checkpointer keeps its own beside them."""
    return kind != "table" or name in SQLModel.metadata.tables


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.set_main_option("sqlalchemy.url", normalised(url).replace("%", "%%"))
    return config
