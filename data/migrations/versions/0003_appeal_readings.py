"""What language models write about appeals."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "appeal_readings",
        sa.Column("appeal_id", sa.String(), nullable=False),
        sa.Column("app_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("addresses_the_machine", sa.Boolean(), nullable=False),
        sa.Column("why_not", sa.String(), nullable=True),
        sa.Column("reading", sa.String(), nullable=True),
        sa.Column("usage", sa.String(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["appeal_id"], ["appeals.id"]),
        sa.PrimaryKeyConstraint("appeal_id"),
    )
    op.create_index("ix_appeal_readings_due", "appeal_readings", ["state", "due_at"], unique=False)
    op.create_index("ix_appeals_status", "appeals", ["status", "created_at"], unique=False)
