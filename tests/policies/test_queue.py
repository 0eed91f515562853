"""Items are ordered by deadline and harm, not by arrival."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.vocabulary import Severity
from policies.loader import load
from policies.queue import harm, order_at

POLICIES = load(None)
START = datetime(2026, 1, 1, tzinfo=UTC)
SHARE = st.floats(0, 1)
SEVERITIES = st.one_of(st.none(), st.sampled_from(list(Severity)))


def place(
    created: datetime = START,
    hours: float = 24,
    risk: float = 0.5,
    severity: Severity | None = None,
    reports: float = 0.0,
) -> datetime:
    return order_at(
        created_at=created,
        due_at=created + timedelta(hours=hours),
        risk=risk,
        severity=severity,
        reports=reports,
        policies=POLICIES,
    )


def test_of_two_that_came_together_the_riskier_comes_first() -> None:
    assert place(risk=0.6) < place(risk=0.3)


def test_of_two_alike_the_nearer_deadline_comes_first() -> None:
    assert place(hours=4) < place(hours=24)


def test_reports_move_an_item_up_and_count_in_full_from_a_limit_on() -> None:
    full = POLICIES.thresholds.queue.reports_in_full
    assert place(reports=full) < place(reports=1.0) < place(reports=0.0)
    assert place(reports=full * 10) == place(reports=full)


def test_what_waits_longer_moves_past_what_is_worse_but_new() -> None:
    old = place(created=START)
    assert old < place(created=START + timedelta(hours=24), risk=1.0, severity=Severity.CRITICAL, reports=9.0)


@given(risk=SHARE, severity=SEVERITIES, reports=st.floats(0, 50))
def test_a_place_lies_between_arrival_and_deadline(risk: float, severity: Severity | None, reports: float) -> None:
    assert START < place(risk=risk, severity=severity, reports=reports) <= START + timedelta(hours=24)
    assert 0 <= harm(risk=risk, severity=severity, reports=reports, policies=POLICIES) <= 1


@pytest.mark.parametrize("severity", list(Severity)[:-1])
def test_a_worse_severity_is_more_harm(severity: Severity) -> None:
    worse = list(Severity)[severity.rank + 1]
    assert harm(risk=0.5, severity=worse, reports=0, policies=POLICIES) > harm(
        risk=0.5, severity=severity, reports=0, policies=POLICIES
    )
