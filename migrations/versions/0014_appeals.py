"""What the newsroom asks of readers of its articles, and in which words.

Revision ID: 0014
Revises: 0013
Create Date: 2026-12-01
"""

import sqlalchemy as sa
from alembic import op

from membership.db import UTCDateTime, append_only_statements

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

EVENT_COLUMNS = ("id", "appeal_id", "at", "kind", "details")


def upgrade() -> None:
    appeals()
    variants()
    events()


def appeals() -> None:
    name = "appeals"
    op.create_table(
        name,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("state_at", UTCDateTime(), nullable=False),
        sa.Column("starts_at", UTCDateTime(), nullable=True),
        sa.Column("ends_at", UTCDateTime(), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("sections", sa.JSON(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("not_tags", sa.JSON(), nullable=False),
        sa.Column("countries", sa.JSON(), nullable=False),
        sa.Column("on_sensitive", sa.Boolean(), nullable=False),
        sa.Column("cap_views", sa.Integer(), nullable=False),
        sa.Column("cap_days", sa.Integer(), nullable=False),
        sa.Column("days_between", sa.Integer(), nullable=False),
        sa.Column("holdout_percent", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        *_checks(
            name,
            known_state="state IN ('draft', 'running', 'stopped')",
            started_says_when="state = 'draft' OR starts_at IS NOT NULL",
            ends_after_start="ends_at IS NULL OR starts_at IS NULL OR ends_at > starts_at",
            priority_in_reach="priority BETWEEN 1 AND 9",
            views_in_reach="cap_views BETWEEN 1 AND 99",
            days_in_reach="cap_days BETWEEN 1 AND 365",
            days_between_in_reach="days_between BETWEEN 0 AND 365",
            holdout_in_reach="holdout_percent BETWEEN 0 AND 50",
            version_from_one="version >= 1",
        ),
        sa.ForeignKeyConstraint(["created_by_id"], ["people.id"], name=op.f(f"fk_{name}_created_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        sa.UniqueConstraint("public_id", name=op.f(f"uq_{name}_public_id")),
    )
    for columns in (["state", "state_at"], ["created_by_id"]):
        op.create_index(op.f(f"ix_{name}_{'_'.join(columns)}"), name, columns)


def variants() -> None:
    name = "appeal_variants"
    op.create_table(
        name,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("appeal_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=1), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("texts", sa.JSON(), nullable=False),
        *_checks(name, known_key="key IN ('a', 'b', 'c', 'd')", weight_in_reach="weight BETWEEN 1 AND 9"),
        sa.ForeignKeyConstraint(["appeal_id"], ["appeals.id"], name=op.f(f"fk_{name}_appeal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        sa.UniqueConstraint("appeal_id", "key", name=op.f(f"uq_{name}_appeal_id_key")),
    )


def events() -> None:
    name = "appeal_events"
    op.create_table(
        name,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("appeal_id", sa.Integer(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["appeal_id"], ["appeals.id"], name=op.f(f"fk_{name}_appeal_id")),
        sa.ForeignKeyConstraint(["actor_id"], ["people.id"], name=op.f(f"fk_{name}_actor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
    )
    op.create_index(op.f(f"ix_{name}_appeal_id_id"), name, ["appeal_id", "id"])
    for statement in append_only_statements(name, op.get_bind().dialect.name, EVENT_COLUMNS):
        op.execute(statement)


def _checks(table: str, **conditions: str) -> list[sa.CheckConstraint]:
    return [sa.CheckConstraint(sql, name=op.f(f"ck_{table}_{name}")) for name, sql in conditions.items()]


def downgrade() -> None:
    for table in ("appeal_events", "appeal_variants", "appeals"):
        op.drop_table(table)
