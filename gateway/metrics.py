"""Numbers for Prometheus. No label ever holds an identifier, a text, or anything that a user chose."""

import math
from collections.abc import Callable
from datetime import datetime
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from domain.answer import ModerationAnswer
from domain.clock import now
from domain.vocabulary import Route
from gateway.limits import Gate

LATENCY_S = (0.002, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

Queue = Callable[[Route], tuple[float, float, datetime | None]]


def unknown(route: Route) -> tuple[float, float, datetime | None]:
    """What is said of a queue that nobody watches."""
    return math.nan, math.nan, None


class Metrics:
    """One registry for one application, so that several can live in one process.

    `drift` tells the highest population stability index of any app's scores, NaN while none is known. `queue` tells
    what is open on a route, what of it overdue, and since when the oldest waits.
    """

    def __init__(self, gate: Gate, drift: Callable[[], float] = lambda: math.nan, queue: Queue = unknown) -> None:
        self.registry = CollectorRegistry()
        self.decisions = Counter(
            "cupidsshield_decisions", "Decisions made", ["decision", "violation"], registry=self.registry
        )
        self.replays = Counter("cupidsshield_replays", "Submissions decided before", registry=self.registry)
        self.seconds = Histogram(
            "cupidsshield_decision_seconds", "Time to a decision", buckets=LATENCY_S, registry=self.registry
        )
        in_flight = Gauge("cupidsshield_in_flight", "Decisions being made now", registry=self.registry)
        in_flight.set_function(lambda: float(gate.inside))
        score_drift = Gauge(
            "cupidsshield_score_drift",
            "Highest population stability index of any app's scores; NaN while none is known",
            registry=self.registry,
        )
        score_drift.set_function(drift)
        self._watch_queue(queue)
        self.errors = Counter("cupidsshield_errors", "Requests refused or failed", ["status"], registry=self.registry)

    def _watch_queue(self, queue: Queue) -> None:
        """Gauges of what waits for people, by route."""
        ages = {
            "queue_open": ("Items that wait for people or are looked at", lambda route: queue(route)[0]),
            "queue_overdue": ("Items past their deadline", lambda route: queue(route)[1]),
            "queue_oldest_seconds": ("How long the oldest item waits", lambda route: _age(queue(route))),
        }
        for name, (meaning, read) in ages.items():
            gauge = Gauge(f"cupidsshield_{name}", meaning, ["route"], registry=self.registry)
            for route in Route:
                gauge.labels(route).set_function(partial(read, route))

    def decided(self, answer: ModerationAnswer) -> None:
        """Count one answer."""
        if answer.replayed:
            self.replays.inc()
            return
        self.decisions.labels(answer.decision, answer.violation_type or "none").inc()
        self.seconds.observe(answer.processing_time_ms / 1_000)

    def exposition(self) -> bytes:
        """All numbers in Prometheus' text format."""
        return generate_latest(self.registry)


def _age(queue: tuple[float, float, datetime | None]) -> float:
    """Seconds; 0 where nothing waits, NaN while that is not known."""
    waiting, _, oldest = queue
    return (now() - oldest).total_seconds() if oldest else waiting * 0.0
