"""Statistics by SQL against the same worked out in plain Python, on generated pasts of two apps in one database."""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from data import apps
from data import quality as second_looks
from data import staff as accounts
from data.database import engine_for
from data.statistics import appeals, cases, decisions, work
from data.statistics.headline import headline
from domain.clock import now
from domain.estimates import Share
from domain.staff import Role, Staff
from domain.statistics import Window
from domain.vocabulary import DecisionKind, Policy
from tests import seeding

Row = dict[str, Any]


@dataclass
class World:
    """Two apps with a past each, and what was written of the first."""

    session: Session
    app_id: str
    other_id: str
    past: seeding.Past
    window: Window
    people: list[Staff]

    @property
    def asked(self) -> dict[str, Any]:
        return {"app_ids": (self.app_id,), "window": self.window}

    def within(self, rows: list[Row], column: str) -> list[Row]:
        return [row for row in rows if row[column] and self.window.since <= row[column] < self.window.until]

    def decided(self, kind: str = "case", *, undone: bool = False) -> list[Row]:
        found = [d for d in self.within(self.past.decisions, "decided_at") if d["kind"] == kind]
        return found if undone else [d for d in found if d["undone_at"] is None]

    def review(self, decision: Row) -> Row:
        return next(row for row in self.past.reviews if row["id"] == decision["review_id"])


@pytest.fixture
def session(url: str) -> Iterator[Session]:
    engine = engine_for(url, writing=True)
    with Session(engine) as session:
        yield session
    engine.dispose()


def world(session: Session, seed: int, days: int, a_day: int, hours: int) -> World:
    """Made anew, in a transaction that is never committed."""
    session.rollback()
    app_id, other_id = (apps.get_or_create(session, name=name).id for name in ("one", "two"))
    people = [
        accounts.create(
            session,
            email=f"{n}@example.org",
            name=n,
            role=Role.SENIOR,
            app_ids=given,
            password_hash="x",
            by="system:test",
        )
        for n, given in (("Ada", [app_id]), ("Ben", [app_id]), ("Cy", [app_id, other_id]))
    ]
    until = now()
    past = seeding.past(session, app_id=app_id, reviewers=people, until=until, days=days, a_day=a_day, seed=seed)
    seeding.past(session, app_id=other_id, reviewers=people[2:], until=until, days=2, a_day=15, seed=seed + 1)
    window = Window(since=until - timedelta(hours=hours), until=until - timedelta(hours=hours // 4))
    return World(session, app_id, other_id, past, window, people)


def rank(values: list[float], part: float) -> float:
    return sorted(values)[math.ceil(part * len(values) - 1e-9) - 1]


def answer(decision: Row) -> str:
    return str(decision["policy"]) if decision["decision"] == DecisionKind.REJECTED else "approved"


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000), days=st.integers(1, 5), a_day=st.integers(0, 30), hours=st.integers(2, 24 * 6))
def test_the_database_counts_as_python_does(session: Session, seed: int, days: int, a_day: int, hours: int) -> None:
    w = world(session, seed, days, a_day, hours)
    posted = w.within(w.past.cases, "created_at")

    by_day = Counter(row["created_at"].date().isoformat() for row in posted)
    escalated = Counter(row["created_at"].date().isoformat() for row in posted if row["review_id"])
    assert [(v.at, v.cases, v.to_people) for v in cases.volume(session, **w.asked)] == [
        (day, number, escalated[day]) for day, number in sorted(by_day.items())
    ]
    assert sum(v.cases for v in cases.volume(session, hourly=True, **w.asked)) == len(posted)

    kinds = Counter((row["violation_type"], row["decision"]) for row in posted)
    assert {
        (o.policy, kind): number
        for o in cases.outcomes(session, **w.asked)
        for kind in DecisionKind
        if (number := getattr(o, kind))
    } == kinds

    decided = w.decided()
    proposals = Counter(w.review(d)["policy"] for d in decided)
    confirmed = Counter(w.review(d)["policy"] for d in decided if answer(d) == (w.review(d)["policy"] or "approved"))
    assert {(a.policy, a.decided, a.confirmed) for a in decisions.agreement(session, **w.asked)} == {
        (policy, number, confirmed[policy]) for policy, number in proposals.items()
    }

    tried = Counter((d["reviewer"], d["policy"] or w.review(d)["policy"]) for d in w.decided(undone=True))
    undone = Counter(
        (d["reviewer"], d["policy"] or w.review(d)["policy"]) for d in w.decided(undone=True) if d["undone_at"]
    )
    assert {(r.reviewer, r.policy): (r.decided, r.undone) for r in decisions.reversals(session, **w.asked)} == {
        key: (number, undone[key]) for key, number in tried.items()
    }

    for speed in decisions.speed(session, **w.asked):
        mine = [d for d in decided if speed.route in (None, w.review(d)["route"])]
        took = [(d["decided_at"] - w.review(d)["created_at"]).total_seconds() for d in mine]
        assert speed.decided == len(mine)
        assert speed.in_time == sum(d["decided_at"] <= w.review(d)["due_at"] for d in mine)
        assert speed.median_s == pytest.approx(rank(took, 0.5), abs=0.01)
        assert speed.p90_s == pytest.approx(rank(took, 0.9), abs=0.01)

    known = {row["id"]: row for row in w.past.cases}
    bins: dict[int, list[bool]] = {}
    for d in decided:
        case = known[d["case_id"]]
        verdict = w.review(d)["policy"]
        bins.setdefault(min(int(case["confidence"] * 10 + 1e-9), 9), []).append(answer(d) == (verdict or "approved"))
    assert {round(b.low * 10): (b.right.hits, b.right.of) for b in decisions.calibration(session, **w.asked)} == {
        tenth: (sum(right), len(right)) for tenth, right in bins.items()
    }

    ended = Counter((d["decision"] == "overturn") for d in w.decided("appeal"))
    found = appeals.overturns(session, **w.asked)
    assert (sum(o.overturned for o in found), sum(o.decided for o in found)) == (ended[True], ended.total())
    numbers = appeals.appeals(session, at=w.past.until, **w.asked)
    assert numbers.filed == len(w.within(w.past.appeals, "created_at"))
    resolved = w.within(w.past.appeals, "resolved_at")
    assert (numbers.resolved, numbers.in_time) == (
        len(resolved),
        sum(a["resolved_at"] <= a["due_at"] for a in resolved),
    )

    open_now = [r for r in w.past.reviews if r["status"] != "completed"]
    waiting = work.waiting(session, app_ids=(w.app_id,))
    assert {one.route: one.open for one in waiting} == Counter(r["route"] for r in open_now)
    assert sum(one.overdue for one in waiting) == sum(r["due_at"] <= now() for r in open_now)

    firsts = {d["case_id"]: d for d in w.past.decisions if d["kind"] == "case" and d["undone_at"] is None}
    expected = Counter(
        (firsts[d["case_id"]]["reviewer"], d["reviewer"], answer(firsts[d["case_id"]]), answer(d))
        for d in w.decided("quality")
    )
    assert {(p.first, p.second, *p.answers): p.number for p in second_looks.pairs(session, **w.asked)} == expected


def test_no_number_counts_another_tenant(session: Session) -> None:
    w = world(session, seed=3, days=3, a_day=30, hours=90)
    both = {"app_ids": (w.app_id, w.other_id), "window": w.window}
    other = {"app_ids": (w.other_id,), "window": w.window}
    for count in (
        lambda asked: headline(session, **asked).cases,
        lambda asked: sum(a.decided for a in decisions.agreement(session, **asked)),
        lambda asked: sum(r.decided for r in decisions.reversals(session, **asked)),
        lambda asked: sum(b.right.of for b in decisions.calibration(session, **asked)),
        lambda asked: second_looks.stream(session, **asked).decided,
        lambda asked: sum(one.open for one in work.waiting(session, app_ids=asked["app_ids"])),
    ):
        assert count(both) == count(w.asked) + count(other)
        assert count(w.asked) < count(both), "the other app has some too"
    nobody = {"app_ids": (), "window": w.window}
    assert headline(session, **nobody).cases == 0
    assert work.waiting(session, app_ids=()) == ()


def test_the_load_of_whoever_works_for_an_unseen_tenant_is_not_told(session: Session) -> None:
    w = world(session, seed=4, days=2, a_day=5, hours=48)
    here = {"app_ids": (w.app_id,), "window": w.window}
    assert {one.name for one in work.load(session, known=(w.app_id,), **here)} == {"Ada", "Ben"}
    assert {one.name for one in work.load(session, known=(w.app_id, w.other_id), **here)} == {"Ada", "Ben", "Cy"}


def test_a_decision_that_is_decided_differently_later_counts_as_changed(session: Session) -> None:
    w = world(session, seed=5, days=3, a_day=30, hours=71)
    first = next(d for d in w.decided() if d["decision"] == DecisionKind.REJECTED)
    later = {**first, "id": "decision_later", "decision": "approved", "policy": None, "reviewer": w.people[1].id}
    later["decided_at"] = first["decided_at"] + timedelta(seconds=40)
    before = {(r.reviewer, r.policy): r.changed for r in decisions.reversals(session, **w.asked)}
    w.past.cases, w.past.reviews, w.past.appeals, w.past.decisions = [], [], [], [later]
    w.past.write(session)
    after = {(r.reviewer, r.policy): r.changed for r in decisions.reversals(session, **w.asked)}
    key = (first["reviewer"], Policy(first["policy"]))
    assert after[key] == before[key] + 1
    assert sum(after.values()) == sum(before.values()) + 1


def test_nothing_of_an_empty_app_is_told(session: Session) -> None:
    session.rollback()
    app_id = apps.get_or_create(session, name="empty").id
    asked: dict[str, Any] = {
        "app_ids": (app_id,),
        "window": Window(since=datetime.fromisoformat("2026-01-01T00:00:00Z"), until=now()),
    }
    found = headline(session, **asked)
    assert (found.cases, found.p90_s, found.escalated) == (0, None, Share(hits=0, of=0))
    assert decisions.speed(session, **asked) == ()
    assert decisions.calibration(session, **asked) == ()
