"""Every page, as the route table has it, against everybody who must not get in: all are refused alike.

Nothing here names a page: one that is added tomorrow is tested tomorrow.
"""

import re
from collections.abc import Iterator
from contextlib import asynccontextmanager
from urllib.parse import quote

import httpx2
import pytest
from fastapi import APIRouter, Depends, FastAPI
from starlette.routing import BaseRoute

from cupidsshield.bootstrap import House
from data import apps, staff_sessions
from domain.ids import new_id
from domain.staff import RIGHTS, Right, Role
from gateway.app import create_app
from gateway.parts import Parts
from tests.ui.browsing import ORIGIN, Browser
from tests.ui.conftest import Hire, SignIn
from tests.ui.matrix import ENDLESS, FOREIGN, FORMS, NO_TENANT, OPEN
from ui.access import SAFE, Access, Page, Pages, open_to_all, signed_in
from ui.app import ROUTERS

PARAMETER = re.compile(r"{(\w+)(?::\w+)?}")


def described() -> FastAPI:
    @asynccontextmanager
    async def never() -> Iterator[Parts]:  # type: ignore[misc]
        raise AssertionError("nothing is opened to read the route table")
        yield

    return create_app(never, version="matrix")  # type: ignore[arg-type]


def flattened(routes: list[BaseRoute]) -> Iterator[BaseRoute]:
    for route in routes:
        yield route
        inner = getattr(route, "original_router", None)
        if isinstance(inner, APIRouter):
            yield from flattened(inner.routes)


ROUTES = list(flattened(described().router.routes))
PAGES = [(method, page) for page in ROUTES if isinstance(page, Page) for method in sorted(page.methods or ())]
GUARDED = [(method, page) for method, page in PAGES if not page.access.open]
UNSAFE = [(method, page) for method, page in PAGES if method not in SAFE]


def name(value: object) -> str | None:
    return value.path if isinstance(value, Page) else str(value)


def over(pages: list[tuple[str, Page]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("method", "page"), pages, ids=name)


def address(page: Page, **values: str) -> str:
    return PARAMETER.sub(lambda found: values.get(found[1], "nothing"), page.path)


def role_with(right: Right | None) -> Role:
    return next(role for role in Role if right is None or right in RIGHTS[role])


async def asked(browser: Browser, method: str, path: str, *, token: str = "", **headers: str) -> httpx2.Response:
    form = {"csrf": token, **FORMS.get(path, {})} if method not in SAFE else None
    return await browser.request(method, path, data=form, headers=headers)


def test_the_route_table_is_found() -> None:
    assert len(PAGES) >= 15
    assert {"GET /login", "POST /login", "GET /staff"} <= {f"{method} {page.path}" for method, page in PAGES}


def test_whatever_this_room_serves_is_a_page() -> None:
    ours = [route for route in ROUTES if getattr(route, "endpoint", None) is not None]
    strays = [r for r in ours if r.endpoint.__module__.startswith("ui.") and not isinstance(r, Page)]  # type: ignore[attr-defined]
    assert strays == []
    assert all(isinstance(router, Pages) for router in ROUTERS)


def test_a_page_that_declares_no_right_cannot_be_defined() -> None:
    router = Pages()

    async def page() -> None: ...

    with pytest.raises(TypeError, match="must declare"):
        router.get("/forgotten")(page)
    both = [Depends(signed_in(Right.REVIEW)), Depends(open_to_all)]
    with pytest.raises(TypeError, match="must declare"):
        router.get("/undecided", dependencies=both)(page)
    router.get("/thought-of", dependencies=[Depends(signed_in(Right.REVIEW))])(page)
    (made,) = router.routes
    assert isinstance(made, Page)
    assert made.access == Access(right=Right.REVIEW)


def test_pages_open_to_all_are_those_that_somebody_thought_about() -> None:
    assert {f"{method} {page.path}" for method, page in PAGES if page.access.open} == OPEN


@over(GUARDED)
async def test_without_a_session_the_way_leads_to_the_sign_in(stranger: Browser, method: str, page: Page) -> None:
    path = address(page)
    answer = await asked(stranger, method, path)
    assert answer.status_code == 303
    back = "/account" if method not in SAFE else path
    assert answer.headers["location"] == f"/login?next={quote(back)}"


@over(GUARDED)
async def test_a_session_that_ended_opens_nothing(
    hire: Hire, sign_in: SignIn, house: House, method: str, page: Page
) -> None:
    person = await hire(role_with(page.access.right))
    browser = await sign_in(person)
    token = await browser.token()
    await house.database.write(lambda s: staff_sessions.end_all(s, staff_id=person.id))
    answer = await asked(browser, method, address(page), token=token)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login?next=")


def test_what_everybody_who_is_signed_in_may_is_to_read_cases_of_their_apps() -> None:
    assert {right for right in Right if all(right in held for held in RIGHTS.values())} == {Right.READ_CASES}


@over([(method, page) for method, page in GUARDED if page.access.right not in (None, Right.READ_CASES)])
async def test_every_role_without_the_right_is_refused(hire: Hire, sign_in: SignIn, method: str, page: Page) -> None:
    wrong = [role for role in Role if page.access.right not in RIGHTS[role]]
    assert wrong, "a right that everybody has protects nothing"
    for role in wrong:
        browser = await sign_in(await hire(role))
        answer = await asked(browser, method, address(page), token=await browser.token())
        assert answer.status_code == 403, role


@over(GUARDED)
async def test_an_app_of_others_answers_like_none(
    hire: Hire, sign_in: SignIn, house: House, method: str, page: Page
) -> None:
    foreign = await house.database.write(lambda s: apps.get_or_create(s, name=new_id("foreign")).id)
    browser = await sign_in(await hire(role_with(page.access.right)))
    token = await browser.token()
    theirs, none = [
        await asked(browser, method, f"{address(page)}?app={app_id}", token=token) for app_id in (foreign, "app_none")
    ]
    assert (theirs.status_code, none.status_code) == (404, 404)
    assert theirs.text == none.text


@over([(method, page) for method, page in GUARDED if set(PARAMETER.findall(page.path)) - NO_TENANT])
async def test_a_thing_of_others_answers_like_none(
    hire: Hire, sign_in: SignIn, house: House, method: str, page: Page
) -> None:
    names = set(PARAMETER.findall(page.path)) - NO_TENANT
    assert names <= FOREIGN.keys(), f"say in tests/ui/matrix.py how to make {names - FOREIGN.keys()} of another tenant"
    values = {key: await house.database.write(FOREIGN[key]) for key in names}
    browser = await sign_in(await hire(role_with(page.access.right)))
    form = {"csrf": await browser.token(), **FORMS.get(page.path, {})} if method not in SAFE else None
    theirs = await browser.request(method, address(page, **values), data=form)
    none = await browser.request(method, address(page), data=form)
    assert theirs.status_code != 422, "give a form in tests/ui/matrix.py that would be accepted"
    assert (theirs.status_code, none.status_code) == (404, 404)


@over(UNSAFE)
async def test_a_form_without_a_token_or_with_an_old_one_is_refused(
    stranger: Browser, hire: Hire, sign_in: SignIn, method: str, page: Page
) -> None:
    if page.access.open:
        browser, old = stranger, await stranger.token("/login")
        stranger.cookies.clear()
        await stranger.get("/login")
    else:
        person = await hire(role_with(page.access.right))
        old = await (await sign_in(person)).token()
        browser = await sign_in(person)
    for token in ("", "x", old):
        answer = await asked(browser, method, address(page), token=token)
        assert answer.status_code == 403, token


@over(UNSAFE)
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"},
        {"Origin": ORIGIN, "Sec-Fetch-Site": "same-site"},
        {"Origin": f"{ORIGIN}.evil.example"},
        {"Origin": "", "Referer": "https://evil.example/"},
        {"Origin": "", "Referer": ""},
    ],
    ids=str,
)
async def test_a_form_of_another_site_is_refused(
    stranger: Browser, hire: Hire, sign_in: SignIn, method: str, page: Page, headers: dict[str, str]
) -> None:
    if page.access.open:
        browser, token = stranger, await stranger.token("/login")
    else:
        browser = await sign_in(await hire(role_with(page.access.right)))
        token = await browser.token()
    answer = await asked(browser, method, address(page), token=token, **headers)
    assert answer.status_code == 403


@over([(method, page) for method, page in GUARDED if page.path not in ENDLESS])
async def test_whoever_may_is_let_in(hire: Hire, sign_in: SignIn, method: str, page: Page) -> None:
    """The refusals above mean something: with session, right and token, nobody is told 401 or 403."""
    browser = await sign_in(await hire(role_with(page.access.right)))
    answer = await asked(browser, method, address(page), token=await browser.token())
    if page.path == "/account/password":
        assert "current password" in answer.text
        return
    assert answer.status_code not in (401, 403), answer.text
    assert not answer.headers.get("location", "").startswith("/login?")


@over(PAGES)
async def test_every_answer_is_hardened(stranger: Browser, method: str, page: Page) -> None:
    answer = await asked(stranger, method, address(page))
    policy = answer.headers["content-security-policy"]
    for part in ("default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"):
        assert part in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert "permissions-policy" in answer.headers
