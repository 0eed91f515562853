"""Idempotency keys, by Stripe's rules.

The first status and body are kept for at least 24 hours and given again; the same key with other
parameters is an error; a request that fails keeps nothing, so it can be sent again.
"""

import hashlib
from collections.abc import Awaitable, Callable

from fastapi import Request, Response

from data import idempotency
from data.database import Database
from domain.errors import Invalid

HEADER = "Idempotency-Key"
MAX_KEY = 255


def key_in(request: Request) -> str | None:
    """The request's idempotency key, if it has one. Raises Invalid for one that is unusable."""
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not 1 <= len(key) <= MAX_KEY:
        raise Invalid(f"{HEADER} must have 1 to {MAX_KEY} characters")
    return key


async def once(
    request: Request, database: Database, app_id: str, produce: Callable[[], Awaitable[Response]]
) -> Response:
    """What `produce` gives, or what it gave the first time that this key was used.

    Raises IdempotencyMismatch for a key used with other parameters, RequestInProgress while the first
    request with it is being worked on.
    """
    key = key_in(request)
    if key is None:
        return await produce()
    body = await request.body()
    fingerprint = hashlib.sha256(b"\x00".join((request.url.path.encode(), body))).hexdigest()
    replay = await database.write(
        lambda session: idempotency.begin(session, app_id=app_id, key=key, request_hash=fingerprint)
    )
    if replay is not None:
        headers = {"Idempotent-Replayed": "true"}
        return Response(replay.body, replay.status, headers=headers, media_type="application/json")
    try:
        response = await produce()
    except BaseException:
        await database.write(lambda session: idempotency.abandon(session, app_id=app_id, key=key))
        raise
    text = bytes(response.body).decode()
    await database.write(
        lambda session: idempotency.finish(session, app_id=app_id, key=key, status=response.status_code, body=text)
    )
    return response
