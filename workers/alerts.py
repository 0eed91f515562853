"""Tells the moderators when the numbers of an app cross the alert limits of the policies.

An alert is a message in the outbox, so it is delivered, listed and audited like any other. The same
alert is raised for the same app once in its window at most; while its cause lasts, the board shows it.
"""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta

from sqlmodel import Session

from data import apps, cases, outbox
from data.database import Database
from data.statistics import appeals, work
from domain.actor import system
from domain.notification import Audience, Message
from domain.queries import CaseMetrics
from domain.statistics import Alarm, Overturns, Waiting, Window
from domain.vocabulary import Route
from policies import alarms
from policies.people import QualityRules
from policies.thresholds import Alerts
from workers.tasks import Step

REMINDER = timedelta(days=1)
"""What weeks of appeals have led to is told once a day: it does not change within an hour."""


def alerts_in(numbers: CaseMetrics, limits: Alerts) -> list[Message]:
    """The alerts that an app's numbers of the last window give cause for."""
    return [message_of(alarm) for alarm in alarms.of_decisions(numbers, limits)]


def message_of(alarm: Alarm) -> Message:
    """What moderators are told."""
    return Message(
        audience=Audience.MODERATORS,
        recipient="moderators",
        event=alarm.event,
        subject=alarm.subject,
        body=alarm.body,
    )


class Board:
    """The alarms of each app as they were last looked at, by who looked, and what waits for people on each route."""

    def __init__(self) -> None:
        self._alarms: dict[str, dict[str, tuple[Alarm, ...]]] = {}
        self._waiting: dict[str, tuple[Waiting, ...]] = {}

    def post(self, app_id: str, looked: str, found: Sequence[Alarm]) -> None:
        """Replace what one watch last found for an app."""
        self._alarms.setdefault(app_id, {})[looked] = tuple(found)

    def post_queue(self, app_id: str, waiting: Sequence[Waiting]) -> None:
        """Replace what waits for the people of an app."""
        self._waiting[app_id] = tuple(waiting)

    def alarms(self, app_ids: Collection[str]) -> Mapping[str, tuple[Alarm, ...]]:
        """What is the matter with these apps, by app; without those that nothing is the matter with."""
        found = {app_id: sum(self._alarms.get(app_id, {}).values(), ()) for app_id in app_ids}
        return {app_id: alarms for app_id, alarms in found.items() if alarms}

    def queue(self, route: Route) -> tuple[float, float, datetime | None]:
        """How much is open on a route in all apps, how much overdue, and since when the oldest; NaN while unknown."""
        if not self._waiting:
            return math.nan, math.nan, None
        lines = [one for waiting in self._waiting.values() for one in waiting if one.route is route]
        oldest = min((one.oldest_at for one in lines), default=None)
        return float(sum(one.open for one in lines)), float(sum(one.overdue for one in lines)), oldest


class Bell:
    """Raises alerts, and the same one for the same app not again before `quiet` is over."""

    def __init__(self, database: Database, quiet: timedelta) -> None:
        self._database = database
        self._quiet = quiet
        self._raised: dict[tuple[str, str], datetime] = {}

    async def ring(self, app_id: str, messages: Sequence[Message], at: datetime) -> int:
        """Put those that are due in the outbox; how many there were."""
        never = at - self._quiet
        due = [m for m in messages if at - self._raised.get((app_id, m.event), never) >= self._quiet]
        if due:
            await self._database.write(
                lambda session: outbox.add(
                    session, app_id=app_id, case_id=None, messages=due, actor=system(app_id, "alerts")
                )
            )
        self._raised.update({(app_id, message.event): at for message in due})
        return len(due)


def watch(
    database: Database, limits: Alerts, quality: QualityRules, board: Board, clock: Callable[[], datetime]
) -> Step:
    """Look at every app's last window, at its queue and at its appeals, and raise what is due."""
    window = timedelta(hours=limits.window_hours)
    hourly, daily = Bell(database, window), Bell(database, REMINDER)

    def look(session: Session, app_id: str, at: datetime) -> tuple[CaseMetrics, Sequence[Waiting], Sequence[Overturns]]:
        month = Window(since=at - timedelta(days=limits.overturned_window_days), until=at)
        return (
            cases.metrics(session, app_id=app_id, since=at - window),
            work.waiting(session, app_ids=(app_id,)),
            appeals.overturns(session, app_ids=(app_id,), window=month),
        )

    async def step() -> int:
        at, count = clock(), 0
        for app in await database.read(apps.list_apps):
            numbers, waiting, overturns = await database.read(
                lambda session, app_id=app.id: look(session, app_id, at)  # type: ignore[misc]
            )
            now = alarms.of_decisions(numbers, limits) + alarms.of_queue(waiting, limits)
            lasting = alarms.of_appeals(overturns, limits, quality)
            board.post(app.id, "alerts", now + lasting)
            board.post_queue(app.id, waiting)
            count += await hourly.ring(app.id, [message_of(alarm) for alarm in now], at)
            count += await daily.ring(app.id, [message_of(alarm) for alarm in lasting], at)
        return count

    return step
