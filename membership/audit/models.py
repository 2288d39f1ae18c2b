"""The table of the audit log."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from membership.db import Model, append_only_but


@append_only_but("reason", "reason_salt")
class AuditEntry(Model):
    """One row is one thing that somebody on the staff did or read. Never changed, but for the words of the reason,
    which go when the person that they are about is erased; the chain holds a digest of them.

    `before` and `after` hold ids, amounts, states and names of fields, never personal values (decision 13).
    """

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_entries_actor_number", "actor", "number"),
        Index("ix_audit_entries_action_number", "action", "number"),
        Index("ix_audit_entries_subject_number", "subject", "number"),
        Index("ix_audit_entries_about_number", "about", "number"),
    )

    # 1, 2, 3 … without a gap, in the order of the chain.
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    # "staff:<public id>", or "command" for whoever works at the machine itself.
    actor: Mapped[str] = mapped_column(String(60))
    # What was done, such as "refund.asked"; pages turn it into words.
    action: Mapped[str] = mapped_column(String(60))
    # What it was done to, as "<kind>:<id of it>", such as "poll:pol_…".
    subject: Mapped[str] = mapped_column(String(140))
    # The public id of the person whom it concerns; NULL where it concerns nobody. Not a key: a person may be merged.
    about: Mapped[str | None] = mapped_column(String(40))
    # Why, in the words of staff.
    reason: Mapped[str | None] = mapped_column(String(500))
    reason_salt: Mapped[str | None] = mapped_column(String(64))
    # SHA-256 over salt and reason; stays when those two go.
    reason_digest: Mapped[str | None] = mapped_column(String(64))
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    after: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    # The hash of the row before; 64 zeros for the first. UNIQUE: two rows never follow the same one.
    previous: Mapped[str] = mapped_column(String(64), unique=True)
    # SHA-256 over `previous` and the canonical JSON of this row (`rules.hash_of`).
    hash: Mapped[str] = mapped_column(String(64))
