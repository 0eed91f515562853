"""Tells the moderators when the numbers of an app cross the alert limits of the policies.

An alert is a message in the outbox, so it is delivered, listed and audited like any other. The same
alert is raised for the same app once in its window at most.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from data import apps, cases, outbox
from data.database import Database
from domain.actor import system
from domain.notification import Audience, Message
from domain.queries import CaseMetrics
from policies.thresholds import Alerts
from workers.tasks import Step


def alerts_in(numbers: CaseMetrics, limits: Alerts) -> list[Message]:
    """The alerts that an app's numbers of the last window give cause for."""
    found = []
    if numbers.cases >= limits.fewest_cases and numbers.escalation_rate > limits.escalation_share_above:
        found.append(
            alert(
                "alert.escalations",
                f"{numbers.escalation_rate:.0%} of the cases of the last {limits.window_hours:g} h went to people",
                f"{numbers.cases} cases; the limit is {limits.escalation_share_above:.0%}. Look for a new kind of "
                "message, a policy change, or a server that does not answer (/ready).",
            )
        )
    slowest = (numbers.slowest_ms or 0.0) / 1_000
    if slowest > limits.decision_seconds_above:
        found.append(
            alert(
                "alert.slow_decisions",
                f"A decision took {slowest:.0f} seconds",
                f"The limit is {limits.decision_seconds_above:.0f} s. Look at /metrics and at the case's timings.",
            )
        )
    return found


def alert(event: str, subject: str, body: str) -> Message:
    """A message to the moderators."""
    return Message(audience=Audience.MODERATORS, recipient="moderators", event=event, subject=subject, body=body)


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


def watch(database: Database, limits: Alerts, clock: Callable[[], datetime]) -> Step:
    """Look at every app's last window and raise what is due."""
    window = timedelta(hours=limits.window_hours)
    bell = Bell(database, window)

    async def step() -> int:
        at, count = clock(), 0
        for app in await database.read(apps.list_apps):
            numbers = await database.read(
                lambda session, app_id=app.id: cases.metrics(session, app_id=app_id, since=at - window)  # type: ignore[misc]
            )
            count += await bell.ring(app.id, alerts_in(numbers, limits), at)
        return count

    return step
