"""Delivers messages to an app by Standard Webhooks, to public addresses only.

The specification: webhook-id stays the same across tries, webhook-timestamp is of the try, the
signature is HMAC-SHA256 over `id.timestamp.body`. A redirect is a failure; 410 switches the hook off.
"""

import asyncio
import ipaddress
import json
import random
import socket
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import httpx2
from standardwebhooks.webhooks import Webhook

from domain.base import Frozen
from domain.clock import now
from domain.notification import Notification

TIMEOUT_S = 15.0
FIRST_RETRY = timedelta(seconds=5)
LONGEST_RETRY = timedelta(hours=12)
GIVE_UP_AFTER = timedelta(days=3)


class Attempt(Frozen):
    """What became of one try. `gone` means that the app wants no more of these."""

    ok: bool
    error: str = ""
    gone: bool = False
    retry_after: timedelta | None = None


class WebhookSender:
    """Posts signed messages. `allow_private` lets tests and intranets use private addresses."""

    def __init__(self, http: httpx2.AsyncClient, *, allow_private: bool) -> None:
        self._http = http
        self._allow_private = allow_private

    async def send(self, notification: Notification, *, url: str, secret: str) -> Attempt:
        """Try once to deliver `notification` to `url`; never raises for what the other side does."""
        if refusal := await self._refusal(url):
            return Attempt(ok=False, error=refusal)
        body = payload(notification)
        sent_at = now()
        signature = Webhook(secret).sign(notification.id, sent_at, body)
        headers = {
            "content-type": "application/json",
            "webhook-id": notification.id,
            "webhook-timestamp": str(int(sent_at.timestamp())),
            "webhook-signature": signature,
        }
        try:
            response = await self._http.post(url, content=body, headers=headers, timeout=TIMEOUT_S)
        except httpx2.HTTPError as error:
            return Attempt(ok=False, error=f"{type(error).__name__}: the webhook could not be reached")
        return _judge(response)

    async def _refusal(self, url: str) -> str | None:
        if self._allow_private:
            return None
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname:
            return "the webhook address must be https"
        try:
            found = await asyncio.get_running_loop().getaddrinfo(parts.hostname, parts.port or 443)
        except socket.gaierror:
            return "the webhook's host name does not resolve"
        addresses = {ipaddress.ip_address(entry[4][0]) for entry in found}
        if not all(address.is_global for address in addresses):
            return "the webhook's host is a private address"
        return None


def payload(notification: Notification) -> str:
    """The body: type, timestamp and data, as Standard Webhooks recommends."""
    message = notification.message
    return json.dumps(
        {
            "type": message.event,
            "timestamp": notification.created_at.isoformat(),
            "data": {
                "case_id": notification.case_id,
                "audience": message.audience,
                "recipient": message.recipient,
                "subject": message.subject,
                "body": message.body,
                **message.payload,
            },
        },
        ensure_ascii=False,
    )


def _judge(response: httpx2.Response) -> Attempt:
    if response.is_success:
        return Attempt(ok=True)
    seconds = response.headers.get("retry-after", "")
    return Attempt(
        ok=False,
        error=f"the webhook answered {response.status_code}",
        gone=response.status_code == 410,
        retry_after=timedelta(seconds=int(seconds)) if seconds.isdigit() else None,
    )


def next_try(notification: Notification, attempt: Attempt, at: datetime) -> datetime | None:
    """When to try again: doubling from 5 s to 12 h with 20 % jitter, for three days; None means give up."""
    if attempt.gone or at - notification.created_at > GIVE_UP_AFTER:
        return None
    seconds = min(FIRST_RETRY.total_seconds() * 2**notification.attempts, LONGEST_RETRY.total_seconds())
    jittered = timedelta(seconds=seconds * random.uniform(0.8, 1.2))
    return at + min(max(jittered, attempt.retry_after or timedelta()), LONGEST_RETRY)
