"""What waits for a second owner; when all days were last summed.

Revision ID: 0013
Revises: 0012
Create Date: 2026-12-01
"""

import sqlalchemy as sa
from alembic import op

from membership.db import UTCDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "approvals",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("about_id", sa.Integer(), nullable=False),
        sa.Column("asker_id", sa.Integer(), nullable=False),
        sa.Column("act", sa.String(length=6), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("asked_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("act IN ('reset', 'role', 'remove')", name=op.f("ck_approvals_known_act")),
        sa.CheckConstraint("(act = 'role') = (role IS NOT NULL)", name=op.f("ck_approvals_role_given")),
        sa.CheckConstraint(
            "role IN ('owner', 'editor', 'finance', 'viewer')", name=op.f("ck_approvals_known_role")
        ),
        sa.ForeignKeyConstraint(["about_id"], ["people.id"], name=op.f("fk_approvals_about_id")),
        sa.ForeignKeyConstraint(["asker_id"], ["people.id"], name=op.f("fk_approvals_asker_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approvals")),
        sa.UniqueConstraint("about_id", name=op.f("uq_approvals_about_id")),
    )
    op.create_index(op.f("ix_approvals_asker_id"), "approvals", ["asker_id"])
    op.create_index(op.f("ix_approvals_expires_at"), "approvals", ["expires_at"])
    op.add_column("rollup_state", sa.Column("summed_at", UTCDateTime(), nullable=True))


def downgrade() -> None:
    op.drop_column("rollup_state", "summed_at")
    op.drop_table("approvals")
