"""How much of each stream came in a span of time, counted in the rows themselves; for the roll-up only.

Spans are of business time [begin, end). Rows that keep real time are counted in the same span of real time, so that the
demo's clock may run ahead.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select

from membership.accounts.models import SignInRequest
from membership.billing.models import InboxEvent, Payment
from membership.contributions.models import Contribution
from membership.contributions.rules import State
from membership.db import db
from membership.kernel import clock
from membership.kernel.rhythm import Rhythm
from membership.mail.models import SENT, OutboxMail
from membership.operations.rules import Stream
from membership.polls.models import Poll
from membership.polls.queries import turnouts

# Rows of sign-in requests are deleted after a day; what was before that is not known, and not zero.
KNOWN_FOR: dict[Stream, timedelta] = {Stream.SIGN_INS: timedelta(hours=22)}
# First payments of new supports are no renewals; a support that is younger than this has none.
YOUNG = timedelta(days=7)


def _webhooks(begin: datetime, end: datetime) -> int:
    """Notices that were delivered; those that we fetched ourselves would hide that none is."""
    came = (InboxEvent.received_at >= _real(begin)) & (InboxEvent.received_at < _real(end))
    return _count(InboxEvent.id, came & InboxEvent.is_swept.is_(False))


def _mails(begin: datetime, end: datetime) -> int:
    """Mails that left, but for broadcasts, which go to thousands at once and then to nobody for weeks."""
    left = (OutboxMail.done_at >= begin) & (OutboxMail.done_at < end) & (OutboxMail.state == SENT)
    return _count(OutboxMail.id, left & OutboxMail.is_bulk.is_(False))


def _sign_ins(begin: datetime, end: datetime) -> int:
    """Mailed links and codes that were used."""
    used = (SignInRequest.used_at >= _real(begin)) & (SignInRequest.used_at < _real(end))
    return _count(SignInRequest.id, used)


def _real(at: datetime) -> datetime:
    return at - (clock.now() - clock.real_now())


def _count(column: object, condition: ColumnElement[bool]) -> int:
    return db.session.scalar(select(func.count(column)).where(condition)) or 0  # type: ignore[arg-type]  # any column


HOURLY: dict[Stream, Callable[[datetime, datetime], int]] = {
    Stream.WEBHOOKS: _webhooks,
    Stream.MAILS: _mails,
    Stream.SIGN_INS: _sign_ins,
}


def count_unheard(begin: datetime, end: datetime) -> int:
    """Supports whose next charge falls due in that span, as we know them now. Once word of the charge has come, paid or
    refused, the next one is another; so of a span that is over, these are those of which nobody said anything.
    """
    running = Contribution.state.in_((State.ACTIVE, State.PAST_DUE)) & (Contribution.way == "card")
    due = (Contribution.next_payment_at >= begin) & (Contribution.next_payment_at < end)
    return _count(Contribution.id, running & due)


def count_renewals(begin: datetime, end: datetime) -> int:
    """Charges of running supports that were paid in that span."""
    paid = (Payment.paid_at >= begin) & (Payment.paid_at < end) & (Payment.rhythm != Rhythm.ONCE)
    of_old = (Contribution.reference == Payment.reference) & (Contribution.created_at < begin - YOUNG)
    statement = select(func.count(Payment.id)).join(Contribution, of_old)
    return db.session.scalar(statement.where(paid, Payment.way == "card")) or 0


def count_votes(known: dict[str, int]) -> dict[str, int]:
    """How many have voted in every poll that is open, and in those of `known`; by the poll's id, as text."""
    ids = set(db.session.scalars(select(Poll.id).where(Poll.state == "open"))) | {int(each) for each in known}
    existing = set(db.session.scalars(select(Poll.id).where(Poll.id.in_(ids))))
    return {str(poll_id): turnout.n_voted for poll_id, turnout in turnouts(existing).items()}


def list_open_spans(since: datetime) -> list[tuple[datetime, datetime]]:
    """From when to when ballots were or are taken, of every poll that was not over before `since`."""
    running = Poll.state.in_(("open", "closed")) & (Poll.closes_at > since)
    return [(begin, end) for begin, end in db.session.execute(select(Poll.opens_at, Poll.closes_at).where(running))]
