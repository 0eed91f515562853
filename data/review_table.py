"""The tables of what waits for people and what they decided, and how a review row becomes an item and back."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, text
from sqlmodel import Field, SQLModel

from data.appeal_table import AppealRow
from data.case_table import CaseRow
from data.columns import UtcDateTime
from data.statements import table_of
from domain.review import Decided, Outcome, ReviewItem, ReviewKind, ReviewStatus
from domain.vocabulary import Action, Policy, Priority, Route, Severity

CASE, APPEAL = (f"{table_of(row).name}.id" for row in (CaseRow, AppealRow))
OPEN = text("status <> 'completed'")
BY_PLACE = ("order_at", "id", "app_id", "route", "policy", "priority")
BY_GROUP = ("status", "route", "priority", "kind", "app_id", "due_at")
"""What the queue is read by, and counted by: indexes of what is open alone, however much was decided before. `status`
stands first in the second, so that nothing but counting is drawn to it."""


class ReviewRow(SQLModel, table=True):
    """One thing that waits for a person."""

    __tablename__ = "review_queue"
    __table_args__ = (
        Index("ix_review_open", *BY_PLACE, sqlite_where=OPEN, postgresql_where=OPEN),
        Index("ix_review_counted", *BY_GROUP, sqlite_where=OPEN, postgresql_where=OPEN),
        Index("ix_review_handed", "handed_to"),
        Index("ix_review_assigned", "assigned_to", "status"),
    )

    id: str = Field(primary_key=True)
    app_id: str
    case_id: str = Field(foreign_key=CASE, index=True)
    appeal_id: str | None = Field(default=None, foreign_key=APPEAL)
    kind: str = ReviewKind.CASE.value
    priority: str
    route: str
    policy: str | None = None
    severity: str | None = None
    risk: float = 0.0
    reports: float = 0.0
    assigned_to: str | None = None
    status: str
    epoch: int = 0
    handed_to: str | None = None
    asked_by: str | None = None
    note: str | None = None
    lease_until: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    held_until: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    due_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    order_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    claimed_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    completed_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))

    @staticmethod
    def columns_of(item: ReviewItem) -> dict[str, Any]:
        """The row of a fresh item, by column name."""
        return {
            "id": item.id,
            "app_id": item.app_id,
            "case_id": item.case_id,
            "appeal_id": item.appeal_id,
            "kind": item.kind.value,
            "priority": item.priority.value,
            "route": item.route.value,
            "policy": item.policy.value if item.policy else None,
            "severity": item.severity.value if item.severity else None,
            "risk": item.risk,
            "reports": item.reports,
            "status": item.status.value,
            "epoch": item.epoch,
            "handed_to": item.handed_to,
            "asked_by": item.asked_by,
            "note": item.note,
            "due_at": item.due_at,
            "order_at": item.order_at,
            "created_at": item.created_at,
        }

    def item(self) -> ReviewItem:
        """The item that the row holds."""
        return ReviewItem(
            id=self.id,
            app_id=self.app_id,
            case_id=self.case_id,
            appeal_id=self.appeal_id,
            kind=ReviewKind(self.kind),
            priority=Priority(self.priority),
            route=Route(self.route),
            policy=Policy(self.policy) if self.policy else None,
            severity=Severity(self.severity) if self.severity else None,
            risk=self.risk,
            reports=self.reports,
            status=ReviewStatus(self.status),
            assigned_to=self.assigned_to,
            epoch=self.epoch,
            lease_until=self.lease_until,
            handed_to=self.handed_to,
            asked_by=self.asked_by,
            note=self.note,
            held_until=self.held_until,
            due_at=self.due_at,
            order_at=self.order_at,
            created_at=self.created_at,
        )


class SkipRow(SQLModel, table=True):
    """Who passed an item over, and why: `claim next` does not offer it to them again."""

    __tablename__ = "review_skips"

    review_id: str = Field(primary_key=True, foreign_key="review_queue.id")
    staff_id: str = Field(primary_key=True)
    reason: str
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class HumanDecisionRow(SQLModel, table=True):
    """One decision of a person, kept also when undone.

    `before` is the case as it stood, for undoing. `settled_at` says when the paused run went on; until `undo_until`
    nothing leaves the house.
    """

    __tablename__ = "human_decisions"
    __table_args__ = (
        Index("ix_human_decisions_case", "app_id", "case_id"),
        Index("ix_human_decisions_reviewer", "app_id", "reviewer", "decided_at"),
        Index("ix_human_decisions_unsettled", "settled_at", "undo_until"),
    )

    id: str = Field(primary_key=True)
    app_id: str
    review_id: str = Field(foreign_key="review_queue.id", index=True)
    case_id: str = Field(foreign_key=CASE)
    appeal_id: str | None = Field(default=None, foreign_key=APPEAL)
    kind: str = ReviewKind.CASE.value
    reviewer: str
    epoch: int
    decision: str
    policy: str | None = None
    severity: str | None = None
    action: str | None = None
    reasoning: str
    before: str
    bulk_id: str | None = Field(default=None, index=True)
    claimed_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    decided_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    undo_until: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    undone_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    settled_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))

    def decided(self) -> Decided:
        """The decision that the row holds."""
        return Decided(
            id=self.id,
            app_id=self.app_id,
            review_id=self.review_id,
            case_id=self.case_id,
            appeal_id=self.appeal_id,
            kind=ReviewKind(self.kind),
            reviewer=self.reviewer,
            epoch=self.epoch,
            decision=self.decision,
            policy=Policy(self.policy) if self.policy else None,
            severity=Severity(self.severity) if self.severity else None,
            action=Action(self.action) if self.action else None,
            reasoning=self.reasoning,
            before=Outcome.model_validate_json(self.before),
            bulk_id=self.bulk_id,
            decided_at=self.decided_at,
            undo_until=self.undo_until,
            undone_at=self.undone_at,
            settled_at=self.settled_at,
        )
