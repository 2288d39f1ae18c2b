"""What readers say is wrong in an article, and what the newsroom made of it.

Revision ID: 0012
Revises: 0011
Create Date: 2026-12-01
"""

import sqlalchemy as sa
from alembic import op

from membership.db import UTCDateTime, append_only_statements

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

EVENT_COLUMNS = ("id", "passage_id", "at", "kind", "details")


def upgrade() -> None:
    passages()
    events()
    reports()


def passages() -> None:
    name = "correction_passages"
    op.create_table(
        name,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("article", sa.String(length=1000), nullable=False),
        sa.Column("article_key", sa.String(length=1000), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("state_at", UTCDateTime(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("n_reports", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("duplicate_of_id", sa.Integer(), nullable=True),
        sa.Column("before_words", sa.String(length=1000), nullable=True),
        sa.Column("after_words", sa.String(length=1000), nullable=True),
        sa.Column("headline", sa.String(length=200), nullable=True),
        sa.Column("reply", sa.String(length=2000), nullable=True),
        sa.CheckConstraint(
            "state IN ('new', 'fixed', 'declined', 'duplicate', 'spam')", name=op.f(f"ck_{name}_known_state")
        ),
        sa.CheckConstraint(
            "(duplicate_of_id IS NOT NULL) = (state = 'duplicate')", name=op.f(f"ck_{name}_duplicate_points_somewhere")
        ),
        sa.CheckConstraint("duplicate_of_id <> id", name=op.f(f"ck_{name}_not_its_own_duplicate")),
        sa.CheckConstraint(
            "state <> 'fixed' OR (before_words IS NOT NULL AND after_words IS NOT NULL)",
            name=op.f(f"ck_{name}_fixed_says_how"),
        ),
        sa.CheckConstraint("n_reports >= 0", name=op.f(f"ck_{name}_reports_from_zero")),
        sa.ForeignKeyConstraint(["owner_id"], ["people.id"], name=op.f(f"fk_{name}_owner_id")),
        sa.ForeignKeyConstraint(["duplicate_of_id"], [f"{name}.id"], name=op.f(f"fk_{name}_duplicate_of_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        sa.UniqueConstraint("public_id", name=op.f(f"uq_{name}_public_id")),
    )
    for columns in (["state", "state_at"], ["article_key", "state"], ["owner_id"], ["duplicate_of_id"]):
        op.create_index(op.f(f"ix_{name}_{'_'.join(columns)}"), name, columns)


def events() -> None:
    name = "correction_events"
    op.create_table(
        name,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("passage_id", sa.Integer(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["passage_id"], ["correction_passages.id"], name=op.f(f"fk_{name}_passage_id")),
        sa.ForeignKeyConstraint(["actor_id"], ["people.id"], name=op.f(f"fk_{name}_actor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
    )
    op.create_index(op.f(f"ix_{name}_passage_id_id"), name, ["passage_id", "id"])
    for statement in append_only_statements(name, op.get_bind().dialect.name, EVENT_COLUMNS):
        op.execute(statement)


def reports() -> None:
    name = "correction_reports"
    op.create_table(
        name,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("passage_id", sa.Integer(), nullable=False),
        sa.Column("quote", sa.String(length=1000), nullable=False),
        sa.Column("prefix", sa.String(length=300), nullable=False),
        sa.Column("suffix", sa.String(length=300), nullable=False),
        sa.Column("note", sa.String(length=2000), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("locale", sa.String(length=2), nullable=False),
        sa.Column("way", sa.String(length=5), nullable=False),
        sa.Column("received_at", UTCDateTime(), nullable=False),
        sa.Column("answered_at", UTCDateTime(), nullable=True),
        sa.Column("told_event_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("way IN ('form', 'embed')", name=op.f(f"ck_{name}_known_way")),
        sa.ForeignKeyConstraint(["passage_id"], ["correction_passages.id"], name=op.f(f"fk_{name}_passage_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f(f"fk_{name}_person_id")),
        sa.ForeignKeyConstraint(["told_event_id"], ["correction_events.id"], name=op.f(f"fk_{name}_told_event_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        sa.UniqueConstraint("public_id", name=op.f(f"uq_{name}_public_id")),
    )
    for columns in (["received_at"], ["passage_id", "id"], ["email"], ["person_id"]):
        op.create_index(op.f(f"ix_{name}_{'_'.join(columns)}"), name, columns)


def downgrade() -> None:
    for table in ("correction_reports", "correction_events", "correction_passages"):
        op.drop_table(table)
