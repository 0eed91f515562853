"""The tables of reviews and appeals, and how a review row becomes an item and back."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index
from sqlmodel import Field, SQLModel

from data.columns import UtcDateTime
from domain.review import ReviewItem, ReviewStatus
from domain.vocabulary import Priority, Route


class AppealRow(SQLModel, table=True):
    """One appeal against a case; one at most."""

    __tablename__ = "appeals"

    id: str = Field(primary_key=True)
    app_id: str
    case_id: str = Field(foreign_key="moderation_cases.id", unique=True)
    user_explanation: str
    new_evidence: str | None = None
    appeal_decision: str | None = None
    appeal_reasoning: str | None = None
    appeal_confidence: float | None = None
    resolved_by: str | None = None
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    resolved_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))


class ReviewRow(SQLModel, table=True):
    """One thing that waits for a person."""

    __tablename__ = "review_queue"
    __table_args__ = (Index("ix_review_open", "app_id", "status", "due_at"),)

    id: str = Field(primary_key=True)
    app_id: str
    case_id: str = Field(foreign_key="moderation_cases.id", index=True)
    appeal_id: str | None = Field(default=None, foreign_key="appeals.id")
    priority: str
    route: str
    assigned_to: str | None = None
    status: str
    epoch: int = 0
    lease_until: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    due_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
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
            "priority": item.priority.value,
            "route": item.route.value,
            "status": item.status.value,
            "epoch": item.epoch,
            "due_at": item.due_at,
            "created_at": item.created_at,
        }

    def item(self) -> ReviewItem:
        """The item that the row holds."""
        return ReviewItem(
            id=self.id,
            app_id=self.app_id,
            case_id=self.case_id,
            priority=Priority(self.priority),
            route=Route(self.route),
            status=ReviewStatus(self.status),
            assigned_to=self.assigned_to,
            epoch=self.epoch,
            lease_until=self.lease_until,
            due_at=self.due_at,
            created_at=self.created_at,
        )
