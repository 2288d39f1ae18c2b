"""The tables of the installation itself: what was found about it, what was counted, and where staff stepped in."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Date, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from membership.db import Model, append_only

ONE_OF_OUR_STREAMS = "stream IN ('charges', 'webhooks', 'mails', 'sign_ins', 'votes')"


class Examination(Model):
    """One row is one time that the worker examined the installation; rows are deleted after a day. Real time.

    `findings` are [{"code", "weight", "what", "why", "mend", "since"}, …] with sentences as `kernel.said.packed` keeps
    them; "since" is the moment (ISO) from which on every examination found the same.
    """

    __tablename__ = "examinations"

    id: Mapped[int] = mapped_column(primary_key=True)
    examined_at: Mapped[datetime] = mapped_column(index=True)
    took_ms: Mapped[int]
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)


class DailyCount(Model):
    """One row is how much of one stream came on one day of the newsroom. It changes until the day is over.

    `hours` holds one number for each hour of the day from its beginning (23 to 25 of them), None where nothing could
    come (no poll was open) or nobody counted. `n` is their sum; of charges, how many were heard of that fell due.
    """

    __tablename__ = "daily_counts"
    __table_args__ = (CheckConstraint(ONE_OF_OUR_STREAMS, name="known_stream"),)

    # A value of `rules.Stream`.
    stream: Mapped[str] = mapped_column(String(10), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    n: Mapped[int] = mapped_column(default=0)
    hours: Mapped[list[int | None]] = mapped_column(JSON, default=list)
    # Charges only: how many supports fell due, as it stood when the day began.
    n_expected: Mapped[int | None]
    # Votes only: how many had voted in each open poll (public id -> number) at `counted_at`.
    levels: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
    # Business time.
    counted_at: Mapped[datetime]


class Silence(Model):
    """One row is one time that something which should have come did not. Rows are kept.

    Suspected first; from `began_at` on (a second look said the same) owners are told; `ended_at`: it comes again.
    """

    __tablename__ = "silences"
    __table_args__ = (
        CheckConstraint(ONE_OF_OUR_STREAMS, name="known_stream"),
        CheckConstraint("ended_at IS NULL OR began_at IS NOT NULL", name="began_before_it_ended"),
        Index(
            "ix_silences_open",
            "stream",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    stream: Mapped[str] = mapped_column(String(10))
    # Real time, since two looks must lie apart whatever the clock of the business does.
    suspected_at: Mapped[datetime]
    # Business time.
    began_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    # What the last look saw, and what it had expected.
    n_seen: Mapped[int]
    n_expected: Mapped[int]


@append_only
class Intervention(Model):
    """One row is one notice or mail that staff had worked on again, or let be: who, why, and by which press of a
    button. Never changed.
    """

    __tablename__ = "interventions"
    __table_args__ = (
        CheckConstraint("kind IN ('notice_again', 'mail_again', 'mail_let_be')", name="known_kind"),
        UniqueConstraint("kind", "subject", "token"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(12))
    # The provider's id of the notice; our id of the mail.
    subject: Mapped[str] = mapped_column(String(255), index=True)
    token: Mapped[str] = mapped_column(String(60))
    actor: Mapped[str] = mapped_column(String(40))
    # In our own words, without personal data.
    reason: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime]
