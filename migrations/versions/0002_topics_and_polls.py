"""Topics, polls and their secrets, the staff, and mail to many.

Revision ID: 0002
Revises: 0001
Create Date: 2026-11-22
"""

import sqlalchemy as sa
from alembic import op

from membership.db import UTCDateTime, append_only_statements
from membership.polls.models.guards import guard_statements

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Rows of these are written once; triggers refuse every change on both databases.
APPEND_ONLY = (
    "ballot_commitments",
    "chain_links",
    "counted_ballots",
    "poll_results",
    "topic_events",
)


def upgrade() -> None:
    op.create_table(
        "broadcasts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("audience", sa.String(length=80), nullable=False),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("args", sa.JSON(), nullable=False),
        sa.Column("once_key", sa.String(length=170), nullable=False),
        sa.Column("after_person_id", sa.Integer(), nullable=False),
        sa.Column("n_people", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("done_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("after_person_id >= 0 AND n_people >= 0", name=op.f("ck_broadcasts_counts_from_zero")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broadcasts")),
        sa.UniqueConstraint("once_key", "source", name=op.f("uq_broadcasts_once_key_source")),
    )
    with op.batch_alter_table("broadcasts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_broadcasts_done_at"), ["done_at"], unique=False)

    op.create_table(
        "polls",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("intro", sa.String(length=1500), nullable=False),
        sa.Column("locale", sa.String(length=2), nullable=False),
        sa.Column("rule", sa.String(length=40), nullable=False),
        sa.Column("n_seats", sa.Integer(), nullable=False),
        sa.Column("max_ranks", sa.Integer(), nullable=False),
        sa.Column("budget_hours", sa.Integer(), nullable=True),
        sa.Column("opens_at", UTCDateTime(), nullable=False),
        sa.Column("closes_at", UTCDateTime(), nullable=False),
        sa.Column("eligibility", sa.String(length=8), nullable=False),
        sa.Column("joined_before", UTCDateTime(), nullable=False),
        sa.Column("publish_from", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("opened_at", UTCDateTime(), nullable=True),
        sa.Column("opened_by_id", sa.Integer(), nullable=True),
        sa.Column("closed_at", UTCDateTime(), nullable=True),
        sa.Column("cancelled_at", UTCDateTime(), nullable=True),
        sa.Column("cancelled_by_id", sa.Integer(), nullable=True),
        sa.Column("cancel_reason", sa.String(length=500), nullable=True),
        sa.Column("lot_seed", sa.String(length=64), nullable=True),
        sa.Column("order_seed", sa.String(length=64), nullable=True),
        sa.Column("n_roll", sa.Integer(), nullable=True),
        sa.Column("roll_digest", sa.String(length=64), nullable=True),
        sa.Column("trouble", sa.String(length=20), nullable=True),
        sa.Column("wiped_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint(
            "(rule = 'equal-shares') = (budget_hours IS NOT NULL)", name=op.f("ck_polls_hours_where_shared")
        ),
        sa.CheckConstraint("state IN ('draft', 'open', 'closed', 'cancelled')", name=op.f("ck_polls_known_state")),
        sa.CheckConstraint("closes_at > opens_at", name=op.f("ck_polls_open_for_a_while")),
        sa.CheckConstraint("max_ranks BETWEEN 3 AND 10", name=op.f("ck_polls_few_ranks")),
        sa.CheckConstraint("n_seats BETWEEN 1 AND 30", name=op.f("ck_polls_few_seats")),
        sa.CheckConstraint("publish_from IS NULL OR publish_from >= 5", name=op.f("ck_polls_published_from_five")),
        sa.ForeignKeyConstraint(["cancelled_by_id"], ["people.id"], name=op.f("fk_polls_cancelled_by_id")),
        sa.ForeignKeyConstraint(["created_by_id"], ["people.id"], name=op.f("fk_polls_created_by_id")),
        sa.ForeignKeyConstraint(["opened_by_id"], ["people.id"], name=op.f("fk_polls_opened_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_polls")),
        sa.UniqueConstraint("public_id", name=op.f("uq_polls_public_id")),
    )
    with op.batch_alter_table("polls", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_polls_state_closes_at"), ["state", "closes_at"], unique=False)

    op.create_table(
        "staff_members",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("added_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint(
            "role IN ('owner', 'editor', 'finance', 'viewer')", name=op.f("ck_staff_members_known_role")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_staff_members_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_staff_members")),
    )
    op.create_table(
        "topics",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("why", sa.String(length=1500), nullable=False),
        sa.Column("links", sa.JSON(), nullable=False),
        sa.Column("plain_title", sa.Text(), nullable=False),
        sa.Column("plain_why", sa.Text(), nullable=False),
        sa.Column("locale", sa.String(length=2), nullable=False),
        sa.Column("proposer_id", sa.Integer(), nullable=True),
        sa.Column("stage", sa.String(length=12), nullable=False),
        sa.Column("stage_at", UTCDateTime(), nullable=False),
        sa.Column("stage_before_merge", sa.String(length=12), nullable=True),
        sa.Column("merged_into_id", sa.Integer(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("is_hidden", sa.Boolean(), nullable=False),
        sa.Column("n_followers", sa.Integer(), nullable=False),
        sa.Column("hours", sa.Integer(), nullable=True),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("chosen_at", UTCDateTime(), nullable=True),
        sa.Column("story_url", sa.String(length=500), nullable=True),
        sa.Column("story_title", sa.String(length=200), nullable=True),
        sa.Column("published_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint(
            "(merged_into_id IS NOT NULL) = (stage = 'merged')", name=op.f("ck_topics_merged_points_somewhere")
        ),
        sa.CheckConstraint(
            "stage <> 'published' OR story_url IS NOT NULL", name=op.f("ck_topics_published_has_a_story")
        ),
        sa.CheckConstraint(
            "stage IN ('proposed', 'shortlisted', 'on_ballot', 'chosen', 'reporting', 'published', 'declined', "
            "'not_chosen', 'merged', 'dropped')",
            name=op.f("ck_topics_known_stage"),
        ),
        sa.CheckConstraint("merged_into_id <> id", name=op.f("ck_topics_not_merged_into_itself")),
        sa.CheckConstraint("n_followers >= 0", name=op.f("ck_topics_followers_from_zero")),
        sa.ForeignKeyConstraint(["merged_into_id"], ["topics.id"], name=op.f("fk_topics_merged_into_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["people.id"], name=op.f("fk_topics_owner_id")),
        sa.ForeignKeyConstraint(["proposer_id"], ["people.id"], name=op.f("fk_topics_proposer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_topics")),
        sa.UniqueConstraint("public_id", name=op.f("uq_topics_public_id")),
    )
    with op.batch_alter_table("topics", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_topics_merged_into_id"), ["merged_into_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_topics_proposer_id"), ["proposer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_topics_published_at"), ["published_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_topics_stage_n_followers"), ["stage", "n_followers"], unique=False)
        batch_op.create_index(batch_op.f("ix_topics_stage_stage_at"), ["stage", "stage_at"], unique=False)

    op.create_table(
        "ballot_commitments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("poll_id", sa.Integer(), nullable=False),
        sa.Column("commitment", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["poll_id"], ["polls.id"], name=op.f("fk_ballot_commitments_poll_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ballot_commitments")),
        sa.UniqueConstraint("commitment", name=op.f("uq_ballot_commitments_commitment")),
        info={"append_only": True},
    )
    with op.batch_alter_table("ballot_commitments", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ballot_commitments_poll_id"), ["poll_id"], unique=False)

    op.create_table(
        "chain_links",
        sa.Column("poll_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=7), nullable=False),
        sa.Column("entry", sa.String(length=64), nullable=False),
        sa.Column("head", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["poll_id"], ["polls.id"], name=op.f("fk_chain_links_poll_id")),
        sa.PrimaryKeyConstraint("poll_id", "seq", name=op.f("pk_chain_links")),
        info={"append_only": True},
    )
    op.create_table(
        "counted_ballots",
        sa.Column("poll_id", sa.Integer(), nullable=False),
        sa.Column("receipt_hash", sa.String(length=64), nullable=False),
        sa.Column("choice", sa.String(length=120), nullable=True),
        sa.ForeignKeyConstraint(["poll_id"], ["polls.id"], name=op.f("fk_counted_ballots_poll_id")),
        sa.PrimaryKeyConstraint("poll_id", "receipt_hash", name=op.f("pk_counted_ballots")),
        info={"append_only": True},
    )
    with op.batch_alter_table("counted_ballots", schema=None) as batch_op:
        batch_op.create_index("ix_counted_ballots_poll_id_choice", ["poll_id", "choice"], unique=False)

    op.create_table(
        "poll_options",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("poll_id", sa.Integer(), nullable=False),
        sa.Column("topic_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("why", sa.String(length=1500), nullable=False),
        sa.Column("hours", sa.Integer(), nullable=True),
        sa.CheckConstraint("hours > 0", name=op.f("ck_poll_options_hours_positive")),
        sa.CheckConstraint("position >= 0", name=op.f("ck_poll_options_position_from_zero")),
        sa.ForeignKeyConstraint(["poll_id"], ["polls.id"], name=op.f("fk_poll_options_poll_id")),
        sa.ForeignKeyConstraint(["topic_id"], ["topics.id"], name=op.f("fk_poll_options_topic_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_poll_options")),
        sa.UniqueConstraint("poll_id", "position", name=op.f("uq_poll_options_poll_id_position")),
        sa.UniqueConstraint("poll_id", "topic_id", name=op.f("uq_poll_options_poll_id_topic_id")),
    )
    with op.batch_alter_table("poll_options", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_poll_options_topic_id"), ["topic_id"], unique=False)

    op.create_table(
        "poll_results",
        sa.Column("poll_id", sa.Integer(), nullable=False),
        sa.Column("rule_version", sa.String(length=50), nullable=False),
        sa.Column("has_breakdown", sa.Boolean(), nullable=False),
        sa.Column("count", sa.JSON(), nullable=False),
        sa.Column("other_rules", sa.JSON(), nullable=False),
        sa.Column("n_voted", sa.Integer(), nullable=False),
        sa.Column("n_blank", sa.Integer(), nullable=False),
        sa.Column("n_set_aside", sa.Integer(), nullable=False),
        sa.Column("blind", sa.String(length=64), nullable=False),
        sa.Column("ballots_digest", sa.String(length=64), nullable=False),
        sa.Column("choices_digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["poll_id"], ["polls.id"], name=op.f("fk_poll_results_poll_id")),
        sa.PrimaryKeyConstraint("poll_id", name=op.f("pk_poll_results")),
        info={"append_only": True},
    )
    op.create_table(
        "poll_skips",
        sa.Column("poll_id", sa.Integer(), nullable=False),
        sa.Column("topic_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("moved_up_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["actor_id"], ["people.id"], name=op.f("fk_poll_skips_actor_id")),
        sa.ForeignKeyConstraint(["moved_up_id"], ["topics.id"], name=op.f("fk_poll_skips_moved_up_id")),
        sa.ForeignKeyConstraint(["poll_id"], ["polls.id"], name=op.f("fk_poll_skips_poll_id")),
        sa.ForeignKeyConstraint(["topic_id"], ["topics.id"], name=op.f("fk_poll_skips_topic_id")),
        sa.PrimaryKeyConstraint("poll_id", "topic_id", name=op.f("pk_poll_skips")),
    )
    op.create_table(
        "roll_entries",
        sa.Column("poll_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("grant_id", sa.Integer(), nullable=False),
        sa.Column("has_voted", sa.Boolean(), nullable=False),
        sa.Column("wants_news", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["grant_id"], ["coverage_grants.id"], name=op.f("fk_roll_entries_grant_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_roll_entries_person_id")),
        sa.ForeignKeyConstraint(["poll_id"], ["polls.id"], name=op.f("fk_roll_entries_poll_id")),
        sa.PrimaryKeyConstraint("poll_id", "person_id", name=op.f("pk_roll_entries")),
    )
    with op.batch_alter_table("roll_entries", schema=None) as batch_op:
        batch_op.create_index("ix_roll_entries_person_id", ["person_id"], unique=False)

    op.create_table(
        "sealed_ballots",
        sa.Column("poll_id", sa.Integer(), nullable=False),
        sa.Column("voter_key", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("receipt_key", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["poll_id"], ["polls.id"], name=op.f("fk_sealed_ballots_poll_id")),
        sa.PrimaryKeyConstraint("poll_id", "voter_key", name=op.f("pk_sealed_ballots")),
    )
    with op.batch_alter_table("sealed_ballots", schema=None) as batch_op:
        batch_op.create_index("ix_sealed_ballots_receipt_key", ["poll_id", "receipt_key"], unique=False)

    op.create_table(
        "topic_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("topic_id", sa.Integer(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("words", sa.String(length=2000), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["actor_id"], ["people.id"], name=op.f("fk_topic_events_actor_id")),
        sa.ForeignKeyConstraint(["topic_id"], ["topics.id"], name=op.f("fk_topic_events_topic_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_topic_events")),
        info={"append_only": True},
    )
    with op.batch_alter_table("topic_events", schema=None) as batch_op:
        batch_op.create_index("ix_topic_events_topic_id_at", ["topic_id", "at"], unique=False)

    op.create_table(
        "topic_followers",
        sa.Column("topic_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_topic_followers_person_id")),
        sa.ForeignKeyConstraint(["topic_id"], ["topics.id"], name=op.f("fk_topic_followers_topic_id")),
        sa.PrimaryKeyConstraint("topic_id", "person_id", name=op.f("pk_topic_followers")),
    )
    with op.batch_alter_table("topic_followers", schema=None) as batch_op:
        batch_op.create_index("ix_topic_followers_person_id", ["person_id"], unique=False)

    op.create_table(
        "topic_mutes",
        sa.Column("topic_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_topic_mutes_person_id")),
        sa.ForeignKeyConstraint(["topic_id"], ["topics.id"], name=op.f("fk_topic_mutes_topic_id")),
        sa.PrimaryKeyConstraint("topic_id", "person_id", name=op.f("pk_topic_mutes")),
    )
    with op.batch_alter_table("topic_mutes", schema=None) as batch_op:
        batch_op.create_index("ix_topic_mutes_person_id", ["person_id"], unique=False)

    with op.batch_alter_table("outbox_mails", schema=None) as batch_op:
        batch_op.add_column(sa.Column("is_bulk", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.drop_index(batch_op.f("ix_outbox_mails_state_next_try_at"))
        batch_op.create_index(
            batch_op.f("ix_outbox_mails_state_is_bulk_next_try_at"), ["state", "is_bulk", "next_try_at"], unique=False
        )

    with op.batch_alter_table("sign_in_requests", schema=None) as batch_op:
        batch_op.alter_column(
            "next_place", existing_type=sa.VARCHAR(length=20), type_=sa.String(length=40), existing_nullable=False
        )
    dialect = op.get_bind().dialect.name
    for table in APPEND_ONLY:
        for statement in append_only_statements(table, dialect):
            op.execute(statement)
    for statements in guard_statements(dialect).values():
        for statement in statements:
            op.execute(statement)


def downgrade() -> None:
    with op.batch_alter_table("sign_in_requests", schema=None) as batch_op:
        batch_op.alter_column(
            "next_place", existing_type=sa.String(length=40), type_=sa.VARCHAR(length=20), existing_nullable=False
        )

    with op.batch_alter_table("outbox_mails", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_outbox_mails_state_is_bulk_next_try_at"))
        batch_op.create_index(batch_op.f("ix_outbox_mails_state_next_try_at"), ["state", "next_try_at"], unique=False)
        batch_op.drop_column("is_bulk")

    with op.batch_alter_table("topic_mutes", schema=None) as batch_op:
        batch_op.drop_index("ix_topic_mutes_person_id")

    op.drop_table("topic_mutes")
    with op.batch_alter_table("topic_followers", schema=None) as batch_op:
        batch_op.drop_index("ix_topic_followers_person_id")

    op.drop_table("topic_followers")
    with op.batch_alter_table("topic_events", schema=None) as batch_op:
        batch_op.drop_index("ix_topic_events_topic_id_at")

    op.drop_table("topic_events")
    with op.batch_alter_table("sealed_ballots", schema=None) as batch_op:
        batch_op.drop_index("ix_sealed_ballots_receipt_key")

    op.drop_table("sealed_ballots")
    with op.batch_alter_table("roll_entries", schema=None) as batch_op:
        batch_op.drop_index("ix_roll_entries_person_id")

    op.drop_table("roll_entries")
    op.drop_table("poll_skips")
    op.drop_table("poll_results")
    with op.batch_alter_table("poll_options", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_poll_options_topic_id"))

    op.drop_table("poll_options")
    with op.batch_alter_table("counted_ballots", schema=None) as batch_op:
        batch_op.drop_index("ix_counted_ballots_poll_id_choice")

    op.drop_table("counted_ballots")
    op.drop_table("chain_links")
    with op.batch_alter_table("ballot_commitments", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ballot_commitments_poll_id"))

    op.drop_table("ballot_commitments")
    with op.batch_alter_table("topics", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_topics_stage_stage_at"))
        batch_op.drop_index(batch_op.f("ix_topics_stage_n_followers"))
        batch_op.drop_index(batch_op.f("ix_topics_published_at"))
        batch_op.drop_index(batch_op.f("ix_topics_proposer_id"))
        batch_op.drop_index(batch_op.f("ix_topics_merged_into_id"))

    op.drop_table("topics")
    op.drop_table("staff_members")
    with op.batch_alter_table("polls", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_polls_state_closes_at"))

    op.drop_table("polls")
    with op.batch_alter_table("broadcasts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_broadcasts_done_at"))

    op.drop_table("broadcasts")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION IF EXISTS refuse_poll_change()")
        op.execute("DROP FUNCTION IF EXISTS refuse_option_change()")
