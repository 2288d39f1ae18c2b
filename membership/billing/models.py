"""The tables of money: what the provider told us, what we asked it for, and the books.

No row here holds a personal value for longer than it is needed (decision 13): bodies of notices and requests
are emptied, payments and journal know a contribution by its reference only.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from membership.db import Model, append_only
from membership.kernel.money import Money

PROVIDER_ID = String(255)
CURRENCY = String(3)
SET_ASIDE = "state IN ('dead', 'foreign', 'ignored', 'deferred')"


class InboxEvent(Model):
    """One row is one notice of the provider, kept exactly as it came; its id is the provider's.

    The notice itself never changes; its state does: received -> done (its object was read again and booked),
    foreign (the object is not ours), ignored (we do not listen to this type), deferred (for a later issue),
    waiting (to be tried again at `next_try_at`) or dead (given up: a person must look, `last_error` and
    `traceback` say why). Rows are never deleted; body and traceback are emptied 30 days after `done_at`.
    """

    __tablename__ = "inbox_events"
    __table_args__ = (
        CheckConstraint(
            "state IN ('received', 'waiting', 'done', 'foreign', 'ignored', 'deferred', 'dead')", name="known_state"
        ),
        CheckConstraint("(next_try_at IS NULL) = (state NOT IN ('received', 'waiting'))", name="open_rows_have_a_turn"),
        CheckConstraint("(done_at IS NULL) = (state IN ('received', 'waiting'))", name="done_has_its_moment"),
        # Open rows only have a turn, so this finds the work without looking at what is done.
        Index(None, "next_try_at"),
        Index(None, "object_id", "state"),
        Index(None, "done_at"),
        Index(None, "received_at"),
        Index(None, "type", "received_at"),
        # For whoever looks for one of these among millions that are done; costs nothing where all goes well.
        Index(
            "ix_inbox_events_set_aside",
            "state",
            "received_at",
            sqlite_where=text(SET_ASIDE),
            postgresql_where=text(SET_ASIDE),
        ),
    )

    id: Mapped[str] = mapped_column(PROVIDER_ID, primary_key=True)
    # The provider's word for what happened, and the thing it happened to.
    type: Mapped[str] = mapped_column(String(100))
    object_kind: Mapped[str] = mapped_column(String(60))
    object_id: Mapped[str] = mapped_column(PROVIDER_ID)
    # The shape in which the provider wrote it; only for people who look into it (W5).
    api_version: Mapped[str | None] = mapped_column(String(40))
    # The provider's clock: when it happened (whole seconds), and when this delivery was signed.
    created_at: Mapped[datetime]
    signed_at: Mapped[datetime]
    # Real time.
    received_at: Mapped[datetime]
    # Never delivered, and found in the provider's list: without a signature; `signed_at` is `created_at` then.
    is_swept: Mapped[bool] = mapped_column(default=False, server_default=false())
    # The bytes as signed (or as listed); NULL once emptied.
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(String(16))
    # Real time: not to be tried before this. NULL where nothing is left to do.
    next_try_at: Mapped[datetime | None]
    # How often its object was read for it in vain, for whatever reason; and how often our own code failed on it.
    n_tries: Mapped[int] = mapped_column(default=0)
    n_faults: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(String(500))
    traceback: Mapped[str | None] = mapped_column(Text)
    # Business time.
    done_at: Mapped[datetime | None]


class ObjectLease(Model):
    """One row per thing at the provider that was ever read: who may read and book it now (decision 2).

    Changed with each taking: `fence` grows, so a holder that was overtaken while it slept is refused when it
    comes to write.
    """

    __tablename__ = "object_leases"

    id: Mapped[str] = mapped_column(PROVIDER_ID, primary_key=True)
    fence: Mapped[int] = mapped_column(BigInteger)
    # Real time: free from then on.
    expires_at: Mapped[datetime]


class ProviderIntent(Model):
    """One row is one thing that we ask the provider to do, written and committed before it is asked.

    new (planned or put off, to be sent by the sweeper) -> sent (being sent, or the process died doing it) -> done,
    refused (certainly not carried out) or unknown (no answer: repeat with the same key). After a certain refusal
    a new attempt gets a new key; so `idempotency_key` names the attempt, `attempt_key` the wish of the caller.
    `request` is emptied as soon as the answer is known.
    """

    __tablename__ = "provider_intents"
    __table_args__ = (
        CheckConstraint("state IN ('new', 'sent', 'done', 'refused', 'unknown')", name="known_state"),
        CheckConstraint(
            "kind IN ('open_checkout', 'close_checkout', 'open_card_page', 'use_card', 'change', 'pause', 'resume',"
            " 'cancel', 'keep', 'cancel_now', 'pay_open', 'refund', 'forget_customer',"
            " 'rename_customer')",
            name="known_kind",
        ),
        CheckConstraint("state != 'done' OR provider_id IS NOT NULL", name="done_has_its_result"),
        CheckConstraint("n_attempts >= 1", name="counts_from_one"),
        UniqueConstraint("kind", "attempt_key"),
        Index(None, "state", "sent_at"),
        Index(None, "subject", "kind"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    # A key of `intents.kinds.KINDS`.
    kind: Mapped[str] = mapped_column(String(20))
    attempt_key: Mapped[str] = mapped_column(String(255))
    idempotency_key: Mapped[str] = mapped_column(String(255), unique=True)
    n_attempts: Mapped[int] = mapped_column(default=1)
    reference: Mapped[str] = mapped_column(String(200), default="")
    # What it is about, at the provider (a subscription, a payment, a page); the reference for a first payment page.
    subject: Mapped[str] = mapped_column(PROVIDER_ID, default="")
    # SHA-256 of the request, to tell a repetition from another wish under the same key.
    request_digest: Mapped[str] = mapped_column(String(64))
    request: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    state: Mapped[str] = mapped_column(String(16))
    # Real time: when this attempt was first sent; until when its sender owns the row.
    sent_at: Mapped[datetime]
    lease_until: Mapped[datetime]
    # Real time: when an answer (or its loss) was written down.
    answered_at: Mapped[datetime | None]
    # Code of the refusal or of the loss; no personal data.
    error: Mapped[str | None] = mapped_column(String(100))
    # The result: the id of the page or of what was changed, and a page's address and end (business time).
    # `closed_at`: nobody can pay there any more. `result`: what else was answered; emptied after 30 days.
    provider_id: Mapped[str | None] = mapped_column(PROVIDER_ID, index=True)
    url: Mapped[str | None] = mapped_column(Text)
    expires_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


@append_only
class JournalTransaction(Model):
    """One row is one movement of money; its entries add up to zero in each currency. Never changed.

    `kind` is "payment", "fee", "reversal", "reversal_fee" or "extra_fee"; with `provider_ref` (the provider's id of the
    movement) it is unique, so nothing can be booked twice (I3).
    """

    __tablename__ = "journal_transactions"
    __table_args__ = (UniqueConstraint("kind", "provider_ref"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    provider_ref: Mapped[str] = mapped_column(PROVIDER_ID)
    # Business time: when the money moved, and when we wrote it down.
    moved_at: Mapped[datetime] = mapped_column(index=True)
    booked_at: Mapped[datetime] = mapped_column(index=True)


@append_only
class JournalEntry(Model):
    """One row is one side of a movement: above zero a debit, below zero a credit. Never changed."""

    __tablename__ = "journal_entries"
    __table_args__ = (
        CheckConstraint(
            "account IN ('provider_balance', 'paid_elsewhere', 'bank', 'paypal', 'crypto', 'cash', 'income_recurring',"
            " 'income_once', 'provider_fees')",
            name="known_account",
        ),
        CheckConstraint("amount_minor != 0", name="moves_something"),
        Index(None, "account", "currency"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    transaction_id: Mapped[int] = mapped_column(ForeignKey(JournalTransaction.id), index=True)
    account: Mapped[str] = mapped_column(String(30))
    # In the smallest unit of `currency`.
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(CURRENCY)


class Payment(Model):
    """One row is one payment of a reader, as it stands on the receipt. Only the fee is filled in later, once.

    What happened to the money afterwards (refund, dispute) stands in `payment_reversals`.
    """

    __tablename__ = "payments"
    __table_args__ = (
        CheckConstraint("charged_minor > 0", name="charged_something"),
        CheckConstraint("rhythm IN ('once', 'monthly', 'yearly')", name="known_rhythm"),
        CheckConstraint("way IN ('card', 'bank', 'paypal', 'crypto', 'cash')", name="known_way"),
        CheckConstraint("(period_start_at IS NULL) = (period_end_at IS NULL)", name="period_is_whole"),
        CheckConstraint("(fee_minor IS NULL) = (fee_currency IS NULL)", name="fee_is_whole"),
        CheckConstraint("(fee_minor IS NULL) = (fee_asked_at IS NOT NULL)", name="missing_fee_is_asked_for"),
        Index(None, "reference", "paid_at"),
        Index(None, "fee_asked_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    # card: through the provider. Else where the money lies; the provider knows nothing of it.
    way: Mapped[str] = mapped_column(String(8), default="card", server_default="card")
    # The provider's invoice (recurring) or payment (once); of other ways "<way>:<digest>".
    provider_id: Mapped[str] = mapped_column(PROVIDER_ID, unique=True)
    # Of the contribution it belongs to.
    reference: Mapped[str] = mapped_column(String(200))
    rhythm: Mapped[str] = mapped_column(String(10))
    charged_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(CURRENCY)
    # NULL until the provider says what it keeps; `fee_asked_at` (real time) is when we asked last.
    fee_minor: Mapped[int | None] = mapped_column(BigInteger)
    fee_currency: Mapped[str | None] = mapped_column(CURRENCY)
    fee_asked_at: Mapped[datetime | None]
    paid_at: Mapped[datetime] = mapped_column(index=True)
    # The service period [start, end) of a recurring payment.
    period_start_at: Mapped[datetime | None]
    period_end_at: Mapped[datetime | None]
    subscription_id: Mapped[str | None] = mapped_column(PROVIDER_ID)
    # Like "2026-000042": the year of `paid_at` by the newsroom's calendar and a number without gaps within it.
    receipt_number: Mapped[str] = mapped_column(String(20), unique=True)
    booked_at: Mapped[datetime] = mapped_column(index=True)

    @property
    def charged(self) -> Money:
        """What the reader paid."""
        return Money(self.charged_minor, self.currency)

    @property
    def fee(self) -> Money | None:
        """What the provider kept; None while it has not said."""
        if self.fee_minor is None or self.fee_currency is None:
            return None
        return Money(self.fee_minor, self.fee_currency)


@append_only
class PaymentReversal(Model):
    """One row is money of a payment that left again (above zero) or came back (below zero). Never changed."""

    __tablename__ = "payment_reversals"
    __table_args__ = (CheckConstraint("amount_minor != 0", name="moves_something"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    # The provider's refund or dispute, with ":returned" behind it where the money came back.
    provider_id: Mapped[str] = mapped_column(PROVIDER_ID, unique=True)
    payment_id: Mapped[int] = mapped_column(ForeignKey(Payment.id), index=True)
    # In the currency of the payment.
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(String(40))
    # Business time: when the money moved.
    moved_at: Mapped[datetime] = mapped_column(index=True)


@append_only
class PaymentFailure(Model):
    """One row is one attempt to charge that did not go through. Never changed; no money moved."""

    __tablename__ = "payment_failures"
    __table_args__ = (Index(None, "reference", "failed_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    provider_ref: Mapped[str] = mapped_column(PROVIDER_ID, unique=True)
    reference: Mapped[str] = mapped_column(String(200))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(CURRENCY)
    # A machine word such as "card_declined".
    reason: Mapped[str] = mapped_column(String(80))
    failed_at: Mapped[datetime]
    next_try_at: Mapped[datetime | None]

    @property
    def amount(self) -> Money:
        """What could not be taken."""
        return Money(self.amount_minor, self.currency)


class ReceiptCounter(Model):
    """One row per year: the last number given out. Counted up in the transaction that books the payment."""

    __tablename__ = "receipt_counters"

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last_number: Mapped[int]


class Bookmark(Model):
    """One row is one place up to which something is read: a list of the provider's notices, or our own books.

    Changed as the reading goes on. `ref` is the provider's id of the last thing that was read, NULL where only the
    moment counts. `at` is business time (of the look for notices about forgotten people: real time, as they come).
    """

    __tablename__ = "bookmarks"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    ref: Mapped[str | None] = mapped_column(PROVIDER_ID)
    at: Mapped[datetime]


class Inspection(Model):
    """One row is one time that the books were gone through; what it found is for the desk and for `doctor`.

    `kind` is "books" (what was booked lately, every ten minutes), "whole_books" (everything, nightly) or
    "reconcile" (against the provider's list of things, nightly or by hand). It changes while it goes on: `cursor`
    says where a killed one is taken up again, by whoever holds the lease. Old ones of "books" are deleted.
    """

    __tablename__ = "inspections"
    __table_args__ = (
        CheckConstraint("kind IN ('books', 'whole_books', 'reconcile')", name="known_kind"),
        CheckConstraint("n_findings >= 0", name="counts_from_zero"),
        Index(None, "kind", "started_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(12))
    # Business time. What happened from `since` on was looked at; NULL: everything.
    started_at: Mapped[datetime]
    since: Mapped[datetime | None]
    # Business time; NULL while it goes on.
    finished_at: Mapped[datetime | None]
    # Real time: until then its holder goes on with it.
    lease_until: Mapped[datetime]
    cursor: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    # Name of the thing -> how many: looked at, in order, repaired …
    counts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    # How much stays wrong, and the first of it: [{"code", "message"}, …]. Repairs are counted, and listed likewise.
    n_findings: Mapped[int] = mapped_column(default=0)
    findings: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)
    repairs: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)


class ForgottenName(Model):
    """One row is a name under which the provider knew somebody who was erased here (a customer, a reference).

    Notices that name it may come for years (a dispute, a report); their bodies are emptied as soon as they are seen.
    """

    __tablename__ = "forgotten_names"

    name: Mapped[str] = mapped_column(PROVIDER_ID, primary_key=True)
    forgotten_at: Mapped[datetime]
