"""Idempotency keys, by Stripe's rules.

The first status and body are kept for at least 24 hours and given again; the same key with other
parameters is an error; a request that fails keeps nothing, so it can be sent again. The same goes for
an answer that is not final, such as a batch in which an item met an overloaded service.
"""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Header, Request, Response

from data import idempotency
from data.database import Database
from domain.ids import derived_id

REPLAYED = "Idempotent-Replayed"

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="Makes a retry safe: the first answer is kept for 24 hours and given again.",
    ),
]


@dataclass(frozen=True)
class Outcome:
    """A response, and whether it is final. One that is not final is sent and not kept."""

    response: Response
    final: bool = True


def content_id(key: str | None, index: int = 0) -> str | None:
    """An identifier for content that has none: the same each time that the same key is sent."""
    return derived_id("content", key, str(index)) if key else None


async def once(
    request: Request, key: str | None, database: Database, app_id: str, produce: Callable[[], Awaitable[Outcome]]
) -> Response:
    """What `produce` gives, or what it gave the first time that this key was used.

    Raises IdempotencyMismatch for a key used with other parameters, RequestInProgress while the first
    request with it is being worked on.
    """
    if key is None:
        return (await produce()).response
    body = await request.body()
    fingerprint = hashlib.sha256(b"\x00".join((request.url.path.encode(), body))).hexdigest()
    replay = await database.write(
        lambda session: idempotency.begin(session, app_id=app_id, key=key, request_hash=fingerprint)
    )
    if replay is not None:
        return Response(replay.body, replay.status, headers={REPLAYED: "true"}, media_type="application/json")
    try:
        outcome = await produce()
    except BaseException:
        await database.write(lambda session: idempotency.abandon(session, app_id=app_id, key=key))
        raise
    response = outcome.response
    if not outcome.final:
        await database.write(lambda session: idempotency.abandon(session, app_id=app_id, key=key))
        return response
    text = bytes(response.body).decode()
    await database.write(
        lambda session: idempotency.finish(session, app_id=app_id, key=key, status=response.status_code, body=text)
    )
    return response
