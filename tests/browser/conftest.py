"""A real browser before the real service. Skipped where there is no chromium; `.ci/run` installs it.

Each test has a service of its own folder only where it changes what others see; most share one for the session.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.seed import seed
from tests.browser.serving import PASSWORD, Service, serving

HERE = Path(__file__).parent
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
WIDE = {"width": 1440, "height": 900}
WITHIN_MS = 20_000

Visit = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.slow)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="needs chromium"))


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(Path(tmp_path_factory.mktemp("service"))) as running:
        seed(running, held=12)
        yield running


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(service: Service, chromium: Browser) -> Iterator[Visit]:
    """Signs somebody in, in a browser of their own, and opens a page."""
    contexts: list[BrowserContext] = []
    broken: list[str] = []

    def opened(email: str = "ann@example.org", path: str = "/queue", **options: object) -> Page:
        context = chromium.new_context(**{"viewport": WIDE, **options})  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(WITHIN_MS)
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.on("console", lambda said: broken.append(said.text) if "Content Security" in said.text else None)
        page.goto(f"{service.url}/login?next={path}")
        page.get_by_label("Mail address").fill(email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"**{path}")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert broken == [], "scripts failed, or something was refused by the content security policy"
