"""Notices that are to be worked off once more, because somebody says so: by the drain, as if they had just come.

A notice means "this thing may have changed": its object is read again at the provider and booked, which changes nothing
where all is booked already. So a replay is safe at any time and any number of times, also after its body was emptied.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, select, update

from membership.billing.models import InboxEvent
from membership.billing.port import ObjectKind
from membership.db import db, hint, transaction
from membership.kernel import clock


def is_readable() -> ColumnElement[bool]:
    """Whether a notice names something that can be read again; one of a type that we never listened to may not."""
    return InboxEvent.object_kind.in_([kind.value for kind in ObjectKind]) & (InboxEvent.object_id != "")


def reopen(event_ids: Collection[str]) -> list[str]:
    """Let the worker take these notices up at once, with all of their tries before them; joins the transaction.

    Returns the ids of those that it will; the others name nothing that can be read. What is known of their last failure
    stays until the outcome is known.
    """
    with transaction("billing.reopen"):
        taken = db.session.scalars(
            update(InboxEvent)
            .where(InboxEvent.id.in_(event_ids), is_readable())
            .values(state="received", next_try_at=clock.real_now(), done_at=None, n_tries=0, n_faults=0)
            .returning(InboxEvent.id),
            execution_options={"synchronize_session": False},
        ).all()
        if taken:
            hint("billing.drain")
    return list(taken)


def list_dead(until: datetime, limit: int) -> list[str]:
    """Ids of notices that were given up until a moment (business time) and can be read again, oldest first."""
    dead = (InboxEvent.state == "dead") & (InboxEvent.done_at <= until) & is_readable()
    return list(db.session.scalars(select(InboxEvent.id).where(dead).order_by(InboxEvent.received_at).limit(limit)))
