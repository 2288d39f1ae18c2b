"""Pairs of supports of one person, as their givers can still choose between them."""

from sqlalchemy import select

from membership.contributions.models import Contribution
from membership.contributions.services import doubling
from membership.db import db


def open_pairs() -> list[tuple[str, str]]:
    """The references of the older and the newer one, the oldest pair first."""
    db.session.rollback()
    flagged = select(Contribution.reference).where(Contribution.second_of.is_not(None))
    found = [doubling.find_choice(each) for each in db.session.scalars(flagged.order_by(Contribution.created_at)).all()]
    return [(pair.older.reference, pair.newer.reference) for pair in found if pair is not None and pair.is_open]
