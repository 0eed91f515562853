"""Who is calling a tool. The actor comes from the connection, never from a tool's arguments.

Two kinds of caller exist. A *foreign agent* comes over HTTP with an API key (or over stdio, bound to
one app when the process was started) and acts for that key's app only. The *service itself* comes in
process, or over HTTP with the service token, and names the actor it works for in the request's
`_meta`: nobody else can.
"""

from collections.abc import Callable
from typing import Any

from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.mcpserver import Context
from pydantic import ValidationError

from domain.actor import Actor, ActorKind
from domain.errors import NotAuthenticated, NotPermitted
from domain.vocabulary import Scope

ACTOR_META = "cupidsshield/actor"
"""Key of `_meta` under which the service names the actor it works for."""

SERVICE_SCOPE = "service"
"""Scope of the service token. No API key can hold it."""

Call = Context[Any, Any]
Identify = Callable[[Call], Actor]


def actor_in_meta(call: Call) -> Actor:
    """The actor that the service named in `_meta`; for servers reachable by nobody but the service."""
    meta = call.request_context.meta or {}
    try:
        return Actor.model_validate(meta.get(ACTOR_META))
    except ValidationError as error:
        raise NotAuthenticated("the call names no valid actor in its metadata") from error


def actor_of_token(call: Call) -> Actor:
    """The agent behind the bearer token, or, for the service token, the actor that it names."""
    token = get_access_token()
    if token is None:
        raise NotAuthenticated("send a bearer token: an API key made with 'cupidsshield keys create'")
    if SERVICE_SCOPE in token.scopes:
        return actor_in_meta(call)
    scopes = frozenset(Scope(scope) for scope in token.scopes)
    return Actor(kind=ActorKind.AGENT, id=token.client_id, app_id=token.subject or "", scopes=scopes)


def always(actor: Actor) -> Identify:
    """Every call comes from this actor: for a stdio server, whose caller started the process."""

    def identify(call: Call) -> Actor:
        return actor

    return identify


def require_service(actor: Actor, what: str) -> None:
    """Raise NotPermitted unless the service itself is calling."""
    if actor.kind is not ActorKind.SYSTEM:
        raise NotPermitted(f"{what} is reserved to the service's own graphs and workers")
