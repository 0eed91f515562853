"""As if a language model had been asked about an appeal: for tests of those who show what it wrote."""

from datetime import timedelta

from sqlmodel import Session

from data import appeal_readings
from domain.actor import system
from domain.appeal_reading import AppealReading, NoReading
from domain.opinion import Usage

LEASE = timedelta(minutes=5)


def appeal_read(
    session: Session,
    *,
    app_id: str,
    appeal_id: str,
    reading: AppealReading | None,
    addresses: bool = False,
    last: bool = True,
) -> None:
    """Keep a reading of an appeal that waits for one; others of its app may as well. None: there was no usable answer,
    for the `last` time or not."""
    actor = system(app_id, "appeal_reviewer")
    due = appeal_readings.take(session, app_ids=[app_id], limit=99, lease=LEASE, most_attempts=5, actor=actor)
    [taken] = [each for each in due if each.appeal.id == appeal_id]
    if reading is None:
        again = None if last else LEASE
        done = appeal_readings.fail(
            session, taken=taken, why=NoReading.UNUSABLE, addresses=addresses, again=again, actor=actor
        )
    else:
        done = appeal_readings.keep(
            session, taken=taken, reading=reading, usage=Usage(), addresses=addresses, actor=actor
        )
    assert done
