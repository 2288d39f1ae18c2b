"""What every use case of corrections is made of: the locked row, one event, the audit log; in a transaction."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import select, text

from membership.accounts.queries import find_staff_name
from membership.audit.services import record
from membership.corrections.models import CorrectionEvent, CorrectionPassage
from membership.corrections.rules import State, may_become
from membership.db import db, is_sqlite
from membership.kernel.errors import Conflict, NotFound

# The name of PostgreSQL's lock under which reports of one article take turns; any number that nobody else uses.
ARTICLE_LOCK = 7_406_010


def locked(passage_id: int) -> CorrectionPassage:
    """The passage, with nobody else changing it until the end of the transaction; NotFound if there is none."""
    passage = db.session.get(CorrectionPassage, passage_id, populate_existing=True, with_for_update=True)
    if passage is None:
        raise NotFound("no_correction", "There is no such report.")
    return passage


def locked_all(passage_ids: Collection[int]) -> dict[int, CorrectionPassage]:
    """These passages by their ids, locked in the order in which everybody locks them."""
    statement = select(CorrectionPassage).where(CorrectionPassage.id.in_(passage_ids)).order_by(CorrectionPassage.id)
    rows = db.session.scalars(statement.with_for_update(), execution_options={"populate_existing": True})
    return {passage.id: passage for passage in rows}


def hold_article(article_key: str) -> None:
    """Let no other report of this article be sorted in until the end of the transaction, so that two that come at once
    find each other. Taken before any row is locked. On SQLite only one transaction writes anyway.
    """
    if not is_sqlite():
        db.session.execute(
            text("SELECT pg_advisory_xact_lock(:name, hashtext(:key))"), {"name": ARTICLE_LOCK, "key": article_key}
        )


def moved(passage: CorrectionPassage) -> Conflict:
    """What somebody is told who decides about a passage that is decided already."""
    return Conflict(
        "correction_moved",
        "Somebody has decided about this in the meantime. Look at it again.",
        state=passage.state,
    )


def move(passage: CorrectionPassage, state: State, at: datetime, actor: int | None, **details: Any) -> CorrectionEvent:
    """Take a (locked) passage to another state and write it down; Conflict `correction_moved` where that is no way."""
    if not may_become(State(passage.state), state):
        raise moved(passage)
    before, passage.state, passage.state_at = passage.state, state.value, at
    if state is not State.DUPLICATE:
        passage.duplicate_of_id = None
    return write_down(passage, state.value, at, actor, before=before, **details)


def write_down(
    passage: CorrectionPassage, kind: str, at: datetime, actor: int | None, before: str | None = None, **details: Any
) -> CorrectionEvent:
    """One step of a passage, with its id, also in the audit log where `actor` is on the staff: ids only, no words."""
    event = CorrectionEvent(passage_id=passage.id, at=at, kind=kind, details=details, actor_id=actor)
    db.session.add(event)
    db.session.flush()
    name = find_staff_name(actor)
    if name is not None:
        was = None if before is None else {"state": before}
        record(
            f"correction.{kind}", ("correction", passage.public_id), actor=name, before=was,
            after={"event": event.id} | details,
        )  # fmt: skip
    return event
