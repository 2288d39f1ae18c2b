"""Tables of what was counted: how often each variant of an appeal was seen and used, hour by hour. Of nobody."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from membership.db import Model


class AppealCount(Model):
    """One row is how often one thing happened with one variant of an appeal in one article, in one hour or day (UTC).

    It grows while its hour lasts. After 60 days the hours of a day become one row. The appeal stands by its name, not
    as a foreign key, as browsers tell it.
    """

    __tablename__ = "appeal_counts"
    __table_args__ = (
        UniqueConstraint(
            "starts_at", "n_hours", "article_key", "appeal", "variant", "event", name="uq_appeal_counts_of"
        ),
        CheckConstraint("n_hours IN (1, 24)", name="hour_or_day"),
        CheckConstraint("event IN ('view', 'withheld', 'click', 'close', 'already')", name="known_event"),
        CheckConstraint("n > 0", name="counts_something"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    # Business time, in UTC: when the hour or the day begins; and how long it is.
    starts_at: Mapped[datetime]
    n_hours: Mapped[int]
    # The key of the article (`kernel.places`); "" where it is on none of our sites, or beyond the most we tell apart.
    article_key: Mapped[str] = mapped_column(String(1000))
    # The public id of the appeal and the key of its variant: "a" to "d", or "-" for who is shown nothing.
    appeal: Mapped[str] = mapped_column(String(40), index=True)
    variant: Mapped[str] = mapped_column(String(1))
    # A `rules.batches.Event`.
    event: Mapped[str] = mapped_column(String(8))
    # Where only a share of views is told, each stands for as many as it weighs.
    n: Mapped[int] = mapped_column(BigInteger)


class AppealBatch(Model):
    """One row is one batch that was counted, so that it is not counted again. Deleted after two days."""

    __tablename__ = "appeal_batches"

    # Drawn by the browser for this one batch; it says nothing of who sent it.
    batch_id: Mapped[str] = mapped_column(String(22), primary_key=True)
    # Real time.
    received_at: Mapped[datetime] = mapped_column(index=True)
