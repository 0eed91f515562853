"""Server time of the queue: its page as a browser gets it, and what that asks of the database, full beside empty.

Run by `make bench-queue`. The bar is 50 ms at the 95th percentile with 100,000 cases. The figures of one machine are in
evals/reports/queue.md. No model is needed: the rows are made up, a case as wide as a real one.
"""

import argparse
import asyncio
import platform
import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import httpx2
from rich.console import Console
from rich.table import Table
from sqlmodel import Session

from cupidsshield.bootstrap import open_house
from cupidsshield.samples import held_out
from cupidsshield.settings import read_settings
from data import claims, migrate, queue, staff, staff_sessions
from data.apps import AppRow
from data.case_table import CaseRow, columns_of
from data.database import Database
from data.review_table import ReviewRow
from data.statements import inserting
from domain.assessment import Assessment
from domain.case import Case, CaseRecord, Timings
from domain.clock import now
from domain.content import Content
from domain.decision import Decision, Thresholds
from domain.history import SubjectHistory
from domain.ids import new_id
from domain.queue import QueueFilter, QueueStatus
from domain.review import ReviewItem, ReviewStatus
from domain.signals import ModelRef, Signal
from domain.staff import Role, Staff
from domain.vocabulary import (
    ContentType,
    DecisionKind,
    Floor,
    Policy,
    Priority,
    Route,
    Severity,
    SignalSource,
)
from gateway.app import create_app
from gateway.parts import Parts
from policies.loader import load
from policies.queue import order_at

REPORT = Path(__file__).parent / "reports" / "queue.md"
TENANTS = ("app_a", "app_b", "app_c")
BAR_MS = 50.0
BATCH = 2_000
ADDRESS = "https://console.bench"
WHOLE = "the whole page, /queue"

SENIOR = Staff(
    id="senior", email="senior@example.org", name="Sena", role=Role.SENIOR, app_ids=frozenset(TENANTS), created_at=now()
)
NEWCOMER = SENIOR.model_copy(update={"id": "new", "role": Role.MODERATOR, "app_ids": frozenset({"app_c"})})


@dataclass(frozen=True)
class Asked:
    """One thing that a page asks of the database."""

    name: str
    work: Callable[[Session], Any]


@dataclass(frozen=True)
class Times:
    """Milliseconds: the median and the 95th percentile by the clock, and the 95th percentile of processor time, which
    other work on the machine does not touch."""

    p50: float
    p95: float
    processor_p95: float


def asked(deep: str | None) -> tuple[Asked, ...]:
    """What the queue's page asks, plain and narrowed; `deep` is a cursor far down."""

    def page(wanted: QueueFilter, staff: Staff = SENIOR, cursor: str | None = None) -> Callable[[Session], Any]:
        return lambda session: queue.page(session, staff=staff, wanted=wanted, cursor=cursor)

    def whole(session: Session) -> None:
        page(QueueFilter(status=QueueStatus.PENDING))(session)
        queue.counts(session, staff=SENIOR)

    return (
        Asked("the page: lines and counts", whole),
        Asked("lines: all that is open", page(QueueFilter())),
        Asked("lines: far down", page(QueueFilter(), cursor=deep)),
        Asked("lines: one policy and priority", page(QueueFilter(policy=Policy.SPAM, priority=Priority.URGENT))),
        Asked("lines: mine", page(QueueFilter(status=QueueStatus.MINE))),
        Asked("lines: words that nothing holds", page(QueueFilter(text="zxqj"))),
        Asked("lines: a moderator of one app", page(QueueFilter(), NEWCOMER)),
        Asked("counts", lambda session: queue.counts(session, staff=SENIOR)),
    )


def rows(cases: int, waiting: int, seed: int) -> Iterator[tuple[dict[str, Any], dict[str, Any] | None]]:
    """Cases with the review that belongs to them: `waiting` open, as many decided by people, the rest by machine."""
    chance, texts, policies = random.Random(seed), [sample.text for sample in held_out(400)], load(None)
    at = now()
    for number in range(cases):
        created = at - timedelta(minutes=chance.uniform(0, 60 * 24 * 3 if number < waiting else 60 * 24 * 90))
        record = _record(number, chance, texts[number % len(texts)], created)
        if number >= 2 * waiting:
            yield columns_of(Case.opened(record, None)), None
            continue
        route = chance.choices(list(Route), (80, 10, 5, 5))[0]
        priority = chance.choices(list(Priority), (5, 15, 60, 20))[0]
        due = created + timedelta(hours=policies.thresholds.sla_hours.of(priority))
        risk, severity = record.assessment.risk_score, record.decision.severity
        place = order_at(created_at=created, due_at=due, risk=risk, severity=severity, reports=0.0, policies=policies)
        item = ReviewItem(
            id=new_id("review"),
            app_id=record.content.app_id,
            case_id=record.case_id,
            priority=priority,
            route=route,
            policy=record.decision.policy,
            severity=severity,
            risk=risk,
            status=ReviewStatus.PENDING if number < waiting else ReviewStatus.COMPLETED,
            due_at=due,
            order_at=place,
            created_at=created,
        )
        yield columns_of(Case.opened(record, item)), ReviewRow.columns_of(item)


def _record(number: int, chance: random.Random, text: str, created: datetime) -> CaseRecord:
    policy, severity = chance.choice(list(Policy)), chance.choice(list(Severity))
    confidence = chance.uniform(0.4, 0.85)
    signals = tuple(
        Signal(name=f"rule.{n}", source=SignalSource.RULE, policy=policy, weight=0.5, reason="a made-up reason " * 4)
        for n in range(8)
    )
    thought = Assessment(
        policy=policy,
        severity=severity,
        confidence=confidence,
        risk_score=confidence * (0.3, 0.6, 0.8, 1.0)[severity.rank],
        violation_probability=confidence,
        scores=dict.fromkeys(Policy, 0.1),
        floor=Floor.NONE,
        signals=signals,
        reasoning="It reads like something that somebody should look at.",
        model=ModelRef(name="made-up", version="1", sha256="0" * 64),
    )
    decision = Decision(
        kind=DecisionKind.ESCALATED,
        policy=policy,
        severity=severity,
        thresholds=Thresholds(auto_approve=0.9, auto_reject=0.85, escalate=0.7),
        policy_version="1.0.0",
        policy_set="made-up",
        trigger="doubt",
        reasoning="So a moderator decides.",
    )
    content = Content(
        app_id=TENANTS[number % len(TENANTS)],
        content_id=f"content-{number}",
        content_type=ContentType.MESSAGE,
        text=text,
        user_id=f"user-{number % 5_000}",
    )
    return CaseRecord(
        case_id=new_id("case"),
        content=content,
        assessment=thought,
        decision=decision,
        history=SubjectHistory(user_id=content.user_id),
        vector=None,
        timings=Timings(total=4.0),
        submitted_by="app:key_1",
        created_at=created,
    )


async def fill(database: Database, cases: int, waiting: int) -> str | None:
    """Fill a database and have a few items claimed; a cursor far down its queue."""
    made = rows(cases, waiting, seed=20_261_128)
    while batch := list(islice(made, BATCH)):

        def keep(session: Session, batch: list[Any] = batch) -> None:
            session.execute(inserting(CaseRow), [case for case, _ in batch])
            if items := [item for _, item in batch if item is not None]:
                session.execute(inserting(ReviewRow), items)

        await database.write(keep)

    def claim_some(session: Session) -> None:
        for _ in range(10):
            claims.claim_next(session, staff=SENIOR, wanted=QueueFilter(), lease=timedelta(hours=1))

    await database.write(claim_some)

    def far_down(session: Session) -> str | None:
        cursor = None
        for _ in range(min(waiting // 200, 100)):
            cursor = queue.page(session, staff=SENIOR, wanted=QueueFilter(), cursor=cursor, limit=100).next_cursor
        return cursor

    return await database.read(far_down)


async def measure(database: Database, deep: str | None, tries: int) -> dict[str, Times]:
    """How long each takes, after three tries that are not counted."""
    return {each.name: await _timed(partial(database.read, each.work), tries) for each in asked(deep)}


async def _timed(act: Callable[[], Awaitable[Any]], tries: int) -> Times:
    waits, work = [], []
    for _ in range(tries + 3):
        started, worked = time.perf_counter(), time.process_time()
        await act()
        waits.append((time.perf_counter() - started) * 1_000)
        work.append((time.process_time() - worked) * 1_000)
    cuts = statistics.quantiles(waits[3:], n=20)
    return Times(cuts[9], cuts[18], statistics.quantiles(work[3:], n=20)[18])


async def opened(url: str) -> Database:
    await asyncio.to_thread(migrate.upgrade, url)
    database = Database(url)
    await database.start()
    await database.write(lambda session: session.add_all(AppRow(id=t, name=t, created_at=now()) for t in TENANTS))
    return database


async def served(url: str, folder: Path, tries: int) -> Times:
    """How long `/queue` takes through the whole application, for a senior of all tenants."""
    settings = read_settings(data_dir=folder, database_url=url, public_url=ADDRESS)
    async with open_house(settings) as house:

        @asynccontextmanager
        async def parts() -> AsyncIterator[Parts]:
            yield house.parts()

        def employed(session: Session) -> str:
            known = {"email": SENIOR.email, "name": SENIOR.name, "role": SENIOR.role, "app_ids": TENANTS}
            person = staff.create(session, password_hash=None, by="system:bench", **known)  # type: ignore[arg-type]
            return staff_sessions.begin(session, staff_id=person.id, client="bench").token

        token = await house.database.write(employed)
        web = create_app(parts, version="bench")
        async with (
            web.router.lifespan_context(web),
            httpx2.AsyncClient(transport=httpx2.ASGITransport(app=web), base_url=ADDRESS) as browser,
        ):
            browser.headers["Cookie"] = f"__Host-cupidsshield={token}"

            async def page() -> None:
                answer = await browser.get("/queue", headers={"Accept": "text/html"})
                assert answer.status_code == 200, answer.status_code

            return await _timed(page, tries)


async def compare(folder: Path, url: str | None, cases: int, waiting: int, tries: int) -> Table:
    """The empty and the full database, in turn."""
    places = {"empty": f"sqlite:///{folder}/empty.db", "full": url or f"sqlite:///{folder}/full.db"}
    full, empty = await opened(places["full"]), await opened(places["empty"])
    deep = await fill(full, cases, waiting)
    without, found = await measure(empty, None, tries), await measure(full, deep, tries)
    without = {WHOLE: await served(places["empty"], folder / "empty", tries)} | without
    found = {WHOLE: await served(places["full"], folder / "full", tries)} | found
    table = Table("asked", "empty p50", "empty p95", "p50", "p95", "processor p95", "p50, x", f"<= {BAR_MS:g} ms")
    for name, full_times in found.items():
        bare = without[name]
        figures = (bare.p50, bare.p95, full_times.p50, full_times.p95, full_times.processor_p95)
        ratio, within = full_times.p50 / bare.p50, full_times.p95 <= BAR_MS
        table.add_row(name, *(f"{value:.1f}" for value in figures), f"{ratio:.1f}", "yes" if within else "no")
    for database in (full, empty):
        await database.close()
    return table


def main() -> None:
    """Measure and print; with --write also keep the report."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--cases", type=int, default=100_000)
    options.add_argument("--open", type=int, default=20_000, help="how many of them wait for people")
    options.add_argument("--tries", type=int, default=200)
    options.add_argument("--database", help="an empty PostgreSQL database for the full one; else SQLite")
    options.add_argument("--write", action="store_true", help=f"write {REPORT.name}")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        table = asyncio.run(compare(Path(folder), chosen.database, chosen.cases, chosen.open, chosen.tries))
    console = Console(record=True, width=120)
    kind = "PostgreSQL" if chosen.database else "SQLite"
    console.print(f"{chosen.cases:,} cases, {chosen.open:,} of them open, {kind}; milliseconds, {chosen.tries} tries")
    console.print(table)
    console.print(f"{platform.machine()}, Python {platform.python_version()}")
    if chosen.write:
        text = f"# The queue\n\nPrinted by `make bench-queue`.\n\n```\n{console.export_text()}```\n"
        REPORT.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
