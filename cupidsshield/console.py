"""Wires the console: what the pages need, from the settings and the rooms that are open."""

from collections.abc import Awaitable, Callable

from cupidsshield.secret import signing_secret
from cupidsshield.settings import Settings
from data import changes
from data.database import Database
from domain.clock import now
from graphs.appeals.runs import AppealRuns
from graphs.moderation.desk import Desk
from graphs.moderation.runs import ModerationRuns
from mcp_servers.client import Toolbox
from policies.model import PolicySet
from ui.links import DecisionLinks
from ui.live import Live
from ui.oidc import Provider
from ui.parts import UiParts
from ui.routes.oidc import RETURN_PATH
from workers.alerts import Board
from workers.drift import Drifts


def parts(
    settings: Settings,
    *,
    database: Database,
    desk: Desk,
    policies: PolicySet,
    runs: ModerationRuns,
    appeals: AppealRuns,
    tools: Toolbox,
    links: DecisionLinks,
    spend_link: Callable[[str], Awaitable[None]],
    board: Board,
    drifts: Drifts,
) -> UiParts:
    """What the pages are put together from. Raises SettingsError where the kept secret cannot be used."""
    return UiParts(
        database=database,
        desk=desk,
        policies=policies,
        runs=runs,
        appeals=appeals,
        live=Live(lambda: database.read(changes.newest)),
        tools=tools,
        secret=signing_secret(settings),
        public_url=settings.reached_at,
        secure_cookies=settings.secure_cookies,
        clock=now,
        links=links,
        spend_link=spend_link,
        alarms=board.alarms,
        drift=drifts.of,
        oidc=_provider(settings),
        reads_appeals=bool(settings.agents_model),
    )


def _provider(settings: Settings) -> Provider | None:
    if not settings.oidc_issuer or settings.oidc_client_secret is None:
        return None
    return Provider(
        name=settings.oidc_name,
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret.get_secret_value(),
        return_url=settings.reached_at.rstrip("/") + RETURN_PATH,
    )
