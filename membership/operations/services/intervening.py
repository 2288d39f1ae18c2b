"""Staff step in where something hangs: a notice or a mail is worked on again, or let be; why, and once a press."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as insert_on_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_on_sqlite

from membership.accounts.models import Person
from membership.audit.services import record
from membership.billing import replaying
from membership.db import db, is_sqlite, transaction
from membership.kernel.errors import Conflict
from membership.mail import repairing
from membership.mail.models import OutboxMail
from membership.operations.models import Intervention

# Kind of an intervention -> what it is about and what was done, in the words of the audit log.
LOGGED_AS = {
    "notice_again": ("notice", "notice.replayed"),
    "mail_again": ("mail", "mail.sent_again"),
    "mail_let_be": ("mail", "mail.let_be"),
}
AT_ONCE = 500
"""So many are taken up by one press; where there are more, the page says so and asks for another."""


@dataclass(frozen=True, slots=True)
class Press:
    """One press of one button at the desk: `token` names it, `actor` is "staff:<public id>"; why, and when."""

    token: str
    reason: str
    actor: str
    at: datetime


def replay(event_id: str, press: Press) -> None:
    """Have one notice worked off again. Conflict `not_readable` where it names nothing that can be read."""
    with transaction("operations.replay"):
        if _note("notice_again", [event_id], press) and not replaying.reopen([event_id]):
            raise Conflict("not_readable", "This notice names nothing that could be read again.")


def replay_dead(until: datetime, press: Press) -> int:
    """Have the notices worked off again that were given up until a moment, at most AT_ONCE; how many."""
    with transaction("operations.replay_dead"):
        event_ids = replaying.list_dead(until, AT_ONCE)
        _note("notice_again", event_ids, press)
        return len(replaying.reopen(event_ids))


def send_again(outbox_id: int, press: Press) -> None:
    """Have one mail tried again. Conflict `not_stuck` where it left, was dropped, or its address is not known."""
    with transaction("operations.send_again"):
        if _note("mail_again", [str(outbox_id)], press) and not repairing.try_again([outbox_id]):
            raise Conflict("not_stuck", "This mail does not wait to leave.")


def send_dead_again(until: datetime, press: Press) -> int:
    """Have the mails tried again that were given up until a moment, at most AT_ONCE; how many."""
    with transaction("operations.send_dead_again"):
        ids = repairing.list_dead(until, AT_ONCE)
        _note("mail_again", [str(each) for each in ids], press)
        return len(repairing.try_again(ids))


def let_be(outbox_id: int, press: Press) -> None:
    """Let one mail be. Conflict `not_stuck` where it left or is leaving at this moment."""
    with transaction("operations.let_be"):
        if _note("mail_let_be", [str(outbox_id)], press) and not repairing.let_be(outbox_id, press.at):
            raise Conflict("not_stuck", "This mail does not wait to leave.")


def _note(kind: str, subjects: Collection[str], press: Press) -> int:
    """Write down who did it and why; how many of them this press had not written down before."""
    insert = insert_on_sqlite if is_sqlite() else insert_on_postgresql
    same = {"kind": kind, "token": press.token, "actor": press.actor, "reason": press.reason[:200], "at": press.at}
    rows = [same | {"subject": subject} for subject in subjects]
    if not rows:
        return 0
    statement = insert(Intervention).on_conflict_do_nothing().returning(Intervention.id)
    n_new = len(db.session.scalars(statement, rows).all())
    if n_new:
        thing, action = LOGGED_AS[kind]
        subject = (thing, next(iter(subjects))) if len(subjects) == 1 else (f"{thing}s", "many")
        about = _addressee(subject[1]) if thing == "mail" and len(subjects) == 1 else None
        record(action, subject, actor=press.actor, about=about, reason=press.reason, after={"n": n_new})
    return n_new


def _addressee(outbox_id: str) -> str | None:
    """The public id of whom a mail is to, so that the reason goes when they are erased; None where nobody has it."""
    to = select(OutboxMail.to_address).where(OutboxMail.id == int(outbox_id)).scalar_subquery()
    return db.session.scalar(select(Person.public_id).where(Person.email == to))
