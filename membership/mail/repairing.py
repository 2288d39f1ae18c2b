"""Mails that did not leave: tried once more, or let be, because somebody says so."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select, update

from membership.db import db, hint, transaction
from membership.kernel import clock
from membership.mail.models import DEAD, DROPPED, WAITING, OutboxMail

LET_BE = "Let be by our staff."
HINTS_AT_MOST = 20


def try_again(outbox_ids: Collection[int]) -> list[int]:
    """Let these leave as soon as can be, with all of their tries before them; joins the transaction.

    For mails that were given up or wait for their next try. Returns the ids of those that will be tried; the others
    have left, were dropped, are being sent at this moment, or nobody knows any more to whom they were to go.
    """
    stuck = OutboxMail.state.in_((DEAD, WAITING)) & OutboxMail.to_address.is_not(None)
    with transaction("mail.try_again"):
        taken = db.session.scalars(
            update(OutboxMail)
            .where(OutboxMail.id.in_(outbox_ids), stuck)
            .values(state=WAITING, attempts=0, n_unanswered=0, next_try_at=clock.real_now(), done_at=None)
            .returning(OutboxMail.id),
            execution_options={"synchronize_session": False},
        ).all()
        for outbox_id in taken[:HINTS_AT_MOST]:
            hint("mail.deliver", outbox_id)
    return list(taken)


def let_be(outbox_id: int, at: datetime) -> bool:
    """It shall not leave any more; False where it has left, was dropped, or is being sent at this moment."""
    stuck = OutboxMail.state.in_((DEAD, WAITING))
    ended = {"state": DROPPED, "done_at": at, "last_error": LET_BE, "fence": OutboxMail.fence + 1}
    with transaction("mail.let_be"):
        statement = update(OutboxMail).where(OutboxMail.id == outbox_id, stuck).values(**ended)
        return db.session.scalar(statement.returning(OutboxMail.id)) is not None


def list_dead(until: datetime, limit: int) -> list[int]:
    """Ids of mails that were given up until a moment (business time) and whose address is still known, oldest first."""
    dead = (OutboxMail.state == DEAD) & (OutboxMail.done_at <= until) & OutboxMail.to_address.is_not(None)
    return list(db.session.scalars(select(OutboxMail.id).where(dead).order_by(OutboxMail.id).limit(limit)))
