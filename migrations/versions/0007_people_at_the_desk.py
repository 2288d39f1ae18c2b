"""People at the desk: words by which they are found, tags, kept filters, runs for many at once, and indexes for all that.

Revision ID: 0007
Revises: 0003
Create Date: 2026-11-30
"""

import sqlalchemy as sa
from alembic import op
from membership.accounts.rules import words_of
from membership.db import UTCDateTime
from membership.transfers.rules.accounts import end_of

revision = "0007"
down_revision = "0003"
branch_labels = None
depends_on = None

AT_A_TIME = 5_000
# As newsroom.rules.whole_cups.
WHOLE_CUPS = "gift_minor / (cup_minor * CASE WHEN rhythm = 'yearly' THEN 12 ELSE 1 END)"


def upgrade() -> None:
    op.create_table(
        "segments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("plain_name", sa.String(length=40), nullable=False),
        sa.Column("query", sa.JSON(), nullable=False),
        sa.Column("actor", sa.String(length=60), nullable=False),
        sa.Column("made_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segments")),
        sa.UniqueConstraint("plain_name", name=op.f("uq_segments_plain_name")),
    )
    op.create_table(
        "tags",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("plain_name", sa.String(length=40), nullable=False),
        sa.Column("made_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tags")),
        sa.UniqueConstraint("plain_name", name=op.f("uq_tags_plain_name")),
    )
    op.create_table(
        "people_runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("n_months", sa.Integer(), nullable=True),
        sa.Column("until", UTCDateTime(), nullable=True),
        sa.Column("tag_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("actor", sa.String(length=60), nullable=False),
        sa.Column("query", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("made_at", UTCDateTime(), nullable=False),
        sa.Column("started_at", UTCDateTime(), nullable=True),
        sa.Column("done_at", UTCDateTime(), nullable=True),
        sa.Column("undo_asked_at", UTCDateTime(), nullable=True),
        sa.Column("undo_actor", sa.String(length=60), nullable=True),
        sa.CheckConstraint("(kind = 'comp') = (n_months IS NOT NULL)", name=op.f("ck_people_runs_comp_has_its_length")),
        sa.CheckConstraint(
            "(kind IN ('tag', 'untag')) = (tag_id IS NOT NULL)", name=op.f("ck_people_runs_tagging_has_its_tag")
        ),
        sa.CheckConstraint(
            "(state = 'draft') = (started_at IS NULL)", name=op.f("ck_people_runs_started_has_its_moment")
        ),
        sa.CheckConstraint("kind IN ('comp', 'tag', 'untag', 'way_in')", name=op.f("ck_people_runs_known_kind")),
        sa.CheckConstraint(
            "state IN ('draft', 'running', 'done', 'undoing', 'undone')", name=op.f("ck_people_runs_known_state")
        ),
        sa.ForeignKeyConstraint(["tag_id"], ["tags.id"], name=op.f("fk_people_runs_tag_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people_runs")),
        sa.UniqueConstraint("public_id", name=op.f("uq_people_runs_public_id")),
    )
    with op.batch_alter_table("people_runs", schema=None) as batch_op:
        batch_op.create_index("ix_people_runs_state", ["state"], unique=False)

    op.create_table(
        "person_tags",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("tag_id", sa.Integer(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_person_tags_person_id")),
        sa.ForeignKeyConstraint(["tag_id"], ["tags.id"], name=op.f("fk_person_tags_tag_id")),
        sa.PrimaryKeyConstraint("person_id", "tag_id", name=op.f("pk_person_tags")),
    )
    with op.batch_alter_table("person_tags", schema=None) as batch_op:
        batch_op.create_index("ix_person_tags_tag_id_person_id", ["tag_id", "person_id"], unique=False)

    op.create_table(
        "person_words",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column(
            "word",
            sa.String(length=254).with_variant(sa.String(length=254, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.CheckConstraint("kind IN ('name', 'part', 'address', 'domain')", name=op.f("ck_person_words_known_kind")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_person_words_person_id")),
        sa.PrimaryKeyConstraint("person_id", "word", name=op.f("pk_person_words")),
    )
    with op.batch_alter_table("person_words", schema=None) as batch_op:
        batch_op.create_index("ix_person_words_kind_word_person_id", ["kind", "word", "person_id"], unique=False)
        batch_op.create_index("ix_person_words_word_person_id", ["word", "person_id"], unique=False)

    op.create_table(
        "people_run_items",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("why", sa.String(length=12), nullable=True),
        sa.Column("made_ref", sa.String(length=80), nullable=True),
        sa.CheckConstraint(
            "(state = 'left_out') = (why IS NOT NULL)", name=op.f("ck_people_run_items_left_out_says_why")
        ),
        sa.CheckConstraint(
            "state IN ('todo', 'done', 'left_out', 'undone')", name=op.f("ck_people_run_items_known_state")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_people_run_items_person_id")),
        sa.ForeignKeyConstraint(["run_id"], ["people_runs.id"], name=op.f("fk_people_run_items_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people_run_items")),
    )
    with op.batch_alter_table("people_run_items", schema=None) as batch_op:
        batch_op.create_index("ix_people_run_items_person_id", ["person_id"], unique=False)
        batch_op.create_index("ix_people_run_items_run_id_state_id", ["run_id", "state", "id"], unique=False)

    with op.batch_alter_table("address_changes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_address_changes_old_email"), ["old_email"], unique=False)

    with op.batch_alter_table("cards", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_cards_last4"), ["last4"], unique=False)

    with op.batch_alter_table("contributions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("n_cups", sa.BigInteger(), server_default="0", nullable=False))
        batch_op.create_index(batch_op.f("ix_contributions_email"), ["email"], unique=False)
        batch_op.create_index(batch_op.f("ix_contributions_failed_at"), ["failed_at"], unique=False)
        batch_op.create_index("ix_contributions_n_cups_person_id", ["n_cups", "person_id"], unique=False)

    with op.batch_alter_table("coverage_spans", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_coverage_spans_person_id"))
        batch_op.create_index("ix_coverage_spans_person_id_ends_at", ["person_id", "ends_at"], unique=False)

    with op.batch_alter_table("known_payers", schema=None) as batch_op:
        batch_op.add_column(sa.Column("account_end", sa.String(length=4), nullable=True))
        batch_op.create_index(batch_op.f("ix_known_payers_account_end"), ["account_end"], unique=False)

    with op.batch_alter_table("outbox_mails", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_outbox_mails_to_address_id"), ["to_address", "id"], unique=False)

    with op.batch_alter_table("people", schema=None) as batch_op:
        batch_op.create_index("ix_people_created_at_id", ["created_at", "id"], unique=False)

    with op.batch_alter_table("refunds", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_refunds_reference"), ["reference"], unique=False)

    fill_in(op.get_bind())


def fill_in(connection: sa.Connection) -> None:
    """What new columns and tables say of people who were here before."""
    people = sa.table("people", sa.column("id"), sa.column("email"), sa.column("public_name"))
    words = sa.table("person_words", sa.column("person_id"), sa.column("word"), sa.column("kind"))
    last = 0
    while rows := connection.execute(
        sa.select(people).where(people.c.id > last).order_by(people.c.id).limit(AT_A_TIME)
    ).all():
        found = [
            {"person_id": row.id, "word": word, "kind": kind.value}
            for row in rows
            for word, kind in words_of(row.email, row.public_name).items()
        ]
        if found:
            connection.execute(sa.insert(words), found)
        last = rows[-1].id
    connection.execute(sa.text(f"UPDATE contributions SET n_cups = {WHOLE_CUPS} WHERE cup_minor > 0"))
    # An account is known in words for 30 days after its line was booked; of older ones there is nothing to keep.
    known = connection.execute(
        sa.text(
            "SELECT k.id, s.payer_account FROM known_payers k JOIN statement_lines s ON s.id = k.line_id "
            "WHERE s.payer_account IS NOT NULL"
        )
    ).all()
    ends = [{"row_id": row.id, "account_end": end_of(row.payer_account)} for row in known]
    if ends:
        connection.execute(sa.text("UPDATE known_payers SET account_end = :account_end WHERE id = :row_id"), ends)


def downgrade() -> None:
    with op.batch_alter_table("refunds", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_refunds_reference"))

    with op.batch_alter_table("people", schema=None) as batch_op:
        batch_op.drop_index("ix_people_created_at_id")

    with op.batch_alter_table("outbox_mails", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_outbox_mails_to_address_id"))

    with op.batch_alter_table("known_payers", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_known_payers_account_end"))
        batch_op.drop_column("account_end")

    with op.batch_alter_table("coverage_spans", schema=None) as batch_op:
        batch_op.drop_index("ix_coverage_spans_person_id_ends_at")
        batch_op.create_index(batch_op.f("ix_coverage_spans_person_id"), ["person_id"], unique=False)

    with op.batch_alter_table("contributions", schema=None) as batch_op:
        batch_op.drop_index("ix_contributions_n_cups_person_id")
        batch_op.drop_index(batch_op.f("ix_contributions_failed_at"))
        batch_op.drop_index(batch_op.f("ix_contributions_email"))
        batch_op.drop_column("n_cups")

    with op.batch_alter_table("cards", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_cards_last4"))

    with op.batch_alter_table("address_changes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_address_changes_old_email"))

    with op.batch_alter_table("people_run_items", schema=None) as batch_op:
        batch_op.drop_index("ix_people_run_items_run_id_state_id")
        batch_op.drop_index("ix_people_run_items_person_id")

    op.drop_table("people_run_items")
    with op.batch_alter_table("person_words", schema=None) as batch_op:
        batch_op.drop_index("ix_person_words_word_person_id")
        batch_op.drop_index("ix_person_words_kind_word_person_id")

    op.drop_table("person_words")
    with op.batch_alter_table("person_tags", schema=None) as batch_op:
        batch_op.drop_index("ix_person_tags_tag_id_person_id")

    op.drop_table("person_tags")
    with op.batch_alter_table("people_runs", schema=None) as batch_op:
        batch_op.drop_index("ix_people_runs_state")

    op.drop_table("people_runs")
    op.drop_table("tags")
    op.drop_table("segments")
