"""Who has two live supports is asked about them, also where the flag that one of them carries is of a third, long over.

The first payment of a support flags it (`hearing.trouble.note_second`); what becomes of the others afterwards (one
ends, one comes back, two people turn out to be one) is looked after here, with all rows of the person locked.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import case, func, select
from sqlalchemy.orm import aliased

from membership.contributions.models import Contribution
from membership.contributions.rules import LIVE
from membership.contributions.services.hearing.trouble import send_mail
from membership.db import db, transaction


def list_unasked() -> Sequence[tuple[int, int]]:
    """Person and number of live supports, where more than one of these names no other live one as that it is beside."""
    other = aliased(Contribution)
    is_flagged = (
        select(other.id)
        .where(other.reference == Contribution.second_of, other.person_id == Contribution.person_id)
        .where(other.state.in_(LIVE))
        .exists()
    )
    n_live, n_flagged = func.count(), func.sum(case((is_flagged, 1), else_=0))
    query = (
        select(Contribution.person_id, n_live)
        .where(Contribution.state.in_(LIVE), Contribution.person_id.is_not(None), Contribution.way == "card")
        .group_by(Contribution.person_id)
        .having(n_live - n_flagged > 1)
    )
    return [(person_id, n) for person_id, n in db.session.execute(query) if person_id is not None]


def flag_seconds(now: datetime) -> int:
    """Flag and ask about whatever is not flagged; how many people."""
    people = [person_id for person_id, _ in list_unasked()]
    for person_id in people:
        with transaction("contributions.flag_seconds"):
            flag(person_id, now)
    return len(people)


def flag(person_id: int, at: datetime) -> None:
    """Let every live support of a person but one name another live one, the nearest that was begun before it; whoever
    is flagged anew is asked which to keep. Joins the transaction.
    """
    del at
    query = select(Contribution).where(Contribution.person_id == person_id).where(Contribution.way == "card")
    rows = db.session.scalars(
        query.order_by(Contribution.id).with_for_update(), execution_options={"populate_existing": True}
    ).all()
    live = sorted((row for row in rows if row.state in LIVE), key=lambda row: (row.created_at, row.id))
    known = {row.reference for row in live}
    unflagged = [row for row in live if row.second_of not in known]
    for row in unflagged[1:]:
        before = live[live.index(row) - 1]
        once_key = f"second:{row.reference}" + (f":{before.reference}" if row.second_of else "")
        row.second_of = before.reference
        send_mail(row, "second_support", once_key)
