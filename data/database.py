"""The one way to the database: reads on a few threads, writes committed in groups.

A commit costs far more than the rows in it, and SQLite has one writer. So one thread takes the pieces
of work that wait, runs each in its own savepoint, and commits once; callers are answered after that
commit and not before (I1). The queue is bounded: when it is full, callers are told to come again.
"""

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, OperationalError
from sqlmodel import Session

from domain.errors import DatabaseUnavailable, Invalid, Overloaded

T = TypeVar("T")
Work = Callable[[Session], T]

GROUP = 64
QUEUE = 1_024
READERS = 4
BUSY_TIMEOUT_MS = 5_000
LOCK_WAIT_S = 8
"""How long a write waits for other processes; a decision may take longer than that, so that it can still say why."""

LOCK_LOOK_MS = 50
"""SQLite looks for a free lock ever more seldom, and gives it to whoever looks next, not to who waited longest. Where
several processes write without a pause one of them could starve; so the writer begins to look anew every 50 ms."""

PRIMARY_CODE = 0xFF
"""The part of SQLite's error codes that says what failed; the rest says why."""

NORMAL = "NORMAL"
"""SQLite's `synchronous`: a commit survives the death of the process; FULL survives a power cut as well."""

TRIES = 5
CLASHED = frozenset({"40001", "40P01"})
"""SQL states of PostgreSQL that say: two processes waited for each other, try again."""


@dataclass(frozen=True)
class _Waiting:
    work: Work[Any]
    answer: Future[Any]


class Database:
    """A SQLite file or a PostgreSQL database, by URL."""

    def __init__(self, url: str, *, synchronous: str = NORMAL) -> None:
        self._reading = engine_for(url)
        self._writing = engine_for(url, writing=True, synchronous=synchronous)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="reader")
        self._queue: queue.Queue[_Waiting | None] = queue.Queue(QUEUE)
        self._open = False
        self._writer = threading.Thread(target=self._write_groups, name="writer", daemon=True)

    async def start(self) -> None:
        """Begin to take writes."""
        self._writer.start()
        self._open = True

    async def close(self) -> None:
        """Finish what waits, then let go of all connections."""
        self._open = False
        if self._writer.is_alive():
            await asyncio.to_thread(self._queue.put, None)
            await asyncio.to_thread(self._writer.join)
        self._readers.shutdown(wait=True)
        self._reading.dispose()
        self._writing.dispose()

    async def read(self, work: Work[T]) -> T:
        """Run `work` in a session that nothing is written in. Raises DatabaseUnavailable."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work)

    async def write(self, work: Work[T]) -> T:
        """Run `work` and commit it, together with others that wait.

        Raises what `work` raises (and then keeps nothing of it), Overloaded where too much waits,
        DatabaseUnavailable where the database cannot be written.
        """
        if not self._open:
            raise DatabaseUnavailable("the database is closed; nothing was written")
        waiting = _Waiting(work, Future())
        try:
            self._queue.put_nowait(waiting)
        except queue.Full as error:
            raise Overloaded("too many writes are waiting; send it again in a moment") from error
        answer: T = await asyncio.wrap_future(waiting.answer)
        return answer

    async def answers(self) -> bool:
        """Whether the database can be read at present."""
        try:
            await self.read(lambda session: session.execute(text("SELECT 1")))
        except DatabaseUnavailable:
            return False
        return True

    def _read(self, work: Work[T]) -> T:
        try:
            with Session(self._reading) as session:
                return work(session)
        except DataError as error:
            raise untakeable(error) from error
        except (OperationalError, InterfaceError) as error:
            raise unavailable(error) from error

    def _write_groups(self) -> None:
        while (group := self._next_group()) is not None:
            # From here on a caller that gives up no longer changes its answer's state under us.
            wanted = [waiting for waiting in group if waiting.answer.set_running_or_notify_cancel()]
            if wanted:
                self._commit(wanted, TRIES)

    def _next_group(self) -> list[_Waiting] | None:
        first = self._queue.get()
        if first is None:
            return None
        group = [first]
        while len(group) < GROUP:
            try:
                further = self._queue.get_nowait()
            except queue.Empty:
                break
            if further is None:
                self._queue.put(None)
                break
            group.append(further)
        return group

    def _commit(self, group: list[_Waiting], tries: int) -> None:
        done: list[tuple[_Waiting, Any]] = []
        try:
            with Session(self._writing, expire_on_commit=False) as session, session.begin():
                for waiting in group:
                    outcome = self._in_savepoint(session, waiting)
                    if outcome is not _FAILED:
                        done.append((waiting, outcome))
        except Exception as error:
            unanswered = [waiting for waiting in group if not waiting.answer.done()]
            if _clashed(error) and tries > 1:
                for waiting in unanswered:
                    self._commit([waiting], tries - 1)
                return
            told = unavailable(error) if isinstance(error, DBAPIError) else error
            for waiting in unanswered:
                waiting.answer.set_exception(told)
            return
        for waiting, outcome in done:
            waiting.answer.set_result(outcome)

    def _in_savepoint(self, session: Session, waiting: _Waiting) -> Any:
        """What the work gave, or `_FAILED` when it failed alone. A lost connection fails the whole group."""
        try:
            with session.begin_nested():
                return waiting.work(session)
        except (OperationalError, InterfaceError):
            raise
        except DataError as error:
            waiting.answer.set_exception(untakeable(error))
            return _FAILED
        except Exception as error:
            waiting.answer.set_exception(error)
            return _FAILED


_FAILED = object()


def unavailable(error: Exception) -> DatabaseUnavailable:
    """The same failure, without SQL and values in its message, but with the database's name for it."""
    orig = getattr(error, "orig", None)
    told = getattr(orig, "sqlite_errorname", None) or getattr(orig, "sqlstate", None) or type(error).__name__
    return DatabaseUnavailable(f"the database cannot be used at present ({told})")


def untakeable(error: DataError) -> Invalid:
    """PostgreSQL refuses values that SQLite takes, such as a NUL character in a text."""
    kind = type(error.orig).__name__
    return Invalid(f"a value cannot be kept in the database ({kind}); send it without NUL characters")


def _clashed(error: Exception) -> bool:
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in CLASHED


def normalised(url: str) -> str:
    """The URL with the driver that we use."""
    return url.replace("postgresql://", "postgresql+psycopg://", 1) if url.startswith("postgresql://") else url


def engine_for(url: str, *, writing: bool = False, synchronous: str = NORMAL) -> Engine:
    """An engine with our settings for SQLite or PostgreSQL.

    On SQLite a transaction that will write takes its lock when it begins (BEGIN IMMEDIATE): taking it
    later fails at once, whatever the busy timeout, when another process wrote in between.
    """
    if not url.startswith("sqlite"):
        return create_engine(normalised(url), pool_pre_ping=True, pool_size=READERS + 2, hide_parameters=True)
    engine = create_engine(url, pool_size=READERS + 2, hide_parameters=True, connect_args={"check_same_thread": False})

    @event.listens_for(engine, "connect")
    def settle(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            f"synchronous={synchronous}",
            "foreign_keys=ON",
            f"busy_timeout={BUSY_TIMEOUT_MS}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if writing:
            _take_lock(connection)
        else:
            connection.exec_driver_sql("BEGIN")

    return engine


def _take_lock(connection: Connection) -> None:
    """Begin to write on SQLite; raises OperationalError where others hold the lock for `LOCK_WAIT_S`."""
    until = time.monotonic() + LOCK_WAIT_S
    connection.exec_driver_sql(f"PRAGMA busy_timeout={LOCK_LOOK_MS}")
    try:
        while not _begins(connection, last=time.monotonic() > until):
            pass
    finally:
        connection.exec_driver_sql(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")


def _begins(connection: Connection, *, last: bool) -> bool:
    """Whether the lock was free; at the `last` look it raises where it was not."""
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    except OperationalError as error:
        code = getattr(error.orig, "sqlite_errorcode", 0)
        if last or code & PRIMARY_CODE != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True
