"""Who works in the background of an open house, and how often."""

from typing import TYPE_CHECKING

from agents.appeals import AppealReviewer
from domain.clock import now
from domain.review import ReviewKind
from graphs.moderation.state import Services
from mcp_servers.client import ServerName
from screening.calibration import Calibration
from screening.screen import Screener
from workers import alerts, drift, hearing, tasks
from workers import settle as settling
from workers.appeal_reader import AT_ONCE, AppealReader
from workers.loop import Worker

if TYPE_CHECKING:
    from cupidsshield.bootstrap import House

DELIVERY = "delivery"
DELIVERY_EVERY_S = 1.0
MEMORY_EVERY_S = 1.0
EXPIRY_EVERY_S = 30.0
SETTLE_EVERY_S = 1.0
BRIEFS_EVERY_S = 30.0
READINGS_EVERY_S = 5.0
ALERTS_EVERY_S = 60.0
DRIFT_EVERY_S = 900.0


def workers_of(
    house: "House", services: Services, needed: frozenset[ServerName], reviewer: AppealReviewer | None
) -> tuple[Worker, ...]:
    """The workers that a process with these servers runs; appeals are read where there is a model to read them."""
    found, tools = [], services.tools
    if ServerName.NOTIFICATIONS in needed:
        found.append(Worker(DELIVERY, tasks.deliver(tools), interval_s=DELIVERY_EVERY_S, full=tasks.DELIVERY_BATCH))
    if needed == frozenset(ServerName):
        database, limits = house.database, house.policies.thresholds.alerts
        remember = tasks.remember(database, tools)
        found.append(Worker("memory", remember, interval_s=MEMORY_EVERY_S, full=tasks.MEMORY_BATCH))
        found.append(Worker("expiry", tasks.expire(database), interval_s=EXPIRY_EVERY_S, full=500))
        found.append(Worker("settling", _settle(house), interval_s=SETTLE_EVERY_S, full=settling.SETTLE_BATCH))
        prepare = hearing.prepare_appeals(database, house.appeals)
        found.append(Worker("briefs", prepare, interval_s=BRIEFS_EVERY_S))
        if reviewer:
            read = AppealReader(database, services, reviewer).step
            found.append(Worker("appeal readings", read, interval_s=READINGS_EVERY_S, full=AT_ONCE))
        watch = alerts.watch(database, limits, house.policies.thresholds.quality, house.board, now)
        found.append(Worker("alerts", watch, interval_s=ALERTS_EVERY_S, full=1_000))
        if house.screener:
            found.append(Worker("drift", _watch_drift(house, house.screener), interval_s=DRIFT_EVERY_S, full=1_000))
        used = tasks.note_used_keys(database, house.used_keys)
        found.append(Worker("key use", used, interval_s=EXPIRY_EVERY_S))
    return tuple(found)


def _settle(house: "House") -> tasks.Step:
    resume = {ReviewKind.CASE: house.resume, ReviewKind.APPEAL: house.resume_appeal}
    return settling.settle(house.database, house.policies, resume, also=[hearing.resolve_reports])


def _watch_drift(house: "House", screener: Screener) -> tasks.Step:
    calibration = Calibration.load(house.settings.calibration_file, screener.ref)
    limits, shown = house.policies.thresholds.alerts, (house.drifts, house.board)
    return drift.watch(house.database, limits, calibration, screener.ref, *shown, now)
