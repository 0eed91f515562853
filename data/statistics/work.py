"""The people's side: what waits for them now, and how much of what they looked at."""

from collections.abc import Collection

from sqlalchemy import func, select
from sqlmodel import Session, col

from data.clock import database_now
from data.exposure import day_of
from data.review_rules import still_open
from data.review_table import ReviewRow
from data.staff_table import ExposureRow, StaffAppRow, StaffRow
from data.statistics.expressions import number_of
from domain.exposure import Seen
from domain.statistics import Load, Waiting, Window
from domain.vocabulary import Route, Severity


def waiting(session: Session, *, app_ids: Collection[str]) -> tuple[Waiting, ...]:
    """What is open on each route where anything is, whoever holds it."""
    wanted = (
        select(
            col(ReviewRow.route),
            func.count(),
            number_of(col(ReviewRow.due_at) <= database_now(session)),
            func.min(col(ReviewRow.created_at)),
        )
        .where(still_open(), col(ReviewRow.app_id).in_(sorted(app_ids)))
        .group_by(col(ReviewRow.route))
    )
    found = {
        Route(route): Waiting(route=Route(route), open=number, overdue=overdue, oldest_at=oldest)
        for route, number, overdue, oldest in session.execute(wanted)
    }
    return tuple(found[route] for route in Route if route in found)


def load(session: Session, *, app_ids: Collection[str], known: Collection[str], window: Window) -> tuple[Load, ...]:
    """What the people of these tenants looked at on the days of a window, the most first.

    Hours are not kept by tenant. So whoever also works for a tenant outside `known`, all those that the asking person
    may see, is left out: nothing is told of other tenants.
    """
    here = select(col(StaffAppRow.staff_id)).where(col(StaffAppRow.app_id).in_(sorted(app_ids)))
    elsewhere = select(col(StaffAppRow.staff_id)).where(col(StaffAppRow.app_id).not_in(sorted(known)))
    wanted = (
        select(
            col(StaffRow.id),
            col(StaffRow.name),
            col(ExposureRow.severity),
            func.sum(col(ExposureRow.items)),
            func.sum(col(ExposureRow.seconds)),
        )
        .join(StaffRow, col(StaffRow.id) == col(ExposureRow.staff_id))
        .where(
            col(StaffRow.id).in_(here),
            col(StaffRow.id).not_in(elsewhere),
            col(ExposureRow.day) >= day_of(window.since),
            col(ExposureRow.day) <= day_of(window.until),
        )
        .group_by(col(StaffRow.id), col(StaffRow.name), col(ExposureRow.severity))
    )
    names: dict[str, str] = {}
    seen: dict[str, dict[Severity, Seen]] = {}
    for staff_id, name, severity, items, seconds in session.execute(wanted):
        names[staff_id] = name
        seen.setdefault(staff_id, {})[Severity(severity)] = Seen(items=items, seconds=seconds)
    loads = [Load(staff_id=staff_id, name=names[staff_id], by_severity=by) for staff_id, by in seen.items()]
    return tuple(sorted(loads, key=lambda one: (-one.hours, one.name)))


def names_of(session: Session, *, staff_ids: Collection[str]) -> dict[str, str]:
    """What people are called."""
    wanted = select(col(StaffRow.id), col(StaffRow.name)).where(col(StaffRow.id).in_(sorted(staff_ids)))
    return {row.id: row.name for row in session.execute(wanted)}
