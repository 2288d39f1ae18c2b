"""Settings that staff edit, each change a version.

Revision ID: 0009
Revises: 0008
Create Date: 2026-12-08
"""

import sqlalchemy as sa
from alembic import op

from membership.db import UTCDateTime, append_only_statements

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "settings_versions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(length=12), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("values", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("saved_at", UTCDateTime(), nullable=False),
        sa.Column("actor", sa.String(length=60), nullable=False),
        sa.Column("back_to", sa.Integer(), nullable=True),
        sa.CheckConstraint("number > 0", name=op.f("ck_settings_versions_number_positive")),
        sa.CheckConstraint("back_to IS NULL OR back_to >= 0", name=op.f("ck_settings_versions_back_to_a_number")),
        sa.CheckConstraint(
            "subject IN ('prices', 'goal', 'ways', 'names', 'languages', 'colours', 'late')",
            name=op.f("ck_settings_versions_known_subject"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settings_versions")),
        sa.UniqueConstraint("subject", "number", name=op.f("uq_settings_versions_subject_number")),
    )
    for statement in append_only_statements("settings_versions", op.get_bind().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("settings_versions")
