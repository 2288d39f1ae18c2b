"""Ending support at the provider, at once and without another charge: written down by whoever learnt that it must
end (a lost dispute, a first debit that bounced, the second of two supports), done by the worker until it is seen.
"""

from datetime import datetime

import structlog
from sqlalchemy import select

from membership.billing import asks
from membership.contributions.models import Contribution
from membership.contributions.rules import State
from membership.contributions.rules.failing import UNPAID_LASTS
from membership.db import db, transaction
from membership.kernel.errors import Conflict, ProviderFailed

log = structlog.get_logger(__name__)

AT_A_TIME = 50


def stop_due(now: datetime) -> int:
    """End every support that is to be over; how many were looked at. The reading that follows says that it is."""
    _give_up_unpaid(now)
    query = select(Contribution.id).where(Contribution.stop_asked_at.is_not(None))
    ids = db.session.scalars(query.order_by(Contribution.stop_asked_at).limit(AT_A_TIME)).all()
    for contribution_id in ids:
        stop(contribution_id)
    return len(ids)


def stop(contribution_id: int) -> bool:
    """Ask the provider to end one support now; True once it has said that it is over."""
    row = db.session.get_one(Contribution, contribution_id, populate_existing=True)
    subscription_id, reference, asked_at = row.subscription_id, row.reference, row.stop_asked_at
    if asked_at is None:
        return True
    try:
        if subscription_id is not None:
            asks.cancel_now(subscription_id, f"stop:{reference}:{asked_at.isoformat()}")
    except ProviderFailed as failed:
        log.warning("stop_still_open", reference=reference, code=failed.code)
        return False
    except Conflict as error:  # it is over already, or gone there
        log.info("stop_not_needed", reference=reference, code=error.code)
    with transaction("contributions.stopped"):
        row = db.session.get_one(Contribution, contribution_id, populate_existing=True, with_for_update=True)
        row.stop_asked_at = None
    return True


def _give_up_unpaid(now: datetime) -> None:
    """What the provider keeps as unpaid, and nobody paid for a month, is ended there, too."""
    with transaction("contributions.give_up_unpaid"):
        rows = db.session.scalars(
            select(Contribution)
            .where(
                Contribution.state == State.LAPSED,
                Contribution.ends_at.is_(None),
                Contribution.stop_asked_at.is_(None),
                Contribution.subscription_id.is_not(None),
                Contribution.state_at < now - UNPAID_LASTS,
            )
            .limit(AT_A_TIME)
        )
        for row in rows:
            row.stop_asked_at = now
