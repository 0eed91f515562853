"""The tables of appeals, of what models wrote about them, and of users' reports."""

from datetime import datetime

from sqlalchemy import Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from data.columns import UtcDateTime


class AppealRow(SQLModel, table=True):
    """One appeal against a case; one at most. `brief` is what the machine prepared, as JSON."""

    __tablename__ = "appeals"
    __table_args__ = (
        Index("ix_appeals_newest", "app_id", "created_at", "id"),
        Index("ix_appeals_status", "status", "created_at"),
    )

    id: str = Field(primary_key=True)
    app_id: str
    case_id: str = Field(foreign_key="moderation_cases.id", unique=True)
    user_id: str
    user_explanation: str
    new_evidence: str | None = None
    status: str
    brief: str | None = None
    needs_senior: bool = False
    sets_precedent: bool = False
    appeal_decision: str | None = None
    appeal_reasoning: str | None = None
    appeal_confidence: float | None = None
    resolved_by: str | None = None
    due_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    resolved_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))


class AppealReadingRow(SQLModel, table=True):
    """What a language model wrote about one appeal, or how far that has come. `reading` and `usage` are JSON; `due_at`
    is when it may be taken up, or taken from who took it up and did not come back."""

    __tablename__ = "appeal_readings"
    __table_args__ = (Index("ix_appeal_readings_due", "state", "due_at"),)

    appeal_id: str = Field(primary_key=True, foreign_key="appeals.id")
    app_id: str
    state: str
    attempts: int = 0
    addresses_the_machine: bool = False
    why_not: str | None = None
    reading: str | None = None
    usage: str | None = None
    due_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    updated_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class ReportRow(SQLModel, table=True):
    """One user's report of one case; the same reporter counts once."""

    __tablename__ = "reports"
    __table_args__ = (
        UniqueConstraint("app_id", "case_id", "reporter_id", name="uq_one_report"),
        Index("ix_reports_case", "app_id", "case_id"),
    )

    id: str = Field(primary_key=True)
    app_id: str
    case_id: str = Field(foreign_key="moderation_cases.id")
    content_id: str
    subject_id: str
    reporter_id: str
    reason: str | None = None
    details: str | None = None
    weight: float
    status: str
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    resolved_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))


class ReporterRow(SQLModel, table=True):
    """How often one reporter was right in one app."""

    __tablename__ = "reporters"

    app_id: str = Field(primary_key=True)
    user_id: str = Field(primary_key=True)
    upheld: int = 0
    dismissed: int = 0
