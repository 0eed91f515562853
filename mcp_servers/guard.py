"""Bearer tokens on the HTTP servers: API keys of apps, and the service's own token.

Tokens are checked against our own key store, not bound to a resource by an authorization server; the
verifier therefore checks the audience itself: a key is good for this service and for nothing else.
"""

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from mcp.server.auth.provider import AccessToken, TokenVerifier
from mcp.server.auth.settings import AuthSettings
from pydantic import AnyHttpUrl

from domain.actor import Actor
from domain.errors import NotAuthenticated
from domain.vocabulary import Scope
from mcp_servers.identity import SERVICE_SCOPE

VerifyKey = Callable[[str], Awaitable[Actor]]
"""Gives the actor of an API key, or raises NotAuthenticated."""

AGENT_SCOPES = (Scope.MODERATE, Scope.READ, Scope.NOTIFY)


class KeyVerifier(TokenVerifier):
    """Accepts live API keys and, where one is set, the service token."""

    def __init__(self, verify_key: VerifyKey, service_token: str | None) -> None:
        self._verify_key = verify_key
        self._service_token = service_token

    async def verify_token(self, token: str) -> AccessToken | None:
        """The token's holder, or None where the token is not good."""
        if self._service_token and hmac.compare_digest(token.encode(), self._service_token.encode()):
            return AccessToken(token=token, client_id=SERVICE_SCOPE, scopes=[SERVICE_SCOPE])
        try:
            actor = await self._verify_key(token)
        except NotAuthenticated:
            return None
        return AccessToken(
            token=token, client_id=actor.id, subject=actor.app_id, scopes=sorted(scope.value for scope in actor.scopes)
        )


@dataclass(frozen=True)
class Guard:
    """What an HTTP server needs to know: how to check tokens, and the URL it is reached under."""

    verifier: KeyVerifier
    public_url: str

    def resource_url(self, name: str) -> AnyHttpUrl:
        """Where the server `name` is reached from outside."""
        return AnyHttpUrl(f"{self.public_url.rstrip('/')}/mcp/{name}")

    def settings_for(self, name: str) -> AuthSettings:
        """The server's resource metadata; scopes are checked by each tool."""
        return AuthSettings(
            issuer_url=AnyHttpUrl(self.public_url),
            resource_server_url=self.resource_url(name),
            validate_token_resource=False,
            required_scopes=[],
        )
