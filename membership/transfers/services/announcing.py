"""A reader says that money will come: the code, the mail with it, one reminder. Nobody is thanked for it yet."""

from datetime import datetime

from sqlalchemy import select

from membership.accounts import services as accounts
from membership.accounts.rules import mailbox
from membership.contributions.models import Contribution
from membership.contributions.services.declaring import Gift, declare, give_up
from membership.db import db, transaction
from membership.kernel import clock, ids
from membership.kernel.errors import Conflict
from membership.kernel.rhythm import Rhythm
from membership.mail import services as mail
from membership.newsroom.queries import newsroom
from membership.transfers.models import Declaration
from membership.transfers.queries import count_awaited, list_over, list_to_remind
from membership.transfers.rules import codes
from membership.transfers.rules.waiting import MOST_OPEN, WAIT_FOR
from membership.web import settings


def announce(gift: Gift, rhythm: Rhythm, form_token: str, at: datetime) -> str:
    """Write down that `gift` will come, and mail its code; the reference of its contribution, for the page of it.

    The same gift under the same token again (a double click) is the same announcement, and is mailed once. `rhythm`
    is what the giver means to set up at their bank; it promises nothing. Conflict `many_announced` where the money of
    MOST_OPEN others from this mailbox is still waited for.
    """
    with transaction("transfers.announce"):
        contribution = declare(gift, form_token, at)
        known = select(Declaration).where(Declaration.contribution_id == contribution.id)
        row = db.session.scalar(known)
        if row is None:
            row = _new(contribution, rhythm, at)
            if contribution.person_id is not None:
                details = {"minor": contribution.charge_minor, "currency": contribution.currency, "way": gift.way}
                accounts.note(contribution.person_id, "transfer_announced", at, details, actor="member")
        mail.send(
            "transfers/announced",
            contribution.email,
            contribution.locale,
            {"declaration_id": row.id},
            once_key=f"transfers.announced:{row.id}",
        )
        return contribution.reference


def _new(contribution: Contribution, rhythm: Rhythm, at: datetime) -> Declaration:
    digest = _digest(contribution.email)
    if count_awaited(digest, at) >= MOST_OPEN:
        raise Conflict("many_announced", f"{MOST_OPEN} announcements of this mailbox are still open.")
    body = codes.new_body()
    # One in 900 million, and the table grows for years.
    while db.session.scalar(select(Declaration.id).where(Declaration.body == body)) is not None:
        body = codes.new_body()
    row = Declaration(
        contribution_id=contribution.id,
        prefix=codes.prefix_of(newsroom().name),
        body=body,
        rhythm=rhythm.value,
        created_at=at,
        lapses_at=at + WAIT_FOR,
        mailbox_digest=digest,
    )
    db.session.add(row)
    db.session.flush()
    return row


def _digest(email: str) -> str:
    return ids.keyed_digest(settings().secret_key.get_secret_value(), "announcing mailbox", mailbox(email))


def withdraw(declaration_id: int, _person_id: int = 0) -> None:
    """The giver changed their mind: no reminder, off the desk's list. Money that comes is booked all the same."""
    _set_withdrawn(declaration_id, clock.now())


def announce_again(declaration_id: int, _person_id: int = 0) -> None:
    """It comes after all. Once its time is over this changes nothing: then it is announced anew."""
    _set_withdrawn(declaration_id, None)


def _set_withdrawn(declaration_id: int, at: datetime | None) -> None:
    with transaction("transfers.withdraw"):
        row = db.session.get(Declaration, declaration_id, with_for_update=True)
        if row is not None:
            row.withdrawn_at = at


def lapse(now: datetime) -> int:
    """Close what was announced and did not come in its time; how many. Nobody is mailed."""
    over = list_over(now)
    give_up(over, now)
    return len(over)


def remind(now: datetime) -> int:
    """Mail everybody whose money has not come for 14 days, once; how many."""
    due = list_to_remind(now)
    for declaration_id in due:
        with transaction("transfers.remind"):
            row = db.session.get(Declaration, declaration_id, with_for_update=True)
            if row is None or row.reminded_at is not None:
                continue
            contribution = db.session.get_one(Contribution, row.contribution_id)
            if not contribution.is_unpaid:
                continue
            row.reminded_at = now
            mail.send(
                "transfers/reminder",
                contribution.email,
                contribution.locale,
                {"declaration_id": row.id},
                once_key=f"transfers.reminder:{row.id}",
            )
    return len(due)
