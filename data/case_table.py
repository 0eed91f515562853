"""The table of cases, and how a row becomes a case and back."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from data.columns import UtcDateTime
from domain.assessment import Assessment
from domain.base import Frozen
from domain.case import Case, CaseSummary, Timings
from domain.content import Content, ContentContext
from domain.decision import Decision
from domain.history import SameContent, SubjectHistory
from domain.memory import PolicyMatch
from domain.vocabulary import Action, ContentType, DecisionKind, Policy, Route, Severity

EXCERPT = 160


class CaseRow(SQLModel, table=True):
    """One case. The columns hold the outcome as it stands; `record` what the machine thought and decided."""

    __tablename__ = "moderation_cases"
    __table_args__ = (
        UniqueConstraint("app_id", "content_id", "content_hash", "policy_set", name="uq_one_decision"),
        Index("ix_cases_newest", "app_id", "created_at", "id"),
        Index("ix_cases_user", "app_id", "user_id", "created_at"),
        Index("ix_cases_conversation", "app_id", "conversation_id", "created_at"),
        Index("ix_cases_hash", "app_id", "content_hash"),
        Index("ix_cases_decision", "app_id", "decision", "created_at"),
    )

    id: str = Field(primary_key=True)
    app_id: str
    content_id: str
    content_hash: str
    content_type: str
    content: str
    user_id: str
    conversation_id: str | None = None
    risk_score: float
    decision: str
    reasoning: str
    confidence: float
    violation_type: str | None = None
    severity: str | None = None
    action: str | None = None
    reviewed_by: str
    policy_set: str
    policy_version: str | None = None
    context: str = Field(sa_column=Column("metadata", Text, nullable=False))
    record: str
    total_ms: float
    review_id: str | None = None
    review_route: str | None = None
    due_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    updated_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class MachineRecord(Frozen):
    """What the machine saw, thought and decided; it never changes."""

    assessment: Assessment
    decision: Decision
    history: SubjectHistory
    same_content: SameContent | None
    policy_matches: tuple[PolicyMatch, ...]
    timings: Timings
    submitted_by: str


def columns_of(case: Case) -> dict[str, object]:
    """The row of a case, by column name."""
    content, decision = case.content, case.machine
    kept = MachineRecord(
        assessment=case.assessment,
        decision=decision,
        history=case.history,
        same_content=case.same_content,
        policy_matches=case.policy_matches,
        timings=case.timings,
        submitted_by=case.submitted_by,
    )
    return {
        "id": case.id,
        "app_id": case.app_id,
        "content_id": content.content_id,
        "content_hash": content.content_hash,
        "content_type": content.content_type,
        "content": content.text,
        "user_id": content.user_id,
        "conversation_id": content.context.conversation_id,
        "risk_score": case.risk_score,
        "decision": case.decision,
        "reasoning": case.reasoning,
        "confidence": case.confidence,
        "violation_type": case.violation_type,
        "severity": case.severity,
        "action": case.action,
        "reviewed_by": case.reviewed_by,
        "policy_set": decision.policy_set,
        "policy_version": decision.policy_version,
        "metadata": content.context.model_dump_json(),
        "record": kept.model_dump_json(),
        "total_ms": case.timings.total,
        "review_id": case.review_id,
        "review_route": case.review_route,
        "due_at": case.due_at,
        "created_at": case.created_at,
        "updated_at": case.updated_at,
    }


def case_of(row: CaseRow) -> Case:
    """The case that a row holds."""
    kept = MachineRecord.model_validate_json(row.record)
    return Case(
        **_outcome_of(row),
        app_id=row.app_id,
        content=Content(
            app_id=row.app_id,
            content_id=row.content_id,
            content_type=ContentType(row.content_type),
            text=row.content,
            user_id=row.user_id,
            context=ContentContext.model_validate_json(row.context),
        ),
        reasoning=row.reasoning,
        machine=kept.decision,
        assessment=kept.assessment,
        history=kept.history,
        same_content=kept.same_content,
        policy_matches=kept.policy_matches,
        timings=kept.timings,
        submitted_by=kept.submitted_by,
        review_id=row.review_id,
        review_route=Route(row.review_route) if row.review_route else None,
        due_at=row.due_at,
        updated_at=row.updated_at,
    )


def summary_of(row: CaseRow) -> CaseSummary:
    """The line that a row makes in a list."""
    return CaseSummary(
        **_outcome_of(row), content_id=row.content_id, user_id=row.user_id, excerpt=row.content[:EXCERPT]
    )


def _outcome_of(row: CaseRow) -> dict[str, Any]:
    """What a case and its line in a list both say of how it stands."""
    return {
        "id": row.id,
        "decision": DecisionKind(row.decision),
        "violation_type": Policy(row.violation_type) if row.violation_type else None,
        "severity": Severity(row.severity) if row.severity else None,
        "action": Action(row.action) if row.action else None,
        "confidence": row.confidence,
        "risk_score": row.risk_score,
        "reviewed_by": row.reviewed_by,
        "created_at": row.created_at,
    }
