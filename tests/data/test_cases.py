"""A decision is kept once, whole, and only for its own tenant."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from data import audit, cases, cursors, enforcements, memory_inbox, outbox
from data.database import Database
from domain.actor import system
from domain.case import Case, CaseRecord
from domain.clock import now
from domain.errors import Invalid, NotFound
from domain.notification import Audience
from domain.queries import CaseQuery
from domain.vocabulary import Action, DecisionKind, Policy
from tests import factories

GRAPH = system("app_a")


async def kept(database: Database, record: CaseRecord | None = None) -> tuple[Case, bool]:
    """Record a case with everything that can hang on it; the case that stands, and whether it stood before."""
    record = record or factories.record()
    escalated = record.decision.kind is DecisionKind.ESCALATED
    recorded = await database.write(
        lambda session: cases.record(
            session,
            record=record,
            review=factories.review(record) if escalated else None,
            messages=[factories.message(), factories.message(Audience.APP)],
            memory=factories.memory_item(case_id=record.case_id, app_id=record.content.app_id),
            actor=GRAPH,
        )
    )
    case = await database.read(lambda s: cases.get(s, app_id=record.content.app_id, case_id=recorded.case_id))
    assert recorded.standing in (None, case)
    return case, recorded.standing is not None


async def test_a_case_comes_back_as_it_was_recorded(database: Database) -> None:
    record = factories.record()
    await kept(database, record)
    found = await database.read(lambda session: cases.get(session, app_id="app_a", case_id=record.case_id))
    assert (found.content, found.assessment, found.machine) == (record.content, record.assessment, record.decision)
    assert found.created_at == record.created_at


@pytest.mark.parametrize("kind", DecisionKind)
async def test_what_is_answered_at_once_is_what_is_read_later(database: Database, kind: DecisionKind) -> None:
    record = factories.record(made=factories.decision(kind))
    review = factories.review(record) if kind is DecisionKind.ESCALATED else None
    await database.write(lambda s: cases.record(s, record=record, review=review, messages=[], memory=None, actor=GRAPH))
    opened = Case.opened(record, review)
    assert await database.read(lambda s: cases.get(s, app_id="app_a", case_id=record.case_id)) == opened
    page = await database.read(lambda s: cases.search(s, app_id="app_a", query=CaseQuery(), cursor=None, limit=1))
    [line] = page.cases
    told = line.model_dump(exclude={"content_id", "user_id", "excerpt"})
    assert told == opened.model_dump(include=told.keys())


async def test_everything_hangs_together_in_one_transaction(database: Database) -> None:
    record = factories.record()
    await kept(database, record)
    trail = await database.read(lambda s: audit.for_case(s, app_id="app_a", case_id=record.case_id))
    owed = await database.read(lambda s: outbox.find(s, app_id="app_a", status=None, case_id=None, limit=10))
    memory = await database.read(lambda s: memory_inbox.pending(s, limit=10))
    in_force = await database.read(lambda s: enforcements.active(s, app_id="app_a", user_id="u1"))
    past = await database.read(lambda s: cases.history(s, app_id="app_a", user_id="u1"))
    assert [entry.action for entry in trail] == ["decision.recorded"]
    assert {entry.message.audience for entry in owed} == {Audience.USER, Audience.APP}
    assert [entry.item.case_id for entry in memory] == [record.case_id]
    assert [entry.action for entry in in_force] == [Action.PERMANENT_BAN]
    assert (past.cases, past.violations, past.recent[0].case_id) == (1, 1, record.case_id)


async def test_the_same_content_keeps_its_first_decision(database: Database) -> None:
    content = factories.content(content_id="msg-1")
    first, _ = await kept(database, factories.record(content))
    again, stood = await kept(
        database, factories.record(content, factories.decision(DecisionKind.APPROVED, policy=None))
    )
    assert stood
    assert again == first
    owed = await database.read(lambda s: outbox.find(s, app_id="app_a", status=None, case_id=None, limit=10))
    assert len(owed) == 2


async def test_racing_recorders_agree_on_one_decision(database: Database, url: str) -> None:
    other = Database(url)
    await other.start()
    content = factories.content(content_id="raced")
    done = await asyncio.gather(
        *(kept(side, factories.record(content)) for side in (database, other) for _ in range(8))
    )
    assert len({case.id for case, _ in done}) == 1
    assert sum(not stood for _, stood in done) == 1
    await other.close()


async def test_other_policies_or_words_make_another_case(database: Database) -> None:
    content = factories.content(content_id="msg-1")
    await kept(database, factories.record(content))
    await kept(database, factories.record(content, factories.decision(policy_set="set2")))
    await kept(database, factories.record(factories.content("other words", content_id="msg-1")))
    page = await database.read(
        lambda s: cases.search(s, app_id="app_a", query=CaseQuery(content_id="msg-1"), cursor=None, limit=10)
    )
    assert len(page.cases) == 3


async def test_a_failure_after_the_insert_keeps_nothing(database: Database) -> None:
    record = factories.record()

    def fail_late(session: object) -> None:
        cases.record(session, record=record, review=None, messages=[], memory=None, actor=GRAPH)  # type: ignore[arg-type]
        raise LookupError

    with pytest.raises(LookupError):
        await database.write(fail_late)
    with pytest.raises(NotFound):
        await database.read(lambda s: cases.get(s, app_id="app_a", case_id=record.case_id))
    assert await database.read(lambda s: outbox.find(s, app_id="app_a", status=None, case_id=None, limit=10)) == ()


async def test_foreign_and_absent_cases_answer_alike(database: Database) -> None:
    case, _ = await kept(database)
    with pytest.raises(NotFound) as foreign:
        await database.read(lambda s: cases.get(s, app_id="app_b", case_id=case.id))
    with pytest.raises(NotFound) as absent:
        await database.read(lambda s: cases.get(s, app_id="app_b", case_id=case.id + "x"))
    assert str(foreign.value)[:20] == str(absent.value)[:20]


async def test_a_tenant_sees_nothing_of_another(database: Database) -> None:
    content = factories.content("a text", content_id="msg-1")
    await kept(database, factories.record(content))
    seen = await database.read(
        lambda s: cases.prepare(
            s,
            app_id="app_b",
            content_id="msg-1",
            content_hash=content.content_hash,
            user_id="u1",
            policy_set="set1",
        )
    )
    page = await database.read(lambda s: cases.search(s, app_id="app_b", query=CaseQuery(), cursor=None, limit=10))
    numbers = await database.read(lambda s: cases.metrics(s, app_id="app_b", since=now() - timedelta(days=1)))
    owed = await database.read(lambda s: outbox.find(s, app_id="app_b", status=None, case_id=None, limit=10))
    assert (seen.standing, seen.same_content, seen.history.cases) == (None, None, 0)
    assert (page.cases, numbers.cases, owed) == ((), 0, ())


async def test_searching_filters_and_pages_newest_first(database: Database) -> None:
    for number in range(7):
        await kept(database, factories.record(factories.content(f"text {number}", user_id=f"u{number % 2}")))
    seen, cursor = [], None
    for _ in range(4):
        page = await database.read(
            lambda s, cursor=cursor: cases.search(s, app_id="app_a", query=CaseQuery(), cursor=cursor, limit=2)
        )
        seen += [entry.excerpt for entry in page.cases]
        cursor = page.next_cursor
    assert seen == [f"text {number}" for number in reversed(range(7))]
    assert cursor is None
    some = CaseQuery(user_id="u1", text="text 3", decision=DecisionKind.REJECTED, violation_type=Policy.SCAMS)
    page = await database.read(lambda s: cases.search(s, app_id="app_a", query=some, cursor=None, limit=9))
    assert [entry.excerpt for entry in page.cases] == ["text 3"]


async def test_a_percent_sign_searches_for_itself(database: Database) -> None:
    await kept(database, factories.record(factories.content("sure thing")))
    await kept(database, factories.record(factories.content("100% sure")))
    page = await database.read(
        lambda s: cases.search(s, app_id="app_a", query=CaseQuery(text="%"), cursor=None, limit=9)
    )
    assert [entry.excerpt for entry in page.cases] == ["100% sure"]


@given(cursor=st.text(max_size=60))
def test_no_cursor_of_others_is_believed(cursor: str) -> None:
    with pytest.raises(Invalid):
        cursors.opened(cursor)


@pytest.mark.parametrize("statement", ["UPDATE audit_log SET actor = 'nobody'", "DELETE FROM audit_log"])
async def test_the_audit_log_refuses_change(database: Database, statement: str) -> None:
    case, _ = await kept(database)
    with pytest.raises(DBAPIError, match="append-only"):
        await database.write(lambda session: session.execute(text(statement)))
    trail = await database.read(lambda s: audit.for_case(s, app_id="app_a", case_id=case.id))
    assert trail[0].actor == "system:graph"


async def test_numbers_add_up(database: Database) -> None:
    await kept(database)
    await kept(database, factories.record(made=factories.decision(DecisionKind.APPROVED, policy=None)))
    await kept(database, factories.record(made=factories.decision(DecisionKind.ESCALATED)))
    numbers = await database.read(lambda s: cases.metrics(s, app_id="app_a", since=now() - timedelta(hours=1)))
    assert numbers.by_decision == {DecisionKind.APPROVED: 1, DecisionKind.REJECTED: 1, DecisionKind.ESCALATED: 1}
    assert numbers.by_policy == {"scams": 2}
    assert numbers.escalation_rate == pytest.approx(1 / 3)
    assert numbers.open_reviews == 1
    assert numbers.p95_ms == 2.0
