"""axe-core finds nothing serious or critical on any page, light and dark, wide and narrow."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Visit
from tests.browser.reading import keep_reading
from tests.browser.serving import Service
from tests.browser.test_appealing import appealed

AXE = Path(__file__).parent / "axe.min.js"
WORST = ("serious", "critical")

NARROW = {"width": 360, "height": 740}
LOOKS = [("light", None), ("dark", None), ("light", NARROW), ("dark", NARROW)]

ANN, CLEO, EVE, FINN = (f"{name}@example.org" for name in ("ann", "cleo", "eve", "finn"))


def found(page: Page) -> list[str]:
    # What fades in is pale until it stands.
    page.evaluate("Promise.all(document.getAnimations().map((each) => each.finished))")
    page.evaluate(AXE.read_text("utf-8"))
    report: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{page.url}: {each['id']} at {node['target']}: {node.get('failureSummary', '')}"
        for each in report["violations"]
        if each["impact"] in WORST
        for node in each["nodes"]
    ]


def pages(service: Service, who: str) -> list[str]:
    case = service.cases["talk-6"]["case_id"]
    hidden = service.cases["disguised"]["case_id"]
    ours = [
        "/queue",
        "/queue?priority=low&q=zzz",
        f"/cases/{case}",
        f"/cases/{hidden}",
        "/account",
        "/search?q=user",
        "/appeals",
    ]
    return {ANN: ours, EVE: ["/numbers", "/quality"], FINN: ["/staff", "/numbers", "/account", "/nowhere"]}[who]


@pytest.mark.parametrize(("scheme", "viewport"), LOOKS)
@pytest.mark.parametrize("who", [ANN, EVE, FINN])
def test_nothing_serious_on_any_page(
    service: Service, visit: Visit, who: str, scheme: str, viewport: dict[str, int] | None
) -> None:
    options: dict[str, Any] = {"color_scheme": scheme, **({"viewport": viewport} if viewport else {})}
    page = visit(who, "/account", **options)
    wrong: list[str] = []
    for path in pages(service, who):
        page.goto(f"{service.url}{path}")
        wrong += found(page)
    assert wrong == []


def test_nothing_serious_with_a_case_in_hand_and_all_shown(service: Service, visit: Visit) -> None:
    page = visit(ANN, "/queue")
    page.get_by_role("button", name="Take the next").click()
    page.wait_for_url("**/cases/**")
    page.evaluate("document.querySelectorAll('.sensitive-show').forEach((button) => button.click())")
    page.keyboard.press("r")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert found(page) == []
    page.keyboard.press("?")
    assert found(page) == []


def test_nothing_serious_with_an_appeal_in_hand(service: Service, chromium: Browser, visit: Visit) -> None:
    appealed(service, chromium, "looked-at-by-axe")
    page = visit(CLEO, "/appeals")
    page.get_by_role("button", name="Take the next").click()
    page.wait_for_url("**/appeals/**")
    keep_reading(service, page.url.partition("/appeals/")[2].partition("?")[0])
    page.reload()
    assert page.get_by_text("a language model's text; you decide").is_visible()
    page.evaluate("document.querySelectorAll('.sensitive-show').forEach((button) => button.click())")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert found(page) == []


@pytest.mark.parametrize(("scheme", "viewport"), LOOKS)
def test_nothing_serious_on_what_is_read_without_an_account(
    service: Service, chromium: Browser, scheme: str, viewport: dict[str, int] | None
) -> None:
    options: dict[str, Any] = {"color_scheme": scheme, **({"viewport": viewport} if viewport else {})}
    page = chromium.new_page(**options)
    letter = service.link(service.cases["disguised"]["case_id"])
    wrong: list[str] = []
    for address in (f"{service.url}/login", letter, f"{letter}x"):
        page.goto(address)
        wrong += found(page)
    page.close()
    assert wrong == []
