"""The queue as a page: what it shows to whom, what narrows it, taking the next, deciding many, and what changed."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from cupidsshield.bootstrap import House
from data import claims
from domain.clock import now
from domain.review import ReviewItem, ReviewKind
from domain.staff import Role
from domain.vocabulary import Priority, Route
from tests.ui.conftest import Hire, SignIn
from tests.ui.working import app_of, standing, waiting
from ui.standing import Stand

LEASE = timedelta(minutes=5)


async def test_what_presses_most_stands_first(house: House, hire: Hire, sign_in: SignIn) -> None:
    person = await hire()
    later = await waiting(house, person)
    sooner = await waiting(house, person, order_at=now() - timedelta(hours=1))
    page = (await (await sign_in(person)).get("/queue")).text
    assert 0 < page.index(sooner.case_id) < page.index(later.case_id)


async def test_nothing_of_another_app_or_route_is_shown(house: House, hire: Hire, sign_in: SignIn) -> None:
    person, other = await hire(), await hire()
    foreign = await waiting(house, other)
    legal = await waiting(house, person, route=Route.LEGAL)
    page = (await (await sign_in(person)).get("/queue")).text
    assert foreign.case_id not in page
    assert legal.case_id not in page
    assert "All done" in page


async def test_filters_live_in_the_address(house: House, hire: Hire, sign_in: SignIn) -> None:
    person = await hire()
    urgent = await waiting(house, person, priority=Priority.URGENT)
    low = await waiting(house, person, priority=Priority.LOW)
    browser = await sign_in(person)
    page = (await browser.get("/queue?priority=urgent&route=&policy=")).text
    assert urgent.case_id in page
    assert low.case_id not in page
    assert '<option value="urgent" selected>' in page
    nothing = (await browser.get("/queue?priority=high")).text
    assert "Nothing matches" in nothing
    assert "Something may wait outside" in nothing


async def test_a_filter_that_is_none_of_ours_is_refused_in_words(hire: Hire, sign_in: SignIn) -> None:
    answer = await (await sign_in(await hire())).get("/queue?priority=soon")
    assert answer.status_code == 422
    assert "clear the filters" in answer.text


async def test_pages_follow_each_other_both_ways(house: House, hire: Hire, sign_in: SignIn) -> None:
    person, start = await hire(), now()
    items = [await waiting(house, person, order_at=start + timedelta(minutes=n)) for n in range(53)]
    browser = await sign_in(person)
    first = (await browser.get("/queue")).text
    assert items[49].case_id in first
    assert items[50].case_id not in first
    second = (await browser.get("/queue" + link(first, "next"))).text
    assert items[50].case_id in second
    back = (await browser.get("/queue" + link(second, "prev"))).text
    assert items[0].case_id in back


def link(page: str, rel: str) -> str:
    before = page[: page.index(f'rel="{rel}"')]
    return before[before.rindex('href="') + 6 :].split('"')[0].replace("&amp;", "&")


async def test_the_next_is_taken_and_opened(house: House, hire: Hire, sign_in: SignIn) -> None:
    person = await hire()
    item = await waiting(house, person)
    browser = await sign_in(person)
    answer = await browser.submit("/queue/next", {"view": "priority=medium"})
    assert answer.headers["location"] == f"/cases/{item.case_id}?view=priority%3Dmedium"
    assert (await standing(house, person, item)).is_mine
    none = await browser.submit("/queue/next")
    assert none.headers["location"] == "/queue"
    assert "Nothing is free for you" in (await browser.get("/queue")).text


async def test_somebody_who_was_slower_is_told_who_has_it(house: House, hire: Hire, sign_in: SignIn) -> None:
    ann = await hire(name="Ann Reyes")
    bob = await hire(app_ids=[app_of(ann)], name="Bob Tan")
    item = await waiting(house, ann)
    hers, his = await sign_in(ann), await sign_in(bob)
    await hers.submit(f"/reviews/{item.id}/claim")
    assert "Ann Reyes has it" in (await his.get("/queue")).text
    answer = await his.submit(f"/reviews/{item.id}/claim")
    page = (await his.get(answer.headers["location"])).text
    assert "You cannot take it just now" in page
    assert "Ann Reyes has it" in page
    assert 'id="decide"' not in page
    assert (await standing(house, ann, item)).is_mine


async def test_views_are_kept_and_forgotten(hire: Hire, sign_in: SignIn) -> None:
    browser = await sign_in(await hire())
    await browser.submit("/queue/views", {"name": "Urgent ones", "view": "priority=urgent&evil=1"})
    page = (await browser.get("/queue")).text
    assert '<a href="/queue?priority=urgent">Urgent ones</a>' in page
    view_id = page.split("/queue/views/")[1].split("/")[0]
    await browser.submit(f"/queue/views/{view_id}/forget")
    assert "Urgent ones" not in (await browser.get("/queue")).text


REJECT = {"kind": "rejected", "policy": "spam", "severity": "low", "action": "warn", "reasoning": "A wave of it."}


async def test_many_are_decided_only_once_their_number_was_confirmed(house: House, hire: Hire, sign_in: SignIn) -> None:
    person = await hire()
    items = [await waiting(house, person) for _ in range(3)]
    browser = await sign_in(person)
    form = {**REJECT, "review": [item.id for item in items]}
    asked = await browser.submit("/queue/bulk", form)
    assert "Reject 3 items?" in asked.text
    assert all([(await standing(house, person, item)).stand is Stand.FREE for item in items])
    await browser.submit("/queue/bulk", {**form, "confirmed": "true"})
    assert all([(await standing(house, person, item)).stand is Stand.DONE for item in items])
    page = (await browser.get("/queue")).text
    assert "3 items rejected" in page
    undo = page.split('action="/undo/bulk/')[1].split('"')[0]
    await browser.submit(f"/undo/bulk/{undo}")
    assert all([(await standing(house, person, item)).is_mine for item in items])


async def test_what_another_holds_is_left_alone_by_a_bulk_act_and_told(
    house: House, hire: Hire, sign_in: SignIn
) -> None:
    ann = await hire()
    bob = await hire(app_ids=[app_of(ann)])
    free, held = await waiting(house, ann), await waiting(house, ann)
    await house.database.write(lambda s: claims.claim(s, staff=bob, review_id=held.id, lease=LEASE))
    browser = await sign_in(ann)
    await browser.submit("/queue/bulk", {**REJECT, "review": [free.id, held.id], "confirmed": "true"})
    page = (await browser.get("/queue")).text
    assert "1 item rejected. 1 item left alone: somebody else is looking at it." in page
    assert (await standing(house, bob, held)).is_mine


@pytest.mark.parametrize(
    ("lack", "told"), [("reasoning", "Say why"), ("action", "names the policy"), ("kind", "Choose whether")]
)
async def test_a_bulk_act_that_is_not_complete_changes_nothing(
    house: House, hire: Hire, sign_in: SignIn, lack: str, told: str
) -> None:
    person = await hire()
    item = await waiting(house, person)
    browser = await sign_in(person)
    form = {**REJECT, "review": [item.id], "confirmed": "true", lack: ""}
    answer = await browser.submit("/queue/bulk", form)
    assert answer.status_code == 422
    assert told in answer.text
    assert (await standing(house, person, item)).stand is Stand.FREE


async def test_news_tell_how_lines_stand_and_what_came(house: House, hire: Hire, sign_in: SignIn) -> None:
    ann = await hire(name="Ann Reyes")
    bob = await hire(app_ids=[app_of(ann)])
    first, second = await waiting(house, bob), await waiting(house, bob)
    his = await sign_in(bob)
    address = (await his.get("/queue")).text.split('hx-get="')[1].split('"')[0].replace("&amp;", "&")
    query = parse_qs(urlsplit(address).query)
    assert set(query["review"]) == {first.id, second.id}
    hers = await sign_in(ann)
    await hers.submit(f"/reviews/{first.id}/claim")
    await hers.submit("/queue/bulk", {**REJECT, "review": [second.id], "confirmed": "true"})
    await waiting(house, bob)
    news = (await his.get(address)).text
    assert "Ann Reyes has it" in piece(news, first)
    assert "done" in piece(news, second)
    assert "1 new item" in news


def piece(news: str, item: ReviewItem) -> str:
    return news.split(f'id="state-{item.id}"')[1].split("</span>\n</span>")[0]


async def test_texts_are_shown_without_what_cannot_be_seen(house: House, hire: Hire, sign_in: SignIn) -> None:
    person = await hire()
    await waiting(house, person, "see\u202e you <b>soon</b>")
    page = (await (await sign_in(person)).get("/queue")).text
    assert "\u202e" not in page
    assert "see⟨RLO⟩ you &lt;b&gt;soon&lt;/b&gt;" in page


async def test_whoever_takes_nothing_is_shown_the_way_to_cases(hire: Hire, sign_in: SignIn) -> None:
    page = (await (await sign_in(await hire(Role.POLICY_LEAD))).get("/queue")).text
    assert "Your role takes nothing from the queue" in page
    assert "Take the next" not in page


async def test_a_second_look_is_named_and_leads_to_its_own_page(house: House, hire: Hire, sign_in: SignIn) -> None:
    person = await hire()
    item = await waiting(house, person, kind=ReviewKind.QUALITY)
    page = (await (await sign_in(person)).get("/queue")).text
    assert f"/cases/{item.case_id}?review={item.id}" in page
    assert "Second look" in page
