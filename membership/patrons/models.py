"""Tables of membership: grants of coverage, the spans worked out from them, grace, movements."""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, SmallInteger, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from membership.db import Model, append_only_but


class CoverageGrant(Model):
    """One cause of coverage of one person. Written once; only `revoked_at` is set later, and cleared again
    when the money comes back (a dispute won).
    """

    __tablename__ = "coverage_grants"
    __table_args__ = (
        CheckConstraint("(n_months IS NULL) <> (starts_at IS NULL)", name="period_or_length"),
        CheckConstraint("(starts_at IS NULL) = (ends_at IS NULL)", name="whole_period"),
        CheckConstraint("ends_at > starts_at", name="period_not_empty"),
        CheckConstraint("n_months > 0", name="length_positive"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    cause: Mapped[str] = mapped_column(String(8), doc="A `rules.Cause`")
    cause_ref: Mapped[str] = mapped_column(String(300), unique=True, doc="What granted it, such as payment:17")
    paid_at: Mapped[datetime]
    starts_at: Mapped[datetime | None] = mapped_column(doc="Start of a fixed period")
    ends_at: Mapped[datetime | None] = mapped_column(doc="End of a fixed period, exclusive")
    n_months: Mapped[int | None] = mapped_column(doc="Length in months, where there is no fixed period")
    revoked_at: Mapped[datetime | None]


class CoverageSpan(Model):
    """A stretch `[starts_at, ends_at)` in which a person is covered: `rules.place` of the grants, kept so that
    patrons can be counted without working everybody out. Replaced as a whole whenever a grant changes.
    """

    __tablename__ = "coverage_spans"
    __table_args__ = (
        Index("ix_coverage_spans_ends_starts_person", "ends_at", "starts_at", "person_id"),
        # Who is covered now, and until when: found without looking at ten years of what is over.
        Index("ix_coverage_spans_person_id_ends_at", "person_id", "ends_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    grant_id: Mapped[int] = mapped_column(ForeignKey("coverage_grants.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]


class Grace(Model):
    """Time that a person keeps while a failed renewal is retried. One row per contribution and failure;
    `closed_at` is set when the money came or the retries ended.
    """

    __tablename__ = "graces"
    __table_args__ = (UniqueConstraint("reference", "opened_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    reference: Mapped[str] = mapped_column(String(40), doc="The contribution whose renewal failed")
    opened_at: Mapped[datetime]
    until: Mapped[datetime]
    closed_at: Mapped[datetime | None]


@append_only_but("person_id")
class PatronChange(Model):
    """One row: in `[starts_at, ends_at)` somebody counts as a patron (+1) or no longer does (-1), as we learnt with the
    money or the news that it was written with. Never changes, but for whose it is.

    All rows of a person added up are the time that their coverage and graces make them a patron: 1 in it, 0 outside.
    So patrons of any day can be counted from what was added lately, without looking at everybody.
    """

    __tablename__ = "patron_changes"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="not_empty"),
        CheckConstraint("delta <> 0", name="changes_something"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    starts_at: Mapped[datetime] = mapped_column(index=True)
    ends_at: Mapped[datetime] = mapped_column(index=True)
    delta: Mapped[int] = mapped_column(SmallInteger)
    cohort_on: Mapped[date] = mapped_column(doc="First day of the month since which they are a patron, as known then")


@append_only_but("person_id")
class Movement(Model):
    """One change of recurring income, written in the transaction that learnt of it. Never changes, but for whose it
    is, where two people turn out to be one.

    `yearly_delta_minor` is per year, so that monthly and yearly gifts add up in whole minor units; the monthly
    figure of a dashboard is a twelfth of the sum. `milli_cups_delta` is the same change in cups a month, in
    thousandths of the cup's price when it was promised, without fees that the giver covers.
    """

    __tablename__ = "movements"
    __table_args__ = (Index("ix_movements_person_id_at", "person_id", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    reference: Mapped[str] = mapped_column(String(40), index=True, doc="The contribution that moved")
    kind: Mapped[str] = mapped_column(String(8), doc="A `rules.MovementKind`")
    at: Mapped[datetime] = mapped_column(index=True)
    yearly_delta_minor: Mapped[int] = mapped_column(BigInteger)
    milli_cups_delta: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    cause: Mapped[str] = mapped_column(
        String(8), default="", server_default=text("''"), doc="Of what is lost: a `rules.Loss`"
    )
    currency: Mapped[str] = mapped_column(String(3))
