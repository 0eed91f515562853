"""Readings of appeals: which are wanted, who writes one at present, and what came of it.

Taking one up raises its attempts and lends it for a while by the database's clock (I12); whatever is kept must name
that attempt, so that of two processes one wins, and who dies with a reading only delays it. An appeal that has been
decided keeps what it has. Nothing here touches an appeal (I8).
"""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from pydantic import JsonValue
from sqlalchemy import ColumnElement, exists, update
from sqlmodel import Session, col, select

from data import audit
from data.appeal_table import AppealReadingRow, AppealRow
from data.appeals import appeal_of
from data.clock import TICK, database_moment, database_now
from data.statements import dialect_of, inserting_if_new
from domain.actor import Actor
from domain.appeal import Appeal, AppealStatus
from domain.appeal_reading import AppealReading, KeptReading, NoReading, ReadingState
from domain.base import Frozen
from domain.clock import now
from domain.opinion import Usage

WRITTEN = "appeal.read"
GIVEN_UP = "appeal.not_read"

READABLE = (AppealStatus.UNDER_REVIEW.value, AppealStatus.ESCALATED.value)
"""Appeals that the machine has prepared and nobody has decided."""


class Taken(Frozen):
    """An appeal that is to be read now, by whoever holds this attempt."""

    appeal: Appeal
    attempt: int


def of_appeal(session: Session, *, app_id: str, appeal_id: str) -> KeptReading | None:
    """The reading of an appeal as it stands, if it was ever wanted; nothing for a foreign appeal."""
    row = session.get(AppealReadingRow, appeal_id)
    return _kept(row) if row and row.app_id == app_id else None


def any_wanted(session: Session, *, app_ids: Collection[str]) -> bool:
    """Whether `take` would find something."""
    due = select(AppealReadingRow.appeal_id).join(AppealRow, _its_appeal()).where(*_due(session, app_ids))
    return any(session.exec(each.limit(1)).first() is not None for each in (_unlisted(app_ids), due))


def take(
    session: Session, *, app_ids: Collection[str], limit: int, lease: timedelta, most_attempts: int, actor: Actor
) -> tuple[Taken, ...]:
    """Take up what should be read now, the oldest appeals first; nobody else can before the lease is over.

    What was taken up `most_attempts` times and never came back is given up.
    """
    at = database_moment(session)
    for appeal_id, app_id in session.exec(_unlisted(app_ids).limit(limit)).all():
        fresh = {"appeal_id": appeal_id, "app_id": app_id, "state": ReadingState.WAITING.value, "attempts": 0}
        times = {"due_at": at, "created_at": at, "updated_at": at, "addresses_the_machine": False}
        session.execute(inserting_if_new(AppealReadingRow, dialect_of(session)), {**fresh, **times})
    rows = session.exec(
        select(AppealReadingRow, AppealRow)
        .join(AppealRow, _its_appeal())
        .where(*_due(session, app_ids))
        .order_by(col(AppealRow.created_at))
        .limit(limit)
        .with_for_update(of=AppealReadingRow, skip_locked=True)
    ).all()
    taken = []
    for row, appeal in rows:
        if row.attempts >= most_attempts:
            _give_up(session, row, appeal_of(appeal), row.attempts, NoReading.BROKEN_OFF, actor)
            continue
        attempt = row.attempts + 1
        lent = {"attempts": attempt, "due_at": database_now(session, lease), "updated_at": at}
        session.execute(update(AppealReadingRow).where(col(AppealReadingRow.appeal_id) == row.appeal_id).values(**lent))
        taken.append(Taken(appeal=appeal_of(appeal), attempt=attempt))
    return tuple(taken)


def keep(
    session: Session, *, taken: Taken, reading: AppealReading, usage: Usage, addresses: bool, actor: Actor
) -> bool:
    """Keep the reading that this attempt brought. False, and nothing kept, where another attempt was faster or a person
    has decided meanwhile."""
    undecided = exists().where(col(AppealRow.id) == taken.appeal.id, col(AppealRow.status).in_(READABLE))
    written = {
        "state": ReadingState.WRITTEN.value,
        "addresses_the_machine": addresses,
        "why_not": None,
        "reading": reading.model_dump_json(),
        "usage": usage.model_dump_json(),
        "updated_at": now(),
    }
    if not _changed(session, taken, written, undecided):
        return False
    details = {"recommendation": reading.recommendation.value, "model": reading.model, "prompt": reading.prompt}
    _note(session, taken.appeal, WRITTEN, {**details, "attempts": taken.attempt}, actor)
    return True


def fail(
    session: Session, *, taken: Taken, why: NoReading, addresses: bool | None, again: timedelta | None, actor: Actor
) -> bool:
    """Note that this attempt brought no reading: another follows after `again`, or none where that is None. False where
    another attempt was faster. `addresses` None leaves what is known of that."""
    failed: dict[str, Any] = {"why_not": why.value, "updated_at": now()}
    if addresses is not None:
        failed["addresses_the_machine"] = addresses
    if again is not None:
        return _changed(session, taken, {**failed, "due_at": database_now(session, again)})
    if not _changed(session, taken, {**failed, "state": ReadingState.GIVEN_UP.value}):
        return False
    _note(session, taken.appeal, GIVEN_UP, {"why": why.value, "attempts": taken.attempt}, actor)
    return True


def _give_up(
    session: Session, row: AppealReadingRow, appeal: Appeal, attempts: int, why: NoReading, actor: Actor
) -> None:
    row.state, row.why_not, row.updated_at = ReadingState.GIVEN_UP.value, why.value, now()
    session.add(row)
    session.flush()
    _note(session, appeal, GIVEN_UP, {"why": why.value, "attempts": attempts}, actor)


def _changed(session: Session, taken: Taken, values: dict[str, Any], *further: ColumnElement[bool]) -> bool:
    mine = (
        col(AppealReadingRow.appeal_id) == taken.appeal.id,
        col(AppealReadingRow.attempts) == taken.attempt,
        col(AppealReadingRow.state) == ReadingState.WAITING.value,
    )
    done = session.execute(update(AppealReadingRow).where(*mine, *further).values(**values))
    return bool(done.rowcount)  # type: ignore[attr-defined]


def _note(session: Session, appeal: Appeal, action: str, details: dict[str, JsonValue], actor: Actor) -> None:
    audit.add(
        session,
        app_id=appeal.app_id,
        case_id=appeal.case_id,
        action=action,
        actor=actor.label,
        details={"appeal": appeal.id, **details},
    )


def _unlisted(app_ids: Collection[str]) -> Any:
    """Appeals to be read that nobody has taken up yet, the oldest first."""
    return (
        select(AppealRow.id, AppealRow.app_id)
        .where(
            col(AppealRow.status).in_(READABLE),
            col(AppealRow.app_id).in_(sorted(app_ids)),
            ~exists().where(_its_appeal()),
        )
        .order_by(col(AppealRow.created_at))
    )


def _due(session: Session, app_ids: Collection[str]) -> tuple[ColumnElement[bool], ...]:
    return (
        col(AppealReadingRow.state) == ReadingState.WAITING.value,
        col(AppealReadingRow.due_at) <= database_now(session, TICK),
        col(AppealReadingRow.app_id).in_(sorted(app_ids)),
        col(AppealRow.status).in_(READABLE),
    )


def _its_appeal() -> ColumnElement[bool]:
    return col(AppealReadingRow.appeal_id) == col(AppealRow.id)


def _kept(row: AppealReadingRow) -> KeptReading:
    return KeptReading(
        appeal_id=row.appeal_id,
        state=ReadingState(row.state),
        attempts=row.attempts,
        addresses_the_machine=row.addresses_the_machine,
        why_not=NoReading(row.why_not) if row.why_not else None,
        reading=AppealReading.model_validate_json(row.reading) if row.reading else None,
        usage=Usage.model_validate_json(row.usage) if row.usage else Usage(),
        updated_at=row.updated_at,
    )
