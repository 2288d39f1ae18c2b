"""Tables of money beside the provider: what was announced, what statements said, whose accounts we know."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, Date, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from membership.db import Model
from membership.kernel.money import Money


class Declaration(Model):
    """One row is one "I will transfer", with its code; the amount stands on its contribution.

    The reminder is sent once. `withdrawn_at`: the giver changed their mind. From `lapses_at` on nobody waits for it any
    more. Money that comes all the same is booked by its code, however late.
    Deleted at erasure, so that nobody is found by a code that they once used.
    """

    __tablename__ = "transfer_declarations"
    __table_args__ = (
        CheckConstraint("rhythm IN ('once', 'monthly', 'yearly')", name="known_rhythm"),
        Index(None, "reminded_at", "created_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    contribution_id: Mapped[int] = mapped_column(ForeignKey("contributions.id"), unique=True)
    prefix: Mapped[str] = mapped_column(String(3))
    body: Mapped[str] = mapped_column(String(7), unique=True, doc="The code, without its prefix (rules.codes)")
    # Information only: what the giver means to set up at their bank. Every transfer is booked as it comes.
    rhythm: Mapped[str] = mapped_column(String(8))
    created_at: Mapped[datetime]
    lapses_at: Mapped[datetime]
    mailbox_digest: Mapped[str | None] = mapped_column(
        String(64), index=True, doc="HMAC of whose it is: counts open ones; empty where older than this count"
    )
    reminded_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]


class StatementLine(Model):
    """One row is one movement that a statement told of; `identity` is the same however the statement is cut.

    new and suggested (open: a person must look, or it is about to be booked) -> booked, ignored, or returned (booked,
    and the money went back); undo leads back to open. `payer_name`, `payer_account`, `remittance` are kept while it
    is open and 30 days after `done_at`, then emptied (decision 13). Rows are never deleted: they are what makes the
    same statement book nothing twice.
    """

    __tablename__ = "statement_lines"
    __table_args__ = (
        CheckConstraint("state IN ('new', 'suggested', 'booked', 'ignored', 'returned')", name="known_state"),
        CheckConstraint("kind IN ('credit', 'return', 'fee', 'fee_back')", name="known_kind"),
        CheckConstraint("way IN ('bank', 'paypal')", name="known_way"),
        CheckConstraint("amount_minor > 0", name="moves_something"),
        CheckConstraint("(done_at IS NULL) = (state IN ('new', 'suggested'))", name="done_has_its_moment"),
        CheckConstraint("state NOT IN ('booked', 'returned') OR payment_id IS NOT NULL", name="booked_has_its_payment"),
        Index(None, "state", "booked_on"),
        Index(None, "done_at"),
        Index(None, "payment_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    identity: Mapped[str] = mapped_column(String(64), unique=True)
    way: Mapped[str] = mapped_column(String(8))
    source: Mapped[str] = mapped_column(String(20), doc="The form of the file, such as camt.053.001.08 or csv-1a2b3c4d")
    kind: Mapped[str] = mapped_column(String(8))
    booked_on: Mapped[date] = mapped_column(Date, doc="The day of the bank")
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    # What PayPal kept with it, in the same currency; below zero where it gave a fee back with a return.
    fee_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    is_odd: Mapped[bool] = mapped_column(default=False, doc="Hardly a gift: never booked without asking")
    # HMAC of the id by which a gift and its return name each other, and of the payer's account.
    linked_digest: Mapped[str | None] = mapped_column(String(64), index=True)
    account_digest: Mapped[str | None] = mapped_column(String(64), index=True)
    payer_name: Mapped[str | None] = mapped_column(String(140))
    payer_account: Mapped[str | None] = mapped_column(String(254))
    remittance: Mapped[str | None] = mapped_column(Text)

    state: Mapped[str] = mapped_column(String(10), default="new")
    # What we think, while it is open: the contribution, why (a `rules.matching.Why`), whether that is certain.
    suggested_id: Mapped[int | None] = mapped_column(ForeignKey("contributions.id"), index=True)
    why: Mapped[str | None] = mapped_column(String(16))
    is_certain: Mapped[bool] = mapped_column(default=False)
    # The payment it became (a credit), took back (a return) or is about (a fee); how often it was booked, undone too.
    payment_id: Mapped[str | None] = mapped_column(String(255))
    n_bookings: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str | None] = mapped_column(String(200), doc="Why it was ignored or undone, in words of staff")
    imported_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    emptied_at: Mapped[datetime | None]

    @property
    def amount(self) -> Money:
        """How much, above zero whatever its direction."""
        return Money(self.amount_minor, self.currency)

    @property
    def fee(self) -> Money:
        """What was kept of it."""
        return Money(self.fee_minor, self.currency)

    @property
    def kept(self) -> Money:
        """What the whole line costs in fees: of a fee its amount, of a return the fee beside it."""
        sides = {"fee": self.amount_minor, "fee_back": -self.amount_minor, "return": self.fee_minor}
        return Money(sides.get(self.kind, 0), self.currency)

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to decide."""
        return self.state in {"new", "suggested"}

    def payment_names(self) -> list[str]:
        """The ids of the payments that it became, one for each time that it was booked; the first one at least."""
        later = (f"{self.way}:{self.identity}:{n}" for n in range(2, self.n_bookings + 1))
        return [f"{self.way}:{self.identity}", *later]

    def reversal_names(self) -> list[str]:
        """Under what its bookings stand in the journal where it is a return or a fee, one for each time."""
        return [f"{self.way}:{self.identity}:{n}" for n in range(1, self.n_bookings + 1)]

    @property
    def was_decided(self) -> bool:
        """Whether it was booked or ignored before and opened again: from then on only a person decides about it."""
        return self.n_bookings > 0 or self.reason is not None or self.emptied_at is not None


class KnownPayer(Model):
    """One row: this account gave for this person before. The account itself is not kept, only its HMAC and its last
    four characters, by which staff find somebody who is on the phone; both go at erasure (decision 13).
    """

    __tablename__ = "known_payers"
    __table_args__ = (UniqueConstraint("account_digest", "person_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_digest: Mapped[str] = mapped_column(String(64))
    # Empty for what was booked before it was kept, and for accounts that are addresses (PayPal).
    account_end: Mapped[str | None] = mapped_column(String(4), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    # The line that showed it first: undoing that takes this row away.
    line_id: Mapped[int] = mapped_column(ForeignKey("statement_lines.id"), index=True)


class SavedMapping(Model):
    """One row is one form of table that this newsroom's bank writes (statements.mappings)."""

    __tablename__ = "statement_mappings"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(60), unique=True)
    mapping: Mapped[dict[str, Any]] = mapped_column(JSON)
    saved_at: Mapped[datetime]
