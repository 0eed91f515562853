"""What the public API takes and gives for appeals and reports, with examples."""

from typing import Annotated, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from domain.appeal import MAX_EVIDENCE, MAX_EXPLANATION, Appeal, AppealStatus
from domain.report import ReportStatus
from domain.vocabulary import Policy
from gateway.schemas import Identifier, ModerateRequest, Words
from mcp_servers.database.answers import TakenReport

MAX_DETAILS = 2_000


class AppealRequest(BaseModel):
    """A user's appeal against one decision."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "case_id": "case_c3a1c070fe2ecd95b83eb5f3f09e104c",
                    "user_id": "user_456",
                    "explanation": "I was telling her about my job at a pension fund because she had asked me.",
                    "new_evidence": "She asked at 18:02, two messages before mine.",
                    "preview": True,
                }
            ]
        },
    )

    case_id: Identifier
    user_id: Identifier = Field(description="Your identifier of the user; must be the author of the content.")
    explanation: Annotated[Words, Field(max_length=MAX_EXPLANATION)] = Field(
        default="", description="What the user says; may be empty, though it seldom helps."
    )
    new_evidence: Annotated[Words, Field(max_length=MAX_EVIDENCE)] | None = Field(
        default=None,
        description="What can be looked up, if anything; without it the other factors weigh more.",
    )
    preview: bool = Field(default=False, description="Send nothing; only say what would help, and whether one may.")


class AppealAnswer(BaseModel):
    """How an appeal stands. `reasoning` is for the user to read; who decided is not told."""

    appeal_id: str | None
    case_id: str
    status: AppealStatus | None
    reasoning: str | None = None
    due_at: AwareDatetime | None = None
    created_at: AwareDatetime | None = None
    resolved_at: AwareDatetime | None = None
    guidance: tuple[str, ...] = Field(default=(), description="What would make it easier to hear, for the user.")
    not_possible: str | None = Field(default=None, description="In a preview: why this cannot be appealed.")

    @classmethod
    def of(cls, appeal: Appeal, guidance: tuple[str, ...] = ()) -> Self:
        """What an app is told of an appeal."""
        return cls(
            appeal_id=appeal.id,
            case_id=appeal.case_id,
            status=appeal.status,
            reasoning=appeal.reasoning,
            due_at=appeal.due_at,
            created_at=appeal.created_at,
            resolved_at=appeal.resolved_at,
            guidance=guidance,
        )


class ReportRequest(BaseModel):
    """One user's report of what another wrote: a case, a content that was submitted before, or the content itself."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "content": {"content": "Send me money on WhatsApp", "user_id": "user_456", "content_id": "msg_1"},
                    "reporter_id": "user_999",
                    "reason": "scams",
                    "details": "He wrote this an hour after we matched.",
                }
            ]
        },
    )

    case_id: Identifier | None = None
    content_id: Identifier | None = Field(default=None, description="Yours; its newest case is reported.")
    content: ModerateRequest | None = Field(
        default=None, description="The content, as for /moderate; it is decided about first, as if nobody had reported."
    )
    reporter_id: Identifier
    reason: Policy | None = None
    details: Annotated[Words, Field(max_length=MAX_DETAILS)] | None = None

    @model_validator(mode="after")
    def _names_one_thing(self) -> Self:
        if sum(part is not None for part in (self.case_id, self.content_id, self.content)) != 1:
            raise ValueError("name one of case_id, content_id and content")
        return self


class ReportAnswer(BaseModel):
    """A report as it was kept. The reporter is told the outcome by a message, once a person has decided."""

    report_id: str
    case_id: str
    content_id: str
    status: ReportStatus
    before_people: bool = Field(description="Whether a person looks at the case now.")
    created_at: AwareDatetime

    @classmethod
    def of(cls, taken: TakenReport) -> Self:
        """What an app is told of a report; not what it weighs."""
        report = taken.report
        return cls(
            report_id=report.id,
            case_id=report.case_id,
            content_id=report.content_id,
            status=report.status,
            before_people=taken.before_people,
            created_at=report.created_at,
        )
