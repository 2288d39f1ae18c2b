"""Two people turn out to be one: everything of the first goes to the second, and the first is an empty shell.

It cannot be undone. Each room moves its own rows (`wiring.MERGERS`), in one transaction with this one.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from flask import current_app
from sqlalchemy import delete, select, update

from membership.accounts.models import (
    AddressChange,
    AddressProof,
    Erasure,
    Person,
    Session,
    SignInRequest,
    StaffMember,
    TimelineEntry,
)
from membership.accounts.services.erasing import refuse_while_undoable
from membership.accounts.services.people import note
from membership.audit.services import record
from membership.db import db, transaction
from membership.kernel.errors import Conflict, InvalidInput
from membership.kernel.words import one_line
from membership.mail import services as mail
from membership.mail import wishes
from membership.mail.rules import NOBODY

LONGEST_REASON = 200

Merger = Callable[[int, int, datetime], None]


def merge(
    from_id: int,
    into_id: int,
    reason: str,
    actor: str,
    at: datetime,
    *,
    is_told: bool = True,
    is_given_back: bool = False,
) -> None:
    """Make two people one: `into_id` has everything from now on, and `from_id` is nobody any more. Both addresses
    are told, if `is_told`. `is_given_back`: `into_id` is about to get the address of `from_id` back by an undo, so
    that undo is no reason to wait, and mails for that address still go there.

    Raises InvalidInput `reason_missing`; Conflict `merge_same`, `merge_gone` (erased, being erased, or merged
    already), `merge_staff` (the first one works here), `address_is_new` (an earlier owner of the address of either may
    still take it back), and what a room cannot settle: `merge_both_voted`, `merge_loses_vote`. Then nothing has
    happened.
    """
    reason = clean_reason(reason)
    mergers: Sequence[Merger] = current_app.extensions["membership.mergers"]
    with transaction("accounts.merge"):
        check_merge(from_id, into_id, is_given_back=is_given_back)
        for merger in mergers:
            merger(from_id, into_id, at)
        # Whoever came at the same time has been waited for by now: look again at what is true.
        check_merge(from_id, into_id, is_given_back=is_given_back)
        old = _close(from_id, into_id, at, is_given_back=is_given_back)
        if is_told:
            _tell(into_id, old)
        note(into_id, "merged", at, {"reason": reason}, actor)
        names = {person_id: db.session.get_one(Person, person_id).public_id for person_id in (from_id, into_id)}
        record("person.merged", ("person", names[into_id]), actor=actor, reason=reason, before={"from": names[from_id]})


def clean_reason(text: str) -> str:
    """Why staff do something, in one line of 1 to 200 characters; InvalidInput `reason_missing`."""
    reason = one_line(text)
    if not 1 <= len(reason) <= LONGEST_REASON:
        raise InvalidInput("reason_missing", "Give a reason of at most 200 characters.", field="reason")
    return reason


def check_merge(from_id: int, into_id: int, *, is_given_back: bool = False) -> tuple[Person, Person]:
    """The two people, where the first can be put into the second; raises as `merge` does."""
    if from_id == into_id:
        raise Conflict("merge_same", "This is one and the same person already.")
    rows = select(Person).where(Person.id.in_((from_id, into_id)))
    people = {row.id: row for row in db.session.scalars(rows, execution_options={"populate_existing": True})}
    if len(people) < 2 or any(person.is_gone for person in people.values()):  # noqa: PLR2004 - both
        raise Conflict("merge_gone", "One of the two is no longer there.")
    if db.session.scalar(select(Erasure.person_id).where(Erasure.person_id.in_((from_id, into_id))).limit(1)):
        raise Conflict("merge_gone", "One of the two is being deleted.")
    if db.session.get(StaffMember, from_id) is not None:
        raise Conflict("merge_staff", "This person works here. Merge the other way round, or take them off the staff.")
    refuse_while_undoable(from_id, *(() if is_given_back else (into_id,)))
    return people[from_id], people[into_id]


def _close(from_id: int, into_id: int, at: datetime, *, is_given_back: bool) -> str:
    """Hand over what accounts know of the first one, and empty it; the address that is free now."""
    loser, winner = db.session.get_one(Person, from_id), db.session.get_one(Person, into_id)
    unsynchronised = {"synchronize_session": False}
    lines = update(TimelineEntry).where(TimelineEntry.person_id == from_id).values(person_id=into_id)
    shells = update(Person).where(Person.merged_into_id == from_id).values(merged_into_id=into_id)
    for moved in (lines, shells):
        db.session.execute(moved, execution_options=unsynchronised)
    for model in (Session, AddressProof, AddressChange):
        db.session.execute(delete(model).where(model.person_id == from_id), execution_options=unsynchronised)
    db.session.execute(
        delete(SignInRequest).where(SignInRequest.email == loser.email), execution_options=unsynchronised
    )
    old = loser.email
    wishes.hand_over(from_id, into_id, old, old if is_given_back else winner.email)
    winner.public_name = winner.public_name or loser.public_name
    winner.created_at = min(winner.created_at, loser.created_at)
    loser.email, loser.public_name, loser.email_proved_at = f"merged-{from_id}{NOBODY}", None, None
    loser.disabled_at, loser.merged_into_id = loser.disabled_at or at, into_id
    db.session.flush()
    return old


def _tell(into_id: int, old: str) -> None:
    winner = db.session.get_one(Person, into_id)
    for to, is_freed in ((winner.email, 0), (old, 1)):
        mail.send("accounts/merged", to, winner.locale, {"person_id": into_id, "is_freed": is_freed})


def survivor(person_id: int) -> Person:
    """Who somebody is now: the person with this id, or the one that they turned out to be in the end."""
    person = db.session.get_one(Person, person_id)
    while person.merged_into_id is not None:
        person = db.session.get_one(Person, person.merged_into_id)
    return person
