"""Who stays after a poll, counted once; contributions are found by when they were begun.

Revision ID: 0011
Revises: 0010
Create Date: 2026-11-30
"""

import sqlalchemy as sa
from alembic import op

from membership.db import UTCDateTime, append_only_statements

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "frozen_stays",
        sa.Column("poll_id", sa.Integer(), nullable=False),
        sa.Column("stood_at", UTCDateTime(), nullable=False),
        sa.Column("counted_at", UTCDateTime(), nullable=False),
        sa.Column("n_voters", sa.Integer(), nullable=True),
        sa.Column("n_voters_stayed", sa.Integer(), nullable=True),
        sa.Column("n_others", sa.Integer(), nullable=True),
        sa.Column("n_others_stayed", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(n_voters IS NULL) = (n_voters_stayed IS NULL)", name=op.f("ck_frozen_stays_voters_whole")
        ),
        sa.CheckConstraint(
            "(n_others IS NULL) = (n_others_stayed IS NULL)", name=op.f("ck_frozen_stays_others_whole")
        ),
        sa.CheckConstraint("n_voters_stayed BETWEEN 0 AND n_voters", name=op.f("ck_frozen_stays_voters_within")),
        sa.CheckConstraint("n_others_stayed BETWEEN 0 AND n_others", name=op.f("ck_frozen_stays_others_within")),
        sa.ForeignKeyConstraint(["poll_id"], ["polls.id"], name=op.f("fk_frozen_stays_poll_id")),
        sa.PrimaryKeyConstraint("poll_id", name=op.f("pk_frozen_stays")),
    )
    op.create_index(op.f("ix_frozen_stays_stood_at"), "frozen_stays", ["stood_at"])
    for statement in append_only_statements("frozen_stays", op.get_bind().dialect.name):
        op.execute(statement)
    op.create_index(op.f("ix_contributions_created_at"), "contributions", ["created_at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_contributions_created_at"), table_name="contributions")
    op.drop_table("frozen_stays")
