"""Nobody waits for ever: erasures take turns, announced transfers end; lines of statements that are fees.

Revision ID: 0004
Revises: 0003
Create Date: 2026-11-30
"""

import sqlalchemy as sa
from alembic import op

from membership.db import UTCDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("erasures", sa.Column("tried_at", UTCDateTime(), nullable=True))
    end_announcements()
    know_kinds("'credit', 'return', 'fee', 'fee_back'")


def end_announcements() -> None:
    """Those that are there end 60 days after they were made, as new ones do; whose mailbox they are is not known."""
    with op.batch_alter_table("transfer_declarations") as batch_op:
        batch_op.add_column(sa.Column("lapses_at", UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("mailbox_digest", sa.String(length=64), nullable=True))
        batch_op.create_index(batch_op.f("ix_transfer_declarations_mailbox_digest"), ["mailbox_digest"], unique=False)
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    end = "datetime(created_at, '+60 days') || '.000000'" if is_sqlite else "created_at + interval '60 days'"
    op.execute(f"UPDATE transfer_declarations SET lapses_at = {end}")
    with op.batch_alter_table("transfer_declarations") as batch_op:
        batch_op.alter_column("lapses_at", nullable=False)


def know_kinds(kinds: str) -> None:
    with op.batch_alter_table("statement_lines") as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_statement_lines_known_kind"), type_="check")
        batch_op.create_check_constraint(batch_op.f("ck_statement_lines_known_kind"), sa.text(f"kind IN ({kinds})"))


def downgrade() -> None:
    know_kinds("'credit', 'return'")
    with op.batch_alter_table("transfer_declarations") as batch_op:
        batch_op.drop_index(batch_op.f("ix_transfer_declarations_mailbox_digest"))
        batch_op.drop_column("mailbox_digest")
        batch_op.drop_column("lapses_at")
    op.drop_column("erasures", "tried_at")
