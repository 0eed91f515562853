"""Delivers messages to an app by Standard Webhooks, to public addresses only.

The specification: webhook-id stays the same across tries, webhook-timestamp is of the try, the
signature is HMAC-SHA256 over `id.timestamp.body`. A redirect is a failure; 410 gives the message up.
"""

import asyncio
import ipaddress
import json
import logging
import random
import socket
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx2
from standardwebhooks.webhooks import Webhook

from domain.base import Frozen
from domain.clock import now
from domain.errors import NotPermitted
from domain.notification import Notification

logger = logging.getLogger(__name__)

TIMEOUT_S = 15.0
"""For one try, everything included."""

FIRST_RETRY = timedelta(seconds=5)
LONGEST_RETRY = timedelta(hours=12)
GIVE_UP_AFTER = timedelta(days=3)


class Attempt(Frozen):
    """What became of one try. `gone` means that the app wants no more of these."""

    ok: bool
    error: str = ""
    gone: bool = False
    retry_after: timedelta | None = None


Resolve = Callable[[str, int], Awaitable[list[str]]]
"""The addresses of a host name. Raises OSError where there are none."""


async def addresses_of(host: str, port: int) -> list[str]:
    """What the system's resolver says."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


class WebhookSender:
    """Posts signed messages. `allow_private` lets tests and intranets use private addresses and plain http."""

    def __init__(self, http: httpx2.AsyncClient, *, allow_private: bool, resolve: Resolve = addresses_of) -> None:
        self._http = http
        self._allow_private = allow_private
        self._resolve = resolve

    async def send(self, notification: Notification, *, url: str, secret: str) -> Attempt:
        """Try once to deliver `notification` to `url`; never raises for what the other side does or is."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                return await self._send(notification, url, secret)
        except NotPermitted as error:
            return Attempt(ok=False, error=str(error))
        except (httpx2.HTTPError, TimeoutError) as error:
            return Attempt(ok=False, error=f"{type(error).__name__}: the webhook could not be reached")
        except Exception as error:
            # An address or secret that cannot even be used must not hold up the messages of other apps.
            logger.warning("message %s cannot be posted: %s", notification.id, type(error).__name__)
            return Attempt(ok=False, error=f"{type(error).__name__}: the webhook's address or secret cannot be used")

    async def _send(self, notification: Notification, url: str, secret: str) -> Attempt:
        body = payload(notification)
        sent_at = now()
        headers = {
            "content-type": "application/json",
            "webhook-id": notification.id,
            "webhook-timestamp": str(int(sent_at.timestamp())),
            "webhook-signature": Webhook(secret).sign(notification.id, sent_at, body),
        }
        request = await self._addressed(httpx2.URL(url), body, headers)
        response = await self._http.send(request, stream=True, follow_redirects=False)
        # What the app answers besides the status is of no use, and may be endless.
        await response.aclose()
        return _judge(response, sent_at)

    async def _addressed(self, url: httpx2.URL, body: str, headers: dict[str, str]) -> httpx2.Request:
        """The request, bound to an address that was looked at: a name may resolve otherwise a moment later.

        Raises NotPermitted for an address that the service must not post to.
        """
        if self._allow_private:
            return self._http.build_request("POST", url, content=body, headers=headers, timeout=TIMEOUT_S)
        if url.scheme != "https" or not url.host:
            raise NotPermitted("the webhook address must be https")
        try:
            found = await self._resolve(url.host, url.port or 443)
        except OSError as error:
            raise NotPermitted("the webhook's host name does not resolve") from error
        if not found or not all(is_public(address) for address in found):
            raise NotPermitted("the webhook's host is a private address")
        named = {**headers, "host": url.netloc.decode("ascii")}
        extensions = {"sni_hostname": url.raw_host.decode("ascii")}
        to = url.copy_with(host=found[0])
        return self._http.build_request(
            "POST", to, content=body, headers=named, extensions=extensions, timeout=TIMEOUT_S
        )


TUNNELS = tuple(ipaddress.ip_network(network) for network in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16"))
"""IPv6 networks (NAT64, 6to4) that lead on to an IPv4 address, which may be private."""


def is_public(address: str) -> bool:
    """Whether an address is one of the public internet, for one host alone."""
    found = ipaddress.ip_address(address.partition("%")[0])
    return found.is_global and not found.is_multicast and not any(found in network for network in TUNNELS)


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


def _judge(response: httpx2.Response, at: datetime) -> Attempt:
    if response.is_success:
        return Attempt(ok=True)
    return Attempt(
        ok=False,
        error=f"the webhook answered {response.status_code}",
        gone=response.status_code == 410,
        retry_after=retry_after(response.headers.get("retry-after", ""), at),
    )


def retry_after(header: str, at: datetime) -> timedelta | None:
    """The pause that a Retry-After header asks for, in seconds or as a date; None where it says nothing usable."""
    header = header.strip()
    if header.isascii() and header.isdigit():
        return min(timedelta(seconds=int(header[:9])), LONGEST_RETRY)
    try:
        until = parsedate_to_datetime(header)
    except ValueError:
        return None
    return min(max((until if until.tzinfo else until.replace(tzinfo=UTC)) - at, timedelta()), LONGEST_RETRY)


def next_try(notification: Notification, attempt: Attempt, at: datetime) -> datetime | None:
    """When to try again: doubling from 5 s to 12 h with 20 % jitter, for three days; None means give up."""
    if attempt.gone or at - notification.created_at > GIVE_UP_AFTER:
        return None
    seconds = min(FIRST_RETRY.total_seconds() * 2**notification.attempts, LONGEST_RETRY.total_seconds())
    jittered = timedelta(seconds=seconds * random.uniform(0.8, 1.2))
    return at + min(max(jittered, attempt.retry_after or timedelta()), LONGEST_RETRY)
