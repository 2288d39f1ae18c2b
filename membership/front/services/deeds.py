"""What is done for one person of a run, and how it is taken back: by the same use cases as one by one, inside the
transaction of the step.
"""

from datetime import datetime

from membership.accounts.models import Person
from membership.accounts.services.inviting import send_way_in
from membership.db import db
from membership.front.models import Run, RunItem
from membership.front.rules.runs import LeftOut, What
from membership.front.services import tagging
from membership.kernel.errors import Conflict
from membership.patrons import services as patrons


def do(run: Run, item: RunItem, now: datetime) -> None:
    """Do it, or say on the item why not."""
    person = db.session.get_one(Person, item.person_id, populate_existing=True)
    why = LeftOut.GONE if person.disabled_at is not None else _do(run, item, now)
    item.state, item.why = ("left_out", why.value) if why else ("done", None)


def _do(run: Run, item: RunItem, now: datetime) -> LeftOut | None:
    token, reason = f"{run.public_id}-{item.id}", run.reason or ""
    match What(run.kind):
        case What.COMP:
            if run.until is None or run.until <= now:
                return LeftOut.LATE
            item.made_ref = patrons.grant_comp(
                item.person_id, run.until, token, reason=reason, actor=run.actor, at=now, is_bulk=True
            )
        case What.TAG:
            return None if tagging.put_on(item.person_id, run.tag_id or 0, now) else LeftOut.HAS
        case What.UNTAG:
            return None if tagging.take_off(item.person_id, run.tag_id or 0) else LeftOut.LACKS
        case What.WAY_IN:
            send_way_in(item.person_id, token, reason=reason, actor=run.actor, at=now, is_bulk=True)
    return None


def take_back(run: Run, item: RunItem, now: datetime) -> None:
    """Take it back, as far as it is still there."""
    match What(run.kind):
        case What.COMP:
            _revoke(run, item, now)
        case What.TAG:
            tagging.take_off(item.person_id, run.tag_id or 0)
        case What.UNTAG:
            tagging.put_on(item.person_id, run.tag_id or 0, now)
        case What.WAY_IN:
            raise Conflict("run_not_undoable", "A mail cannot be taken back.")
    item.state = "undone"


def _revoke(run: Run, item: RunItem, now: datetime) -> None:
    try:
        patrons.revoke_comp(
            item.person_id, item.made_ref or "", reason=run.reason or "", actor=run.undo_actor or run.actor, at=now,
            is_bulk=True,
        )  # fmt: skip
    except Conflict:  # over by now, or taken back one by one: there is nothing left to take back
        return
