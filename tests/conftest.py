"""A fresh database for each test that asks for its `url`: SQLite always, PostgreSQL where the environment names one."""

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from data import migrate
from domain.ids import new_id

POSTGRES = os.environ.get("CUPIDSSHIELD_TEST_POSTGRES")
KINDS = ["sqlite", *(["postgresql"] if POSTGRES else [])]


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = Path(tmp_path_factory.mktemp("template")) / "template.db"
    migrate.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_template() -> Iterator[str]:
    assert POSTGRES
    name = new_id("template")
    with psycopg.connect(POSTGRES, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        migrate.upgrade(POSTGRES.rsplit("/", 1)[0] + f"/{name}")
        yield name
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        path = tmp_path / "test.db"
        with sqlite3.connect(request.getfixturevalue("sqlite_template")) as template:
            copy = sqlite3.connect(path)
            template.backup(copy)
            copy.close()
        template.close()
        yield f"sqlite:///{path}"
        return
    assert POSTGRES
    template_name, name = request.getfixturevalue("postgres_template"), new_id("test")
    with psycopg.connect(POSTGRES, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE {template_name}")
        yield POSTGRES.rsplit("/", 1)[0] + f"/{name}"
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")
