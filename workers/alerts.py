"""Tells the moderators when the numbers of an app cross the alert limits of the policies.

An alert is a message in the outbox, so it is delivered, listed and audited like any other. The same
alert is raised for the same app once an hour at most.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from data import apps, cases, outbox
from data.database import Database
from domain.actor import system
from domain.notification import Audience, Message
from domain.queries import CaseMetrics
from policies.thresholds import Alerts
from workers.tasks import Step

WINDOW = timedelta(hours=1)
FEWEST_CASES = 20
"""With fewer cases a share says nothing."""


def alerts_in(numbers: CaseMetrics, limits: Alerts) -> list[Message]:
    """The alerts that an app's numbers of the last hour give cause for."""
    found = []
    if numbers.cases >= FEWEST_CASES and numbers.escalation_rate > limits.escalation_share_above:
        found.append(
            _alert(
                "alert.escalations",
                f"{numbers.escalation_rate:.0%} of the last hour's cases went to people",
                f"{numbers.cases} cases; the limit is {limits.escalation_share_above:.0%}. Look for a new kind of "
                "message, a policy change, or a server that does not answer (/ready).",
            )
        )
    slowest = (numbers.slowest_ms or 0.0) / 1_000
    if slowest > limits.decision_seconds_above:
        found.append(
            _alert(
                "alert.slow_decisions",
                f"A decision took {slowest:.0f} seconds",
                f"The limit is {limits.decision_seconds_above:.0f} s. Look at /metrics and at the case's timings.",
            )
        )
    return found


def watch(database: Database, limits: Alerts, clock: Callable[[], datetime]) -> Step:
    """Look at every app's last hour and raise what is due."""
    raised: dict[tuple[str, str], datetime] = {}

    async def step() -> int:
        at, count = clock(), 0
        for app in await database.read(apps.list_apps):
            numbers = await database.read(
                lambda session, app_id=app.id: cases.metrics(session, app_id=app_id, since=at - WINDOW)  # type: ignore[misc]
            )
            due = [m for m in alerts_in(numbers, limits) if at - raised.get((app.id, m.event), at - WINDOW) >= WINDOW]
            if due:
                await database.write(
                    lambda session, app_id=app.id, due=due: outbox.add(  # type: ignore[misc]
                        session, app_id=app_id, case_id=None, messages=due, actor=system(app_id, "alerts")
                    )
                )
            raised.update({(app.id, message.event): at for message in due})
            count += len(due)
        return count

    return step


def _alert(event: str, subject: str, body: str) -> Message:
    return Message(audience=Audience.MODERATORS, recipient="moderators", event=event, subject=subject, body=body)
