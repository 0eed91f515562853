"""What people keep for themselves is theirs alone; how much they looked at is counted by day and severity."""

from collections.abc import AsyncIterator

import pytest
from sqlmodel import Session

from data import exposure, keepsakes
from data.database import Database
from data.staff_table import StaffRow
from domain.clock import now
from domain.errors import Invalid, NotFound, NotPermitted
from domain.exposure import Seen
from domain.staff import Role
from domain.vocabulary import Severity
from tests import factories
from tests.data.desk import ANN, BOB

LEAD = factories.staff("lead", role=Role.POLICY_LEAD)


@pytest.fixture
async def desk(database: Database) -> AsyncIterator[Database]:
    def employ(session: Session) -> None:
        for one in (ANN, BOB, LEAD):
            session.add(
                StaffRow(id=one.id, email=one.email, name=one.name, role=one.role, preferences="{}", created_at=now())
            )

    await database.write(employ)
    return database


async def test_a_view_is_kept_under_its_name_for_one_person(desk: Database) -> None:
    await desk.write(lambda s: keepsakes.save_view(s, staff=ANN, name="Urgent", query="priority=urgent"))
    kept = await desk.write(lambda s: keepsakes.save_view(s, staff=ANN, name=" Urgent ", query="priority=high"))
    other = await desk.write(lambda s: keepsakes.save_view(s, staff=ANN, name="care", query="route=care"))
    assert await desk.read(lambda s: keepsakes.views(s, staff=ANN)) == (other, kept)
    assert await desk.read(lambda s: keepsakes.views(s, staff=BOB)) == ()
    with pytest.raises(NotFound):
        await desk.write(lambda s: keepsakes.forget_view(s, staff=BOB, view_id=kept.id))
    await desk.write(lambda s: keepsakes.forget_view(s, staff=ANN, view_id=kept.id))
    assert await desk.read(lambda s: keepsakes.views(s, staff=ANN)) == (other,)


@pytest.mark.parametrize(("name", "query"), [("", "a=b"), ("  ", "a=b"), ("n" * 81, "a=b"), ("name", "q" * 1_001)])
async def test_a_view_needs_a_name_and_has_bounds(desk: Database, name: str, query: str) -> None:
    with pytest.raises(Invalid):
        await desk.write(lambda s: keepsakes.save_view(s, staff=ANN, name=name, query=query))


async def test_nobody_keeps_without_end(desk: Database) -> None:
    def fill(session: Session) -> None:
        for n in range(keepsakes.MOST):
            keepsakes.save_view(session, staff=ANN, name=f"view {n}", query="")
            keepsakes.save_snippet(session, staff=ANN, title=f"snippet {n}", text="so")

    await desk.write(fill)
    with pytest.raises(Invalid):
        await desk.write(lambda s: keepsakes.save_view(s, staff=ANN, name="one more", query=""))
    with pytest.raises(Invalid):
        await desk.write(lambda s: keepsakes.save_snippet(s, staff=ANN, title="one more", text="so"))
    await desk.write(lambda s: keepsakes.save_view(s, staff=ANN, name="view 7", query="replaced"))
    await desk.write(lambda s: keepsakes.save_view(s, staff=BOB, name="first", query=""))


async def test_snippets_are_ones_own_or_kept_by_leads_for_all(desk: Database) -> None:
    own = await desk.write(lambda s: keepsakes.save_snippet(s, staff=ANN, title="b own", text="I read it twice."))
    with pytest.raises(NotPermitted):
        await desk.write(lambda s: keepsakes.save_snippet(s, staff=ANN, title="all", text="so", shared=True))
    shared = await desk.write(
        lambda s: keepsakes.save_snippet(s, staff=LEAD, title="a shared", text="It quotes.", shared=True)
    )
    assert await desk.read(lambda s: keepsakes.snippets(s, staff=ANN)) == (shared, own)
    assert await desk.read(lambda s: keepsakes.snippets(s, staff=BOB)) == (shared,)
    for staff, snippet in ((BOB, own), (ANN, shared), (LEAD, own)):
        with pytest.raises(NotFound):
            await desk.write(
                lambda s, staff=staff, snippet=snippet: keepsakes.forget_snippet(s, staff=staff, snippet_id=snippet.id)
            )
    await desk.write(lambda s: keepsakes.forget_snippet(s, staff=LEAD, snippet_id=shared.id))
    await desk.write(lambda s: keepsakes.forget_snippet(s, staff=ANN, snippet_id=own.id))
    assert await desk.read(lambda s: keepsakes.snippets(s, staff=ANN)) == ()


async def test_exposure_adds_up_by_severity(desk: Database) -> None:
    await desk.write(lambda s: exposure.add(s, staff=ANN, severity=Severity.HIGH, seconds=20, items=1))
    await desk.write(lambda s: exposure.add(s, staff=ANN, severity=Severity.HIGH, seconds=10))
    load = await desk.write(lambda s: exposure.add(s, staff=ANN, severity=None, seconds=5, items=1))
    assert load.by_severity == {Severity.HIGH: Seen(items=1, seconds=30), Severity.LOW: Seen(items=1, seconds=5)}
    assert (load.items, load.seconds) == (2, 35)
    assert await desk.read(lambda s: exposure.today(s, staff=ANN)) == load
    assert (await desk.read(lambda s: exposure.today(s, staff=BOB))).items == 0


async def test_a_page_left_open_overnight_was_not_looked_at_all_night(desk: Database) -> None:
    load = await desk.write(lambda s: exposure.add(s, staff=ANN, severity=Severity.LOW, seconds=40_000, items=1))
    assert load.seconds == exposure.LONGEST_S
    for seconds in (-1.0, float("nan")):
        with pytest.raises(Invalid):
            await desk.write(
                lambda s, seconds=seconds: exposure.add(s, staff=ANN, severity=Severity.LOW, seconds=seconds)
            )
