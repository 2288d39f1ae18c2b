"""Another address of mail: proved by a code, told to both, undone from the old one for seven days."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import delete, or_, select, update
from sqlalchemy.exc import IntegrityError

from membership.accounts.models import AddressChange, AddressProof, Person, Session
from membership.accounts.services.desk import staff_name
from membership.accounts.services.merging import merge
from membership.accounts.services.people import note
from membership.accounts.services.proving import lock_person, try_code
from membership.audit.services import record
from membership.db import db, hint, transaction
from membership.kernel import clock
from membership.kernel.errors import Conflict, InvalidInput, NotFound, ProviderFailed
from membership.mail import services as mail
from membership.web.tokens import read_signed, signed

UNDO_FOR = timedelta(days=7)
PURPOSE = "accounts.undo_address"
TELL_AT_A_TIME = 50
# How long the offer to put two accounts together stands after the code was typed.
OFFER_LIFE = timedelta(minutes=10)
JOIN_REASON = "The member proved both addresses."
UNDO_REASON = "The member took this address back."


@dataclass(frozen=True, slots=True)
class Changed:
    """What came of a typed code. `other_id`: somebody else has that address; the two may be put together."""

    email: str
    proof_id: int
    other_id: int | None = None


def change_address(person_id: int, code: str, session_row_id: int | None) -> Changed:
    """Make the address that the code was sent to this person's own; all sessions but `session_row_id` end.

    Where another person has it, nothing changes and the answer names them: the code shows that both are the same
    reader, so the member may put both accounts together. Raises as `proving.try_code` does. Of two who take one
    address at the same time the database lets one win.
    """
    proof = try_code(person_id, "change", code)
    proof_id, email = proof.id, proof.email
    while True:
        other_id = _find_other(email, person_id)
        if other_id is not None:
            return Changed(email, proof_id, other_id)
        try:
            _change(person_id, email, session_row_id)
        except IntegrityError:  # somebody took it in this very moment: the next look finds them
            continue
        return Changed(email, proof_id)


def _find_other(email: str, person_id: int) -> int | None:
    db.session.rollback()
    return db.session.scalar(select(Person.id).where(Person.email == email, Person.id != person_id))


def _change(person_id: int, email: str, session_row_id: int | None) -> None:
    with transaction("accounts.change_address"):
        person = lock_person(person_id)
        if email != person.email:
            _move(person, email, session_row_id)


def _move(person: Person, email: str, session_row_id: int | None) -> None:
    at, old = clock.real_now(), person.email
    person.email, person.email_proved_at = email, clock.now()
    change = AddressChange(person_id=person.id, old_email=old, new_email=email, changed_at=at, undo_until=at + UNDO_FOR)
    db.session.add(change)
    db.session.flush()
    db.session.execute(delete(Session).where(Session.person_id == person.id, Session.id != (session_row_id or 0)))
    note(person.id, "address_changed", clock.now(), actor="member")
    _record(person, "address.changed")
    for to, what in ((old, "old"), (email, "new")):
        mail.send("accounts/address_changed", to, person.locale, {"change_id": change.id, "what": what})
    hint("accounts.follow_addresses")


def _record(person: Person, action: str) -> None:
    if person.role is not None:  # whoever has this address signs in, on the way to the desk
        record(action, ("person", person.public_id), actor=staff_name(person), after={"fields": ["email"]})


# Two accounts of one reader -----------------------------------------------------------------------------


def find_offer(person_id: int, proof_id: int) -> Person:
    """The other person whose address this one has just proved; NotFound `no_offer` where nothing stands any more."""
    proof = db.session.get(AddressProof, proof_id)
    fits = (
        proof is not None
        and (proof.person_id, proof.purpose) == (person_id, "change")
        and proof.used_at is not None
        and clock.real_now() < proof.used_at + OFFER_LIFE
    )
    other = db.session.scalar(select(Person).where(Person.email == proof.email)) if fits and proof else None
    if other is None or other.id == person_id:
        raise NotFound("no_offer", "This offer is over. Type the address once more.")
    return other


def join_accounts(person_id: int, proof_id: int, session_row_id: int | None, at: datetime) -> None:
    """Put the account whose address was proved into this person's own, which gets that address.

    Raises as `find_offer` and `merging.merge` do. Cannot be undone.
    """
    with transaction("accounts.join"):
        other = find_offer(person_id, proof_id)
        email = other.email
        merge(other.id, person_id, JOIN_REASON, "member", at, is_told=False)
        _move(lock_person(person_id), email, session_row_id)


# Taking it back -----------------------------------------------------------------------------------------


def undo_token(change: AddressChange) -> str:
    """What stands in the link to the old address; good until `undo_until`."""
    left = change.undo_until - clock.real_now()
    return signed(PURPOSE, _names(change), max(0, int(left.total_seconds())))


def _names(change: AddressChange) -> list[int | str]:
    """Which change it is: SQLite gives the number of a row that is gone to another."""
    return [change.id, change.person_id, change.changed_at.isoformat()]


def read_undo(token: str) -> AddressChange:
    """The change of a link; NotFound `undo_over` for one that is not ours, too old, or already undone."""
    try:
        names = read_signed(PURPOSE, token)
    except InvalidInput as error:
        raise NotFound("undo_over", "This link does not undo anything any more.") from error
    change = db.session.get(AddressChange, names[0]) if isinstance(names, list) else None
    is_other = change is None or _names(change) != names
    is_over = change is None or change.undone_at is not None or change.undo_until <= clock.real_now()
    if change is None or is_other or is_over or change.old_email is None:
        raise NotFound("undo_over", "This link does not undo anything any more.")
    return change


def undo_change(token: str) -> str:
    """Give the old address back to its owner, whatever was changed since; everybody is signed out. The address.

    Whoever has it by now and never proved it (a payment under an address makes such a person) becomes one with the
    owner. NotFound as `read_undo`; Conflict `address_taken` where another has proved it, `person_gone`, and as
    `merging.merge`.
    """
    try:
        with transaction("accounts.undo_address"):
            change = read_undo(token)
            _take_in(change)
            person = lock_person(change.person_id)
            db.session.refresh(change)
            old = read_undo(token).old_email or ""
            _restore(person, old, change.id)
    except IntegrityError as error:
        raise Conflict("address_taken", "Somebody else uses this address by now.") from error
    return old


def _take_in(change: AddressChange) -> None:
    # Before the person is locked: a merge locks contributions first, as everybody does.
    at_old = (Person.email == change.old_email) & Person.email_proved_at.is_(None) & (Person.id != change.person_id)
    unproved_id = db.session.scalar(select(Person.id).where(at_old))
    if unproved_id is not None:
        now = clock.now()
        merge(unproved_id, change.person_id, UNDO_REASON, "member", now, is_told=False, is_given_back=True)


def _restore(person: Person, old: str, change_id: int) -> None:
    at, lost = clock.real_now(), person.email
    person.email = old
    db.session.flush()
    later = (AddressChange.person_id == person.id) & (AddressChange.id >= change_id)
    db.session.execute(update(AddressChange).where(later).values(undone_at=at, told_at=None))
    db.session.execute(delete(Session).where(Session.person_id == person.id))
    note(person.id, "address_restored", clock.now(), actor="member")
    _record(person, "address.restored")
    for to in {old, lost}:
        mail.send("accounts/address_changed", to, person.locale, {"change_id": change_id, "what": "restored"})
    hint("accounts.follow_addresses")


# What follows -------------------------------------------------------------------------------------------


def tell_followers(now: datetime) -> int:
    """Give other companies the address as it is now; how many changes were told. Not inside a transaction."""
    del now
    rows = db.session.scalars(
        select(AddressChange).where(AddressChange.told_at.is_(None)).order_by(AddressChange.id).limit(TELL_AT_A_TIME)
    ).all()
    todo = [(row.id, row.person_id, row.undone_at) for row in rows]
    return sum(_tell(change_id, person_id, undone_at) for change_id, person_id, undone_at in todo)


def _tell(change_id: int, person_id: int, undone_at: datetime | None) -> bool:
    followers: Iterable[Callable[[int, str, str], None]] = current_app.extensions["membership.address_followers"]
    person = db.session.get(Person, person_id, populate_existing=True)
    email = "" if person is None or person.is_gone else person.email
    try:
        for follower in followers if email else ():
            follower(person_id, email, f"address:{change_id}:{'undone' if undone_at else 'changed'}")
    except ProviderFailed:  # the next sweep asks again, with the same key
        return False
    same = AddressChange.undone_at.is_not_distinct_from(undone_at)
    with transaction("accounts.address_told"):
        told = update(AddressChange).where(AddressChange.id == change_id, same).values(told_at=clock.real_now())
        db.session.execute(told)
    return True


def forget_changes(real_now: datetime) -> None:
    """Empty the addresses of changes that can no longer be undone."""
    old = (AddressChange.undo_until <= real_now) & or_(
        AddressChange.old_email.is_not(None), AddressChange.new_email.is_not(None)
    )
    with transaction("accounts.forget_changes"):
        db.session.execute(update(AddressChange).where(old).values(old_email=None, new_email=None))
