"""How often appeals are seen and used, and which batches were counted.

Revision ID: 0015
Revises: 0014
Create Date: 2026-12-01
"""

import sqlalchemy as sa
from alembic import op

from membership.db import UTCDateTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    name = "appeal_counts"
    op.create_table(
        name,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("starts_at", UTCDateTime(), nullable=False),
        sa.Column("n_hours", sa.Integer(), nullable=False),
        sa.Column("article_key", sa.String(length=1000), nullable=False),
        sa.Column("appeal", sa.String(length=40), nullable=False),
        sa.Column("variant", sa.String(length=1), nullable=False),
        sa.Column("event", sa.String(length=8), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("n_hours IN (1, 24)", name=op.f(f"ck_{name}_hour_or_day")),
        sa.CheckConstraint(
            "event IN ('view', 'withheld', 'click', 'close', 'already')", name=op.f(f"ck_{name}_known_event")
        ),
        sa.CheckConstraint("n > 0", name=op.f(f"ck_{name}_counts_something")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        sa.UniqueConstraint(
            "starts_at", "n_hours", "article_key", "appeal", "variant", "event", name=op.f(f"uq_{name}_of")
        ),
    )
    op.create_index(op.f(f"ix_{name}_appeal"), name, ["appeal"])
    op.create_table(
        "appeal_batches",
        sa.Column("batch_id", sa.String(length=22), nullable=False),
        sa.Column("received_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("batch_id", name=op.f("pk_appeal_batches")),
    )
    op.create_index(op.f("ix_appeal_batches_received_at"), "appeal_batches", ["received_at"])


def downgrade() -> None:
    op.drop_table("appeal_batches")
    op.drop_table("appeal_counts")
