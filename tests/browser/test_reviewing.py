"""Scenario 5 of the design in a real browser, by mouse and by keyboard only; conflicts, undo, many at once."""

import re
from itertools import count

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.seed import GUILT
from tests.browser.serving import Service

NUMBERS = count(1)
WHY = "Demanding and guilt-tripping after she said that she is busy. No earlier violations."


FREED = """(name) => {
    const take = [...document.querySelectorAll('[data-take]')].find((button) => button.ariaLabel.includes(name));
    return take && take.closest('tr').querySelector('.state').textContent.includes('free');
}"""
"""The line of a case says in place that nobody has it any more."""


def in_doubt(service: Service) -> str:
    """A fresh copy of the message that the design escalates; the identifier of its case."""
    number = next(NUMBERS)
    answer = service.post(f"doubt-{number}", f"{GUILT} {'.' * number}", "user_borderline_002")
    assert answer["decision"] == "escalated", "the design escalates this message"
    return str(answer["case_id"])


def standing(service: Service, case_id: str) -> str:
    import httpx2

    answer = httpx2.get(f"{service.url}/api/v1/cases/{case_id}", headers={"X-API-Key": service.key})
    return str(answer.json()["decision"])


def line(page: Page, case_id: str) -> str:
    return f"tr:has([aria-label='Take case {case_id[5:13]}'])"


def test_scenario_5_by_mouse(service: Service, visit: Visit) -> None:
    case_id = in_doubt(service)
    page = visit()
    page.locator(line(page, case_id)).get_by_role("button", name="Take").click()
    expect(page.get_by_role("heading", name=f"Case {case_id[5:13]}")).to_be_visible()
    expect(page.get_by_text("Yours", exact=True)).to_be_visible()
    page.get_by_role("button", name="Show").first.click()
    expect(page.locator(".content")).to_contain_text("I've been nothing but nice to you")
    expect(page.get_by_role("heading", name="The author")).to_be_visible()
    expect(page.get_by_role("heading", name="Similar cases")).to_be_visible()
    page.get_by_label("Reject").check()
    page.get_by_role("combobox", name="Policy").select_option("harassment")
    page.get_by_role("combobox", name="Severity").select_option("medium")
    expect(page.locator("#action-temp_ban_24h")).to_be_checked()
    page.get_by_label("warn and remove").check()
    expect(page.locator("#preview")).to_contain_text("We have removed it, and this is a warning.")
    page.get_by_role("textbox", name="Why").fill(WHY)
    page.get_by_role("button", name="Decide").click()
    expect(page.get_by_text("Rejected for harassment: warn and remove.")).to_be_visible()
    assert standing(service, case_id) == "rejected"


def test_scenario_5_by_keyboard_alone(service: Service, visit: Visit) -> None:
    case_id = in_doubt(service)
    page = visit()
    press = page.keyboard.press
    for _ in range(60):
        press("j")
        if page.evaluate("document.activeElement.textContent").find("user_borderline") >= 0:
            at = page.evaluate("document.activeElement.querySelector('[data-take]').ariaLabel")
            if at == f"Take case {case_id[5:13]}":
                break
    press("Enter")
    page.wait_for_url(f"**/cases/{case_id}**")
    press("b")
    expect(page.locator(".content")).to_be_visible()
    press("r")
    expect(page.locator("#action-warn_and_remove")).to_be_visible()
    key = page.locator("#action-warn_and_remove").get_attribute("data-key")
    assert key is not None
    press(key)
    expect(page.locator("#preview")).to_contain_text("We have removed it, and this is a warning.")
    press("w")
    page.keyboard.type(WHY)
    press("Control+Enter")
    expect(page.get_by_text(re.compile("Rejected for .*: warn and remove"))).to_be_visible()
    assert standing(service, case_id) == "rejected"
    press("u")
    expect(page.get_by_text("Taken back")).to_be_visible()
    page.wait_for_url(f"**/cases/{case_id}**")
    assert standing(service, case_id) == "escalated"
    press("q")
    page.wait_for_url("**/queue**")


def test_two_who_want_the_same_item_both_see_who_has_it(service: Service, visit: Visit) -> None:
    case_id = in_doubt(service)
    ann, bob = visit("ann@example.org"), visit("bob@example.org")
    ann.locator(line(ann, case_id)).get_by_role("button", name="Take").click()
    expect(ann.get_by_text("Yours", exact=True)).to_be_visible()
    expect(bob.locator(line(bob, case_id))).to_contain_text("Ann Reyes has it")
    bob.locator(line(bob, case_id)).get_by_role("button", name="Take").click()
    expect(bob.get_by_text("You cannot take it just now")).to_be_visible()
    expect(bob.locator("#claim")).to_contain_text("Ann Reyes has it")
    expect(bob.locator("#decide")).to_have_count(0)
    ann.goto(f"{service.url}/queue")
    ann.wait_for_function(FREED, arg=case_id[5:13])
    bob.reload()
    bob.get_by_role("button", name="Take it").click()
    expect(bob.get_by_text("Yours", exact=True)).to_be_visible()


def test_a_lost_claim_freezes_the_form_and_keeps_the_words(service: Service, visit: Visit) -> None:
    case_id = in_doubt(service)
    ann, bob = visit("ann@example.org", f"/cases/{case_id}"), visit("bob@example.org", f"/cases/{case_id}")
    ann.get_by_role("button", name="Take it").click()
    ann.get_by_label("Approve").check()
    ann.get_by_role("textbox", name="Why").fill("half a thought")
    ann.evaluate("fetch(release.action, {method: 'POST', body: new URLSearchParams(new FormData(release))})")
    expect(bob.get_by_role("button", name="Take it")).to_be_visible()
    bob.get_by_role("button", name="Take it").click()
    expect(bob.get_by_text("Yours", exact=True)).to_be_visible()
    ann.evaluate("htmx.trigger('#claim', 'renew')")
    expect(ann.locator("#claim")).to_contain_text("Bob Tan has it now.")
    expect(ann.get_by_role("button", name="Decide")).to_be_disabled()
    expect(ann.get_by_role("textbox", name="Why")).to_have_value("half a thought")


def test_a_reload_keeps_the_claim(service: Service, visit: Visit) -> None:
    case_id = in_doubt(service)
    page = visit(path=f"/cases/{case_id}")
    page.get_by_role("button", name="Take it").click()
    expect(page.get_by_text("Yours", exact=True)).to_be_visible()
    page.reload()
    page.wait_for_timeout(1_500)
    page.get_by_label("Approve").check()
    page.get_by_role("textbox", name="Why").fill("Banter between two who joke.")
    page.get_by_role("button", name="Decide").click()
    expect(page.get_by_text("Approved.")).to_be_visible()


def test_leaving_gives_an_item_back(service: Service, visit: Visit) -> None:
    case_id = in_doubt(service)
    page = visit(path=f"/cases/{case_id}")
    page.get_by_role("button", name="Take it").click()
    expect(page.get_by_text("Yours", exact=True)).to_be_visible()
    page.get_by_role("link", name="Back to the queue").click()
    page.wait_for_url("**/queue")
    state = page.locator(f"{line(page, case_id)} .state")
    # The browser gives the item back beside its asking for the queue: either may come first.
    for _ in range(20):
        if state.count():
            break
        page.wait_for_timeout(100)
        page.reload()
    expect(state).to_contain_text("free")


def test_many_are_decided_after_a_question_that_names_their_number_and_undone(service: Service, visit: Visit) -> None:
    cases = [in_doubt(service) for _ in range(3)]
    page = visit()
    for case_id in cases:
        page.get_by_label(f"Select case {case_id[5:13]}").check()
    page.get_by_label("approve").check()
    page.get_by_placeholder("Why, for whoever").fill("The same joke three times.")
    page.get_by_role("button", name="Decide 3 items").click()
    expect(page.get_by_role("heading", name="Approve 3 items?")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    assert {standing(service, case_id) for case_id in cases} == {"escalated"}
    page.get_by_role("button", name="Decide 3 items").click()
    page.get_by_role("button", name="Approve 3").click()
    expect(page.get_by_text("3 items approved.")).to_be_visible()
    assert {standing(service, case_id) for case_id in cases} == {"approved"}
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("3 items taken back")).to_be_visible()
    assert {standing(service, case_id) for case_id in cases} == {"escalated"}


def test_what_is_new_waits_behind_a_button(service: Service, visit: Visit) -> None:
    page = visit()
    rows = page.locator("[data-row]").count()
    in_doubt(service)
    expect(page.get_by_text("1 new item")).to_be_visible()
    assert page.locator("[data-row]").count() == rows
    page.keyboard.press(".")
    expect(page.locator("[data-row]")).to_have_count(rows + 1)


def test_the_keys_of_a_page_are_listed(visit: Visit) -> None:
    page = visit()
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_contain_text("Take the next")
    expect(page.locator("#keys")).to_contain_text("Next line")


@pytest.mark.parametrize("width", [360, 768, 2560])
def test_nothing_runs_out_of_the_screen(service: Service, visit: Visit, width: int) -> None:
    case_id = in_doubt(service)
    page = visit(viewport={"width": width, "height": 900})
    for path in ("/queue", f"/cases/{case_id}", "/account", "/search"):
        page.goto(f"{service.url}{path}")
        over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert over <= 0, path


def test_the_main_flow_works_without_script(service: Service, visit: Visit) -> None:
    case_id = in_doubt(service)
    page = visit(path=f"/cases/{case_id}", java_script_enabled=False)
    page.get_by_role("button", name="Take it").click()
    page.get_by_label("Approve").check()
    page.get_by_role("textbox", name="Why").fill("Frustration, no pressure.")
    page.get_by_role("button", name="Decide").click()
    expect(page.get_by_text("Approved.")).to_be_visible()
    assert standing(service, case_id) == "approved"
