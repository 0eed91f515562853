"""Where a message may go: to public addresses by https, and nowhere else."""

import httpx2
import pytest

from domain.clock import now
from domain.notification import Notification, NotificationStatus
from mcp_servers.notifications.webhooks import Attempt, WebhookSender
from tests import factories
from tests.mcp_servers.serving import answer, receiving

pytestmark = pytest.mark.asyncio(loop_scope="session")

OWED = Notification(
    id="msg_1",
    app_id="app_a",
    case_id=None,
    message=factories.message(),
    status=NotificationStatus.PENDING,
    next_attempt_at=now(),
    created_at=now(),
)


class Noting(httpx2.AsyncBaseTransport):
    """A network that notes what would have been sent where."""

    def __init__(self) -> None:
        self.sent: list[httpx2.Request] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.sent.append(request)
        return httpx2.Response(200, request=request)


SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


async def try_to_reach(url: str, *found: str) -> tuple[Attempt, list[httpx2.Request]]:
    """Send to `url`, whose host name resolves to `found`; without any, as the system resolves it."""

    async def resolve(host: str, port: int) -> list[str]:
        return list(found)

    network = Noting()
    async with httpx2.AsyncClient(transport=network) as http:
        sender = (
            WebhookSender(http, allow_private=False, resolve=resolve)
            if found
            else WebhookSender(http, allow_private=False)
        )
        return await sender.send(OWED, url=url, secret=SECRET), network.sent


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/hook",
        "https://localhost/hook",
        "https://10.1.2.3/hook",
        "https://192.168.0.1/hook",
        "https://172.16.0.1/hook",
        "https://169.254.169.254/latest/meta-data",
        "https://100.64.0.1/hook",
        "https://0.0.0.0/hook",
        "https://224.0.0.1/hook",
        "https://[::1]/hook",
        "https://[::ffff:127.0.0.1]/hook",
        "https://[fe80::1]/hook",
        "https://[fd00::1]/hook",
        "https://[64:ff9b::7f00:1]/hook",
        "https://[2002:7f00:1::]/hook",
        "https://2130706433/hook",
        "https://user:pass@127.0.0.1/hook",
        "http://93.184.216.34/hook",
        "https:///hook",
    ],
)
async def test_private_addresses_and_plain_http_are_refused(url: str) -> None:
    attempt, sent = await try_to_reach(url)
    assert not attempt.ok
    assert not sent


@pytest.mark.parametrize("found", [("10.0.0.5",), ("93.184.216.34", "10.0.0.5"), ("10.0.0.5", "93.184.216.34")])
async def test_a_name_that_leads_to_a_private_address_is_refused(found: tuple[str, ...]) -> None:
    attempt, sent = await try_to_reach("https://hooks.example/x", *found)
    assert (attempt.ok, attempt.error) == (False, "the webhook's host is a private address")
    assert not sent


async def test_a_name_is_resolved_once_and_its_address_kept() -> None:
    """A second look-up could lead elsewhere (DNS rebinding); TLS still checks the certificate of the name."""
    attempt, [sent] = await try_to_reach("https://hooks.example:8443/x?y=1", "93.184.216.34")
    assert attempt.ok
    assert str(sent.url) == "https://93.184.216.34:8443/x?y=1"
    assert sent.headers["host"] == "hooks.example:8443"
    assert sent.extensions["sni_hostname"] == "hooks.example"


async def test_ipv6_addresses_can_be_posted_to() -> None:
    attempt, [sent] = await try_to_reach("https://hooks.example/x", "2606:2800:220:1:248:1893:25c8:1946")
    assert attempt.ok
    assert sent.url.host == "2606:2800:220:1:248:1893:25c8:1946"


async def test_private_addresses_can_be_allowed() -> None:
    async with receiving(lambda posted: answer(200)) as receiver, httpx2.AsyncClient() as http:
        attempt = await WebhookSender(http, allow_private=True).send(OWED, url=receiver.url, secret=SECRET)
    assert attempt.ok
