"""What leads see: the numbers with their files, alerts on top, and quality; each only of their own apps."""

import csv
import io
from datetime import timedelta

import pytest
from sqlmodel import Session, col, select

from cupidsshield.bootstrap import House
from data import quality
from data.case_table import CaseRow
from domain.clock import now
from domain.estimates import Share
from domain.staff import Role, Staff
from domain.statistics import Alarm
from tests import seeding
from tests.ui.browsing import Browser
from tests.ui.conftest import Hire, SignIn
from ui.asked import Span
from ui.figures import NAMES
from ui.sheets import Sheet, harmless, share, text

SHOWN = "The queue now"


async def crew(
    house: House, hire: Hire, *, a_day: int = 30, name: str = "Ada", **how: float
) -> tuple[Staff, list[Staff]]:
    """A lead and three reviewers of an app with three days behind it."""
    lead = await hire(Role.POLICY_LEAD)
    app_ids = sorted(lead.app_ids)
    reviewers = [await hire(Role.SENIOR, app_ids=app_ids, name=n) for n in (name, "Ben Osei", "Cy Lind")]
    await house.database.write(
        lambda s: seeding.past(s, app_id=app_ids[0], reviewers=reviewers, until=now(), days=3, a_day=a_day, **how)
    )
    return lead, reviewers


async def cells(browser: Browser, table: str, window: Span = Span.WEEK) -> list[list[str]]:
    answer = await browser.get(f"/numbers/{table}.csv?window={window.value}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.reader(io.StringIO(answer.text)))


async def test_the_numbers_are_on_one_page_and_each_table_is_a_file(house: House, hire: Hire, sign_in: SignIn) -> None:
    lead, _ = await crew(house, hire)
    browser = await sign_in(lead)
    for window in Span:
        page = await browser.get(f"/numbers?window={window.value}")
        assert page.status_code == 200
        assert SHOWN in page.text
        assert "data-chart" in page.text
        assert "style=" not in page.text, "the content security policy allows no inline style"
    for name in NAMES:
        header, *rows = await cells(browser, name)
        assert rows, name
        assert all(len(row) == len(header) for row in rows)


async def test_volume_in_the_file_is_what_was_submitted(house: House, hire: Hire, sign_in: SignIn) -> None:
    lead, _ = await crew(house, hire, a_day=10)
    _, *rows = await cells(await sign_in(lead), "volume")
    total = await house.database.read(lambda s: len(_cases(s, lead)))
    assert sum(int(row[1]) for row in rows) == total > 0


def _cases(session: Session, lead: Staff) -> list[str]:
    return list(session.exec(select(CaseRow.id).where(col(CaseRow.app_id).in_(lead.app_ids))))


async def test_nothing_of_another_app_is_counted(house: House, hire: Hire, sign_in: SignIn) -> None:
    _, others = await crew(house, hire, name="Somebody Foreign")
    browser = await sign_in(await hire(Role.POLICY_LEAD))
    page = await browser.get("/numbers?window=30d")
    assert "Somebody Foreign" not in page.text
    _, *rows = await cells(browser, "volume", Span.MONTH)
    assert rows == []
    foreign = next(iter(others[0].app_ids))
    assert (await browser.get(f"/numbers?app={foreign}")).status_code == 404
    assert (await browser.get(f"/numbers/volume.csv?app={foreign}")).status_code == 404


async def test_an_app_without_anything_says_so(hire: Hire, sign_in: SignIn) -> None:
    browser = await sign_in(await hire(Role.POLICY_LEAD))
    page = (await browser.get("/numbers")).text
    assert "Nothing waits: the queue is empty." in page
    assert "No appeals in this window." in page
    assert "Nothing to settle" in (await browser.get("/quality")).text


async def test_somebody_without_an_app_is_told_why_nothing_is_there(hire: Hire, sign_in: SignIn) -> None:
    browser = await sign_in(await hire(Role.POLICY_LEAD, app_ids=[]))
    assert "No app is given to you" in (await browser.get("/numbers")).text


async def test_an_unknown_table_and_an_unknown_window_are_refused(hire: Hire, sign_in: SignIn) -> None:
    browser = await sign_in(await hire(Role.SENIOR))
    assert (await browser.get("/numbers/nonsense.csv")).status_code == 404
    assert (await browser.get("/numbers?window=2y")).status_code == 422


async def test_a_name_that_is_a_formula_is_harmless_in_the_file(house: House, hire: Hire, sign_in: SignIn) -> None:
    lead, _ = await crew(house, hire, name='=HYPERLINK("http://evil")')
    _, *rows = await cells(await sign_in(lead), "reversals-by-reviewer")
    assert any(row[0] == '\'=HYPERLINK("http://evil")' for row in rows)
    assert not any(row[0].startswith("=") for row in rows)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", "\n=", " ="])
def test_no_cell_begins_a_formula(start: str) -> None:
    sheet = Sheet("x", "X", "", (f"{start}A",), [(text(f"{start}cmd|' /C calc'!A0"),)])
    header, row = csv.reader(io.StringIO(sheet.csv(), newline=""))
    assert header[0].startswith("'")
    assert row[0].startswith("'")


def test_numbers_stay_numbers() -> None:
    assert harmless(-3) == -3
    assert harmless("scams") == "scams"


def test_a_small_sample_is_told_as_a_count() -> None:
    few, enough = share(Share(hits=3, of=7), 20), share(Share(hits=30, of=70), 20)
    assert (few.shown, few.raw, few.part) == ("3 of 7", None, None)
    assert (enough.shown, enough.note) == ("43%", "32% to 55%")
    assert share(Share(hits=0, of=0), 20).shown == "–"


async def test_alerts_stand_on_top_and_count_in_the_header(house: House, hire: Hire, sign_in: SignIn) -> None:
    lead = await hire(Role.POLICY_LEAD)
    alarm = Alarm(event="alert.overdue", subject="7 items in the queue past the deadline", body="Look there.")
    house.board.post(next(iter(lead.app_ids)), "alerts", [alarm])
    browser = await sign_in(lead)
    page = (await browser.get("/numbers")).text
    assert alarm.subject in page
    badge = '<span class="badge is-urgent">1<span class="unseen"> alert</span></span>'
    assert badge in (await browser.get("/account")).text
    colleague = await sign_in(await hire(Role.MODERATOR, app_ids=sorted(lead.app_ids)))
    assert badge not in (await colleague.get("/account")).text, "a moderator does not see numbers"
    stranger = await sign_in(await hire(Role.POLICY_LEAD))
    assert badge not in (await stranger.get("/account")).text, "nor does another tenant's lead"


async def test_a_lead_settles_a_disagreement_and_it_becomes_golden(house: House, hire: Hire, sign_in: SignIn) -> None:
    lead, _ = await crew(house, hire, looked_twice=1.0, differ=0.5)
    app_ids = sorted(lead.app_ids)
    number, found = await house.database.read(lambda s: quality.disagreements(s, lead=lead, app_ids=app_ids))
    assert number
    browser = await sign_in(lead)
    page = (await browser.get("/quality")).text
    assert found[0].first.reasoning in page
    assert found[0].second.reasoning in page
    fields = {"decision": found[0].second.id, "right": "second", "golden": "true"}
    answer = await browser.submit("/quality/settle", fields)
    assert answer.status_code == 303, answer.text
    left, _ = await house.database.read(lambda s: quality.disagreements(s, lead=lead, app_ids=app_ids))
    assert left == number - 1
    assert (await browser.submit("/quality/settle", fields)).status_code == 409
    page = (await browser.get("/quality")).text
    assert f"/quality/golden/{found[0].case_id}/end" in page
    assert (await browser.submit(f"/quality/golden/{found[0].case_id}/end")).status_code == 303
    again = {"case": found[0].case_id, "answer": "scams"}
    assert (await browser.submit("/quality/golden", again)).status_code == 303
    assert (await browser.submit("/quality/golden", {"case": "case_absent", "answer": "approved"})).status_code == 404


def test_a_window_is_compared_with_the_one_before() -> None:
    window = Span.WEEK.ending(now())
    assert window.before.until == window.since
    assert window.before.length == timedelta(days=7)
