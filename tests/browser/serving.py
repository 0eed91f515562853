"""The real service for a browser: uvicorn on a free port, the embedded model, a fresh folder, people and posts.

Used by the browser suite and by `make screenshots`.
"""

import asyncio
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
from sqlmodel import Session

from cupidsshield.cli.serve import WebServer
from cupidsshield.secret import signing_secret
from cupidsshield.settings import Settings, read_settings
from data import apps, keys, migrate, passwords
from data import staff as accounts
from data.case_table import CaseRow
from data.database import Database, engine_for
from domain.staff import Role
from domain.vocabulary import Scope
from ui.links import DecisionLinks

PASSWORD = "four words in a row"
START_WITHIN_S = 90.0

PEOPLE = (
    ("ann@example.org", "Ann Reyes", Role.MODERATOR),
    ("bob@example.org", "Bob Tan", Role.MODERATOR),
    ("cleo@example.org", "Cleo Marsh", Role.SENIOR),
    ("dora@example.org", "Dora Lind", Role.LEGAL),
    ("eve@example.org", "Eve Okafor", Role.POLICY_LEAD),
    ("finn@example.org", "Finn Aro", Role.ADMIN),
)


@dataclass
class Service:
    """A running service: where it is, and what apps post to it with."""

    url: str
    key: str
    settings: Settings
    cases: dict[str, dict[str, Any]] = field(default_factory=dict)

    def post(self, content_id: str, text: str, user_id: str, **context: Any) -> dict[str, Any]:
        """Post what a user wrote, as an app does; returns the answer."""
        kind = context.pop("content_type", "message")
        body = {
            "content": text,
            "user_id": user_id,
            "content_id": content_id,
            "content_type": kind,
            "metadata": context,
        }
        answer = httpx2.post(f"{self.url}/api/v1/moderate", json=body, headers={"X-API-Key": self.key}, timeout=30.0)
        assert answer.status_code == 200, answer.text
        self.cases[content_id] = answer.json()
        return self.cases[content_id]

    def link(self, case_id: str) -> str:
        """The address at which the author of a case reads about it, as the service signs it."""
        with Session(engine_for(self.settings.database)) as session:
            row = session.get(CaseRow, case_id)
            assert row is not None
        days = timedelta(days=1)
        return DecisionLinks(signing_secret(self.settings), self.url, days).to(row.app_id, case_id)


@contextmanager
def serving(folder: Path) -> Iterator[Service]:
    """Start it, with an account for each role, and stop it at the end."""
    settings = read_settings(
        data_dir=folder, host="127.0.0.1", port=_free_port(), rate_limit="100000/second", log_level="ERROR"
    )
    key = asyncio.run(_founded(settings))
    server = WebServer(settings)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    started = threading.Event()
    running = threading.Thread(target=_run, args=(server, started), daemon=True)
    running.start()
    assert started.wait(START_WITHIN_S), "the service did not start"
    try:
        yield Service(url=settings.reached_at, key=key, settings=settings)
    finally:
        server.should_exit = True
        running.join(30)


def _run(server: WebServer, started: threading.Event) -> None:
    async def run() -> None:
        task = asyncio.create_task(server.serve())
        while not server.started and not task.done():
            await asyncio.sleep(0.05)
        started.set()
        await task

    asyncio.run(run())


async def _founded(settings: Settings, people: Sequence[tuple[str, str, Role]] = PEOPLE) -> str:
    """Two apps and the people who look after them; returns the key of the first app."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    migrate.upgrade(settings.database)
    database = Database(settings.database)
    await database.start()
    try:
        password_hash = passwords.hashed(PASSWORD)

        def work(session: Any) -> str:
            given = [apps.get_or_create(session, name=name) for name in ("Heartline", "Duo")]
            ids = [app.id for app in given]
            for email, name, role in people:
                accounts.create(
                    session,
                    email=email,
                    name=name,
                    role=role,
                    app_ids=ids,
                    password_hash=password_hash,
                    by="system:test",
                )
            scopes = frozenset({Scope.MODERATE, Scope.READ, Scope.NOTIFY})
            return keys.create(session, app_id=ids[0], name="browser", scopes=scopes, expires_at=None).key

        return await database.write(work)
    finally:
        await database.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
