"""Each edition of a guideline that was ever in force, kept as it was read: what a decision was made by stays readable
after the files have changed. Rows are only ever added."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Column, Index
from sqlmodel import Field, Session, SQLModel, col, select
from sqlmodel.sql.expression import SelectOfScalar

from data.columns import UtcDateTime
from domain.case import Case
from domain.vocabulary import Policy


class GuidelineEditionRow(SQLModel, table=True):
    """One guideline, in force from `since` on until the next row of its policy."""

    __tablename__ = "guideline_editions"
    __table_args__ = (Index("ix_guideline_editions_policy", "policy", "since"),)

    id: int | None = Field(default=None, primary_key=True)
    policy: str
    version: str
    body: str
    """The guideline as JSON."""
    since: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


def keep(session: Session, *, in_force: Mapping[Policy, tuple[str, str]], since: datetime) -> int:
    """Note which editions are in force, `(version, body)` by policy; returns how many of them are new or back again."""
    changed = 0
    for policy, (version, body) in in_force.items():
        latest = session.exec(_newest_first(policy).limit(1)).first()
        if latest is None or (latest.version, latest.body) != (version, body):
            session.add(GuidelineEditionRow(policy=policy.value, version=version, body=body, since=since))
            changed += 1
    return changed


def edition(session: Session, *, policy: Policy, version: str, at: datetime) -> str | None:
    """The body of the edition of this version that was in force at a moment; None where none was kept."""
    matching = col(GuidelineEditionRow.version) == version, col(GuidelineEditionRow.since) <= at
    found = session.exec(_newest_first(policy).where(*matching).limit(1)).first()
    return found.body if found else None


def applied(session: Session, case: Case) -> str | None:
    """The body of the guideline that the machine decided a case by; None where it named none, or none was kept."""
    policy, version = case.machine.policy, case.machine.policy_version
    if policy is None or version is None:
        return None
    return edition(session, policy=policy, version=version, at=case.created_at)


def _newest_first(policy: Policy) -> SelectOfScalar[GuidelineEditionRow]:
    since, number = col(GuidelineEditionRow.since), col(GuidelineEditionRow.id)
    of_policy = select(GuidelineEditionRow).where(col(GuidelineEditionRow.policy) == policy.value)
    return of_policy.order_by(since.desc(), number.desc())
