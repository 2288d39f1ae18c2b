"""Why support was lost, since which month somebody is a patron, and what failed and came after all.

Revision ID: 0010
Revises: 0009
Create Date: 2026-11-30
"""

import sqlalchemy as sa
from alembic import op

from membership.db import UTCDateTime, append_only_statements

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

MOVEMENT_COLUMNS = (
    "id", "reference", "kind", "at", "yearly_delta_minor", "milli_cups_delta", "currency",
)  # fmt: skip
NEW_MOVEMENT_COLUMNS = (*MOVEMENT_COLUMNS[:-1], "cause", "currency")
CHANGE_COLUMNS = ("id", "starts_at", "ends_at", "delta")
NEW_CHANGE_COLUMNS = (*CHANGE_COLUMNS, "cohort_on")

# What was lost before causes were kept: the support still stands where that loss left it, or nobody knows any more.
CAUSES = """
UPDATE movements SET cause = COALESCE((
    SELECT CASE contributions.state WHEN 'ended' THEN 'chosen' WHEN 'lapsed' THEN 'failed' ELSE 'paused' END
    FROM contributions WHERE contributions.reference = movements.reference
      AND contributions.state IN ('ended', 'lapsed', 'paused') AND contributions.state_at = movements.at), '')
WHERE kind = 'lost'
"""
# Months by UTC: the zone of the newsroom is no part of a migration, and a cohort is only a name for a group.
COHORTS = {
    "sqlite": """
        UPDATE patron_changes SET cohort_on = (
            SELECT substr(MIN(first.starts_at), 1, 7) || '-01' FROM patron_changes AS first
            WHERE first.person_id = patron_changes.person_id)
    """,
    "postgresql": """
        UPDATE patron_changes SET cohort_on = first.month_on FROM (
            SELECT person_id, date_trunc('month', MIN(starts_at))::date AS month_on FROM patron_changes
            GROUP BY person_id) AS first
        WHERE first.person_id = patron_changes.person_id
    """,
}


def upgrade() -> None:
    for table in ("movements", "patron_changes"):
        lift(table)
    op.add_column("movements", sa.Column("cause", sa.String(length=8), server_default=sa.text("''"), nullable=False))
    op.execute(CAUSES)
    op.add_column("patron_changes", sa.Column("cohort_on", sa.Date(), nullable=True))
    op.execute(COHORTS[op.get_bind().dialect.name])
    with op.batch_alter_table("patron_changes", schema=None) as batch_op:
        batch_op.alter_column("cohort_on", existing_type=sa.Date(), nullable=False)
    op.create_table(
        "payment_troubles",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("payment_ref", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("reference", sa.String(length=40), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("kind IN ('failed', 'recovered')", name=op.f("ck_payment_troubles_known_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_troubles")),
        sa.UniqueConstraint("payment_ref", "kind", name=op.f("uq_payment_troubles_payment_ref_kind")),
    )
    op.create_index(op.f("ix_payment_troubles_at"), "payment_troubles", ["at"])
    op.execute("UPDATE rollup_state SET zone = ''")  # days have more to say now: the worker sums all of them anew
    guard("movements", NEW_MOVEMENT_COLUMNS)
    guard("patron_changes", NEW_CHANGE_COLUMNS)
    guard("payment_troubles", ())


def guard(table: str, columns: tuple[str, ...]) -> None:
    """Make a table append-only, by `columns` where others may change."""
    lift(table)
    for statement in append_only_statements(table, op.get_bind().dialect.name, columns):
        op.execute(statement)


def lift(table: str) -> None:
    """Take the guards of a table away, if it has any."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"DROP TRIGGER IF EXISTS {table}_no_update")
        op.execute(f"DROP TRIGGER IF EXISTS {table}_no_delete")
    else:
        op.execute(f"DROP TRIGGER IF EXISTS {table}_append_only ON {table}")


def downgrade() -> None:
    op.drop_table("payment_troubles")
    for table, column in (("patron_changes", "cohort_on"), ("movements", "cause")):
        lift(table)
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_column(column)
    guard("patron_changes", CHANGE_COLUMNS)
    guard("movements", MOVEMENT_COLUMNS)
