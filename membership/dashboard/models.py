"""The tables of the dashboard: sums of days, what is to be summed anew, exchange rates, who stayed.

Nothing here is the truth of anything but the rates and what is frozen: every sum can be worked out again from the rows
of the rooms below (`membership rollups rebuild`), and is proven equal to them (`membership rollups check`).
"""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from membership.db import Model, append_only

CURRENCY = String(3)


class DaySum(Model):
    """One row: what one measure came to on one day of the newsroom's calendar, in one currency and one dimension.

    Replaced as a whole when a row is heard of that belongs to that day. A day without a row had nothing.
    """

    __tablename__ = "day_sums"

    # A name that a source in `sources/` gives, such as "movements".
    measure: Mapped[str] = mapped_column(String(24), primary_key=True)
    day_on: Mapped[date] = mapped_column(primary_key=True)
    # Empty where no money is counted.
    currency: Mapped[str] = mapped_column(CURRENCY, primary_key=True)
    # What the measure is split by, such as "new" or "once:card"; empty where it is not split.
    dim: Mapped[str] = mapped_column(String(300), primary_key=True)
    # How many, and how much: minor units of `currency`, or what the measure says.
    n: Mapped[int] = mapped_column(BigInteger)
    amount: Mapped[int] = mapped_column(BigInteger)
    # `amount` in minor units of the reporting currency at the day's rate; NULL where there is none, or no money.
    reporting_minor: Mapped[int | None] = mapped_column(BigInteger)


class StaleDay(Model):
    """One row: a day that one source has to sum anew. Deleted in the transaction that did so."""

    __tablename__ = "stale_days"

    source: Mapped[str] = mapped_column(String(24), primary_key=True)
    day_on: Mapped[date] = mapped_column(primary_key=True)


class RollupMark(Model):
    """One row per source: how far its rows were looked at. Changed with each look.

    Numbers are given out before rows are committed, so a lower one may appear after a higher one. Whatever is above
    `sure_id` is looked at again; `sure_id` follows to what had been seen when the last row before it can no longer be
    on its way.
    """

    __tablename__ = "rollup_marks"

    source: Mapped[str] = mapped_column(String(24), primary_key=True)
    sure_id: Mapped[int] = mapped_column(BigInteger, default=0)
    seen_id: Mapped[int] = mapped_column(BigInteger, default=0)
    # Real time, when `seen_id` was the newest.
    seen_at: Mapped[datetime]
    # The newest at the last look, and how many rows lay from `sure_id` up to it then.
    last_id: Mapped[int] = mapped_column(BigInteger, default=0)
    n_looked_at: Mapped[int] = mapped_column(BigInteger, default=0)


class RollupState(Model):
    """The one row (id 1) that says up to which moment of business time days are summed, and by which settings."""

    __tablename__ = "rollup_state"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    rolled_to: Mapped[datetime]
    zone: Mapped[str] = mapped_column(String(64))
    reporting: Mapped[str] = mapped_column(CURRENCY)
    # The newest exchange rate that was known then.
    rate_id: Mapped[int] = mapped_column(BigInteger, default=0)
    # Real time, when no day was left to be summed; NULL before the first time.
    summed_at: Mapped[datetime | None]


class ExchangeRate(Model):
    """One row: what one unit of `base` cost in `currency` on a day, by one source. A second import of the same day
    may correct it; days that are frozen already stay as they are.
    """

    __tablename__ = "exchange_rates"
    __table_args__ = (
        UniqueConstraint("source", "quoted_on", "base", "currency"),
        CheckConstraint("source IN ('ecb', 'nbu', 'csv', 'manual')", name="known_source"),
        CheckConstraint("base <> currency", name="two_currencies"),
        Index(None, "quoted_on"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(String(8))
    quoted_on: Mapped[date]
    base: Mapped[str] = mapped_column(CURRENCY)
    currency: Mapped[str] = mapped_column(CURRENCY)
    # An exact decimal number, as it was published.
    rate: Mapped[str] = mapped_column(String(32))


@append_only
class FrozenRate(Model):
    """One row: what one unit of `currency` is worth in the `reporting` currency on one day. Never changed, so that
    a month that is over keeps its numbers whatever is imported later.
    """

    __tablename__ = "frozen_rates"

    day_on: Mapped[date] = mapped_column(primary_key=True)
    currency: Mapped[str] = mapped_column(CURRENCY, primary_key=True)
    reporting: Mapped[str] = mapped_column(CURRENCY, primary_key=True)
    rate: Mapped[str] = mapped_column(String(32))
    source: Mapped[str] = mapped_column(String(8))
    quoted_on: Mapped[date]


@append_only
class FrozenStay(Model):
    """One row: of the people on the roll of one poll, how many voted and how many did not, and how many of each were
    patrons some time after its close. Counted once, at that time, and never changed. Of a group of fewer than
    `polls.rules.FEW` people nothing is kept. Nobody's name and nobody's choice has to do with it.
    """

    __tablename__ = "frozen_stays"
    __table_args__ = (
        CheckConstraint("(n_voters IS NULL) = (n_voters_stayed IS NULL)", name="voters_whole"),
        CheckConstraint("(n_others IS NULL) = (n_others_stayed IS NULL)", name="others_whole"),
        CheckConstraint("n_voters_stayed BETWEEN 0 AND n_voters", name="voters_within"),
        CheckConstraint("n_others_stayed BETWEEN 0 AND n_others", name="others_within"),
    )

    poll_id: Mapped[int] = mapped_column(ForeignKey("polls.id"), primary_key=True)
    # Business time: the moment at which they were patrons or were not, and when that was counted.
    stood_at: Mapped[datetime] = mapped_column(index=True)
    counted_at: Mapped[datetime]
    n_voters: Mapped[int | None]
    n_voters_stayed: Mapped[int | None]
    n_others: Mapped[int | None]
    n_others_stayed: Mapped[int | None]


class Picture(Model):
    """One row: a drawn picture under the hash of what it shows. Deleted when nobody has drawn it for a week."""

    __tablename__ = "pictures"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    svg: Mapped[str] = mapped_column(Text)
    # Real time.
    drawn_at: Mapped[datetime] = mapped_column(index=True)
