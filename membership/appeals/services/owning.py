"""Whose appeals they are, when two people turn out to be one: whoever worked here may have a second account."""

from datetime import datetime

from sqlalchemy import update

from membership.appeals.models import Appeal, AppealEvent
from membership.db import db, transaction


def merge(from_id: int, into_id: int, at: datetime) -> None:
    """Give what one person did at the desk of appeals to another."""
    del at
    made = update(Appeal).where(Appeal.created_by_id == from_id).values(created_by_id=into_id)
    done = update(AppealEvent).where(AppealEvent.actor_id == from_id).values(actor_id=into_id)
    with transaction("appeals.merge"):
        for statement in (made, done):
            db.session.execute(statement, execution_options={"synchronize_session": False})
