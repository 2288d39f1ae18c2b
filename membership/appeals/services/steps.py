"""What every use case of appeals is made of: the locked row, its variants, one event, the audit log."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from membership.accounts.queries import find_staff_name
from membership.appeals.models import Appeal, AppealEvent, AppealVariant
from membership.appeals.rules import Deed, State, Variant, may_become, may_change
from membership.audit.services import record
from membership.db import db
from membership.kernel.errors import Conflict, NotFound


def locked(appeal_id: int) -> Appeal:
    """The appeal, with nobody else changing it until the end of the transaction; NotFound if there is none."""
    appeal = db.session.get(Appeal, appeal_id, populate_existing=True, with_for_update=True)
    if appeal is None:
        raise NotFound("no_appeal", "There is no such appeal.")
    return appeal


def draft_at(appeal_id: int, version: int) -> Appeal:
    """The locked draft as somebody looked at it, in this version; Conflict where it is no draft or another one now."""
    appeal = locked(appeal_id)
    if not may_change(State(appeal.state)):
        raise Conflict(
            "appeal_is_fixed", "This appeal has been started: its words and rules stay as they are. Copy it instead."
        )
    if appeal.version != version:
        raise Conflict("appeal_changed", "Somebody else saved this appeal while you were looking at it.")
    return appeal


def move(appeal: Appeal, state: State, at: datetime) -> None:
    """Take a (locked) appeal to another state; Conflict `appeal_moved` where that is no way."""
    if not may_become(State(appeal.state), state):
        raise Conflict("appeal_moved", "That can no longer be done with this appeal. Look at it again.")
    appeal.state, appeal.state_at = state.value, at


def rows_of(appeal_id: int) -> Sequence[AppealVariant]:
    """The variants of an appeal, by their keys, as they stand now."""
    mine = select(AppealVariant).where(AppealVariant.appeal_id == appeal_id).order_by(AppealVariant.key)
    return db.session.scalars(mine, execution_options={"populate_existing": True}).all()


def new_row(appeal_id: int, variant: Variant) -> AppealVariant:
    """A row for a variant, in the session already."""
    row = AppealVariant(appeal_id=appeal_id, key=variant.key)
    fill(row, variant)
    db.session.add(row)
    return row


def fill(row: AppealVariant, variant: Variant) -> None:
    """Put the share and the words of a variant into its row."""
    row.weight, row.texts = variant.weight, {code: dict(words) for code, words in variant.texts.items()}


def write_down(
    appeal: Appeal, deed: Deed, at: datetime, actor: int | None, before: dict[str, Any] | None = None, **details: Any
) -> None:
    """One step of an appeal, also in the audit log where `actor` is on the staff: ids and names of fields, no words."""
    db.session.add(AppealEvent(appeal_id=appeal.id, at=at, kind=deed.value, details=details, actor_id=actor))
    db.session.flush()
    name = find_staff_name(actor)
    if name is not None:
        record(f"appeal.{deed.value}", ("appeal", appeal.public_id), actor=name, before=before,
               after={"version": appeal.version} | details)  # fmt: skip
