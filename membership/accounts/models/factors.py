"""Tables of the second factor of staff (ADR 0014). All of a person's rows go when they leave the staff.

Moments are real time: codes, passkeys and sessions run on it.
"""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from membership.db import Model


class StaffSession(Model):
    """One row is the right to the desk of one signed-in browser, on top of its own session, with which it goes.

    It ends after 30 quiet minutes, after ten hours, and when the person's role changes.
    """

    __tablename__ = "staff_sessions"
    __table_args__ = (CheckConstraint("method IN ('app', 'passkey', 'recovery')", name="known_method"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), unique=True)
    # SHA-256 of the id in its own cookie.
    id_hash: Mapped[str] = mapped_column(String(64), unique=True)
    # When and by what the second factor was shown last in this browser.
    proved_at: Mapped[datetime]
    method: Mapped[str] = mapped_column(String(8))
    # Written at most once a minute.
    last_seen_at: Mapped[datetime]
    # The end, however much it is used.
    expires_at: Mapped[datetime]


class TotpSecret(Model):
    """One row is the app in which somebody reads six digits (RFC 6238). Set anew, it is another row's content."""

    __tablename__ = "totp_secrets"

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    # The secret, sealed with a key that is made of SECRET_KEY (`web.tokens.seal`): a database alone opens nothing.
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    # The step (of 30 seconds, counted from 1970) whose code was used last; no code of it or before is taken again.
    last_step: Mapped[int]
    set_at: Mapped[datetime]


class Passkey(Model):
    """One row is one passkey (WebAuthn) of one person; only its public half. Its counter and last use change."""

    __tablename__ = "passkeys"
    __table_args__ = (Index("ix_passkeys_person_id", "person_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    # SHA-256 of the id that the authenticator gave it; and that id, which may be as long as 1023 bytes.
    id_hash: Mapped[str] = mapped_column(String(64), unique=True)
    credential_id: Mapped[bytes] = mapped_column(LargeBinary)
    # COSE.
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    # How often the authenticator says it was used, 0 to 2^32 - 1; 0 for good where it does not count.
    sign_count: Mapped[int] = mapped_column(BigInteger)
    # What its owner calls it.
    name: Mapped[str] = mapped_column(String(60))
    added_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class PasskeyChallenge(Model):
    """One row is one question to an authenticator. Answering it deletes it, so that no answer counts twice."""

    __tablename__ = "passkey_challenges"
    __table_args__ = (
        CheckConstraint("purpose IN ('add', 'show')", name="known_purpose"),
        Index("ix_passkey_challenges_session_id", "session_id"),
        Index("ix_passkey_challenges_expires_at", "expires_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    # The browser that was asked; no other one may answer.
    session_id: Mapped[int] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"))
    purpose: Mapped[str] = mapped_column(String(4))
    challenge_hash: Mapped[str] = mapped_column(String(64), unique=True)
    expires_at: Mapped[datetime]


class RecoveryCode(Model):
    """One row is one code for the day on which phone and key are lost. It is used once; new ones delete the old."""

    __tablename__ = "recovery_codes"
    __table_args__ = (Index("ix_recovery_codes_person_id", "person_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    # SHA-256: a code has 80 random bits.
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    made_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
