"""The queue shows each person what they may take, by its place, narrowed as asked, a page at a time."""

from datetime import timedelta

import pytest
from sqlmodel import Session

from data import handovers, queue
from data.database import Database
from data.staff_table import StaffRow
from domain.clock import now
from domain.errors import Invalid
from domain.queue import QueueCounts, QueueFilter, QueuePage, QueueStatus
from domain.review import ReviewItem, ReviewKind
from domain.staff import Role, Staff
from domain.vocabulary import DecisionKind, Policy, Priority, Route, Severity
from tests import factories
from tests.data.desk import ANN, BOB, OVER, claimed, held_and_decided, opened

HOUR = timedelta(hours=1)


async def seen(database: Database, staff: Staff = ANN, **wanted: object) -> list[str]:
    page = await shown(database, staff, **wanted)
    return [line.item.id for line in page.lines]


async def shown(
    database: Database, staff: Staff = ANN, cursor: str | None = None, limit: int = 50, **wanted: object
) -> QueuePage:
    narrowed = QueueFilter(**wanted)  # type: ignore[arg-type]
    return await database.read(lambda s: queue.page(s, staff=staff, wanted=narrowed, cursor=cursor, limit=limit))


async def put(database: Database, text: str = "hello there", user_id: str = "u1", **changed: object) -> ReviewItem:
    content = factories.content(text, user_id=user_id)
    return await database.write(lambda s: opened(s, content, **changed))


async def test_a_line_says_what_one_needs_to_choose(database: Database) -> None:
    item = await put(database, "x" * 300, policy=Policy.SCAMS, severity=Severity.HIGH, risk=0.7, due_at=now() - HOUR)
    [line] = (await shown(database)).lines
    assert line.item == item
    assert (line.excerpt, line.user_id, line.confidence) == ("x" * 160, "u1", 0.9)
    assert (line.status, line.overdue, line.holder) == (QueueStatus.PENDING, True, None)


async def test_people_see_their_routes_of_their_tenants_and_nothing_else(database: Database) -> None:
    mine = [await put(database, route=route) for route in (Route.MODERATOR, Route.CARE)]
    senior, legal = [await put(database, route=route) for route in (Route.SENIOR, Route.LEGAL)]
    foreign = await database.write(lambda s: opened(s, factories.content(app_id="app_b")))
    assert set(await seen(database)) == {item.id for item in mine}
    assert set(await seen(database, factories.staff("s", role=Role.SENIOR))) == {*(i.id for i in mine), senior.id}
    assert await seen(database, factories.staff("l", role=Role.LEGAL)) == [legal.id]
    assert await seen(database, factories.staff("b", app_ids=("app_b",))) == [foreign.id]
    assert set(await seen(database, factories.staff("c", app_ids=("app_a", "app_b")))) >= {foreign.id, mine[0].id}
    assert await seen(database, app_id="app_b") == [], "a filter opens no tenant"
    for nobody in (factories.staff("p", role=Role.POLICY_LEAD), factories.staff("n", app_ids=())):
        assert await seen(database, nobody) == []
        assert await database.read(lambda s, nobody=nobody: queue.counts(s, staff=nobody)) == QueueCounts()


async def test_each_filter_narrows(database: Database) -> None:
    plain = await put(database, policy=Policy.SPAM, severity=Severity.LOW, risk=0.1)
    other = await put(
        database,
        "Meet me at the OLD mill",
        "u2",
        route=Route.CARE,
        policy=Policy.SELF_HARM,
        severity=Severity.HIGH,
        priority=Priority.URGENT,
        kind=ReviewKind.QUALITY,
        risk=0.9,
        due_at=now() - HOUR,
    )
    both = {plain.id, other.id}
    assert set(await seen(database)) == both
    for wanted in (
        {"route": Route.CARE},
        {"policy": Policy.SELF_HARM},
        {"severity": Severity.HIGH},
        {"priority": Priority.URGENT},
        {"kind": ReviewKind.QUALITY},
        {"overdue": True},
        {"min_risk": 0.5},
        {"text": "old MILL"},
        {"text": "u2"},
        {"text": other.case_id},
    ):
        assert await seen(database, **wanted) == [other.id], wanted
    assert await seen(database, text="mill%") == []
    assert set(await seen(database, app_id="app_a")) == both


async def test_what_stands_how_is_told_for_the_one_who_looks(database: Database) -> None:
    for name in ("ann", "bob"):
        await database.write(lambda s, name=name: s.add(_account(name)))
    free, mine, theirs, lapsed, held, given = [await put(database) for _ in range(6)]
    await database.write(lambda s: claimed(s, mine, ANN))
    await database.write(lambda s: claimed(s, theirs, BOB))
    await database.write(lambda s: claimed(s, lapsed, BOB, OVER))

    def pass_on(session: Session) -> None:
        first, second = claimed(session, held, BOB), claimed(session, given, BOB)
        by = {"staff": BOB, "review_id": first.id, "epoch": first.epoch}
        handovers.hold(session, until=now() + HOUR, reason="so", longest=2 * HOUR, **by)  # type: ignore[arg-type]
        handovers.hand_over(session, staff=BOB, review_id=second.id, epoch=second.epoch, to=ANN, text="you know them")

    await database.write(pass_on)
    lines = {line.item.id: line for line in (await shown(database)).lines}
    assert {key: line.status for key, line in lines.items()} == {
        free.id: QueueStatus.PENDING,
        mine.id: QueueStatus.MINE,
        theirs.id: QueueStatus.IN_REVIEW,
        lapsed.id: QueueStatus.PENDING,
        held.id: QueueStatus.HELD,
        given.id: QueueStatus.MINE,
    }
    assert (lines[theirs.id].holder, lines[lapsed.id].holder, lines[given.id].handed_to) == ("Bob", None, "Ann")
    assert set(await seen(database, status=QueueStatus.MINE)) == {mine.id, given.id}
    assert set(await seen(database, status=QueueStatus.IN_REVIEW)) == {mine.id, theirs.id}
    assert set(await seen(database, status=QueueStatus.PENDING)) == {free.id, lapsed.id, given.id}
    assert await seen(database, status=QueueStatus.HELD) == [held.id]
    one = await database.read(lambda s: queue.line_of(s, staff=BOB, review_id=theirs.id))
    assert one is not None
    assert one.status is QueueStatus.MINE


def _account(name: str) -> StaffRow:
    return StaffRow(
        id=name, email=f"{name}@x.org", name=name.title(), role="moderator", preferences="{}", created_at=now()
    )


async def test_what_is_decided_is_gone_from_it(database: Database) -> None:
    item = await put(database)
    await database.write(lambda s: held_and_decided(s, item, DecisionKind.APPROVED))
    assert await seen(database) == []
    assert await database.read(lambda s: queue.line_of(s, staff=ANN, review_id=item.id)) is None


async def test_pages_lead_there_and_back_without_gap_or_repeat(database: Database) -> None:
    at = now()
    # Places repeat, so that identifiers must tell apart what stands at the same moment.
    items = [await put(database, order_at=at + (n // 3) * HOUR) for n in range(10)]
    ordered = [item.id for item in sorted(items, key=lambda item: (item.order_at, item.id))]
    there: list[QueuePage] = [await shown(database, limit=4)]
    while cursor := there[-1].next_cursor:
        there.append(await shown(database, cursor=cursor, limit=4))
    assert [[line.item.id for line in page.lines] for page in there] == [ordered[:4], ordered[4:8], ordered[8:]]
    assert there[0].previous_cursor is None
    back = await shown(database, cursor=there[2].previous_cursor, limit=4)
    first = await shown(database, cursor=back.previous_cursor, limit=4)
    assert [line.item.id for line in (*first.lines, *back.lines)] == ordered[:8]
    assert first.previous_cursor is None
    assert (await shown(database, cursor=first.next_cursor, limit=4)).lines == back.lines


@pytest.mark.parametrize("cursor", ["x", "W10=", "bnVsbA==", "WyJhIiwiYiIsImMiXQ=="])
async def test_a_cursor_of_somebody_else_is_refused(database: Database, cursor: str) -> None:
    with pytest.raises(Invalid):
        await shown(database, cursor=cursor)


async def test_counts_are_over_all_that_is_open(database: Database) -> None:
    for n in range(7):
        await put(
            database,
            route=Route.CARE if n < 2 else Route.MODERATOR,
            priority=Priority.URGENT if n < 3 else Priority.LOW,
            kind=ReviewKind.APPEAL if n < 1 else ReviewKind.CASE,
            due_at=now() - HOUR if n < 4 else now() + HOUR,
        )
    done = await put(database)
    await database.write(lambda s: held_and_decided(s, done, DecisionKind.APPROVED))
    claimed_one = await put(database, route=Route.SENIOR)
    counts = await database.read(lambda s: queue.counts(s, staff=ANN))
    assert counts == QueueCounts(
        total=7,
        overdue=4,
        by_route={Route.CARE: 2, Route.MODERATOR: 5},
        by_priority={Priority.URGENT: 3, Priority.LOW: 4},
        by_kind={ReviewKind.APPEAL: 1, ReviewKind.CASE: 6},
    )
    senior = factories.staff("s", role=Role.SENIOR)
    assert (await database.read(lambda s: queue.counts(s, staff=senior))).by_route[claimed_one.route] == 1
    assert await database.read(lambda s: queue.counts(s, staff=senior, app_id="app_b")) == QueueCounts()
