"""Alerts are raised when the numbers cross the limits of the policies, and not every minute."""

import math
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import Session

from data import apps, cases, migrate, outbox
from data.database import Database
from domain.actor import system
from domain.clock import now
from domain.notification import Notification
from domain.queries import CaseMetrics
from domain.statistics import Overturns, Waiting
from domain.vocabulary import DecisionKind, Policy, Route
from gateway.limits import Gate
from gateway.metrics import Metrics
from policies import alarms
from policies.loader import load
from screening.drift import Drift
from tests import factories
from tests.outcomes import MODEL, calibration, outcome
from tests.screening.test_outcomes import signals_of
from workers import drift
from workers.alerts import Board, alerts_in, watch
from workers.drift import Drifts, drift_alerts

LIMITS, QUALITY = load().thresholds.alerts, load().thresholds.quality


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
        (numbers(rate=0.9, cases=LIMITS.fewest_cases - 1), []),
        (numbers(rate=0.9, cases=LIMITS.fewest_cases), ["alert.escalations"]),
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
    step = watch(database, LIMITS, QUALITY, Board(), lambda: next(moments))
    assert [await step() for _ in range(3)] == [1, 0, 0]
    assert [entry.message.event for entry in await alerts()] == ["alert.escalations"]
    await database.close()


@pytest.mark.parametrize(
    ("index", "events"),
    [(None, []), (0.0, []), (0.25, []), (0.26, ["alert.score_drift"]), (9.0, ["alert.score_drift"])],
)
def test_a_large_shift_of_scores_raises_an_alert(index: float | None, events: list[str]) -> None:
    assert [message.event for message in drift_alerts(Drift(900, 900, index), LIMITS)] == events


def test_the_gauge_shows_the_highest_drift_and_forgets_what_cannot_be_told() -> None:
    drifts = Drifts()
    assert math.isnan(drifts.highest)
    drifts.note("one", Drift(900, 900, 0.1))
    drifts.note("two", Drift(900, 900, 0.4))
    assert drifts.highest == 0.4
    drifts.note("two", Drift(12, 12, None))
    assert drifts.highest == 0.1


class TestWatchingDrift:
    """What users of two apps write: one scores as the reference, the other is shifted."""

    ALIKE = (-2.25, -1.75, -1.25, -0.75, -0.25, 0.25, 0.75, 1.5, 2.5, 4.0)
    FEW = LIMITS.model_copy(update={"score_drift_fewest_cases": 50})

    @pytest.fixture
    async def database(self, tmp_path: Path) -> AsyncIterator[Database]:
        url = f"sqlite:///{tmp_path}/test.db"
        migrate.upgrade(url)
        database = Database(url)
        await database.start()
        yield database
        await database.close()

    async def moderated(self, database: Database, name: str, shift: float) -> str:
        """An app of 60 cases whose logits of any violation are so far from those of the reference."""
        owner = await database.write(lambda session: apps.get_or_create(session, name=name))

        def work(session: Session) -> None:
            for logit in self.ALIKE * 6:
                signals = tuple(signals_of(outcome(logit + shift), calibration()))
                thought = factories.assessment().model_copy(update={"signals": signals, "model": MODEL})
                record = factories.record(factories.content(app_id=owner.id), thought=thought)
                cases.record(session, record=record, review=None, messages=[], memory=None, actor=system(owner.id))

        await database.write(work)
        return owner.id

    async def events(self, database: Database, app_id: str) -> list[str]:
        found = await database.read(
            lambda session: outbox.find(session, app_id=app_id, status=None, case_id=None, limit=9)
        )
        return [entry.message.event for entry in found]

    async def test_the_app_that_drifts_is_told_once_a_day_and_the_gauge_shows_it(self, database: Database) -> None:
        steady = await self.moderated(database, "steady", 0.0)
        shifted = await self.moderated(database, "shifted", 2.0)
        at, drifts = now(), Drifts()
        moments = iter((at, at + timedelta(hours=1), at + timedelta(hours=23)))
        step = drift.watch(database, self.FEW, calibration(), MODEL, drifts, Board(), lambda: next(moments))
        assert [await step() for _ in range(3)] == [1, 0, 0]
        assert await self.events(database, shifted) == ["alert.score_drift"]
        assert await self.events(database, steady) == []
        assert drifts.highest > 1

    async def test_cases_of_the_day_before_do_not_count(self, database: Database) -> None:
        await self.moderated(database, "shifted", 2.0)
        drifts = Drifts()
        tomorrow = now() + timedelta(hours=25)
        step = drift.watch(database, self.FEW, calibration(), MODEL, drifts, Board(), lambda: tomorrow)
        assert await step() == 0
        assert math.isnan(drifts.highest)

    async def test_without_a_reference_nothing_is_measured(self, database: Database) -> None:
        await self.moderated(database, "shifted", 2.0)
        drifts = Drifts()
        bare = calibration().model_copy(update={"reference": ()})
        assert await drift.watch(database, self.FEW, bare, MODEL, drifts, Board(), now)() == 0
        assert math.isnan(drifts.highest)


class TestQueueAndAppeals:
    def overturns(self, overturned: int, decided: int, *, reviewer: str = "ann") -> list[Overturns]:
        return [Overturns(reviewer=reviewer, policy=Policy.SCAMS, decided=decided, overturned=overturned)]

    @pytest.mark.parametrize(("overdue", "told"), [(LIMITS.overdue_above, 0), (LIMITS.overdue_above + 1, 1)])
    def test_a_queue_past_its_deadline_is_told(self, overdue: int, told: int) -> None:
        waiting = [Waiting(route=Route.CARE, open=9, overdue=overdue, oldest_at=now())]
        assert len(alarms.of_queue(waiting, LIMITS)) == told

    @pytest.mark.parametrize(
        ("overturned", "decided", "told"), [(5, 20, 0), (6, 20, 1), (19, 19, 0), (26, 100, 1), (0, 0, 0)]
    )
    def test_more_than_a_quarter_overturned_is_told_from_the_fewest_on(
        self, overturned: int, decided: int, told: int
    ) -> None:
        assert len(alarms.of_appeals(self.overturns(overturned, decided), LIMITS, QUALITY)) == told

    def test_a_reviewer_is_told_of_over_all_policies_and_named_to_nobody(self) -> None:
        spread = [
            Overturns(reviewer="ann", policy=policy, decided=10, overturned=3) for policy in (Policy.SCAMS, Policy.SPAM)
        ]
        (alarm,) = alarms.of_appeals(spread, LIMITS, QUALITY)
        assert "1 of those who decide" in alarm.body
        assert "ann" not in alarm.body

    async def test_overdue_items_reach_moderators_board_and_gauges(self, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path}/test.db"
        migrate.upgrade(url)
        database, board = Database(url), Board()
        await database.start()
        owner = await database.write(lambda session: apps.get_or_create(session, name="one"))
        record = factories.record(factories.content(app_id=owner.id), factories.decision(DecisionKind.ESCALATED))
        late = factories.review(record, due_in=timedelta(hours=-1))
        await database.write(
            lambda s: cases.record(s, record=record, review=late, messages=[], memory=None, actor=system(owner.id))
        )
        metrics = Metrics(Gate(1), queue=board.queue)
        assert math.isnan(board.queue(Route.MODERATOR)[0])
        assert await watch(database, LIMITS, QUALITY, board, now)() == 1
        sent = await database.read(lambda s: outbox.find(s, app_id=owner.id, status=None, case_id=None, limit=9))
        assert [entry.message.event for entry in sent] == ["alert.overdue"]
        assert [alarm.event for alarm in board.alarms([owner.id])[owner.id]] == ["alert.overdue"]
        assert board.alarms(["app_other"]) == {}
        told = metrics.exposition().decode()
        assert 'cupidsshield_queue_overdue{route="moderator"} 1.0' in told
        assert 'cupidsshield_queue_open{route="legal"} 0.0' in told
        assert owner.id not in told
        await database.close()
