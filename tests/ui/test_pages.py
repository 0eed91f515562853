"""The frame of every page: the navigation, errors, files, and what a page must never hold."""

import re
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from fastapi import FastAPI

from domain.staff import Role
from tests.ui.browsing import ORIGIN, Browser
from tests.ui.conftest import Hire, SignIn
from ui.clients import named
from ui.headers import POLICY
from ui.navigation import ENTRIES
from ui.pages import STATIC, ago, environment, words


async def test_an_address_of_nothing_is_a_page_for_people_and_json_for_programs(
    stranger: Browser, web: FastAPI
) -> None:
    page = await stranger.get("/nowhere")
    assert page.status_code == 404
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["content-security-policy"] == POLICY
    assert "There is nothing here" in page.text
    program = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=web), base_url=ORIGIN)
    for path, accept in (("/nowhere", "*/*"), ("/api/v1/nowhere", "text/html"), ("/api/v1/cases", "text/html")):
        answer = await program.get(path, headers={"Accept": accept})
        assert answer.headers["content-type"] == "application/json", path
    await program.aclose()


async def test_a_method_that_a_page_does_not_take_is_said_to_people(stranger: Browser) -> None:
    answer = await stranger.put("/login")
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]
    assert "<h1>" in answer.text


async def test_an_error_is_one_line_for_htmx(sign_in: SignIn, hire: Hire) -> None:
    browser = await sign_in(await hire())
    answer = await browser.get("/staff", headers={"HX-Request": "true"})
    assert answer.status_code == 403
    assert answer.text.startswith("<p>your role, moderator")
    assert answer.headers["content-security-policy"] == POLICY


async def test_a_fault_of_ours_tells_nothing(sign_in: SignIn, hire: Hire, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = await sign_in(await hire())

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the password is hunter2")

    monkeypatch.setattr("data.staff_sessions.list_for", broken)
    answer = await browser.get("/account")
    assert answer.status_code == 500
    assert "Something failed on our side" in answer.text
    assert "hunter2" not in answer.text
    assert answer.headers["content-security-policy"] == POLICY


async def test_a_form_that_is_too_large_is_refused(stranger: Browser) -> None:
    answer = await stranger.post("/login", data={"csrf": "x" * 300_000})
    assert answer.status_code == 413


@pytest.mark.parametrize("role", Role)
async def test_the_header_leads_to_pages_that_open(sign_in: SignIn, hire: Hire, role: Role) -> None:
    browser = await sign_in(await hire(role))
    header = (await browser.get("/account")).text.partition("</nav>")[0]
    for entry in ENTRIES:
        if f'href="{entry.path}"' in header:
            assert (await browser.get(entry.path)).status_code in (200, 303), entry.path
    front = await browser.get("/")
    assert front.status_code == 303
    assert (await browser.get(front.headers["location"])).status_code == 200


async def test_files_are_served_for_ever_under_their_hash(stranger: Browser) -> None:
    page = (await stranger.get("/login")).text
    files = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
    assert len(files) >= 4
    for file in files:
        assert re.search(r"\?v=[0-9a-f]{12}$", file)
        answer = await stranger.get(file)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["content-security-policy"] == POLICY
    assert (await stranger.get("/static/console/../pages.py")).status_code == 404


SOURCES = sorted((STATIC.parent / "templates").rglob("*.html"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_templates_hold_no_inline_script_or_style_nothing_unescaped_and_no_address_outside(path: object) -> None:
    text = path.read_text("utf-8")  # type: ignore[attr-defined]
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|hx-on", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)
    assert not re.search(r"\|\s*safe\b|autoescape\s+false", text)
    assert not re.search(r"""(?:href|src|action)=["'](?:https?:)?//""", text)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_every_form_that_changes_something_brings_its_token(path: object) -> None:
    text = path.read_text("utf-8")  # type: ignore[attr-defined]
    for form in re.findall(r"<form[^>]*method=\"post\".*?</form>", text, re.DOTALL):
        assert "csrf_field()" in form, form[:80]


def test_scripts_and_styles_ask_nothing_of_the_outside() -> None:
    style = (STATIC / "console.css").read_text("utf-8")
    assert "@import" not in style
    assert "url(" not in style
    script = (STATIC / "console.js").read_text("utf-8")
    assert not re.search(r"https?://|\beval\(|new Function|innerHTML|insertAdjacentHTML", script)


def test_what_is_put_into_a_template_is_escaped() -> None:
    made = environment().from_string("{{ text }}").render(text="<img src=x onerror=alert(1)>")
    assert made == "&lt;img src=x onerror=alert(1)&gt;"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (59, "59 s"), (60, "1 m"), (7_200, "2 h"), (200_000, "2 d"), (-90, "in 1 m"), (-90_000, "in 1 d")],
)
def test_time_is_told_in_its_largest_unit(seconds: int, said: str) -> None:
    now = datetime(2026, 11, 28, tzinfo=UTC)
    assert ago(now - timedelta(seconds=seconds), now) == said


def test_words_are_written_as_people_do() -> None:
    assert (words(Role.POLICY_LEAD), words(None), words("temp_ban_24h")) == ("policy lead", "–", "temp ban 24h")


@pytest.mark.parametrize(
    ("client", "said"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18 like Mac OS X) Version/18 Safari/605", "Safari on iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140 Safari/537 Edg/140", "Edge on Windows"),
        ("", "A browser"),
    ],
)
def test_browsers_are_called_by_their_names(client: str, said: str) -> None:
    assert named(client) == said
