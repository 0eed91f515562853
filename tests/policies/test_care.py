"""A pause is suggested once for each stretch of looking; what is severe fills it sooner."""

import itertools

from domain.exposure import Load, Seen
from domain.staff import Preferences
from domain.vocabulary import Severity
from policies.care import strain_minutes, suggests_pause
from policies.loader import load

POLICIES = load(None)
HOURLY = Preferences(pause_after_minutes=60)


def day(**minutes: float) -> Load:
    seen = {Severity(severity): Seen(items=1, seconds=60 * spent) for severity, spent in minutes.items()}
    return Load(staff_id="ann", day="2026-11-28", by_severity=seen)


def test_severe_minutes_count_for_more() -> None:
    assert strain_minutes(day(low=10), POLICIES) == 13
    assert strain_minutes(day(critical=10), POLICIES) == 20
    assert strain_minutes(day(low=10, critical=10), POLICIES) == 33
    assert strain_minutes(day(), POLICIES) == 0


def test_a_pause_is_suggested_when_a_stretch_is_full_and_not_again_before_the_next() -> None:
    steps = [day(critical=minutes) for minutes in (0, 20, 29, 31, 40, 59, 61)]
    told = [suggests_pause(before, after, HOURLY, POLICIES) for before, after in itertools.pairwise(steps)]
    assert told == [False, False, True, False, False, True]


def test_each_person_chooses_how_long_a_stretch_is() -> None:
    short = Preferences(pause_after_minutes=10)
    assert suggests_pause(day(), day(low=8), short, POLICIES)
    assert not suggests_pause(day(), day(low=8), HOURLY, POLICIES)
