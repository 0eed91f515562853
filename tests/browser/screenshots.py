"""Pictures of every page, from a seeded service, into docs/screenshots: `make screenshots`.

Pictures are for looking at: whoever changes a page makes them anew and looks at each.
"""

import argparse
import tempfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx2
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import CHROMIUM, WIDE
from tests.browser.reading import keep_reading
from tests.browser.seed import seed
from tests.browser.serving import PASSWORD, Service, serving

OUT = Path(__file__).parents[2] / "docs" / "screenshots"
NARROW = {"width": 360, "height": 760}
TALL = {"width": 1440, "height": 1320}
COLOURS = 96
"""Flat pages lose nothing by so few, and the files are a quarter of the size."""

Act = Callable[[Page], None]

SETTLED_MS = 900


def nothing(_page: Page) -> None: ...


def in_hand(page: Page) -> None:
    take = page.get_by_role("button", name="Take it")
    if take.count():
        take.click()
    page.wait_for_selector("#decide")
    revealed(page)
    page.get_by_label("Reject").check()


def revealed(page: Page) -> None:
    """Show all that is blurred, also what comes a moment later."""
    page.wait_for_timeout(SETTLED_MS)
    page.evaluate(
        "document.querySelectorAll('.sensitive-show[aria-pressed=false]').forEach((button) => button.click())"
    )


def in_hand_appeal(page: Page) -> None:
    page.get_by_role("button", name="Take it").click()
    page.wait_for_selector("#decide")
    revealed(page)
    page.locator("[value=overturn]").check()


def appeal_of(service: Service) -> str:
    """An appeal that an app sends for the author of the disguised text."""
    body = {
        "case_id": service.cases["disguised"]["case_id"],
        "user_id": "fast.cash.9",
        "explanation": "I was quoting what somebody had written to me, because I wanted to warn her about him.",
        "new_evidence": "He wrote it on Sunday at nine; look at the messages from quick.cash.8 to me.",
    }
    answer = httpx2.post(f"{service.url}/api/v1/appeals", json=body, headers={"X-API-Key": service.key}, timeout=30.0)
    assert answer.status_code in (200, 201, 202), answer.text
    return str(answer.json()["appeal_id"])


def read_by_a_model(service: Service, appeal_id: str) -> Act:
    """Have a reading stand beside an appeal, as a model would write it, and look at it."""

    def act(page: Page) -> None:
        keep_reading(service, appeal_id)
        page.reload()
        revealed(page)
        page.locator("#reading-title").scroll_into_view_if_needed()
        page.evaluate("document.querySelector('#reading-title').scrollIntoView({block: 'start'})")

    return act


def selected(page: Page) -> None:
    page.get_by_role("button", name="Show texts").click()
    for box in page.locator("[name=review]:not(:disabled)").all()[1:4]:
        box.check()
    page.locator(".bulk [value=rejected]").check()


def picture(
    browser: Browser, service: Service, name: str, who: str | None, path: str, act: Act, **options: Any
) -> None:
    """One page as one person sees it, each in light and dark where nothing else is asked for."""
    context = browser.new_context(**{"viewport": WIDE, **options})
    page = context.new_page()
    if who:
        page.goto(f"{service.url}/login?next=/account")
        page.get_by_label("Mail address").fill(who)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/account")
    page.goto(f"{service.url}{path}")
    act(page)
    page.wait_for_timeout(SETTLED_MS)
    save(page.screenshot(), name)
    context.close()


def save(png: bytes, name: str) -> None:
    """Keep a picture, small."""
    image = Image.open(BytesIO(png)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    image.save(OUT / f"{name}.png", optimize=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="those whose name contains this")
    only = parser.parse_args().only
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as service, sync_playwright() as playwright:
        seed(service)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for name, who, path, act, options in wanted(service):
            if only in name:
                picture(browser, service, name, who, path, act, **options)
                print(name)
        browser.close()


def wanted(service: Service) -> list[tuple[str, str | None, str, Act, dict[str, Any]]]:
    """Name, person, address, what is done there first, and how it is looked at."""
    ann, eve, finn, cleo = "ann@example.org", "eve@example.org", "finn@example.org", "cleo@example.org"
    appeal_id = appeal_of(service)
    appeal, read = f"/appeals/{appeal_id}", read_by_a_model(service, appeal_id)
    letter = service.link(str(service.cases["disguised"]["case_id"])).removeprefix(service.url)
    dark, narrow = {"color_scheme": "dark"}, {"viewport": NARROW, "device_scale_factor": 2}
    doubt = f"/cases/{service.cases['talk-6']['case_id']}"
    disguised = f"/cases/{service.cases['disguised']['case_id']}"
    return [
        ("login", None, "/login", nothing, {}),
        ("queue", ann, "/queue", nothing, {}),
        ("queue-dark", ann, "/queue?overdue=&priority=", nothing, dark),
        ("queue-narrow", ann, "/queue", nothing, narrow),
        ("queue-selected", ann, "/queue", selected, {}),
        ("queue-empty", ann, "/queue?q=nothing+like+this", nothing, {}),
        ("case-read-only", finn, doubt, nothing, {}),
        ("case", ann, doubt, in_hand, {}),
        ("case-dark", ann, doubt, in_hand, dark),
        ("case-narrow", ann, doubt, in_hand, narrow),
        ("case-disguised", ann, disguised, revealed, {}),
        ("appeals", cleo, "/appeals", nothing, {}),
        ("appeal", cleo, appeal, in_hand_appeal, {}),
        ("appeal-reading", cleo, appeal, read, {"viewport": TALL}),
        ("appeal-reading-dark", cleo, appeal, read, {**dark, "viewport": TALL}),
        ("appeal-reading-narrow", cleo, appeal, read, narrow),
        ("decision", None, letter, nothing, {}),
        ("account", ann, "/account", nothing, {}),
        ("staff", finn, "/staff", nothing, {}),
        ("search", ann, "/search?q=user_borderline_002", nothing, {}),
        ("numbers", eve, "/numbers", nothing, {}),
        ("quality", eve, "/quality", nothing, {}),
        ("not-found", ann, "/cases/nothing", nothing, {}),
    ]


if __name__ == "__main__":
    main()
