"""Who is calling the API: an API key in `X-API-Key` or as a bearer token."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from fastapi import Request

from domain.actor import Actor
from domain.errors import NotAuthenticated

CACHE_S = 5.0
"""How long a verified key is believed without asking again: a revoked key dies within this time."""

CACHE_SIZE = 4_096


class KeyRing:
    """Verifies keys, remembering good ones for a few seconds by their hash."""

    def __init__(self, verify: Callable[[str], Awaitable[Actor]], clock: Callable[[], float] = time.monotonic) -> None:
        self._verify = verify
        self._clock = clock
        self._known: OrderedDict[bytes, tuple[float, Actor]] = OrderedDict()

    async def actor(self, key: str) -> Actor:
        """The actor of a key. Raises NotAuthenticated for any key that is not good."""
        digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
        found = self._known.get(digest)
        if found and self._clock() - found[0] < CACHE_S:
            return found[1]
        self._known.pop(digest, None)
        actor = await self._verify(key)
        self._known[digest] = (self._clock(), actor)
        if len(self._known) > CACHE_SIZE:
            self._known.popitem(last=False)
        return actor


def key_in(request: Request) -> str:
    """The API key that a request shows, or NotAuthenticated saying how to show one."""
    if key := request.headers.get("x-api-key"):
        return key
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return token.strip()
    raise NotAuthenticated("send your API key in the X-API-Key header or as 'Authorization: Bearer …'")
