"""Support for life: its states, other ways to give, gifts, cards, refunds, erasures, and proofs of the books.

Revision ID: 0003
Revises: 0002
Create Date: 2026-11-23
"""

import sqlalchemy as sa
from alembic import op

from membership.db import UTCDateTime, append_only_statements

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# Table -> its CHECKs that are new or other than before: (what 0002 left, what stands from now on).
CHECKS: dict[str, dict[str, tuple[str | None, str | None]]] = {
    "contributions": {
        "ck_contributions_gift_is_once": (None, "purpose <> 'gift' OR rhythm = 'once'"),
        "ck_contributions_known_purpose": (None, "purpose IN ('self', 'gift')"),
        "ck_contributions_known_way": (None, "way IN ('card', 'bank', 'paypal', 'crypto', 'cash')"),
        "ck_contributions_next_terms_whole": (
            None,
            (
                "(next_gift_minor IS NULL AND next_charge_minor IS NULL AND next_cup_minor IS NULL AND "
                "next_rhythm IS NULL) OR (next_gift_minor IS NOT NULL AND next_charge_minor IS NOT NULL "
                "AND next_cup_minor IS NOT NULL AND next_rhythm IS NOT NULL AND next_gift_minor > 0 AND "
                "next_gift_minor <= next_charge_minor AND next_cup_minor > 0 AND next_rhythm IN "
                "('monthly', 'yearly'))"
            ),
        ),
    },
    "journal_entries": {
        "ck_journal_entries_known_account": (
            ("account IN ('provider_balance', 'paid_elsewhere', 'income_recurring', 'income_once', 'provider_fees')"),
            (
                "account IN ('provider_balance', 'paid_elsewhere', 'bank', 'paypal', 'crypto', 'cash', "
                "'income_recurring', 'income_once', 'provider_fees')"
            ),
        ),
    },
    "payments": {
        "ck_payments_known_way": (None, "way IN ('card', 'bank', 'paypal', 'crypto', 'cash')"),
    },
    "provider_intents": {
        "ck_provider_intents_known_kind": (
            "kind IN ('open_checkout', 'close_checkout')",
            (
                "kind IN ('open_checkout', 'close_checkout', 'open_card_page', 'use_card', 'change', "
                "'pause', 'resume', 'cancel', 'keep', 'cancel_now', 'pay_open', 'refund', "
                "'forget_customer', 'rename_customer')"
            ),
        ),
    },
}
OLD_COLUMNS, NEW_COLUMNS = ("journal_entries", "provider_intents"), ("contributions", "payments")
# Table -> its columns that no UPDATE may touch; empty: none may.
GUARDS: dict[str, tuple[str, ...]] = {
    "journal_entries": (),
    "movements": ("id", "reference", "kind", "at", "yearly_delta_minor", "currency"),
    "stance_changes": (),
    "timeline_entries": ("id", "at", "kind", "actor"),
    "topic_events": ("id", "topic_id", "at", "kind", "words", "details"),
}


def upgrade() -> None:
    # First those of old columns: SQLite copies a table for it, and would write the new defaults in another way.
    set_checks(OLD_COLUMNS, now=1)
    op.create_table(
        "bookmarks",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("ref", sa.String(length=255), nullable=True),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_bookmarks")),
    )
    op.create_table(
        "forgotten_names",
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("forgotten_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_forgotten_names")),
    )
    op.create_table(
        "inspections",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("started_at", UTCDateTime(), nullable=False),
        sa.Column("since", UTCDateTime(), nullable=True),
        sa.Column("finished_at", UTCDateTime(), nullable=True),
        sa.Column("lease_until", UTCDateTime(), nullable=False),
        sa.Column("cursor", sa.JSON(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("n_findings", sa.Integer(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("repairs", sa.JSON(), nullable=False),
        sa.CheckConstraint("kind IN ('books', 'whole_books', 'reconcile')", name=op.f("ck_inspections_known_kind")),
        sa.CheckConstraint("n_findings >= 0", name=op.f("ck_inspections_counts_from_zero")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inspections")),
    )
    with op.batch_alter_table("inspections", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_inspections_kind_started_at"), ["kind", "started_at"], unique=False)

    op.create_table(
        "refunds",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(length=80), nullable=False),
        sa.Column("payment_id", sa.String(length=255), nullable=False),
        sa.Column("reference", sa.String(length=40), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("actor", sa.String(length=60), nullable=False),
        sa.Column("asked_at", UTCDateTime(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("state_at", UTCDateTime(), nullable=False),
        sa.Column("error", sa.String(length=100), nullable=True),
        sa.CheckConstraint("state IN ('asked', 'sent', 'done', 'failed')", name=op.f("ck_refunds_known_state")),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_refunds_gives_something")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refunds")),
        sa.UniqueConstraint("token", name=op.f("uq_refunds_token")),
    )
    with op.batch_alter_table("refunds", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_refunds_payment_id"), ["payment_id"], unique=False)
        batch_op.create_index("ix_refunds_state_state_at", ["state", "state_at"], unique=False)

    op.create_table(
        "stance_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("stance", sa.String(length=8), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("n_opened", sa.Integer(), nullable=False),
        sa.Column("n_paid", sa.Integer(), nullable=False),
        sa.Column("n_declined", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stance_changes")),
        info={"append_only": True},
    )
    with op.batch_alter_table("stance_changes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_stance_changes_at"), ["at"], unique=False)

    op.create_table(
        "statement_mappings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("mapping", sa.JSON(), nullable=False),
        sa.Column("saved_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_mappings")),
        sa.UniqueConstraint("name", name=op.f("uq_statement_mappings_name")),
    )
    op.create_table(
        "address_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("old_email", sa.String(length=254), nullable=True),
        sa.Column("new_email", sa.String(length=254), nullable=True),
        sa.Column("changed_at", UTCDateTime(), nullable=False),
        sa.Column("undo_until", UTCDateTime(), nullable=False),
        sa.Column("undone_at", UTCDateTime(), nullable=True),
        sa.Column("told_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_address_changes_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address_changes")),
    )
    with op.batch_alter_table("address_changes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_address_changes_person_id"), ["person_id"], unique=False)
        batch_op.create_index("ix_address_changes_told_at", ["told_at"], unique=False)

    op.create_table(
        "address_proofs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(length=8), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=True),
        sa.Column("n_tries", sa.Integer(), nullable=False),
        sa.Column("asked_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.Column("used_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("purpose IN ('change', 'erase')", name=op.f("ck_address_proofs_known_purpose")),
        sa.CheckConstraint("n_tries BETWEEN 0 AND 5", name=op.f("ck_address_proofs_few_tries")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_address_proofs_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address_proofs")),
    )
    with op.batch_alter_table("address_proofs", schema=None) as batch_op:
        batch_op.create_index("ix_address_proofs_expires_at", ["expires_at"], unique=False)
        batch_op.create_index("ix_address_proofs_person_id_purpose", ["person_id", "purpose"], unique=False)

    op.create_table(
        "erasures",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("asked_at", UTCDateTime(), nullable=False),
        sa.Column("farewell_id", sa.Integer(), nullable=True),
        sa.Column("left_at", UTCDateTime(), nullable=True),
        sa.Column("emptied_at", UTCDateTime(), nullable=True),
        sa.Column("done_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_erasures_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_erasures")),
    )
    with op.batch_alter_table("erasures", schema=None) as batch_op:
        batch_op.create_index("ix_erasures_done_at", ["done_at"], unique=False)

    op.create_table(
        "gifts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("reference", sa.String(length=40), nullable=False),
        sa.Column("giver_id", sa.Integer(), nullable=True),
        sa.Column("n_months", sa.Integer(), nullable=False),
        sa.Column("n_cups", sa.Integer(), nullable=False),
        sa.Column("from_name", sa.String(length=60), nullable=True),
        sa.Column("receiver_name", sa.String(length=60), nullable=True),
        sa.Column("message", sa.String(length=500), nullable=True),
        sa.Column("receiver_email", sa.String(length=254), nullable=True),
        sa.Column("send_at", UTCDateTime(), nullable=True),
        sa.Column("locale", sa.String(length=2), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=True),
        sa.Column("payment_id", sa.String(length=255), nullable=True),
        sa.Column("paid_at", UTCDateTime(), nullable=True),
        sa.Column("sent_at", UTCDateTime(), nullable=True),
        sa.Column("n_sent", sa.Integer(), nullable=False),
        sa.Column("redeemed_at", UTCDateTime(), nullable=True),
        sa.Column("redeemed_by_id", sa.Integer(), nullable=True),
        sa.Column("returned_at", UTCDateTime(), nullable=True),
        sa.Column("reminded_at", UTCDateTime(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("(paid_at IS NULL) = (code_hash IS NULL)", name=op.f("ck_gifts_paid_has_a_code")),
        sa.CheckConstraint("(paid_at IS NULL) = (payment_id IS NULL)", name=op.f("ck_gifts_paid_by_a_payment")),
        sa.CheckConstraint(
            "(redeemed_at IS NULL) = (redeemed_by_id IS NULL)", name=op.f("ck_gifts_redeemed_by_somebody")
        ),
        sa.CheckConstraint("n_months > 0 AND n_cups > 0", name=op.f("ck_gifts_gives_something")),
        sa.CheckConstraint("n_sent >= 0", name=op.f("ck_gifts_counts_from_zero")),
        sa.CheckConstraint(
            "paid_at IS NOT NULL OR (sent_at IS NULL AND redeemed_at IS NULL AND returned_at IS NULL)",
            name=op.f("ck_gifts_nothing_before_the_money"),
        ),
        sa.ForeignKeyConstraint(["giver_id"], ["people.id"], name=op.f("fk_gifts_giver_id")),
        sa.ForeignKeyConstraint(["redeemed_by_id"], ["people.id"], name=op.f("fk_gifts_redeemed_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gifts")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_gifts_code_hash")),
        sa.UniqueConstraint("payment_id", name=op.f("uq_gifts_payment_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_gifts_public_id")),
        sa.UniqueConstraint("reference", name=op.f("uq_gifts_reference")),
    )
    with op.batch_alter_table("gifts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_gifts_giver_id"), ["giver_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_gifts_redeemed_by_id"), ["redeemed_by_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_gifts_send_at"), ["send_at"], unique=False)

    op.create_table(
        "mail_stops",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("about", sa.String(length=12), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_mail_stops_person_id")),
        sa.PrimaryKeyConstraint("person_id", "about", name=op.f("pk_mail_stops")),
    )
    op.create_table(
        "cards",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("contribution_id", sa.Integer(), nullable=False),
        sa.Column("card_id", sa.String(length=255), nullable=False),
        sa.Column("brand", sa.String(length=40), nullable=False),
        sa.Column("last4", sa.String(length=4), nullable=True),
        sa.Column("exp_year", sa.Integer(), nullable=True),
        sa.Column("exp_month", sa.Integer(), nullable=True),
        sa.Column("fingerprint", sa.String(length=64), nullable=True),
        sa.Column("since_at", UTCDateTime(), nullable=False),
        sa.Column("is_to_try", sa.Boolean(), nullable=False),
        sa.Column("expiry_mailed_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("(exp_year IS NULL) = (exp_month IS NULL)", name=op.f("ck_cards_expiry_is_whole")),
        sa.CheckConstraint("exp_month BETWEEN 1 AND 12", name=op.f("ck_cards_a_month")),
        sa.ForeignKeyConstraint(["contribution_id"], ["contributions.id"], name=op.f("fk_cards_contribution_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cards")),
        sa.UniqueConstraint("contribution_id", name=op.f("uq_cards_contribution_id")),
    )
    with op.batch_alter_table("cards", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_cards_fingerprint"), ["fingerprint"], unique=False)

    op.create_table(
        "confirmations",
        sa.Column("contribution_id", sa.Integer(), nullable=False),
        sa.Column("asked_at", UTCDateTime(), nullable=False),
        sa.Column("network", sa.String(length=64), nullable=False),
        sa.Column("mail_domain", sa.String(length=64), nullable=False),
        sa.Column("mailed_at", UTCDateTime(), nullable=True),
        sa.Column("opened_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["contribution_id"], ["contributions.id"], name=op.f("fk_confirmations_contribution_id")
        ),
        sa.PrimaryKeyConstraint("contribution_id", name=op.f("pk_confirmations")),
    )
    with op.batch_alter_table("confirmations", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_confirmations_mailed_at"), ["mailed_at"], unique=False)

    op.create_table(
        "statement_lines",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("identity", sa.String(length=64), nullable=False),
        sa.Column("way", sa.String(length=8), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("fee_minor", sa.BigInteger(), nullable=False),
        sa.Column("is_odd", sa.Boolean(), nullable=False),
        sa.Column("linked_digest", sa.String(length=64), nullable=True),
        sa.Column("account_digest", sa.String(length=64), nullable=True),
        sa.Column("payer_name", sa.String(length=140), nullable=True),
        sa.Column("payer_account", sa.String(length=254), nullable=True),
        sa.Column("remittance", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("suggested_id", sa.Integer(), nullable=True),
        sa.Column("why", sa.String(length=16), nullable=True),
        sa.Column("is_certain", sa.Boolean(), nullable=False),
        sa.Column("payment_id", sa.String(length=255), nullable=True),
        sa.Column("n_bookings", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("imported_at", UTCDateTime(), nullable=False),
        sa.Column("done_at", UTCDateTime(), nullable=True),
        sa.Column("emptied_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint(
            "(done_at IS NULL) = (state IN ('new', 'suggested'))", name=op.f("ck_statement_lines_done_has_its_moment")
        ),
        sa.CheckConstraint("kind IN ('credit', 'return')", name=op.f("ck_statement_lines_known_kind")),
        sa.CheckConstraint(
            "state IN ('new', 'suggested', 'booked', 'ignored', 'returned')",
            name=op.f("ck_statement_lines_known_state"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('booked', 'returned') OR payment_id IS NOT NULL",
            name=op.f("ck_statement_lines_booked_has_its_payment"),
        ),
        sa.CheckConstraint("way IN ('bank', 'paypal')", name=op.f("ck_statement_lines_known_way")),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_statement_lines_moves_something")),
        sa.ForeignKeyConstraint(["suggested_id"], ["contributions.id"], name=op.f("fk_statement_lines_suggested_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_lines")),
        sa.UniqueConstraint("identity", name=op.f("uq_statement_lines_identity")),
    )
    with op.batch_alter_table("statement_lines", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_statement_lines_account_digest"), ["account_digest"], unique=False)
        batch_op.create_index(batch_op.f("ix_statement_lines_done_at"), ["done_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_statement_lines_linked_digest"), ["linked_digest"], unique=False)
        batch_op.create_index(batch_op.f("ix_statement_lines_payment_id"), ["payment_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_statement_lines_state_booked_on"), ["state", "booked_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_statement_lines_suggested_id"), ["suggested_id"], unique=False)

    op.create_table(
        "transfer_declarations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("contribution_id", sa.Integer(), nullable=False),
        sa.Column("prefix", sa.String(length=3), nullable=False),
        sa.Column("body", sa.String(length=7), nullable=False),
        sa.Column("rhythm", sa.String(length=8), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("reminded_at", UTCDateTime(), nullable=True),
        sa.Column("withdrawn_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint(
            "rhythm IN ('once', 'monthly', 'yearly')", name=op.f("ck_transfer_declarations_known_rhythm")
        ),
        sa.ForeignKeyConstraint(
            ["contribution_id"], ["contributions.id"], name=op.f("fk_transfer_declarations_contribution_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer_declarations")),
        sa.UniqueConstraint("body", name=op.f("uq_transfer_declarations_body")),
        sa.UniqueConstraint("contribution_id", name=op.f("uq_transfer_declarations_contribution_id")),
    )
    with op.batch_alter_table("transfer_declarations", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_transfer_declarations_reminded_at_created_at"), ["reminded_at", "created_at"], unique=False
        )

    op.create_table(
        "known_payers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_digest", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("line_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["line_id"], ["statement_lines.id"], name=op.f("fk_known_payers_line_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_known_payers_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_known_payers")),
        sa.UniqueConstraint("account_digest", "person_id", name=op.f("uq_known_payers_account_digest_person_id")),
    )
    with op.batch_alter_table("known_payers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_known_payers_line_id"), ["line_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_known_payers_person_id"), ["person_id"], unique=False)

    with op.batch_alter_table("contributions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("purpose", sa.String(length=8), server_default="self", nullable=False))
        batch_op.add_column(sa.Column("way", sa.String(length=8), server_default="card", nullable=False))
        batch_op.add_column(sa.Column("paused_until", UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("cancel_reason", sa.String(length=500), nullable=True))
        batch_op.add_column(sa.Column("next_gift_minor", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("next_charge_minor", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("next_cup_minor", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("next_rhythm", sa.String(length=8), nullable=True))
        batch_op.add_column(sa.Column("failed_at", UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("failure_reason", sa.String(length=60), nullable=True))
        batch_op.add_column(sa.Column("next_try_at", UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("needs_action", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("failed_payment_id", sa.String(length=255), nullable=True))
        batch_op.add_column(sa.Column("failure_mailed_at", UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("pending_at", UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("second_of", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("stop_asked_at", UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("renewal_noticed_for", UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("warned_at", UTCDateTime(), nullable=True))
        batch_op.create_index(batch_op.f("ix_contributions_next_payment_at"), ["next_payment_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_contributions_stop_asked_at"), ["stop_asked_at"], unique=False)

    with op.batch_alter_table("inbox_events", schema=None) as batch_op:
        batch_op.add_column(sa.Column("is_swept", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.create_index(batch_op.f("ix_inbox_events_received_at"), ["received_at"], unique=False)

    with op.batch_alter_table("payments", schema=None) as batch_op:
        batch_op.add_column(sa.Column("way", sa.String(length=8), server_default="card", nullable=False))
        batch_op.create_index(batch_op.f("ix_payments_booked_at"), ["booked_at"], unique=False)

    with op.batch_alter_table("people", schema=None) as batch_op:
        batch_op.add_column(sa.Column("has_chosen_locale", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column("merged_into_id", sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f("ix_people_merged_into_id"), ["merged_into_id"], unique=False)
        batch_op.create_foreign_key(batch_op.f("fk_people_merged_into_id"), "people", ["merged_into_id"], ["id"])

    with op.batch_alter_table("provider_intents", schema=None) as batch_op:
        batch_op.add_column(sa.Column("subject", sa.String(length=255), server_default="", nullable=False))
        batch_op.add_column(sa.Column("result", sa.JSON(none_as_null=True), nullable=True))
        batch_op.create_index(batch_op.f("ix_provider_intents_subject_kind"), ["subject", "kind"], unique=False)

    with op.batch_alter_table("provider_intents", schema=None) as batch_op:
        batch_op.alter_column("subject", server_default=None)  # it was for the rows that are there

    with op.batch_alter_table("roll_entries", schema=None) as batch_op:
        batch_op.add_column(sa.Column("is_closed", sa.Boolean(), server_default=sa.false(), nullable=False))

    set_checks(NEW_COLUMNS, now=1)
    set_guards(GUARDS)


def set_checks(tables: tuple[str, ...], now: int) -> None:
    """Put the CHECKs of one side of the table in the place of those of the other: 1 for the new, 0 for the old."""
    for table in tables:
        with op.batch_alter_table(table) as batch_op:
            for name, conditions in CHECKS[table].items():
                if conditions[1 - now] is not None:
                    batch_op.drop_constraint(batch_op.f(name), type_="check")
                if conditions[now] is not None:
                    batch_op.create_check_constraint(batch_op.f(name), sa.text(conditions[now]))


def set_guards(guards: dict[str, tuple[str, ...]]) -> None:
    """Make tables append-only anew: SQLite loses triggers with a table that is copied, and some may change owners."""
    dialect = op.get_bind().dialect.name
    for table, columns in guards.items():
        if dialect == "sqlite":
            op.execute(f"DROP TRIGGER IF EXISTS {table}_no_update")
            op.execute(f"DROP TRIGGER IF EXISTS {table}_no_delete")
        else:
            op.execute(f"DROP TRIGGER IF EXISTS {table}_append_only ON {table}")
        for statement in append_only_statements(table, dialect, columns):
            op.execute(statement)


def downgrade() -> None:
    set_checks(OLD_COLUMNS + NEW_COLUMNS, now=0)
    with op.batch_alter_table("roll_entries", schema=None) as batch_op:
        batch_op.drop_column("is_closed")

    with op.batch_alter_table("provider_intents", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_provider_intents_subject_kind"))
        batch_op.drop_column("result")
        batch_op.drop_column("subject")

    with op.batch_alter_table("people", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_people_merged_into_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_people_merged_into_id"))
        batch_op.drop_column("merged_into_id")
        batch_op.drop_column("has_chosen_locale")

    with op.batch_alter_table("payments", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_payments_booked_at"))
        batch_op.drop_column("way")

    with op.batch_alter_table("inbox_events", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_inbox_events_received_at"))
        batch_op.drop_column("is_swept")

    with op.batch_alter_table("contributions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contributions_stop_asked_at"))
        batch_op.drop_index(batch_op.f("ix_contributions_next_payment_at"))
        batch_op.drop_column("warned_at")
        batch_op.drop_column("renewal_noticed_for")
        batch_op.drop_column("stop_asked_at")
        batch_op.drop_column("second_of")
        batch_op.drop_column("pending_at")
        batch_op.drop_column("failure_mailed_at")
        batch_op.drop_column("failed_payment_id")
        batch_op.drop_column("needs_action")
        batch_op.drop_column("next_try_at")
        batch_op.drop_column("failure_reason")
        batch_op.drop_column("failed_at")
        batch_op.drop_column("next_rhythm")
        batch_op.drop_column("next_cup_minor")
        batch_op.drop_column("next_charge_minor")
        batch_op.drop_column("next_gift_minor")
        batch_op.drop_column("cancel_reason")
        batch_op.drop_column("paused_until")
        batch_op.drop_column("way")
        batch_op.drop_column("purpose")

    with op.batch_alter_table("known_payers", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_known_payers_person_id"))
        batch_op.drop_index(batch_op.f("ix_known_payers_line_id"))

    op.drop_table("known_payers")
    with op.batch_alter_table("transfer_declarations", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_transfer_declarations_reminded_at_created_at"))

    op.drop_table("transfer_declarations")
    with op.batch_alter_table("statement_lines", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_statement_lines_suggested_id"))
        batch_op.drop_index(batch_op.f("ix_statement_lines_state_booked_on"))
        batch_op.drop_index(batch_op.f("ix_statement_lines_payment_id"))
        batch_op.drop_index(batch_op.f("ix_statement_lines_linked_digest"))
        batch_op.drop_index(batch_op.f("ix_statement_lines_done_at"))
        batch_op.drop_index(batch_op.f("ix_statement_lines_account_digest"))

    op.drop_table("statement_lines")
    with op.batch_alter_table("confirmations", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_confirmations_mailed_at"))

    op.drop_table("confirmations")
    with op.batch_alter_table("cards", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_cards_fingerprint"))

    op.drop_table("cards")
    op.drop_table("mail_stops")
    with op.batch_alter_table("gifts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_gifts_send_at"))
        batch_op.drop_index(batch_op.f("ix_gifts_redeemed_by_id"))
        batch_op.drop_index(batch_op.f("ix_gifts_giver_id"))

    op.drop_table("gifts")
    with op.batch_alter_table("erasures", schema=None) as batch_op:
        batch_op.drop_index("ix_erasures_done_at")

    op.drop_table("erasures")
    with op.batch_alter_table("address_proofs", schema=None) as batch_op:
        batch_op.drop_index("ix_address_proofs_person_id_purpose")
        batch_op.drop_index("ix_address_proofs_expires_at")

    op.drop_table("address_proofs")
    with op.batch_alter_table("address_changes", schema=None) as batch_op:
        batch_op.drop_index("ix_address_changes_told_at")
        batch_op.drop_index(batch_op.f("ix_address_changes_person_id"))

    op.drop_table("address_changes")
    op.drop_table("statement_mappings")
    with op.batch_alter_table("stance_changes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_stance_changes_at"))

    op.drop_table("stance_changes")
    with op.batch_alter_table("refunds", schema=None) as batch_op:
        batch_op.drop_index("ix_refunds_state_state_at")
        batch_op.drop_index(batch_op.f("ix_refunds_payment_id"))

    op.drop_table("refunds")
    with op.batch_alter_table("inspections", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_inspections_kind_started_at"))

    op.drop_table("inspections")
    op.drop_table("forgotten_names")
    op.drop_table("bookmarks")
    set_guards(dict.fromkeys(("journal_entries", "movements", "timeline_entries", "topic_events"), ()))
