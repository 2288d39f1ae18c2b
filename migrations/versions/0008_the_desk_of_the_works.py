"""The desk of the works: what was found about the installation, daily counts, silences, where staff stepped in.

Revision ID: 0008
Revises: 0007
Create Date: 2026-11-30
"""

import sqlalchemy as sa
from alembic import op

from membership.db import UTCDateTime, append_only_statements

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

STREAMS = "stream IN ('charges', 'webhooks', 'mails', 'sign_ins', 'votes')"
SET_ASIDE = sa.text("state IN ('dead', 'foreign', 'ignored', 'deferred')")
HAS_FAILED = sa.text("failed_at IS NOT NULL")
IS_OPEN = sa.text("ended_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "examinations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("examined_at", UTCDateTime(), nullable=False),
        sa.Column("took_ms", sa.Integer(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_examinations")),
    )
    op.create_index(op.f("ix_examinations_examined_at"), "examinations", ["examined_at"])
    op.create_table(
        "daily_counts",
        sa.Column("stream", sa.String(length=10), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("hours", sa.JSON(), nullable=False),
        sa.Column("n_expected", sa.Integer(), nullable=True),
        sa.Column("levels", sa.JSON(), nullable=False),
        sa.Column("counted_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint(STREAMS, name=op.f("ck_daily_counts_known_stream")),
        sa.PrimaryKeyConstraint("stream", "day", name=op.f("pk_daily_counts")),
    )
    op.create_table(
        "silences",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("stream", sa.String(length=10), nullable=False),
        sa.Column("suspected_at", UTCDateTime(), nullable=False),
        sa.Column("began_at", UTCDateTime(), nullable=True),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.Column("n_seen", sa.Integer(), nullable=False),
        sa.Column("n_expected", sa.Integer(), nullable=False),
        sa.CheckConstraint(STREAMS, name=op.f("ck_silences_known_stream")),
        sa.CheckConstraint(
            "ended_at IS NULL OR began_at IS NOT NULL", name=op.f("ck_silences_began_before_it_ended")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_silences")),
    )
    op.create_index(
        "ix_silences_open", "silences", ["stream"], unique=True, sqlite_where=IS_OPEN, postgresql_where=IS_OPEN
    )
    op.create_table(
        "interventions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("token", sa.String(length=60), nullable=False),
        sa.Column("actor", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('notice_again', 'mail_again', 'mail_let_be')", name=op.f("ck_interventions_known_kind")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interventions")),
        sa.UniqueConstraint("kind", "subject", "token", name=op.f("uq_interventions_kind_subject_token")),
    )
    op.create_index(op.f("ix_interventions_subject"), "interventions", ["subject"])
    for statement in append_only_statements("interventions", op.get_bind().dialect.name):
        op.execute(statement)
    op.create_index(op.f("ix_inbox_events_type_received_at"), "inbox_events", ["type", "received_at"])
    op.create_index(
        "ix_inbox_events_set_aside",
        "inbox_events",
        ["state", "received_at"],
        sqlite_where=SET_ASIDE,
        postgresql_where=SET_ASIDE,
    )
    op.create_index(op.f("ix_outbox_mails_state_id"), "outbox_mails", ["state", "id"])
    op.create_index(op.f("ix_outbox_mails_kind_id"), "outbox_mails", ["kind", "id"])
    op.create_index(
        "ix_contributions_failed_at",
        "contributions",
        ["failed_at"],
        sqlite_where=HAS_FAILED,
        postgresql_where=HAS_FAILED,
    )


def downgrade() -> None:
    op.drop_index("ix_contributions_failed_at", table_name="contributions")
    op.drop_index(op.f("ix_outbox_mails_kind_id"), table_name="outbox_mails")
    op.drop_index(op.f("ix_outbox_mails_state_id"), table_name="outbox_mails")
    op.drop_index("ix_inbox_events_set_aside", table_name="inbox_events")
    op.drop_index(op.f("ix_inbox_events_type_received_at"), table_name="inbox_events")
    op.drop_table("interventions")
    op.drop_table("silences")
    op.drop_table("daily_counts")
    op.drop_table("examinations")
