"""Enforcements: what is in force on whom, since when, until when, and whether it was taken back."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Column, Index, or_, update
from sqlmodel import Field, Session, SQLModel, col, select

from data import audit
from data.columns import UtcDateTime
from domain.clock import now
from domain.enforcement import NOT_ENFORCED, TERMS, Enforcement
from domain.ids import new_id
from domain.vocabulary import Action


class EnforcementRow(SQLModel, table=True):
    """One action in force, or past."""

    __tablename__ = "enforcements"
    __table_args__ = (Index("ix_enforcements_user", "app_id", "user_id"), Index("ix_enforcements_case", "case_id"))

    id: str = Field(primary_key=True)
    app_id: str
    case_id: str = Field(foreign_key="moderation_cases.id")
    user_id: str
    action: str
    starts_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    ends_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, index=True))
    ended_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    reversed_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))


def begin(session: Session, *, app_id: str, case_id: str, user_id: str, action: Action | None, at: datetime) -> None:
    """Put an action in force; nothing for actions that restrict nobody."""
    if action is None or action in NOT_ENFORCED:
        return
    term = TERMS.get(action)
    session.add(
        EnforcementRow(
            id=new_id("enforcement"),
            app_id=app_id,
            case_id=case_id,
            user_id=user_id,
            action=action,
            starts_at=at,
            ends_at=at + term if term else None,
        )
    )
    session.flush()


def reverse(session: Session, *, app_id: str, case_id: str, at: datetime) -> None:
    """Take back whatever a case put in force."""
    session.execute(
        update(EnforcementRow)
        .where(
            col(EnforcementRow.app_id) == app_id,
            col(EnforcementRow.case_id) == case_id,
            col(EnforcementRow.reversed_at).is_(None),
        )
        .values(reversed_at=at)
    )


def standing(session: Session, *, app_id: str, case_id: str) -> tuple[Enforcement, ...]:
    """What a case put in force and nobody has taken back, the newest first."""
    wanted = select(EnforcementRow).where(
        EnforcementRow.app_id == app_id,
        EnforcementRow.case_id == case_id,
        col(EnforcementRow.reversed_at).is_(None),
    )
    return tuple(_enforcement(row) for row in session.exec(wanted.order_by(col(EnforcementRow.starts_at).desc())))


def restore(session: Session, *, app_id: str, case_id: str, ids: Sequence[str], at: datetime) -> None:
    """Put a case's enforcements back to these: what came later is taken back, what was taken back is in force again."""
    reverse(session, app_id=app_id, case_id=case_id, at=at)
    session.execute(
        update(EnforcementRow)
        .where(
            col(EnforcementRow.app_id) == app_id,
            col(EnforcementRow.case_id) == case_id,
            col(EnforcementRow.id).in_(ids),
        )
        .values(reversed_at=None)
    )


def active(session: Session, *, app_id: str, user_id: str) -> tuple[Enforcement, ...]:
    """What is in force on a person now, the newest first."""
    at = now()
    rows = session.exec(
        select(EnforcementRow)
        .where(
            EnforcementRow.app_id == app_id,
            EnforcementRow.user_id == user_id,
            col(EnforcementRow.reversed_at).is_(None),
            or_(col(EnforcementRow.ends_at).is_(None), col(EnforcementRow.ends_at) > at),
        )
        .order_by(col(EnforcementRow.starts_at).desc())
    )
    return tuple(_enforcement(row) for row in rows)


def expire(session: Session) -> int:
    """Note the end of terms that are over; returns how many ended."""
    at = now()
    rows = session.exec(
        select(EnforcementRow)
        .where(
            col(EnforcementRow.ends_at) <= at,
            col(EnforcementRow.ended_at).is_(None),
            col(EnforcementRow.reversed_at).is_(None),
        )
        .limit(500)
    ).all()
    for row in rows:
        row.ended_at = at
        session.add(row)
        audit.add(
            session,
            app_id=row.app_id,
            case_id=row.case_id,
            action="enforcement.ended",
            actor="system:expiry",
            details={"enforcement": row.id, "action": row.action},
        )
    return len(rows)


def _enforcement(row: EnforcementRow) -> Enforcement:
    return Enforcement(
        id=row.id,
        app_id=row.app_id,
        case_id=row.case_id,
        user_id=row.user_id,
        action=Action(row.action),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        reversed_at=row.reversed_at,
    )
