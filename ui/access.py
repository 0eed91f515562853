"""Who may open which page. Every page declares it, and what is declared is enforced here, before anything is read.

`Pages` is the only kind of router in this room. A route of it names `signed_in(right)` or `open_to_all`, or defining
it fails; for every unsafe method it demands a request of our own origin that shows the token of its session.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

from fastapi import APIRouter, Depends, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from data import staff as accounts
from data import staff_sessions
from data.apps import App
from domain.errors import Invalid, NotAuthenticated, NotFound, NotPermitted
from domain.staff import Right, Staff, StaffSession
from ui import cookies, headers
from ui.cookies import Cookie
from ui.parts import parts_of

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
MAX_BODY = 256 * 1024
TOKEN_FIELD = "csrf"
TOKEN_HEADER = "x-csrf-token"
STALE = "this page is out of date; go back, load it again, and send it once more"
FOREIGN = "this came from another site and was not done"


@dataclass(frozen=True)
class Access:
    """Who may open a page: somebody with this right, anybody signed in (`right` is None), or all."""

    right: Right | None = None
    open: bool = False


@dataclass(frozen=True)
class Visit:
    """A person at a page. `apps` are the tenants given to them, `chosen` the one they look at; None: all of theirs."""

    staff: Staff
    session: StaffSession
    apps: tuple[App, ...]
    chosen: App | None = None

    @property
    def app_ids(self) -> tuple[str, ...]:
        """The tenants whose things are shown."""
        return (self.chosen.id,) if self.chosen else tuple(app.id for app in self.apps)


@dataclass(frozen=True)
class SignedIn:
    """A dependency: the person at the page."""

    access: Access

    async def __call__(self, request: Request) -> Staff:
        """The account. The route has let them in already."""
        return visit_of(request).staff


def signed_in(right: Right | None = None) -> SignedIn:
    """Lets in who is signed in and holds `right`; gives their account."""
    return SignedIn(Access(right=right))


class _OpenToAll:
    access = Access(open=True)

    async def __call__(self) -> None: ...


open_to_all = _OpenToAll()
"""Lets everybody in. Unsafe methods still need our own origin and a token."""


def visit_of(request: Request) -> Visit:
    """The visit of a request that was let in."""
    visit: Visit | None = request.state.visit
    if visit is None:
        raise NotAuthenticated("sign in first")
    return visit


Visiting = Annotated[Visit, Depends(visit_of)]


class Page(APIRoute):
    """A route that lets in only those whom it declares, and hardens every answer."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        options["max_body_size"] = options.get("max_body_size") or MAX_BODY
        super().__init__(path, endpoint, **options)
        declared = set(_declared(self.dependant))
        if len(declared) != 1:
            raise TypeError(f"{path} must declare one right by signed_in(…), or open_to_all; it declares {declared}")
        self.access: Access = declared.pop()

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What answers: the guard, then the page."""
        page = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            refusal = await self._let_in(request)
            response = refusal or await page(request)
            if refusal is None and request.method not in SAFE:
                parts_of(request).live.tell()
            _keep(request, response)
            headers.harden(response)
            return response

        return guarded

    async def _let_in(self, request: Request) -> Response | None:
        """None where the page may answer, else the way to the sign-in. Raises NotPermitted or NotFound."""
        unsafe = request.method not in SAFE
        request.state.visit, request.state.form_secret = None, None
        if unsafe:
            _require_our_origin(request)
        visit = request.state.visit = await _visit(request)
        if visit is None and not self.access.open:
            return _to_sign_in(request)
        if visit is None:
            request.state.form_secret = cookies.read(request, Cookie.FORM) or secrets.token_urlsafe(32)
        if unsafe:
            await _require_token(request)
        if visit is not None and not self.access.open:
            if self.access.right is not None:
                visit.staff.require(self.access.right)
            _require_own_app(request, visit)
        return None


class Pages(APIRouter):
    """A router whose routes are pages."""

    def __init__(self) -> None:
        super().__init__(route_class=Page, include_in_schema=False, default_response_class=HTMLResponse)


def token_of(request: Request) -> str:
    """What a form on this page must bring back in its field `csrf`, or a script in the header `X-CSRF-Token`."""
    visit: Visit | None = request.state.visit
    if visit is not None:
        return visit.session.csrf
    key = parts_of(request).secret.encode()
    return hmac.new(key, f"form:{request.state.form_secret}".encode(), hashlib.sha256).hexdigest()


def local_path(text: str | None, otherwise: str = "/") -> str:
    """A path of ours to go on to; never another site's address."""
    usable = text and text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable()
    return text if text and usable else otherwise


def _declared(dependant: Dependant) -> Iterator[Access]:
    for inner in dependant.dependencies:
        if isinstance(inner.call, SignedIn | _OpenToAll):
            yield inner.call.access
        yield from _declared(inner)


async def _visit(request: Request) -> Visit | None:
    token = cookies.read(request, Cookie.SESSION)
    if not token:
        return None
    database = parts_of(request).database

    def look(session: Any) -> tuple[StaffSession, Staff, tuple[App, ...]] | None:
        found = staff_sessions.find(session, token=token)
        if found is None:
            return None
        return (
            found,
            accounts.get(session, staff_id=found.staff_id),
            accounts.apps_of(session, staff_id=found.staff_id),
        )

    seen = await database.read(look)
    if seen is None:
        return None
    found, staff, apps = seen
    if parts_of(request).clock() - found.seen_at > staff_sessions.TOUCH_EVERY:
        await database.write(lambda session: staff_sessions.touch(session, token=token))
    wanted = request.query_params.get("app") or cookies.read(request, Cookie.APP)
    chosen = next((app for app in apps if app.id == wanted), None)
    return Visit(staff=staff, session=found, apps=apps, chosen=chosen)


def _require_our_origin(request: Request) -> None:
    """Browsers say where a form or script came from, and scripts of other sites cannot change it."""
    host = request.headers.get("host", "")
    ours = {host, urlsplit(parts_of(request).public_url).netloc} - {""}
    source = request.headers.get("origin") or request.headers.get("referer")
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin" or not source:
        raise NotPermitted(FOREIGN)
    if urlsplit(source).netloc not in ours:
        raise NotPermitted(FOREIGN)


async def _require_token(request: Request) -> None:
    shown = request.headers.get(TOKEN_HEADER)
    if shown is None:
        try:
            shown = str((await request.form()).get(TOKEN_FIELD, ""))
        except HTTPException:
            raise
        except ClientDisconnect as error:
            raise Invalid("the request broke off before all of it had come") from error
        except (ValueError, KeyError) as error:
            raise NotPermitted(STALE) from error
    if not hmac.compare_digest(shown.encode(), token_of(request).encode()):
        raise NotPermitted(STALE)


def _require_own_app(request: Request, visit: Visit) -> None:
    wanted = request.query_params.get("app")
    if wanted and wanted not in {app.id for app in visit.apps}:
        visit.staff.require_app(wanted)
        raise NotFound("there is no such app among yours")


def _to_sign_in(request: Request) -> Response:
    """The sign-in, and from there back to the page, or to the one whose form was sent."""
    back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if request.method not in SAFE:
        referer = urlsplit(request.headers.get("referer", ""))
        back = referer.path or "/"
    target = f"/login?next={quote(local_path(back))}"
    if request.headers.get("hx-request"):
        return Response(status_code=401, headers={"HX-Redirect": target})
    if "text/event-stream" in request.headers.get("accept", ""):
        return Response(status_code=401)
    return RedirectResponse(target, status_code=303)


def _keep(request: Request, response: Response) -> None:
    """Give the browser what binds its forms, where it came without a session."""
    fresh = request.state.form_secret
    if fresh and fresh != cookies.read(request, Cookie.FORM):
        cookies.put(request, response, Cookie.FORM, fresh)
