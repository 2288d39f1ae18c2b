"""The tables of the outbox and of what is on its way into it."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from membership.db import Model

WAITING, SENDING, SENT, DROPPED, DEAD = "waiting", "sending", "sent", "dropped", "dead"
OPEN = (WAITING, SENDING)
DONE = (SENT, DROPPED, DEAD)


class OutboxMail(Model):
    """One row is one mail to one person, written in the transaction that gave the reason for it.

    It changes only as it is delivered: waiting -> sending (leased) -> sent, dropped (no longer wanted when
    it was its turn) or dead (given up; `last_error` says why). It holds no text: that is written when the
    mail leaves. Moments of delivery are real time, since the mail server's clock does not move with ours
    (decision 1).
    """

    __tablename__ = "outbox_mails"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'sending', 'sent', 'dropped', 'dead')", name="known_state"),
        CheckConstraint("attempts >= 0 AND n_unanswered >= 0", name="counts_from_zero"),
        CheckConstraint("(done_at IS NULL) = (state IN ('waiting', 'sending'))", name="done_has_its_moment"),
        Index(None, "state", "is_bulk", "next_try_at"),
        Index(None, "tried_at"),
        Index(None, "done_at"),
        Index(None, "state", "id"),
        Index(None, "kind", "id"),
        Index(None, "to_address", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    # The name in `mail.catalogue`, such as "contributions/receipt".
    kind: Mapped[str] = mapped_column(String(80))
    # Emptied 30 days after the mail is done (decision 13).
    to_address: Mapped[str | None] = mapped_column(String(320))
    locale: Mapped[str] = mapped_column(String(8))
    # Ids only, never a name or an address.
    args: Mapped[dict[str, Any]] = mapped_column(JSON)
    # What may cause one mail only, such as "receipt:17".
    once_key: Mapped[str | None] = mapped_column(String(200), unique=True)
    state: Mapped[str] = mapped_column(String(16), default=WAITING)
    # One of many of a broadcast: it gives way to every mail that somebody is waiting for.
    is_bulk: Mapped[bool] = mapped_column(default=False, server_default=false())
    # How often it was leased for delivery, including attempts that died on the way.
    attempts: Mapped[int] = mapped_column(default=0)
    # How often the server took the whole mail and never said whether it accepts it.
    n_unanswered: Mapped[int] = mapped_column(default=0)
    # Real time: not to be tried before this.
    next_try_at: Mapped[datetime]
    # Real time: until then the attempt numbered `fence` owns the row.
    lease_until: Mapped[datetime | None]
    fence: Mapped[int] = mapped_column(default=0)
    # Real time: when the last attempt ended; `failure` is its kind (see rules.Failure), NULL if it went well.
    tried_at: Mapped[datetime | None]
    failure: Mapped[str | None] = mapped_column(String(16))
    # One sentence without personal data.
    last_error: Mapped[str | None] = mapped_column(String(300))
    # Business time.
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    message_id: Mapped[str | None] = mapped_column(String(200))


class Broadcast(Model):
    """One row is one piece of news on its way to the people of one source of an audience, written in the
    transaction that gave the reason for it. It changes only as `services.spread` walks on: the cursor moves in
    the transaction that writes the mails up to it. Moments are business time.
    """

    __tablename__ = "broadcasts"
    __table_args__ = (
        UniqueConstraint("once_key", "source"),
        CheckConstraint("after_person_id >= 0 AND n_people >= 0", name="counts_from_zero"),
        Index(None, "done_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    # A name in `wiring.AUDIENCES`, and the name of one of its functions.
    audience: Mapped[str] = mapped_column(String(80))
    source: Mapped[str] = mapped_column(String(80))
    # The mail, by its name in `mail.catalogue`.
    kind: Mapped[str] = mapped_column(String(80))
    # Ids only; every mail gets them and "person_id".
    args: Mapped[dict[str, Any]] = mapped_column(JSON)
    # What may be told once only, such as "poll-opened:3"; a person's mail has "poll-opened:3:<person's id>".
    once_key: Mapped[str] = mapped_column(String(170))
    # Everybody up to this id has their mail.
    after_person_id: Mapped[int] = mapped_column(default=0)
    # How many people the walk has met, among them those who had the same news by another source already.
    n_people: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    # When the walk had met everybody; NULL until then.
    done_at: Mapped[datetime | None]


class MailStop(Model):
    """One row is one kind of mail that one person does not want, whatever it is about. Wanting it again deletes it."""

    __tablename__ = "mail_stops"

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    # A `catalogue.About` that can be stopped.
    about: Mapped[str] = mapped_column(String(12), primary_key=True)
