"""An appeal from the signed link in a user's message to a ban that is reversed, in a real browser."""

from playwright.sync_api import Browser, expect

from tests.browser.conftest import Visit
from tests.browser.seed import DISGUISED
from tests.browser.serving import Service
from tests.browser.test_reviewing import standing

GOOD = "I was quoting what somebody had written to me, because I wanted to warn her about him."


def appealed(service: Service, chromium: Browser, content_id: str) -> tuple[str, str]:
    """A text that was rejected by machine, and the appeal that its author sends; case and link."""
    answer = service.post(content_id, f"{DISGUISED} {content_id}", "quoting_user")
    assert answer["decision"] == "rejected", "no doubt about this text"
    case_id = str(answer["case_id"])
    link = service.link(case_id)
    page = chromium.new_page()
    page.goto(link)
    page.get_by_label("What did we get wrong?").fill(GOOD)
    page.get_by_role("button", name="Send my appeal").click()
    anyway = page.get_by_role("button", name="Send it just as it is")
    if anyway.count():
        anyway.click()
    expect(page.get_by_text("We have it. You need not do anything")).to_be_visible()
    page.close()
    return case_id, link


def test_an_appeal_goes_from_the_signed_link_to_a_reversed_ban(
    service: Service, chromium: Browser, visit: Visit
) -> None:
    case_id, link = appealed(service, chromium, "appealed-1")
    page = visit("cleo@example.org", "/appeals")
    page.get_by_role("button", name="Take the next").click()
    page.wait_for_url("**/appeals/**")
    page.get_by_role("button", name="Show").first.click()
    expect(page.get_by_text(GOOD)).to_be_visible()
    expect(page.get_by_text("a machine's opinion; you decide")).to_be_visible()
    page.keyboard.press("a")
    expect(page.get_by_text("We got it wrong, and we apologise")).to_be_visible()
    page.keyboard.press("w")
    page.keyboard.type("You quoted a scammer to warn somebody.")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Overturned: what was restricted is restored.")).to_be_visible()
    assert standing(service, case_id) == "approved"
    reader = chromium.new_page()
    reader.goto(link)
    expect(reader.get_by_text("We have it.")).to_be_visible()
    page.keyboard.press("u")
    expect(page.get_by_text("Taken back")).to_be_visible()
    assert standing(service, case_id) == "rejected"
    reader.close()
