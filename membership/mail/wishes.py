"""What one person wants of mails, and what becomes of their mails when they merge with another or leave."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.dialects.postgresql import insert as insert_on_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_on_sqlite

from membership.db import db, is_sqlite, transaction
from membership.mail.catalogue import About
from membership.mail.models import DROPPED, OPEN, MailStop, OutboxMail


def choose(person_id: int, unwanted: Collection[About]) -> None:
    """From now on this person gets all sorts of mail but these; ValueError for what nobody can stop."""
    if About.ALWAYS in unwanted:
        raise ValueError("Mails about money and sign-in cannot be stopped.")
    with transaction("mail.choose"):
        db.session.execute(delete(MailStop).where(MailStop.person_id == person_id))
        for about in unwanted:
            _stop(person_id, about.value)


def _stop(person_id: int, about: str) -> None:
    row = {"person_id": person_id, "about": about}
    insert = insert_on_sqlite if is_sqlite() else insert_on_postgresql
    db.session.execute(insert(MailStop).values(**row).on_conflict_do_nothing())


def hand_over(from_id: int, into_id: int, old_address: str, new_address: str) -> None:
    """Two people are one: what either had stopped stays stopped, and what waits to leave goes to the one address.

    The old one is free for anybody from now on, so that mails that have left do not name it any more.
    """
    with transaction("mail.hand_over"):
        stopped = db.session.scalars(delete(MailStop).where(MailStop.person_id == from_id).returning(MailStop.about))
        for about in stopped.all():
            _stop(into_id, about)
        waiting = update(OutboxMail).where(OutboxMail.to_address == old_address, OutboxMail.state.in_(OPEN))
        unsynchronised = {"synchronize_session": False}
        db.session.execute(waiting.values(to_address=new_address), execution_options=unsynchronised)
        if new_address != old_address:
            left = update(OutboxMail).where(OutboxMail.to_address == old_address, OutboxMail.done_at.is_not(None))
            db.session.execute(left.values(to_address=None), execution_options=unsynchronised)


def rename_once(old_key: str, new_key: str) -> None:
    """What was told to one of two people who are one counts as told to the other, if they had no such mail."""
    known = select(OutboxMail.id).where(OutboxMail.once_key == new_key)
    with transaction("mail.rename_once"):
        if db.session.scalar(known) is None:
            db.session.execute(update(OutboxMail).where(OutboxMail.once_key == old_key).values(once_key=new_key))


def forget_address(address: str, at: datetime) -> None:
    """Empty an address in the outbox, and drop what waits to leave for it: its owner is to be forgotten."""
    with transaction("mail.forget_address"):
        _forget(OutboxMail.to_address == address, at)


def forget_about(arg: str, row_ids: Collection[int], at: datetime) -> None:
    """Empty the address, whosever it is, in mails about these rows (`arg` names them), and drop what waits of them."""
    with transaction("mail.forget_about"):
        _forget(_is_about(arg, row_ids), at)


def _is_about(arg: str, row_ids: Collection[int]) -> ColumnElement[bool]:
    known: ColumnElement[int] = OutboxMail.args[arg].as_integer()
    return known.in_(row_ids)


def _forget(mine: ColumnElement[bool], at: datetime) -> None:
    unsynchronised = {"synchronize_session": False}
    dropped = update(OutboxMail).where(mine, OutboxMail.state.in_(OPEN))
    ended = {"state": DROPPED, "done_at": at, "lease_until": None, "fence": OutboxMail.fence + 1}
    db.session.execute(dropped.values(**ended), execution_options=unsynchronised)
    db.session.execute(update(OutboxMail).where(mine).values(to_address=None), execution_options=unsynchronised)


def forget_sent(arg: str, row_ids: Collection[int]) -> None:
    """Empty the address in mails about these rows that have left, as their 30 days would; what waits still leaves."""
    done = update(OutboxMail).where(_is_about(arg, row_ids), OutboxMail.done_at.is_not(None))
    with transaction("mail.forget_sent"):
        db.session.execute(done.values(to_address=None), execution_options={"synchronize_session": False})


def forget_person(person_id: int) -> None:
    """Delete what a person had chosen about mails."""
    with transaction("mail.forget_person"):
        db.session.execute(delete(MailStop).where(MailStop.person_id == person_id))
