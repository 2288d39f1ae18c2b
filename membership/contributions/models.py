"""The table of contributions."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column

from membership.contributions.rules import UNPAID, State, Terms
from membership.db import Model, append_only
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm
from membership.newsroom.rules import milli_cups, whole_cups
from membership.patrons.rules import months_for_gift


def _cups_of_row(context: DefaultExecutionContext) -> int:
    row = context.get_current_parameters()  # type: ignore[no-untyped-call]  # SQLAlchemy's own, without types
    gift, cup = (Money(row[name], row["currency"]) for name in ("gift_minor", "cup_minor"))
    return whole_cups(gift, Rhythm(row["rhythm"]), cup)


class Contribution(Model):
    """One promise to give, from the moment a reader pressed the button. Its state changes as money and news
    arrive (`rules.STATES`); what was promised does not.
    """

    __tablename__ = "contributions"
    __table_args__ = (
        # One browser's form token leads to one payment page at a time: a second click finds the first row,
        # a changed mind gets the next number.
        UniqueConstraint("form_token", "form_try"),
        CheckConstraint("charge_minor > 0", name="charge_positive"),
        CheckConstraint("gift_minor > 0 AND gift_minor <= charge_minor", name="gift_within_charge"),
        CheckConstraint("purpose IN ('self', 'gift')", name="known_purpose"),
        CheckConstraint("way IN ('card', 'bank', 'paypal', 'crypto', 'cash')", name="known_way"),
        CheckConstraint("purpose <> 'gift' OR rhythm = 'once'", name="gift_is_once"),
        CheckConstraint(
            "(next_gift_minor IS NULL AND next_charge_minor IS NULL AND next_cup_minor IS NULL AND next_rhythm IS NULL)"
            " OR (next_gift_minor IS NOT NULL AND next_charge_minor IS NOT NULL AND next_cup_minor IS NOT NULL"
            " AND next_rhythm IS NOT NULL AND next_gift_minor > 0 AND next_gift_minor <= next_charge_minor"
            " AND next_cup_minor > 0 AND next_rhythm IN ('monthly', 'yearly'))",
            name="next_terms_whole",
        ),
        Index("ix_contributions_state_checkout_expires_at", "state", "checkout_expires_at"),
        # The few that failed, for the desk.
        Index(
            "ix_contributions_failed_at",
            "failed_at",
            sqlite_where=text("failed_at IS NOT NULL"),
            postgresql_where=text("failed_at IS NOT NULL"),
        ),
        Index("ix_contributions_n_cups_person_id", "n_cups", "person_id"),
        # Days are summed by when payment pages were opened.
        Index(None, "created_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(String(40), unique=True, doc="Our name for it, at the provider too")
    form_token: Mapped[str] = mapped_column(String(64))
    form_try: Mapped[int] = mapped_column(default=1)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"), index=True, doc="Known once it is paid")
    email: Mapped[str] = mapped_column(String(320), index=True, doc="As typed, canonical; emptied at erasure")
    public_name: Mapped[str | None] = mapped_column(String(60), doc="None: anonymous in public")
    locale: Mapped[str] = mapped_column(String(5))

    rhythm: Mapped[str] = mapped_column(String(8), doc="A `Rhythm`")
    currency: Mapped[str] = mapped_column(String(3))
    gift_minor: Mapped[int] = mapped_column(BigInteger, doc="Per charge, without the fee that the giver covers")
    charge_minor: Mapped[int] = mapped_column(BigInteger, doc="Per charge, with it")
    cup_minor: Mapped[int] = mapped_column(BigInteger, doc="The price of a cup when it was promised")
    n_cups: Mapped[int] = mapped_column(
        BigInteger, default=_cups_of_row, server_default="0", doc="`newsroom.rules.whole_cups` of the terms, to sort by"
    )

    state: Mapped[str] = mapped_column(String(12), doc="A `rules.State`")
    state_at: Mapped[datetime]
    created_at: Mapped[datetime]
    checkout_id: Mapped[str | None] = mapped_column(String(255), unique=True)
    checkout_url: Mapped[str | None] = mapped_column(String(2000), doc="Emptied once it can no longer be paid")
    checkout_expires_at: Mapped[datetime | None]
    customer_id: Mapped[str | None] = mapped_column(String(255), index=True)
    subscription_id: Mapped[str | None] = mapped_column(String(255), unique=True)
    next_payment_at: Mapped[datetime | None] = mapped_column(index=True)
    ends_at: Mapped[datetime | None] = mapped_column(doc="When it ends, where that is settled, or ended")
    purpose: Mapped[str] = mapped_column(
        String(8), default="self", server_default="self", doc="self | gift: who is covered, the giver or a receiver"
    )
    way: Mapped[str] = mapped_column(
        String(8), default="card", server_default="card", doc="card: whatever goes through the provider | bank | …"
    )
    paused_until: Mapped[datetime | None] = mapped_column(doc="When a paused support goes on by itself")
    cancel_reason: Mapped[str | None] = mapped_column(String(500), doc="In the giver's words; emptied at erasure")

    # The terms that the giver wished and the provider has been asked for, until it is seen with them.
    next_gift_minor: Mapped[int | None] = mapped_column(BigInteger)
    next_charge_minor: Mapped[int | None] = mapped_column(BigInteger)
    next_cup_minor: Mapped[int | None] = mapped_column(BigInteger)
    next_rhythm: Mapped[str | None] = mapped_column(String(8))

    # The failure that is open now; all empty when nothing is wrong.
    failed_at: Mapped[datetime | None]
    failure_reason: Mapped[str | None] = mapped_column(String(60), doc="A machine word such as card_declined")
    next_try_at: Mapped[datetime | None] = mapped_column(doc="Empty where the provider gave up")
    needs_action: Mapped[bool | None] = mapped_column(doc="Whether the giver has to confirm it (3-D Secure)")
    failed_payment_id: Mapped[str | None] = mapped_column(String(255), doc="The unpaid invoice")
    failure_mailed_at: Mapped[datetime | None] = mapped_column(doc="When the giver was last told of a failure")

    # Money that takes days: since when a bank debit is on its way; empty once it came, or did not.
    pending_at: Mapped[datetime | None]
    # A second live support of one person (decision 12): the reference of another one. Stays when one is ended, and
    # is set anew where there is a third (services.flagging).
    second_of: Mapped[str | None] = mapped_column(String(40))
    # Since when it is to end at once; the worker asks the provider until it is seen to be over.
    stop_asked_at: Mapped[datetime | None] = mapped_column(index=True)
    renewal_noticed_for: Mapped[datetime | None] = mapped_column(doc="The charge that a notice went out for")
    warned_at: Mapped[datetime | None] = mapped_column(doc="When a bank last warned of fraud")
    attribution: Mapped[dict[str, Any]] = mapped_column(
        JSON, default=dict, doc="Where the reader came from: article, section, appeal, variant, utm_*"
    )

    @property
    def gift(self) -> Money:
        """What is given per charge, without the covered fee."""
        return Money(self.gift_minor, self.currency)

    @property
    def charge(self) -> Money:
        """What is charged each time."""
        return Money(self.charge_minor, self.currency)

    @property
    def cup(self) -> Money:
        """The price of one cup when it was promised."""
        return Money(self.cup_minor, self.currency)

    @property
    def terms(self) -> Terms:
        """What is given now."""
        return Terms(self.gift, self.charge, self.cup, self.rhythm_word)

    @terms.setter
    def terms(self, terms: Terms) -> None:
        self.gift_minor, self.charge_minor = terms.gift.minor, terms.charge.minor
        self.cup_minor, self.rhythm = terms.cup.minor, terms.rhythm.value
        self.n_cups = whole_cups(terms.gift, terms.rhythm, terms.cup)

    @property
    def next_terms(self) -> Terms | None:
        """What was wished and is not seen at the provider yet; None where nothing was."""
        minors = [self.next_gift_minor, self.next_charge_minor, self.next_cup_minor]
        known = [Money(minor, self.currency) for minor in minors if minor is not None]
        if self.next_rhythm is None or len(known) != len(minors):
            return None
        gift, charge, cup = known
        return Terms(gift, charge, cup, Rhythm(self.next_rhythm))

    @next_terms.setter
    def next_terms(self, terms: Terms | None) -> None:
        self.next_gift_minor = terms.gift.minor if terms else None
        self.next_charge_minor = terms.charge.minor if terms else None
        self.next_cup_minor = terms.cup.minor if terms else None
        self.next_rhythm = terms.rhythm.value if terms else None

    @property
    def is_unpaid(self) -> bool:
        """Whether no money has come of it (yet)."""
        return State(self.state) in UNPAID

    def fees_in(self, charged: Money) -> Money | None:
        """Which part of a payment was a fee that the giver covered; None where there was none."""
        fees = self.charge - self.gift if charged.currency == self.currency else None
        return fees if fees and fees.minor and charged == self.charge else None

    @property
    def rhythm_word(self) -> Rhythm:
        """The rhythm as a value."""
        return Rhythm(self.rhythm)

    @property
    def milli_cups(self) -> int:
        """What a recurring support is in thousandths of a cup a month; 0 for a single gift."""
        return milli_cups(self.gift, self.rhythm_word, self.cup)

    @property
    def n_months(self) -> int:
        """How many months a single gift covers its giver (decision 10); 0 for whatever else, and below one cup."""
        if self.rhythm_word is not Rhythm.ONCE or self.purpose != "self" or not self.cup_minor:
            return 0
        return months_for_gift(whole_cups(self.gift, Rhythm.ONCE, self.cup))


class Card(Model):
    """The card that a support is charged with now, as it stands at the provider: one row per contribution, replaced
    when another card is used, gone at erasure. Never a number: what a member needs to know their own card by.
    """

    __tablename__ = "cards"
    __table_args__ = (
        CheckConstraint("exp_month BETWEEN 1 AND 12", name="a_month"),
        CheckConstraint("(exp_year IS NULL) = (exp_month IS NULL)", name="expiry_is_whole"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    contribution_id: Mapped[int] = mapped_column(ForeignKey("contributions.id"), unique=True)
    card_id: Mapped[str] = mapped_column(String(255), doc="Its name at the provider")
    brand: Mapped[str] = mapped_column(String(40), doc="Such as visa, or the way to pay, such as sepa_debit")
    last4: Mapped[str | None] = mapped_column(String(4), index=True)
    # The last month in which it is accepted; empty where nothing expires.
    exp_year: Mapped[int | None]
    exp_month: Mapped[int | None]
    fingerprint: Mapped[str | None] = mapped_column(
        String(64), index=True, doc="Keyed digest of the provider's: the same for one card of two people"
    )
    since_at: Mapped[datetime] = mapped_column(doc="Since when it is the one in use, as far as we saw")
    is_to_try: Mapped[bool] = mapped_column(doc="It took the place of one that had failed, and was not tried yet")
    expiry_mailed_at: Mapped[datetime | None] = mapped_column(doc="When its giver was told that it will expire")


@append_only
class PaymentTrouble(Model):
    """One row: a renewal failed for the first time (failed), or what had failed came after all (recovered). At most
    one of each for a payment; written with the news, and never changed.
    """

    __tablename__ = "payment_troubles"
    __table_args__ = (
        UniqueConstraint("payment_ref", "kind"),
        CheckConstraint("kind IN ('failed', 'recovered')", name="known_kind"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    payment_ref: Mapped[str] = mapped_column(String(255), doc="The provider's id of the payment")
    kind: Mapped[str] = mapped_column(String(10))
    reference: Mapped[str] = mapped_column(String(40), doc="The contribution whose renewal it is")
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    at: Mapped[datetime] = mapped_column(index=True)


class Refund(Model):
    """One wish to give money back, written before the provider is asked. asked -> sent (the provider has it) -> done
    (the money moved and is booked) or failed (nothing moved, or it came back); asked -> failed where it is refused.
    """

    __tablename__ = "refunds"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="gives_something"),
        CheckConstraint("state IN ('asked', 'sent', 'done', 'failed')", name="known_state"),
        Index("ix_refunds_state_state_at", "state", "state_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(String(80), unique=True, doc="One press of one button: the same wish once")
    payment_id: Mapped[str] = mapped_column(String(255), index=True, doc="The provider's id of the payment")
    reference: Mapped[str] = mapped_column(String(40), index=True, doc="The contribution that it was paid for")
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    reason: Mapped[str] = mapped_column(String(200), doc="In our own words; emptied at erasure")
    actor: Mapped[str] = mapped_column(String(60), doc="member | staff:<public id> | system")
    asked_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(8))
    state_at: Mapped[datetime]
    error: Mapped[str | None] = mapped_column(String(100), doc="Why it failed: a machine word")

    @property
    def amount(self) -> Money:
        """How much is to go back."""
        return Money(self.amount_minor, self.currency)


class Confirmation(Model):
    """One row is one wish that waits until its address was confirmed by mail, since card testers are about.

    `mailed_at` is empty until the mail may leave (or never will: too many to one mailbox), `opened_at` until the link
    was used. Real time.
    """

    __tablename__ = "confirmations"
    __table_args__ = (Index(None, "mailed_at"),)

    contribution_id: Mapped[int] = mapped_column(ForeignKey(Contribution.id), primary_key=True)
    asked_at: Mapped[datetime]
    network: Mapped[str] = mapped_column(String(64), doc="HMAC of the neighbourhood that it came from")
    mail_domain: Mapped[str] = mapped_column(String(64), doc="HMAC of where its mailbox is")
    mailed_at: Mapped[datetime | None]
    opened_at: Mapped[datetime | None]


@append_only
class StanceChange(Model):
    """One row is one change of how the payment page is guarded (`rules.Stance`), with what was counted. Real time."""

    __tablename__ = "stance_changes"

    id: Mapped[int] = mapped_column(primary_key=True)
    stance: Mapped[str] = mapped_column(String(8))
    at: Mapped[datetime] = mapped_column(index=True)
    n_opened: Mapped[int] = mapped_column(doc="Pages opened in the ten minutes before")
    n_paid: Mapped[int] = mapped_column(doc="Pages paid in that time")
    n_declined: Mapped[int] = mapped_column(doc="Cards refused in that time")
