"""What stands before every route of the API: authentication, scope, and the rate limit."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPBearer

from domain.actor import Actor
from domain.vocabulary import Scope
from gateway.auth import key_in
from gateway.parts import Has

_in_header = Security(APIKeyHeader(name="X-API-Key", auto_error=False, description="An API key of your app"))
_as_bearer = Security(HTTPBearer(auto_error=False, description="The same API key as a bearer token"))


def needs(scope: Scope) -> Callable[..., Awaitable[Actor]]:
    """A dependency: the calling actor, who holds `scope` and has not asked too often."""

    async def actor(request: Request, parts: Has, _key: str | None = _in_header, _token: object = _as_bearer) -> Actor:
        found = await parts.keys.actor(key_in(request))
        found.require(scope)
        await parts.rate_limit.spend(found.id)
        return found

    return actor


Moderating = Annotated[Actor, Depends(needs(Scope.MODERATE))]
Reading = Annotated[Actor, Depends(needs(Scope.READ))]
