"""Finding cases from a few typed characters, across the tenants of one person: by identifier, user, or words."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, or_
from sqlmodel import Session, col, select

from data.case_table import CaseRow
from domain.base import Frozen
from domain.vocabulary import DecisionKind, Policy, Route

FEWEST_LETTERS = 3
NEWEST = 10_000
"""Words are looked for in so many of the newest cases of a tenant: a search must not grow with the record."""


class Found(Frozen):
    """A case as a list shows it: without what was written, which nobody asked to see yet."""

    id: str
    app_id: str
    user_id: str
    decision: DecisionKind
    policy: Policy | None
    created_at: datetime


def find_cases(
    session: Session, *, app_ids: Collection[str], words: str, hidden: Collection[Route] = (), limit: int = 8
) -> tuple[Found, ...]:
    """Cases of these tenants that match, the exact ones first, without those of the routes in `hidden`."""
    words = words.strip()
    if not words or not app_ids:
        return ()
    allowed: list[ColumnElement[bool]] = [col(CaseRow.app_id).in_(app_ids)]
    if hidden:
        route = col(CaseRow.review_route)
        allowed.append(or_(route.is_(None), route.not_in([route.value for route in hidden])))
    exact = or_(*_by_identifier(words), col(CaseRow.user_id) == words, col(CaseRow.content_id) == words)
    rows = list(_newest(session, [*allowed, exact], limit))
    if len(rows) < limit and len(words) >= FEWEST_LETTERS:
        known = {row.id for row in rows}
        for app_id in sorted(app_ids):
            recent = (
                select(CaseRow.id)
                .where(CaseRow.app_id == app_id)
                .order_by(col(CaseRow.created_at).desc())
                .limit(NEWEST)
            )
            said = or_(
                col(CaseRow.content).icontains(words, autoescape=True),
                col(CaseRow.user_id).icontains(words, autoescape=True),
            )
            matching = [*allowed, col(CaseRow.app_id) == app_id, col(CaseRow.id).in_(recent), said]
            rows += [row for row in _newest(session, matching, limit) if row.id not in known]
    return tuple(_found(row) for row in rows[:limit])


def _by_identifier(words: str) -> list[ColumnElement[bool]]:
    start = words.casefold() if words.casefold().startswith("case_") else f"case_{words.casefold()}"
    if len(start) < len("case_") + FEWEST_LETTERS:
        return []
    return [col(CaseRow.id).between(start, start + "g")]  # Identifiers are hexadecimal: "g" is after all of them.


def _newest(session: Session, wanted: list[ColumnElement[bool]], limit: int) -> tuple[CaseRow, ...]:
    newest = (col(CaseRow.created_at).desc(), col(CaseRow.id).desc())
    return tuple(session.exec(select(CaseRow).where(*wanted).order_by(*newest).limit(limit)))


def _found(row: CaseRow) -> Found:
    return Found(
        id=row.id,
        app_id=row.app_id,
        user_id=row.user_id,
        decision=DecisionKind(row.decision),
        policy=Policy(row.violation_type) if row.violation_type else None,
        created_at=row.created_at,
    )
