"""When a message that did not arrive is tried again, and when it is given up."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from domain.notification import Notification, NotificationStatus
from mcp_servers.notifications.webhooks import GIVE_UP_AFTER, LONGEST_RETRY, Attempt, next_try, retry_after
from tests import factories

BEGAN = datetime(2026, 11, 1, tzinfo=UTC)


def owed(attempts: int) -> Notification:
    return Notification(
        id="msg_1",
        app_id="app_a",
        case_id=None,
        message=factories.message(),
        status=NotificationStatus.PENDING,
        attempts=attempts,
        next_attempt_at=BEGAN,
        created_at=BEGAN,
    )


def pauses(attempts: int, attempt: Attempt | None = None) -> list[timedelta]:
    found = []
    for _ in range(200):
        again = next_try(owed(attempts), attempt or Attempt(ok=False), BEGAN)
        assert again is not None
        found.append(again - BEGAN)
    return found


@pytest.mark.parametrize("attempts", range(14))
def test_pauses_double_from_five_seconds_with_a_fifth_of_jitter(attempts: int) -> None:
    found = pauses(attempts)
    middle = timedelta(seconds=5) * 2**attempts
    assert min(found) >= min(middle * 0.8, LONGEST_RETRY * 0.8)
    assert max(found) <= min(middle * 1.2, LONGEST_RETRY)
    assert len(set(found)) > 1, "without jitter all apps would be tried at the same moment"


@pytest.mark.parametrize("attempts", [14, 40, 1_000])
def test_no_pause_is_longer_than_half_a_day(attempts: int) -> None:
    assert max(pauses(attempts)) == LONGEST_RETRY == timedelta(hours=12)


def test_a_pause_that_the_app_asks_for_is_kept() -> None:
    asked = Attempt(ok=False, retry_after=timedelta(minutes=10))
    assert set(pauses(0, asked)) == {timedelta(minutes=10)}


def test_a_shorter_pause_than_ours_is_not() -> None:
    asked = Attempt(ok=False, retry_after=timedelta(seconds=1))
    assert min(pauses(5, asked)) >= timedelta(seconds=5) * 2**5 * 0.8


def test_a_pause_of_a_year_is_cut() -> None:
    assert set(pauses(0, Attempt(ok=False, retry_after=timedelta(days=365)))) == {LONGEST_RETRY}


def test_three_days_are_enough() -> None:
    failed = Attempt(ok=False)
    assert next_try(owed(3), failed, BEGAN + GIVE_UP_AFTER) is not None
    assert next_try(owed(3), failed, BEGAN + GIVE_UP_AFTER + timedelta(seconds=1)) is None
    assert timedelta(days=3) == GIVE_UP_AFTER


def test_what_is_gone_is_not_tried_again() -> None:
    assert next_try(owed(0), Attempt(ok=False, gone=True), BEGAN) is None


@pytest.mark.parametrize(
    ("header", "pause"),
    [
        ("120", timedelta(seconds=120)),
        (" 7 ", timedelta(seconds=7)),
        ("0", timedelta()),
        (format_datetime(BEGAN + timedelta(minutes=3), usegmt=True), timedelta(minutes=3)),
        (format_datetime(BEGAN - timedelta(minutes=3), usegmt=True), timedelta()),
        (format_datetime(BEGAN + timedelta(days=30), usegmt=True), LONGEST_RETRY),
        ("9" * 400, LONGEST_RETRY),
        ("²", None),
        ("", None),
        ("-5", None),
        ("soon", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str, pause: timedelta | None) -> None:
    assert retry_after(header, BEGAN) == pause
