"""Watches whether what an app's users write still scores as it did where the calibration was fitted.

It measures on a sample, for the index needs hundreds of cases and not all of a busy day.
"""

import math
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlmodel import Session

from data import apps, outcomes
from data.database import Database
from domain.notification import Message
from domain.signals import ModelRef
from policies import alarms
from policies.thresholds import Alerts
from screening.calibration import Calibration
from screening.drift import Drift, drift
from workers.alerts import Bell, Board, message_of
from workers.tasks import Step

SAMPLE = 1_000
"""Cases of an app that are measured at most; chance then moves the index by about .01."""


class Drifts:
    """The latest drift of each app that could be measured, for the gauge."""

    def __init__(self) -> None:
        self._by_app: dict[str, float] = {}

    def note(self, app_id: str, found: Drift) -> None:
        """Keep an app's index, or forget it where it can no longer be told."""
        if found.index is None:
            self._by_app.pop(app_id, None)
        else:
            self._by_app[app_id] = found.index

    def of(self, app_id: str) -> float | None:
        """The index of an app; None while it cannot be told."""
        return self._by_app.get(app_id)

    @property
    def highest(self) -> float:
        """The highest index of all apps; NaN while none is known."""
        return max(self._by_app.values(), default=math.nan)


async def measure(
    database: Database, app_id: str, limits: Alerts, calibration: Calibration, model: ModelRef, at: datetime
) -> Drift:
    """The drift of an app over the window of the policies that ends now, worked out beside the event loop."""
    since = at - timedelta(hours=limits.score_drift_window_hours)

    def work(session: Session) -> Drift:
        cases, assessments = outcomes.recent_assessments(session, app_id=app_id, since=since, most=SAMPLE)
        return drift(cases, assessments, calibration, model, fewest=limits.score_drift_fewest_cases)

    return await database.read(work)


def drift_alerts(found: Drift, limits: Alerts) -> list[Message]:
    """The alert that an app's drift gives cause for, if it does."""
    return [message_of(alarm) for alarm in alarms.of_drift(found.index, found.cases, limits)]


def watch(
    database: Database,
    limits: Alerts,
    calibration: Calibration,
    model: ModelRef,
    drifts: Drifts,
    board: Board,
    clock: Callable[[], datetime],
) -> Step:
    """Measure every app's drift, keep it for gauge and board, and raise what is due; nothing without a reference."""
    bell = Bell(database, timedelta(hours=limits.score_drift_window_hours))

    async def step() -> int:
        if not calibration.reference:
            return 0
        at, count = clock(), 0
        for app in await database.read(apps.list_apps):
            found = await measure(database, app.id, limits, calibration, model, at)
            drifts.note(app.id, found)
            board.post(app.id, "drift", alarms.of_drift(found.index, found.cases, limits))
            count += await bell.ring(app.id, drift_alerts(found, limits), at)
        return count

    return step
