"""The desk's second factor, the right to the desk on top of a session, and the audit log.

Revision ID: 0005
Revises: 0004
Create Date: 2026-11-30
"""

import sqlalchemy as sa
from alembic import op

from membership.db import UTCDateTime, append_only_statements

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# The columns of the audit log that never change; its reasons go when the person whom they concern is erased.
GUARDED = ("number", "at", "actor", "action", "subject", "about", "reason_digest", "before", "after", "previous", "hash")


def upgrade() -> None:
    op.create_table("audit_entries",
    sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
    sa.Column("at", UTCDateTime(), nullable=False),
    sa.Column("actor", sa.String(length=60), nullable=False),
    sa.Column("action", sa.String(length=60), nullable=False),
    sa.Column("subject", sa.String(length=140), nullable=False),
    sa.Column("about", sa.String(length=40), nullable=True),
    sa.Column("reason", sa.String(length=500), nullable=True),
    sa.Column("reason_salt", sa.String(length=64), nullable=True),
    sa.Column("reason_digest", sa.String(length=64), nullable=True),
    sa.Column("before", sa.JSON(none_as_null=True), nullable=True),
    sa.Column("after", sa.JSON(none_as_null=True), nullable=True),
    sa.Column("previous", sa.String(length=64), nullable=False),
    sa.Column("hash", sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_entries")),
    sa.UniqueConstraint("previous", name=op.f("uq_audit_entries_previous"))
    )
    with op.batch_alter_table("audit_entries", schema=None) as batch_op:
        batch_op.create_index("ix_audit_entries_about_number", ["about", "number"], unique=False)
        batch_op.create_index("ix_audit_entries_action_number", ["action", "number"], unique=False)
        batch_op.create_index("ix_audit_entries_actor_number", ["actor", "number"], unique=False)
        batch_op.create_index("ix_audit_entries_subject_number", ["subject", "number"], unique=False)

    op.create_table("passkeys",
    sa.Column("id", sa.Integer(), nullable=False),
    sa.Column("person_id", sa.Integer(), nullable=False),
    sa.Column("id_hash", sa.String(length=64), nullable=False),
    sa.Column("credential_id", sa.LargeBinary(), nullable=False),
    sa.Column("public_key", sa.LargeBinary(), nullable=False),
    sa.Column("sign_count", sa.BigInteger(), nullable=False),
    sa.Column("name", sa.String(length=60), nullable=False),
    sa.Column("added_at", UTCDateTime(), nullable=False),
    sa.Column("used_at", UTCDateTime(), nullable=True),
    sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_passkeys_person_id")),
    sa.PrimaryKeyConstraint("id", name=op.f("pk_passkeys")),
    sa.UniqueConstraint("id_hash", name=op.f("uq_passkeys_id_hash"))
    )
    with op.batch_alter_table("passkeys", schema=None) as batch_op:
        batch_op.create_index("ix_passkeys_person_id", ["person_id"], unique=False)

    op.create_table("recovery_codes",
    sa.Column("id", sa.Integer(), nullable=False),
    sa.Column("person_id", sa.Integer(), nullable=False),
    sa.Column("code_hash", sa.String(length=64), nullable=False),
    sa.Column("made_at", UTCDateTime(), nullable=False),
    sa.Column("used_at", UTCDateTime(), nullable=True),
    sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_recovery_codes_person_id")),
    sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_codes")),
    sa.UniqueConstraint("code_hash", name=op.f("uq_recovery_codes_code_hash"))
    )
    with op.batch_alter_table("recovery_codes", schema=None) as batch_op:
        batch_op.create_index("ix_recovery_codes_person_id", ["person_id"], unique=False)

    op.create_table("totp_secrets",
    sa.Column("person_id", sa.Integer(), nullable=False),
    sa.Column("sealed", sa.LargeBinary(), nullable=False),
    sa.Column("last_step", sa.Integer(), nullable=False),
    sa.Column("set_at", UTCDateTime(), nullable=False),
    sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_totp_secrets_person_id")),
    sa.PrimaryKeyConstraint("person_id", name=op.f("pk_totp_secrets"))
    )
    op.create_table("passkey_challenges",
    sa.Column("id", sa.Integer(), nullable=False),
    sa.Column("session_id", sa.Integer(), nullable=False),
    sa.Column("purpose", sa.String(length=4), nullable=False),
    sa.Column("challenge_hash", sa.String(length=64), nullable=False),
    sa.Column("expires_at", UTCDateTime(), nullable=False),
    sa.CheckConstraint("purpose IN ('add', 'show')", name=op.f("ck_passkey_challenges_known_purpose")),
    sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name=op.f("fk_passkey_challenges_session_id"), ondelete="CASCADE"),
    sa.PrimaryKeyConstraint("id", name=op.f("pk_passkey_challenges")),
    sa.UniqueConstraint("challenge_hash", name=op.f("uq_passkey_challenges_challenge_hash"))
    )
    with op.batch_alter_table("passkey_challenges", schema=None) as batch_op:
        batch_op.create_index("ix_passkey_challenges_expires_at", ["expires_at"], unique=False)
        batch_op.create_index("ix_passkey_challenges_session_id", ["session_id"], unique=False)

    op.create_table("staff_sessions",
    sa.Column("id", sa.Integer(), nullable=False),
    sa.Column("session_id", sa.Integer(), nullable=False),
    sa.Column("id_hash", sa.String(length=64), nullable=False),
    sa.Column("proved_at", UTCDateTime(), nullable=False),
    sa.Column("method", sa.String(length=8), nullable=False),
    sa.Column("last_seen_at", UTCDateTime(), nullable=False),
    sa.Column("expires_at", UTCDateTime(), nullable=False),
    sa.CheckConstraint("method IN ('app', 'passkey', 'recovery')", name=op.f("ck_staff_sessions_known_method")),
    sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name=op.f("fk_staff_sessions_session_id"), ondelete="CASCADE"),
    sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_sessions")),
    sa.UniqueConstraint("id_hash", name=op.f("uq_staff_sessions_id_hash")),
    sa.UniqueConstraint("session_id", name=op.f("uq_staff_sessions_session_id"))
    )
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("browser", sa.String(length=40), nullable=True))

    with op.batch_alter_table("staff_members", schema=None) as batch_op:
        batch_op.add_column(sa.Column("seen_at", UTCDateTime(), nullable=True))

    for statement in append_only_statements("audit_entries", op.get_bind().dialect.name, GUARDED):
        op.execute(statement)


def downgrade() -> None:
    # What hangs on a session goes first: SQLite copies the table of sessions to take a column out of it.
    for table in ("staff_sessions", "passkey_challenges", "totp_secrets", "recovery_codes", "passkeys", "audit_entries"):
        op.drop_table(table)
    with op.batch_alter_table("staff_members", schema=None) as batch_op:
        batch_op.drop_column("seen_at")
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.drop_column("browser")
