"""Alerts are raised when the numbers cross the limits of the policies, and not every minute."""

from datetime import timedelta
from pathlib import Path

import pytest

from data import apps, cases, migrate, outbox
from data.database import Database
from domain.actor import system
from domain.clock import now
from domain.notification import Notification
from domain.queries import CaseMetrics
from domain.vocabulary import DecisionKind
from policies.loader import load
from tests import factories
from workers.alerts import alerts_in, watch

LIMITS = load().thresholds.alerts


def numbers(*, cases: int = 100, rate: float = 0.1, slowest_ms: float | None = 50.0) -> CaseMetrics:
    return CaseMetrics(
        since=now(),
        cases=cases,
        by_decision={},
        by_policy={},
        by_action={},
        escalation_rate=rate,
        mean_ms=10.0,
        p95_ms=20.0,
        slowest_ms=slowest_ms,
        open_reviews=0,
    )


@pytest.mark.parametrize(
    ("found", "events"),
    [
        (numbers(), []),
        (numbers(rate=0.30), []),
        (numbers(rate=0.31), ["alert.escalations"]),
        (numbers(rate=0.9, cases=5), []),
        (numbers(slowest_ms=10_001), ["alert.slow_decisions"]),
        (numbers(slowest_ms=None), []),
    ],
)
def test_the_brief_limits_raise_alerts(found: CaseMetrics, events: list[str]) -> None:
    assert [message.event for message in alerts_in(found, LIMITS)] == events


async def test_an_alert_is_raised_once_an_hour(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/test.db"
    migrate.upgrade(url)
    database, at = Database(url), now()
    await database.start()
    owner = await database.write(lambda session: apps.get_or_create(session, name="one"))
    for _ in range(25):
        record = factories.record(factories.content(app_id=owner.id), factories.decision(DecisionKind.ESCALATED))
        await database.write(
            lambda session, record=record: cases.record(
                session,
                record=record,
                review=factories.review(record),
                messages=[],
                memory=None,
                actor=system(owner.id),
            )
        )

    async def alerts() -> tuple[Notification, ...]:
        return await database.read(
            lambda session: outbox.find(session, app_id=owner.id, status=None, case_id=None, limit=9)
        )

    moments = iter((at, at + timedelta(minutes=1), at + timedelta(minutes=59)))
    step = watch(database, LIMITS, lambda: next(moments))
    assert [await step() for _ in range(3)] == [1, 0, 0]
    assert [entry.message.event for entry in await alerts()] == ["alert.escalations"]
    await database.close()
