"""The table of gift memberships."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from membership.db import Model
from membership.gifts.rules import LONGEST_MESSAGE, LONGEST_NAME, Delivery, Stage, stage_of


class Gift(Model):
    """One row is one membership bought for somebody, written with the contribution that pays for it.

    It changes as it is paid, mailed, redeemed or returned, and as the giver changes to whom and when it goes. The
    code itself stands nowhere: `rules.make_code` draws it from `nonce` and the secret key. Names, address and message
    are emptied 30 days after it is over, and at erasure.
    """

    __tablename__ = "gifts"
    __table_args__ = (
        CheckConstraint("n_months > 0 AND n_cups > 0", name="gives_something"),
        CheckConstraint("n_sent >= 0", name="counts_from_zero"),
        CheckConstraint("(paid_at IS NULL) = (payment_id IS NULL)", name="paid_by_a_payment"),
        CheckConstraint("(paid_at IS NULL) = (code_hash IS NULL)", name="paid_has_a_code"),
        CheckConstraint("(redeemed_at IS NULL) = (redeemed_by_id IS NULL)", name="redeemed_by_somebody"),
        CheckConstraint(
            "paid_at IS NOT NULL OR (sent_at IS NULL AND redeemed_at IS NULL AND returned_at IS NULL)",
            name="nothing_before_the_money",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    # Of the contribution that pays for it.
    reference: Mapped[str] = mapped_column(String(40), unique=True)
    # Whose contribution it is; known once it is paid.
    giver_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"), index=True)
    n_months: Mapped[int]
    n_cups: Mapped[int]
    # As the receiver reads it, and as the giver calls the receiver.
    from_name: Mapped[str | None] = mapped_column(String(LONGEST_NAME))
    receiver_name: Mapped[str | None] = mapped_column(String(LONGEST_NAME))
    message: Mapped[str | None] = mapped_column(String(LONGEST_MESSAGE))
    # Canonical. Empty, as `send_at`, where the giver hands it over.
    receiver_email: Mapped[str | None] = mapped_column(String(254))
    # When the mail is to leave.
    send_at: Mapped[datetime | None] = mapped_column(index=True)
    # The language of mail and card.
    locale: Mapped[str] = mapped_column(String(2))
    # Random; and the HMAC of the code, by which it is found.
    nonce: Mapped[str] = mapped_column(String(64))
    code_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    # The payment, by the provider's id, and its moment.
    payment_id: Mapped[str | None] = mapped_column(String(255), unique=True)
    paid_at: Mapped[datetime | None]
    # When it was mailed first, and how often since.
    sent_at: Mapped[datetime | None]
    n_sent: Mapped[int] = mapped_column(default=0)
    redeemed_at: Mapped[datetime | None]
    redeemed_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"), index=True)
    # Since when the payment is wholly returned; emptied when it comes back.
    returned_at: Mapped[datetime | None]
    # When the giver was told that nobody redeemed it.
    reminded_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    @property
    def stage(self) -> Stage:
        """Where it stands."""
        return stage_of(
            paid_at=self.paid_at,
            send_at=self.send_at,
            sent_at=self.sent_at,
            redeemed_at=self.redeemed_at,
            returned_at=self.returned_at,
        )

    @property
    def delivery(self) -> Delivery:
        """To whom it goes, as last said."""
        return Delivery(
            from_name=self.from_name or "",
            receiver_name=self.receiver_name or "",
            message=self.message,
            email=self.receiver_email,
            send_at=self.send_at,
        )
