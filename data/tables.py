"""All tables in one place, for migrations: importing a table's module registers it."""

from data.appeal_table import AppealReadingRow, AppealRow, ReporterRow, ReportRow
from data.apps import AppRow
from data.audit import AuditRow
from data.case_table import CaseRow
from data.enforcements import EnforcementRow
from data.guideline_editions import GuidelineEditionRow
from data.idempotency import IdempotencyRow
from data.keys import KeyRow
from data.memory_inbox import MemoryInboxRow
from data.outbox import OutboxRow
from data.review_table import HumanDecisionRow, ReviewRow, SkipRow
from data.staff_table import (
    ExposureRow,
    GoldenRow,
    LoginFailureRow,
    SavedViewRow,
    SnippetRow,
    StaffAppRow,
    StaffRow,
    StaffSessionRow,
)
from data.subjects import Subject

ALL = (
    AppRow,
    AuditRow,
    CaseRow,
    EnforcementRow,
    GuidelineEditionRow,
    IdempotencyRow,
    KeyRow,
    MemoryInboxRow,
    OutboxRow,
    AppealRow,
    AppealReadingRow,
    ReportRow,
    ReporterRow,
    ReviewRow,
    SkipRow,
    HumanDecisionRow,
    Subject,
    StaffRow,
    StaffAppRow,
    StaffSessionRow,
    LoginFailureRow,
    SavedViewRow,
    SnippetRow,
    ExposureRow,
    GoldenRow,
)
