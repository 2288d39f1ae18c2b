"""The first tables: accounts, mail, billing, coverage, contributions.

Revision ID: 0001
Revises: nothing
Create Date: 2026-11-22
"""

import sqlalchemy as sa
from alembic import op

from membership.db import UTCDateTime, append_only_statements

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Rows of these are written once; triggers refuse every change on both databases.
APPEND_ONLY = (
    "journal_entries",
    "journal_transactions",
    "movements",
    "payment_failures",
    "payment_reversals",
    "timeline_entries",
)


def upgrade() -> None:
    op.create_table(
        "clock_offset",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock_offset")),
    )
    op.create_table(
        "heartbeats",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("beat_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_heartbeats")),
    )
    op.create_table(
        "inbox_events",
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("type", sa.String(length=100), nullable=False),
        sa.Column("object_kind", sa.String(length=60), nullable=False),
        sa.Column("object_id", sa.String(length=255), nullable=False),
        sa.Column("api_version", sa.String(length=40), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("signed_at", UTCDateTime(), nullable=False),
        sa.Column("received_at", UTCDateTime(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("next_try_at", UTCDateTime(), nullable=True),
        sa.Column("n_tries", sa.Integer(), nullable=False),
        sa.Column("n_faults", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(length=500), nullable=True),
        sa.Column("traceback", sa.Text(), nullable=True),
        sa.Column("done_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint(
            "(done_at IS NULL) = (state IN ('received', 'waiting'))", name=op.f("ck_inbox_events_done_has_its_moment")
        ),
        sa.CheckConstraint(
            "(next_try_at IS NULL) = (state NOT IN ('received', 'waiting'))",
            name=op.f("ck_inbox_events_open_rows_have_a_turn"),
        ),
        sa.CheckConstraint(
            "state IN ('received', 'waiting', 'done', 'foreign', 'ignored', 'deferred', 'dead')",
            name=op.f("ck_inbox_events_known_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox_events")),
    )
    with op.batch_alter_table("inbox_events", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_inbox_events_done_at"), ["done_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_inbox_events_next_try_at"), ["next_try_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_inbox_events_object_id_state"), ["object_id", "state"], unique=False)

    op.create_table(
        "journal_transactions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("provider_ref", sa.String(length=255), nullable=False),
        sa.Column("moved_at", UTCDateTime(), nullable=False),
        sa.Column("booked_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal_transactions")),
        sa.UniqueConstraint("kind", "provider_ref", name=op.f("uq_journal_transactions_kind_provider_ref")),
        info={"append_only": True},
    )
    with op.batch_alter_table("journal_transactions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_journal_transactions_booked_at"), ["booked_at"], unique=False)

    op.create_table(
        "object_leases",
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_object_leases")),
    )
    op.create_table(
        "outbox_mails",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("to_address", sa.String(length=320), nullable=True),
        sa.Column("locale", sa.String(length=8), nullable=False),
        sa.Column("args", sa.JSON(), nullable=False),
        sa.Column("once_key", sa.String(length=200), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("n_unanswered", sa.Integer(), nullable=False),
        sa.Column("next_try_at", UTCDateTime(), nullable=False),
        sa.Column("lease_until", UTCDateTime(), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("tried_at", UTCDateTime(), nullable=True),
        sa.Column("failure", sa.String(length=16), nullable=True),
        sa.Column("last_error", sa.String(length=300), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("done_at", UTCDateTime(), nullable=True),
        sa.Column("message_id", sa.String(length=200), nullable=True),
        sa.CheckConstraint(
            "(done_at IS NULL) = (state IN ('waiting', 'sending'))", name=op.f("ck_outbox_mails_done_has_its_moment")
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'sending', 'sent', 'dropped', 'dead')", name=op.f("ck_outbox_mails_known_state")
        ),
        sa.CheckConstraint("attempts >= 0 AND n_unanswered >= 0", name=op.f("ck_outbox_mails_counts_from_zero")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_mails")),
        sa.UniqueConstraint("once_key", name=op.f("uq_outbox_mails_once_key")),
    )
    with op.batch_alter_table("outbox_mails", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_outbox_mails_done_at"), ["done_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_outbox_mails_state_next_try_at"), ["state", "next_try_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_outbox_mails_tried_at"), ["tried_at"], unique=False)

    op.create_table(
        "payment_failures",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("provider_ref", sa.String(length=255), nullable=False),
        sa.Column("reference", sa.String(length=200), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reason", sa.String(length=80), nullable=False),
        sa.Column("failed_at", UTCDateTime(), nullable=False),
        sa.Column("next_try_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_failures")),
        sa.UniqueConstraint("provider_ref", name=op.f("uq_payment_failures_provider_ref")),
        info={"append_only": True},
    )
    with op.batch_alter_table("payment_failures", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_payment_failures_reference_failed_at"), ["reference", "failed_at"], unique=False
        )

    op.create_table(
        "payments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("provider_id", sa.String(length=255), nullable=False),
        sa.Column("reference", sa.String(length=200), nullable=False),
        sa.Column("rhythm", sa.String(length=10), nullable=False),
        sa.Column("charged_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("fee_minor", sa.BigInteger(), nullable=True),
        sa.Column("fee_currency", sa.String(length=3), nullable=True),
        sa.Column("fee_asked_at", UTCDateTime(), nullable=True),
        sa.Column("paid_at", UTCDateTime(), nullable=False),
        sa.Column("period_start_at", UTCDateTime(), nullable=True),
        sa.Column("period_end_at", UTCDateTime(), nullable=True),
        sa.Column("subscription_id", sa.String(length=255), nullable=True),
        sa.Column("receipt_number", sa.String(length=20), nullable=False),
        sa.Column("booked_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("rhythm IN ('once', 'monthly', 'yearly')", name=op.f("ck_payments_known_rhythm")),
        sa.CheckConstraint(
            "(fee_minor IS NULL) = (fee_asked_at IS NOT NULL)", name=op.f("ck_payments_missing_fee_is_asked_for")
        ),
        sa.CheckConstraint("(fee_minor IS NULL) = (fee_currency IS NULL)", name=op.f("ck_payments_fee_is_whole")),
        sa.CheckConstraint(
            "(period_start_at IS NULL) = (period_end_at IS NULL)", name=op.f("ck_payments_period_is_whole")
        ),
        sa.CheckConstraint("charged_minor > 0", name=op.f("ck_payments_charged_something")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments")),
        sa.UniqueConstraint("provider_id", name=op.f("uq_payments_provider_id")),
        sa.UniqueConstraint("receipt_number", name=op.f("uq_payments_receipt_number")),
    )
    with op.batch_alter_table("payments", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_payments_fee_asked_at"), ["fee_asked_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_payments_paid_at"), ["paid_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_payments_reference_paid_at"), ["reference", "paid_at"], unique=False)

    op.create_table(
        "people",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_proved_at", UTCDateTime(), nullable=True),
        sa.Column("public_name", sa.String(length=200), nullable=True),
        sa.Column("locale", sa.String(length=2), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("disabled_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("locale IN ('en', 'uk')", name=op.f("ck_people_locale_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
        sa.UniqueConstraint("email", name=op.f("uq_people_email")),
        sa.UniqueConstraint("public_id", name=op.f("uq_people_public_id")),
    )
    op.create_table(
        "provider_intents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("attempt_key", sa.String(length=255), nullable=False),
        sa.Column("idempotency_key", sa.String(length=255), nullable=False),
        sa.Column("n_attempts", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(length=200), nullable=False),
        sa.Column("request_digest", sa.String(length=64), nullable=False),
        sa.Column("request", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("sent_at", UTCDateTime(), nullable=False),
        sa.Column("lease_until", UTCDateTime(), nullable=False),
        sa.Column("answered_at", UTCDateTime(), nullable=True),
        sa.Column("error", sa.String(length=100), nullable=True),
        sa.Column("provider_id", sa.String(length=255), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("expires_at", UTCDateTime(), nullable=True),
        sa.Column("closed_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("kind IN ('open_checkout', 'close_checkout')", name=op.f("ck_provider_intents_known_kind")),
        sa.CheckConstraint(
            "state != 'done' OR provider_id IS NOT NULL", name=op.f("ck_provider_intents_done_has_its_result")
        ),
        sa.CheckConstraint(
            "state IN ('new', 'sent', 'done', 'refused', 'unknown')", name=op.f("ck_provider_intents_known_state")
        ),
        sa.CheckConstraint("n_attempts >= 1", name=op.f("ck_provider_intents_counts_from_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_intents")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_provider_intents_idempotency_key")),
        sa.UniqueConstraint("kind", "attempt_key", name=op.f("uq_provider_intents_kind_attempt_key")),
    )
    with op.batch_alter_table("provider_intents", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_provider_intents_provider_id"), ["provider_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_provider_intents_state_sent_at"), ["state", "sent_at"], unique=False)

    op.create_table(
        "rate_counters",
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("n_hits", sa.BigInteger(), nullable=False),
        sa.Column("hits", sa.JSON(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_rate_counters")),
    )
    with op.batch_alter_table("rate_counters", schema=None) as batch_op:
        batch_op.create_index("ix_rate_counters_expires_at", ["expires_at"], unique=False)

    op.create_table(
        "receipt_counters",
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last_number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_receipt_counters")),
    )
    op.create_table(
        "sign_in_requests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("locale", sa.String(length=2), nullable=False),
        sa.Column("next_place", sa.String(length=20), nullable=False),
        sa.Column("nonce_hash", sa.String(length=64), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=True),
        sa.Column("code_hash", sa.String(length=64), nullable=True),
        sa.Column("n_tries", sa.Integer(), nullable=False),
        sa.Column("asked_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.Column("used_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("locale IN ('en', 'uk')", name=op.f("ck_sign_in_requests_locale_known")),
        sa.CheckConstraint("n_tries BETWEEN 0 AND 5", name=op.f("ck_sign_in_requests_few_tries")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_requests")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sign_in_requests_token_hash")),
    )
    with op.batch_alter_table("sign_in_requests", schema=None) as batch_op:
        batch_op.create_index("ix_sign_in_requests_email_id", ["email", "id"], unique=False)
        batch_op.create_index("ix_sign_in_requests_expires_at", ["expires_at"], unique=False)
        batch_op.create_index("ix_sign_in_requests_nonce_hash", ["nonce_hash"], unique=False)

    op.create_table(
        "contributions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(length=40), nullable=False),
        sa.Column("form_token", sa.String(length=64), nullable=False),
        sa.Column("form_try", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("public_name", sa.String(length=60), nullable=True),
        sa.Column("locale", sa.String(length=5), nullable=False),
        sa.Column("rhythm", sa.String(length=8), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("gift_minor", sa.BigInteger(), nullable=False),
        sa.Column("charge_minor", sa.BigInteger(), nullable=False),
        sa.Column("cup_minor", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("state_at", UTCDateTime(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("checkout_id", sa.String(length=255), nullable=True),
        sa.Column("checkout_url", sa.String(length=2000), nullable=True),
        sa.Column("checkout_expires_at", UTCDateTime(), nullable=True),
        sa.Column("customer_id", sa.String(length=255), nullable=True),
        sa.Column("subscription_id", sa.String(length=255), nullable=True),
        sa.Column("next_payment_at", UTCDateTime(), nullable=True),
        sa.Column("ends_at", UTCDateTime(), nullable=True),
        sa.Column("attribution", sa.JSON(), nullable=False),
        sa.CheckConstraint("charge_minor > 0", name=op.f("ck_contributions_charge_positive")),
        sa.CheckConstraint(
            "gift_minor > 0 AND gift_minor <= charge_minor", name=op.f("ck_contributions_gift_within_charge")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_contributions_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contributions")),
        sa.UniqueConstraint("checkout_id", name=op.f("uq_contributions_checkout_id")),
        sa.UniqueConstraint("form_token", "form_try", name=op.f("uq_contributions_form_token_form_try")),
        sa.UniqueConstraint("reference", name=op.f("uq_contributions_reference")),
        sa.UniqueConstraint("subscription_id", name=op.f("uq_contributions_subscription_id")),
    )
    with op.batch_alter_table("contributions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contributions_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_contributions_person_id"), ["person_id"], unique=False)
        batch_op.create_index(
            "ix_contributions_state_checkout_expires_at", ["state", "checkout_expires_at"], unique=False
        )

    op.create_table(
        "coverage_grants",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("cause", sa.String(length=8), nullable=False),
        sa.Column("cause_ref", sa.String(length=300), nullable=False),
        sa.Column("paid_at", UTCDateTime(), nullable=False),
        sa.Column("starts_at", UTCDateTime(), nullable=True),
        sa.Column("ends_at", UTCDateTime(), nullable=True),
        sa.Column("n_months", sa.Integer(), nullable=True),
        sa.Column("revoked_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint(
            "(n_months IS NULL) <> (starts_at IS NULL)", name=op.f("ck_coverage_grants_period_or_length")
        ),
        sa.CheckConstraint("(starts_at IS NULL) = (ends_at IS NULL)", name=op.f("ck_coverage_grants_whole_period")),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_coverage_grants_period_not_empty")),
        sa.CheckConstraint("n_months > 0", name=op.f("ck_coverage_grants_length_positive")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_coverage_grants_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coverage_grants")),
        sa.UniqueConstraint("cause_ref", name=op.f("uq_coverage_grants_cause_ref")),
    )
    with op.batch_alter_table("coverage_grants", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_coverage_grants_person_id"), ["person_id"], unique=False)

    op.create_table(
        "graces",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(length=40), nullable=False),
        sa.Column("opened_at", UTCDateTime(), nullable=False),
        sa.Column("until", UTCDateTime(), nullable=False),
        sa.Column("closed_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_graces_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_graces")),
        sa.UniqueConstraint("reference", "opened_at", name=op.f("uq_graces_reference_opened_at")),
    )
    with op.batch_alter_table("graces", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_graces_person_id"), ["person_id"], unique=False)

    op.create_table(
        "journal_entries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("transaction_id", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(length=30), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.CheckConstraint(
            "account IN ('provider_balance', 'paid_elsewhere', 'income_recurring', 'income_once', 'provider_fees')",
            name=op.f("ck_journal_entries_known_account"),
        ),
        sa.CheckConstraint("amount_minor != 0", name=op.f("ck_journal_entries_moves_something")),
        sa.ForeignKeyConstraint(
            ["transaction_id"], ["journal_transactions.id"], name=op.f("fk_journal_entries_transaction_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal_entries")),
        info={"append_only": True},
    )
    with op.batch_alter_table("journal_entries", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_journal_entries_account_currency"), ["account", "currency"], unique=False)
        batch_op.create_index(batch_op.f("ix_journal_entries_transaction_id"), ["transaction_id"], unique=False)

    op.create_table(
        "movements",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("yearly_delta_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_movements_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_movements")),
        info={"append_only": True},
    )
    with op.batch_alter_table("movements", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_movements_at"), ["at"], unique=False)
        batch_op.create_index("ix_movements_person_id_at", ["person_id", "at"], unique=False)
        batch_op.create_index(batch_op.f("ix_movements_reference"), ["reference"], unique=False)

    op.create_table(
        "payment_reversals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("provider_id", sa.String(length=255), nullable=False),
        sa.Column("payment_id", sa.Integer(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("moved_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("amount_minor != 0", name=op.f("ck_payment_reversals_moves_something")),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_payment_reversals_payment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_reversals")),
        sa.UniqueConstraint("provider_id", name=op.f("uq_payment_reversals_provider_id")),
        info={"append_only": True},
    )
    with op.batch_alter_table("payment_reversals", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_payment_reversals_payment_id"), ["payment_id"], unique=False)

    op.create_table(
        "sessions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("id_hash", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("last_seen_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_sessions_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("id_hash", name=op.f("uq_sessions_id_hash")),
    )
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.create_index("ix_sessions_expires_at", ["expires_at"], unique=False)
        batch_op.create_index("ix_sessions_person_id", ["person_id"], unique=False)

    op.create_table(
        "timeline_entries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("actor", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_timeline_entries_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_timeline_entries")),
        info={"append_only": True},
    )
    with op.batch_alter_table("timeline_entries", schema=None) as batch_op:
        batch_op.create_index("ix_timeline_entries_person_id_at", ["person_id", "at"], unique=False)

    op.create_table(
        "coverage_spans",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("grant_id", sa.Integer(), nullable=False),
        sa.Column("starts_at", UTCDateTime(), nullable=False),
        sa.Column("ends_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["grant_id"], ["coverage_grants.id"], name=op.f("fk_coverage_spans_grant_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_coverage_spans_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coverage_spans")),
    )
    with op.batch_alter_table("coverage_spans", schema=None) as batch_op:
        batch_op.create_index(
            "ix_coverage_spans_ends_starts_person", ["ends_at", "starts_at", "person_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_coverage_spans_person_id"), ["person_id"], unique=False)

    dialect = op.get_bind().dialect.name
    for table in APPEND_ONLY:
        for statement in append_only_statements(table, dialect):
            op.execute(statement)


def downgrade() -> None:
    with op.batch_alter_table("coverage_spans", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_coverage_spans_person_id"))
        batch_op.drop_index("ix_coverage_spans_ends_starts_person")

    op.drop_table("coverage_spans")
    with op.batch_alter_table("timeline_entries", schema=None) as batch_op:
        batch_op.drop_index("ix_timeline_entries_person_id_at")

    op.drop_table("timeline_entries")
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.drop_index("ix_sessions_person_id")
        batch_op.drop_index("ix_sessions_expires_at")

    op.drop_table("sessions")
    with op.batch_alter_table("payment_reversals", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_payment_reversals_payment_id"))

    op.drop_table("payment_reversals")
    with op.batch_alter_table("movements", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_movements_reference"))
        batch_op.drop_index("ix_movements_person_id_at")
        batch_op.drop_index(batch_op.f("ix_movements_at"))

    op.drop_table("movements")
    with op.batch_alter_table("journal_entries", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_journal_entries_transaction_id"))
        batch_op.drop_index(batch_op.f("ix_journal_entries_account_currency"))

    op.drop_table("journal_entries")
    with op.batch_alter_table("graces", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_graces_person_id"))

    op.drop_table("graces")
    with op.batch_alter_table("coverage_grants", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_coverage_grants_person_id"))

    op.drop_table("coverage_grants")
    with op.batch_alter_table("contributions", schema=None) as batch_op:
        batch_op.drop_index("ix_contributions_state_checkout_expires_at")
        batch_op.drop_index(batch_op.f("ix_contributions_person_id"))
        batch_op.drop_index(batch_op.f("ix_contributions_customer_id"))

    op.drop_table("contributions")
    with op.batch_alter_table("sign_in_requests", schema=None) as batch_op:
        batch_op.drop_index("ix_sign_in_requests_nonce_hash")
        batch_op.drop_index("ix_sign_in_requests_expires_at")
        batch_op.drop_index("ix_sign_in_requests_email_id")

    op.drop_table("sign_in_requests")
    op.drop_table("receipt_counters")
    with op.batch_alter_table("rate_counters", schema=None) as batch_op:
        batch_op.drop_index("ix_rate_counters_expires_at")

    op.drop_table("rate_counters")
    with op.batch_alter_table("provider_intents", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_provider_intents_state_sent_at"))
        batch_op.drop_index(batch_op.f("ix_provider_intents_provider_id"))

    op.drop_table("provider_intents")
    op.drop_table("people")
    with op.batch_alter_table("payments", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_payments_reference_paid_at"))
        batch_op.drop_index(batch_op.f("ix_payments_paid_at"))
        batch_op.drop_index(batch_op.f("ix_payments_fee_asked_at"))

    op.drop_table("payments")
    with op.batch_alter_table("payment_failures", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_payment_failures_reference_failed_at"))

    op.drop_table("payment_failures")
    with op.batch_alter_table("outbox_mails", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_outbox_mails_tried_at"))
        batch_op.drop_index(batch_op.f("ix_outbox_mails_state_next_try_at"))
        batch_op.drop_index(batch_op.f("ix_outbox_mails_done_at"))

    op.drop_table("outbox_mails")
    op.drop_table("object_leases")
    with op.batch_alter_table("journal_transactions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_journal_transactions_booked_at"))

    op.drop_table("journal_transactions")
    with op.batch_alter_table("inbox_events", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_inbox_events_object_id_state"))
        batch_op.drop_index(batch_op.f("ix_inbox_events_next_try_at"))
        batch_op.drop_index(batch_op.f("ix_inbox_events_done_at"))

    op.drop_table("inbox_events")
    op.drop_table("heartbeats")
    op.drop_table("clock_offset")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION IF EXISTS refuse_change()")
