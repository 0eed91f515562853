"""Signing in by OpenID Connect, by Authlib: the code flow with state, nonce and PKCE, and a strictly checked ID token.

A provider says who somebody is; it makes no accounts. Only asymmetric signatures of the provider's own keys count.
"""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from domain.base import Frozen
from domain.errors import NotAuthenticated, ToolUnavailable

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
SCOPE = "openid email"
WITHIN_S = 10.0
LEEWAY_S = 60
REFUSED = "the provider's answer cannot be trusted; try again"
UNVERIFIED = "the provider has not verified your mail address"


class Begun(Frozen):
    """What is kept in the browser while somebody is at the provider."""

    state: str
    nonce: str
    verifier: str
    next: str


class Identity(Frozen):
    """Whom the provider vouches for. `subject` never changes, the mail address may."""

    subject: str
    email: str


@dataclass
class Provider:
    """One OpenID provider, and what it told of itself."""

    name: str
    issuer: str
    client_id: str
    client_secret: str
    return_url: str
    _told: dict[str, Any] = field(default_factory=dict)
    _keys: KeySet | None = None

    async def begin(self, next: str) -> tuple[str, Begun]:
        """Where to send somebody, and what to keep meanwhile. Raises ToolUnavailable."""
        begun = Begun(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            next=next,
        )
        async with self._client() as client:
            told = await self._metadata(client)
            address, _ = client.create_authorization_url(
                told["authorization_endpoint"], state=begun.state, nonce=begun.nonce, code_verifier=begun.verifier
            )
        return str(address), begun

    async def finish(self, begun: Begun, *, code: str) -> Identity:
        """Who came back with this code. Raises NotAuthenticated for an answer that is not right, or ToolUnavailable."""
        async with self._client() as client:
            told = await self._metadata(client)
            try:
                token = await client.fetch_token(told["token_endpoint"], code=code, code_verifier=begun.verifier)
                claims = await self._claims(client, token, begun.nonce)
            except (OAuthError, JoseError, KeyError, ValueError, TypeError) as error:
                raise NotAuthenticated(REFUSED) from error
            if "email" not in claims and told.get("userinfo_endpoint"):
                more = (await client.get(told["userinfo_endpoint"])).raise_for_status().json()
                if more.get("sub") != claims["sub"]:
                    raise NotAuthenticated(REFUSED)
                claims = {**more, **claims}
        if claims.get("email_verified") is not True or not isinstance(claims.get("email"), str):
            raise NotAuthenticated(UNVERIFIED)
        return Identity(subject=f"{self.issuer}|{claims['sub']}", email=claims["email"])

    async def _claims(self, client: AsyncOAuth2Client, token: dict[str, Any], nonce: str) -> dict[str, Any]:
        registry = JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)
        keys = self._keys or await self._fetched_keys(client)
        try:
            signed = jwt.decode(token["id_token"], keys, registry=registry)
        except InvalidKeyIdError:
            # Providers change their keys now and then.
            signed = jwt.decode(token["id_token"], await self._fetched_keys(client), registry=registry)
        wanted = {"iss": {"essential": True, "value": self.issuer}, "aud": {"essential": True, "value": self.client_id}}
        known = {"nonce": nonce, "client_id": self.client_id, "access_token": token.get("access_token")}
        claims = CodeIDToken(signed.claims, signed.header, wanted, known)
        claims.validate(leeway=LEEWAY_S)
        return dict(claims)

    async def _metadata(self, client: AsyncOAuth2Client) -> dict[str, Any]:
        if not self._told:
            told = await self._get(client, f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
            if told.get("issuer") != self.issuer:
                raise NotAuthenticated(REFUSED)
            self._told = told
        return self._told

    async def _fetched_keys(self, client: AsyncOAuth2Client) -> KeySet:
        self._keys = KeySet.import_key_set(await self._get(client, self._told["jwks_uri"]))
        return self._keys

    async def _get(self, client: AsyncOAuth2Client, address: str) -> Any:
        response = await client.request("GET", address, withhold_token=True)
        return response.raise_for_status().json()

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[AsyncOAuth2Client]:
        client = AsyncOAuth2Client(
            client_id=self.client_id,
            client_secret=self.client_secret,
            scope=SCOPE,
            redirect_uri=self.return_url,
            code_challenge_method="S256",
            timeout=WITHIN_S,
        )
        async with client:
            try:
                yield client
            except httpx2.HTTPError as error:
                raise ToolUnavailable(self.name, "the sign-in provider does not answer") from error
