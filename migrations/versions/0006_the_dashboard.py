"""The dashboard: sums of days, exchange rates, and when people are patrons, written as it changes.

Revision ID: 0006
Revises: 0005
Create Date: 2026-11-30
"""

import sqlalchemy as sa
from alembic import op

from membership.db import UTCDateTime, append_only_statements

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

MOVEMENT_COLUMNS = ("id", "reference", "kind", "at", "yearly_delta_minor", "currency")
NEW_MOVEMENT_COLUMNS = (
    "id", "reference", "kind", "at", "yearly_delta_minor", "milli_cups_delta", "currency",
)  # fmt: skip
CHANGE_COLUMNS = ("id", "starts_at", "ends_at", "delta")

# Movements of before did not say how many cups they are: worked out from the price of the cup when it was promised.
# Fees that the giver covers are in it, since nothing else of that time is known.
CUPS = """
UPDATE movements SET milli_cups_delta = COALESCE((
    SELECT movements.yearly_delta_minor * 1000 / (12 * contributions.cup_minor) FROM contributions
    WHERE contributions.reference = movements.reference AND contributions.currency = movements.currency
      AND contributions.cup_minor > 0), 0)
"""


def upgrade() -> None:
    op.create_table(
        "day_sums",
        sa.Column("measure", sa.String(length=24), nullable=False),
        sa.Column("day_on", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("dim", sa.String(length=300), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("reporting_minor", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("measure", "day_on", "currency", "dim", name=op.f("pk_day_sums")),
    )
    op.create_table(
        "stale_days",
        sa.Column("source", sa.String(length=24), nullable=False),
        sa.Column("day_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("source", "day_on", name=op.f("pk_stale_days")),
    )
    op.create_table(
        "rollup_marks",
        sa.Column("source", sa.String(length=24), nullable=False),
        sa.Column("sure_id", sa.BigInteger(), nullable=False),
        sa.Column("seen_id", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", UTCDateTime(), nullable=False),
        sa.Column("last_id", sa.BigInteger(), nullable=False),
        sa.Column("n_looked_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_rollup_marks")),
    )
    op.create_table(
        "rollup_state",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rolled_to", UTCDateTime(), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("reporting", sa.String(length=3), nullable=False),
        sa.Column("rate_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rollup_state")),
    )
    op.create_table(
        "exchange_rates",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=8), nullable=False),
        sa.Column("quoted_on", sa.Date(), nullable=False),
        sa.Column("base", sa.String(length=3), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("rate", sa.String(length=32), nullable=False),
        sa.CheckConstraint("source IN ('ecb', 'nbu', 'csv', 'manual')", name=op.f("ck_exchange_rates_known_source")),
        sa.CheckConstraint("base <> currency", name=op.f("ck_exchange_rates_two_currencies")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_rates")),
        sa.UniqueConstraint(
            "source", "quoted_on", "base", "currency", name=op.f("uq_exchange_rates_source_quoted_on_base_currency")
        ),
    )
    op.create_index(op.f("ix_exchange_rates_quoted_on"), "exchange_rates", ["quoted_on"])
    op.create_table(
        "frozen_rates",
        sa.Column("day_on", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reporting", sa.String(length=3), nullable=False),
        sa.Column("rate", sa.String(length=32), nullable=False),
        sa.Column("source", sa.String(length=8), nullable=False),
        sa.Column("quoted_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("day_on", "currency", "reporting", name=op.f("pk_frozen_rates")),
    )
    op.create_table(
        "pictures",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("svg", sa.Text(), nullable=False),
        sa.Column("drawn_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_pictures")),
    )
    op.create_index(op.f("ix_pictures_drawn_at"), "pictures", ["drawn_at"])
    op.create_table(
        "patron_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("starts_at", UTCDateTime(), nullable=False),
        sa.Column("ends_at", UTCDateTime(), nullable=False),
        sa.Column("delta", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_patron_changes_not_empty")),
        sa.CheckConstraint("delta <> 0", name=op.f("ck_patron_changes_changes_something")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_patron_changes_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patron_changes")),
    )
    for column in ("person_id", "starts_at", "ends_at"):
        op.create_index(op.f(f"ix_patron_changes_{column}"), "patron_changes", [column])
    op.create_index(op.f("ix_journal_transactions_moved_at"), "journal_transactions", ["moved_at"])
    op.create_index(op.f("ix_payment_reversals_moved_at"), "payment_reversals", ["moved_at"])
    op.add_column(
        "movements", sa.Column("milli_cups_delta", sa.BigInteger(), server_default=sa.text("0"), nullable=False)
    )
    op.execute(CUPS)
    guard("movements", NEW_MOVEMENT_COLUMNS)
    guard("patron_changes", CHANGE_COLUMNS)
    guard("frozen_rates", ())


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
    lift("movements")
    with op.batch_alter_table("movements", schema=None) as batch_op:
        batch_op.drop_column("milli_cups_delta")
    guard("movements", MOVEMENT_COLUMNS)
    op.drop_index(op.f("ix_payment_reversals_moved_at"), table_name="payment_reversals")
    op.drop_index(op.f("ix_journal_transactions_moved_at"), table_name="journal_transactions")
    for table in ("patron_changes", "pictures", "frozen_rates", "exchange_rates", "rollup_state", "rollup_marks",
                  "stale_days", "day_sums"):  # fmt: skip
        op.drop_table(table)
