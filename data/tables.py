"""All tables in one place, for migrations: importing a table's module registers it."""

from data.apps import AppRow
from data.audit import AuditRow
from data.case_table import CaseRow
from data.enforcements import EnforcementRow
from data.idempotency import IdempotencyRow
from data.keys import KeyRow
from data.memory_inbox import MemoryInboxRow
from data.outbox import OutboxRow
from data.review_table import AppealRow, ReviewRow
from data.subjects import Subject

ALL = (
    AppRow,
    AuditRow,
    CaseRow,
    EnforcementRow,
    IdempotencyRow,
    KeyRow,
    MemoryInboxRow,
    OutboxRow,
    AppealRow,
    ReviewRow,
    Subject,
)
