"""People review: accounts, what waits for them and what they decided, appeals, reports, quality."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

LONG_AGO = "1970-01-01 00:00:00+00"
"""What rows that are older than a column get, until the statements at the end fill it in."""

NO = sa.false()


def upgrade() -> None:
    op.create_table(
        "login_failures",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("blocked_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "reporters",
        sa.Column("app_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("upheld", sa.Integer(), nullable=False),
        sa.Column("dismissed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("app_id", "user_id"),
    )
    op.create_table(
        "staff",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("oidc_subject", sa.String(), nullable=True),
        sa.Column("preferences", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_login_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("email"),
        sa.UniqueConstraint("oidc_subject"),
    )
    op.create_table(
        "exposure",
        sa.Column("staff_id", sa.String(), nullable=False),
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"]),
        sa.PrimaryKeyConstraint("staff_id", "day", "severity"),
    )
    op.create_table(
        "golden_items",
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("app_id", sa.String(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("policy", sa.String(), nullable=True),
        sa.Column("severity", sa.String(), nullable=True),
        sa.Column("set_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["moderation_cases.id"]),
        sa.PrimaryKeyConstraint("case_id"),
    )
    op.create_index(op.f("ix_golden_items_app_id"), "golden_items", ["app_id"], unique=False)
    op.create_table(
        "reports",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("app_id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("content_id", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("reporter_id", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("details", sa.String(), nullable=True),
        sa.Column("weight", sa.Float(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["moderation_cases.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("app_id", "case_id", "reporter_id", name="uq_one_report"),
    )
    op.create_index("ix_reports_case", "reports", ["app_id", "case_id"], unique=False)
    op.create_table(
        "saved_views",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("staff_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("query", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_saved_views_staff_id"), "saved_views", ["staff_id"], unique=False)
    op.create_table(
        "snippets",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("staff_id", sa.String(), nullable=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_snippets_staff_id"), "snippets", ["staff_id"], unique=False)
    op.create_table(
        "staff_apps",
        sa.Column("staff_id", sa.String(), nullable=False),
        sa.Column("app_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"]),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"]),
        sa.PrimaryKeyConstraint("staff_id", "app_id"),
    )
    op.create_table(
        "staff_sessions",
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("staff_id", sa.String(), nullable=False),
        sa.Column("csrf", sa.String(), nullable=False),
        sa.Column("client", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"]),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    op.create_index(op.f("ix_staff_sessions_expires_at"), "staff_sessions", ["expires_at"], unique=False)
    op.create_index(op.f("ix_staff_sessions_staff_id"), "staff_sessions", ["staff_id"], unique=False)
    op.create_table(
        "human_decisions",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("app_id", sa.String(), nullable=False),
        sa.Column("review_id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("appeal_id", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("reviewer", sa.String(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("policy", sa.String(), nullable=True),
        sa.Column("severity", sa.String(), nullable=True),
        sa.Column("action", sa.String(), nullable=True),
        sa.Column("reasoning", sa.String(), nullable=False),
        sa.Column("before", sa.String(), nullable=False),
        sa.Column("bulk_id", sa.String(), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undo_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["appeal_id"], ["appeals.id"]),
        sa.ForeignKeyConstraint(["case_id"], ["moderation_cases.id"]),
        sa.ForeignKeyConstraint(["review_id"], ["review_queue.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_human_decisions_bulk_id"), "human_decisions", ["bulk_id"], unique=False)
    op.create_index("ix_human_decisions_case", "human_decisions", ["app_id", "case_id"], unique=False)
    op.create_index(op.f("ix_human_decisions_review_id"), "human_decisions", ["review_id"], unique=False)
    op.create_index(
        "ix_human_decisions_reviewer", "human_decisions", ["app_id", "reviewer", "decided_at"], unique=False
    )
    op.create_index("ix_human_decisions_unsettled", "human_decisions", ["settled_at", "undo_until"], unique=False)
    op.create_table(
        "review_skips",
        sa.Column("review_id", sa.String(), nullable=False),
        sa.Column("staff_id", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["review_id"], ["review_queue.id"]),
        sa.PrimaryKeyConstraint("review_id", "staff_id"),
    )
    op.add_column("appeals", sa.Column("user_id", sa.String(), nullable=False, server_default=""))
    op.add_column("appeals", sa.Column("status", sa.String(), nullable=False, server_default="pending"))
    op.add_column("appeals", sa.Column("brief", sa.String(), nullable=True))
    op.add_column("appeals", sa.Column("needs_senior", sa.Boolean(), nullable=False, server_default=NO))
    op.add_column("appeals", sa.Column("sets_precedent", sa.Boolean(), nullable=False, server_default=NO))
    op.add_column("appeals", sa.Column("due_at", sa.DateTime(timezone=True), nullable=False, server_default=LONG_AGO))
    op.create_index("ix_appeals_newest", "appeals", ["app_id", "created_at", "id"], unique=False)
    op.add_column(
        "memory_inbox", sa.Column("due_at", sa.DateTime(timezone=True), nullable=False, server_default=LONG_AGO)
    )
    op.add_column("moderation_cases", sa.Column("conversation_id", sa.String(), nullable=True))
    op.create_index(
        "ix_cases_conversation", "moderation_cases", ["app_id", "conversation_id", "created_at"], unique=False
    )
    op.add_column("review_queue", sa.Column("kind", sa.String(), nullable=False, server_default="case"))
    op.add_column("review_queue", sa.Column("policy", sa.String(), nullable=True))
    op.add_column("review_queue", sa.Column("severity", sa.String(), nullable=True))
    op.add_column("review_queue", sa.Column("risk", sa.Float(), nullable=False, server_default="0"))
    op.add_column("review_queue", sa.Column("reports", sa.Float(), nullable=False, server_default="0"))
    op.add_column("review_queue", sa.Column("handed_to", sa.String(), nullable=True))
    op.add_column("review_queue", sa.Column("asked_by", sa.String(), nullable=True))
    op.add_column("review_queue", sa.Column("note", sa.String(), nullable=True))
    op.add_column("review_queue", sa.Column("held_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "review_queue", sa.Column("order_at", sa.DateTime(timezone=True), nullable=False, server_default=LONG_AGO)
    )
    op.drop_index(op.f("ix_review_open"), table_name="review_queue")
    op.create_index("ix_review_assigned", "review_queue", ["assigned_to", "status"], unique=False)
    op.create_index(
        "ix_review_open",
        "review_queue",
        ["order_at", "id", "app_id", "route", "policy", "priority"],
        unique=False,
        sqlite_where=sa.text("status <> 'completed'"),
        postgresql_where=sa.text("status <> 'completed'"),
    )
    op.create_index(
        "ix_review_counted",
        "review_queue",
        ["status", "route", "priority", "kind", "app_id", "due_at"],
        unique=False,
        sqlite_where=sa.text("status <> 'completed'"),
        postgresql_where=sa.text("status <> 'completed'"),
    )
    op.create_index("ix_review_handed", "review_queue", ["handed_to"], unique=False)
    op.add_column("outbox", sa.Column("decision_id", sa.String(), nullable=True))
    op.create_index(op.f("ix_outbox_decision_id"), "outbox", ["decision_id"], unique=False)
    op.add_column("memory_inbox", sa.Column("decision_id", sa.String(), nullable=True))
    op.create_index(op.f("ix_memory_inbox_decision_id"), "memory_inbox", ["decision_id"], unique=False)

    op.execute("UPDATE review_queue SET order_at = due_at")
    op.execute("UPDATE memory_inbox SET due_at = created_at")
    op.execute("UPDATE appeals SET due_at = created_at")
    op.execute("UPDATE appeals SET user_id = (SELECT user_id FROM moderation_cases c WHERE c.id = appeals.case_id)")
