"""All that a person must know to judge a case, read together: what was said around it, who wrote it, what was decided.

Reads only. Whatever went to the legal team alone is left out for everybody else, wherever it would turn up.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_
from sqlmodel import Session, col, select

from data import audit, cases, enforcements
from data.audit import AuditRecord
from data.case_table import CaseRow, case_of
from data.decisions import of_case
from data.review_rules import still_open
from data.review_table import ReviewRow
from data.staff_table import StaffRow
from domain.actor import ActorKind
from domain.base import Frozen
from domain.case import MACHINE, Case
from domain.enforcement import Enforcement
from domain.errors import NotFound, NotPermitted
from domain.history import SubjectHistory
from domain.review import Decided, ReviewItem
from domain.staff import Staff
from domain.vocabulary import Action, DecisionKind, Policy, Route, Severity

BEFORE, AFTER = 12, 6
"""Messages of a conversation that are shown before and after the one in question."""

SAME = 6


class Told(Frozen):
    """One message of a conversation, in its order."""

    case_id: str
    user_id: str
    text: str
    decision: DecisionKind
    at: datetime


class Earlier(Frozen):
    """How another case stands: the same text posted before, or one that memory found alike."""

    case_id: str
    user_id: str
    decision: DecisionKind
    policy: Policy | None
    severity: Severity | None
    action: Action | None
    by_person: bool
    created_at: datetime


class Dossier(Frozen):
    """A case and what is around it. `names` gives people's names by the identifiers that stand in it."""

    case: Case
    open_items: tuple[ReviewItem, ...]
    conversation: tuple[Told, ...]
    history: SubjectHistory
    first_seen: datetime | None
    enforcements: tuple[Enforcement, ...]
    same_text: tuple[Earlier, ...]
    decided: tuple[Decided, ...]
    trail: tuple[AuditRecord, ...]
    names: dict[str, str]


def open_case(session: Session, *, staff: Staff, case_id: str) -> Case:
    """One case of the tenants given to somebody.

    Raises NotFound, alike for a foreign and an absent one, and NotPermitted for what is the legal team's alone.
    """
    row = session.get(CaseRow, case_id)
    if row is None or row.app_id not in staff.app_ids:
        raise NotFound(f"there is no case {case_id[:60]!r}")
    case = case_of(row)
    if not staff.may_see(case.review_route):
        raise NotPermitted("this case is for the legal team alone")
    return case


def around(session: Session, *, staff: Staff, case: Case) -> Dossier:
    """Everything about a case that `open_case` gave."""
    app_id, author = case.app_id, case.content.user_id
    trail = audit.for_case(session, app_id=app_id, case_id=case.id)
    made = of_case(session, app_id=app_id, case_id=case.id)
    items = _open_items(session, case)
    return Dossier(
        case=case,
        open_items=items,
        conversation=_conversation(session, staff, case),
        history=cases.history(session, app_id=app_id, user_id=author),
        first_seen=_first_seen(session, app_id, author),
        enforcements=enforcements.active(session, app_id=app_id, user_id=author),
        same_text=_same_text(session, staff, case),
        decided=made,
        trail=trail,
        names=names_of(session, _people(trail, made, items)),
    )


def standings(session: Session, *, staff: Staff, app_id: str, case_ids: Collection[str]) -> dict[str, Earlier | None]:
    """How these cases of one tenant stand now; None for one that this person must not see."""
    rows = session.exec(select(CaseRow).where(CaseRow.app_id == app_id, col(CaseRow.id).in_(sorted(case_ids))))
    return {row.id: _earlier(row) if staff.may_see(_route(row)) else None for row in rows}


def names_of(session: Session, ids: Collection[str]) -> dict[str, str]:
    """Names of people by their identifiers."""
    if not ids:
        return {}
    return dict(session.execute(select(StaffRow.id, StaffRow.name).where(col(StaffRow.id).in_(sorted(ids)))).all())


def _open_items(session: Session, case: Case) -> tuple[ReviewItem, ...]:
    mine = (ReviewRow.app_id == case.app_id, ReviewRow.case_id == case.id)
    rows = session.exec(select(ReviewRow).where(*mine, still_open()).order_by(col(ReviewRow.created_at)))
    return tuple(row.item() for row in rows)


def _conversation(session: Session, staff: Staff, case: Case) -> tuple[Told, ...]:
    conversation_id = case.content.context.conversation_id
    if conversation_id is None:
        return ()
    wanted = [
        col(CaseRow.app_id) == case.app_id,
        col(CaseRow.conversation_id) == conversation_id,
        or_(_visible(staff), col(CaseRow.id) == case.id),
    ]
    at, place = col(CaseRow.created_at), (col(CaseRow.created_at), col(CaseRow.id))
    backwards = tuple(column.desc() for column in place)
    earlier = session.exec(select(CaseRow).where(*wanted, at <= case.created_at).order_by(*backwards).limit(BEFORE + 1))
    later = session.exec(select(CaseRow).where(*wanted, at > case.created_at).order_by(*place).limit(AFTER))
    return tuple(_told(row) for row in (*reversed(earlier.all()), *later))


def _same_text(session: Session, staff: Staff, case: Case) -> tuple[Earlier, ...]:
    rows = session.exec(
        select(CaseRow)
        .where(
            CaseRow.app_id == case.app_id,
            CaseRow.content_hash == case.content.content_hash,
            CaseRow.id != case.id,
            _visible(staff),
        )
        .order_by(col(CaseRow.created_at).desc())
        .limit(SAME)
    )
    return tuple(_earlier(row) for row in rows)


def _first_seen(session: Session, app_id: str, user_id: str) -> datetime | None:
    first = select(func.min(CaseRow.created_at)).where(CaseRow.app_id == app_id, CaseRow.user_id == user_id)
    return session.exec(first).one()


def _visible(staff: Staff) -> ColumnElement[bool]:
    route = col(CaseRow.review_route)
    hidden = [each.value for each in Route if not staff.may_see(each)]
    return or_(route.is_(None), route.not_in(hidden))


def _people(trail: Sequence[AuditRecord], made: Sequence[Decided], items: Sequence[ReviewItem]) -> set[str]:
    person = f"{ActorKind.PERSON}:"
    found: Iterable[str | None] = (
        *(record.actor.removeprefix(person) for record in trail if record.actor.startswith(person)),
        *(decided.reviewer for decided in made),
        *(decided.before.reviewed_by for decided in made),
        *(name for item in items for name in (item.assigned_to, item.asked_by, item.handed_to)),
    )
    return {name for name in found if name and name != MACHINE}


def _route(row: CaseRow) -> Route | None:
    return Route(row.review_route) if row.review_route else None


def _told(row: CaseRow) -> Told:
    return Told(
        case_id=row.id,
        user_id=row.user_id,
        text=row.content,
        decision=DecisionKind(row.decision),
        at=case_of(row).content.context.timestamp or row.created_at,
    )


def _earlier(row: CaseRow) -> Earlier:
    return Earlier(
        case_id=row.id,
        user_id=row.user_id,
        decision=DecisionKind(row.decision),
        policy=Policy(row.violation_type) if row.violation_type else None,
        severity=Severity(row.severity) if row.severity else None,
        action=Action(row.action) if row.action else None,
        by_person=row.reviewed_by != MACHINE,
        created_at=row.created_at,
    )
