"""An OpenID provider that keeps to the protocol, over real HTTP on this machine, and on demand does not.

It checks what a provider must: client, redirect address, PKCE, and that a code is used once. `lie` changes the claims
of the next ID token, `sign_with` the key that signs it.
"""

import asyncio
import base64
import hashlib
import secrets
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any
from urllib.parse import urlencode

import uvicorn
from fastapi import FastAPI, Form, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

CLIENT_ID, CLIENT_SECRET = "console", "given-by-the-provider"


@cache
def key(kid: str, secret_of: str = "the provider") -> RSAKey:
    """A key pair; made once for each name and owner, for that takes long."""
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})


class LocalProvider:
    """What it knows of its one user, and the codes that it gave out."""

    def __init__(self, return_url: str) -> None:
        self.return_url = return_url
        self.issuer = ""
        self.key = key("1")
        self.sign_with: RSAKey | OctKey | None = None
        self.algorithm = "RS256"
        self.user: dict[str, Any] = {"sub": "42", "email": "", "email_verified": True}
        self.lie: dict[str, Any] = {}
        self.mail_in_token = True
        self._codes: dict[str, dict[str, str]] = {}
        self._tokens: set[str] = set()
        self.app = self._application()

    def _application(self) -> FastAPI:
        app = FastAPI()

        @app.get("/.well-known/openid-configuration")
        async def configuration() -> dict[str, Any]:
            return {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "userinfo_endpoint": f"{self.issuer}/userinfo",
                "jwks_uri": f"{self.issuer}/keys",
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
            }

        @app.get("/keys")
        async def keys() -> dict[str, Any]:
            return {"keys": [self.key.as_dict(private=False)]}

        @app.get("/authorize")
        async def authorize(request: Request) -> Response:
            asked = dict(request.query_params)
            right = (
                asked.get("response_type") == "code"
                and asked.get("client_id") == CLIENT_ID
                and asked.get("redirect_uri") == self.return_url
                and "openid" in asked.get("scope", "").split()
                and asked.get("code_challenge_method") == "S256"
                and len(asked.get("state", "")) >= 32
                and len(asked.get("nonce", "")) >= 32
            )
            if not right:
                return JSONResponse({"error": "invalid_request"}, status_code=400)
            code = secrets.token_urlsafe(16)
            self._codes[code] = asked
            answer = urlencode({"code": code, "state": asked["state"], "iss": self.issuer})
            return RedirectResponse(f"{self.return_url}?{answer}", status_code=302)

        @app.post("/token")
        async def token(
            request: Request,
            grant_type: str = Form(),
            code: str = Form(),
            redirect_uri: str = Form(),
            code_verifier: str = Form(),
        ) -> Response:
            basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
            if request.headers.get("authorization") != f"Basic {basic}":
                return JSONResponse({"error": "invalid_client"}, status_code=401)
            asked = self._codes.pop(code, None)
            digest = hashlib.sha256(code_verifier.encode()).digest()
            challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            right = asked and grant_type == "authorization_code" and redirect_uri == self.return_url
            if not asked or not right or challenge != asked["code_challenge"]:
                return JSONResponse({"error": "invalid_grant"}, status_code=400)
            access = secrets.token_urlsafe(16)
            self._tokens.add(access)
            answer = {"access_token": access, "token_type": "Bearer", "id_token": self._id_token(asked["nonce"])}
            return JSONResponse(answer)

        @app.get("/userinfo")
        async def userinfo(request: Request) -> Response:
            if request.headers.get("authorization", "").removeprefix("Bearer ") not in self._tokens:
                return JSONResponse({"error": "invalid_token"}, status_code=401)
            return JSONResponse({**self.user, **{k: v for k, v in self.lie.items() if k == "sub"}})

        return app

    def _id_token(self, nonce: str) -> str:
        now = int(time.time())
        user = self.user if self.mail_in_token else {"sub": self.user["sub"]}
        claims = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": nonce, **user}
        if self.mail_in_token:
            claims |= self.lie
        signing = self.sign_with or self.key
        return jwt.encode({"alg": self.algorithm, "kid": signing.kid or "1"}, claims, signing)


@asynccontextmanager
async def serving(return_url: str) -> AsyncIterator[LocalProvider]:
    """The provider, reachable at its issuer's address."""
    provider = LocalProvider(return_url)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        provider.issuer = f"http://127.0.0.1:{listening.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(provider.app, log_config=None, lifespan="off"))
        task = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started:
            await asyncio.sleep(0.01)
        yield provider
        server.should_exit = True
        await task
