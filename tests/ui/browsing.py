"""A browser as far as the server can tell: it keeps cookies, says where its forms come from, and brings their token."""

import re
from typing import Any, Self

import httpx2
from fastapi import FastAPI

ORIGIN = "https://console.test"
SESSION = "__Host-cupidsshield"
PASSWORD = "four words in a row"

TOKEN = re.compile(r'name="csrf" value="([^"]+)"')


class Browser(httpx2.AsyncClient):
    """A client that behaves like a browser. It follows no redirect by itself, so that tests see them."""

    _place: httpx2.ASGITransport

    @classmethod
    def of(cls, web: FastAPI) -> Self:
        transport = httpx2.ASGITransport(app=web, raise_app_exceptions=False)
        browser = cls(transport=transport, base_url=ORIGIN, headers={"Accept": "text/html"})
        browser._place = transport
        return browser

    def comes_from(self, address: str) -> None:
        """Come from this address from now on."""
        self._place.client = (address, 123)

    def keep_session(self, token: str) -> None:
        """Hold the cookie of a session."""
        self.cookies.set(SESSION, token, domain="console.test", path="/")

    @property
    def session(self) -> str | None:
        """The token of the session, if the browser holds one."""
        return self.cookies.get(SESSION)

    async def token(self, path: str = "/account") -> str:
        """The token that the forms of a page bring."""
        found = TOKEN.search((await self.get(path)).text)
        assert found, f"{path} has no form"
        return found[1]

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """As browsers do, say on which page a form stood."""
        if request.method != "GET":
            request.headers.setdefault("Origin", ORIGIN)
            request.headers.setdefault("Referer", f"{ORIGIN}/account")
            request.headers.setdefault("Sec-Fetch-Site", "same-origin")
        return await super().send(request, **options)

    async def submit(
        self, path: str, fields: dict[str, Any] | None = None, *, page: str = "/account"
    ) -> httpx2.Response:
        """Send a form that stands on `page`."""
        return await self.post(path, data={"csrf": await self.token(page), **(fields or {})})

    async def sign_in(self, email: str, password: str = PASSWORD, next: str = "/") -> httpx2.Response:
        """Fill in the form and send it."""
        return await self.submit("/login", {"email": email, "password": password, "next": next}, page="/login")
