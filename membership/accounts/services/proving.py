"""A code to an address, for somebody who is signed in: to take the address as theirs, or before something that
cannot be undone. The code exists in the mail alone; its ten minutes run on real time.
"""

import hmac
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import func, select, update

from membership.accounts.models import AddressProof, Person
from membership.accounts.rules import CODE_DIGITS, MOST_TRIES, REQUEST_LIFE
from membership.db import db, transaction
from membership.kernel import clock, ids
from membership.kernel.errors import Conflict, InvalidInput
from membership.mail import services as mail
from membership.web import settings

Purpose = Literal["change", "erase"]


@dataclass(frozen=True, slots=True)
class Proof:
    """A code that leaves with the mail now, and what it is for."""

    purpose: Purpose
    code: str


def ask_proof(person_id: int, purpose: Purpose, email: str, locale: str) -> None:
    """Have a code mailed to `email` (canonical); codes asked for earlier for this purpose are dead from now on.

    Does exactly the same for an address that somebody else has.
    """
    at = clock.real_now()
    with transaction("accounts.ask_proof"):
        proof = AddressProof(
            person_id=person_id, purpose=purpose, email=email, n_tries=0, asked_at=at, expires_at=at + REQUEST_LIFE
        )
        db.session.add(proof)
        db.session.flush()
        mail.send("accounts/prove", email, locale, {"proof_id": proof.id})


def issue_proof(proof_id: int) -> Proof | None:
    """Make the code of a proof, for the mail that leaves now; None where it can no longer be used."""
    with transaction("accounts.issue_proof"):
        proof = db.session.get(AddressProof, proof_id, populate_existing=True, with_for_update=True)
        if proof is None or proof.used_at is not None or proof.expires_at <= clock.real_now():
            return None
        code = ids.new_code(CODE_DIGITS)
        proof.code_hash = _code_hash(proof.id, code)
        return Proof("erase" if proof.purpose == "erase" else "change", code)


def try_code(person_id: int, purpose: Purpose, code: str) -> AddressProof:
    """Take a code that fits, once; a try is counted, and committed, before it is looked at. Not inside a transaction.

    Raises InvalidInput `code_wrong` (with the tries left) and Conflict `code_dead` where nothing can be typed any more.
    """
    with transaction("accounts.try_code"):
        proof = _count_try(person_id, purpose)
        n_left = MOST_TRIES - proof.n_tries if proof is not None else 0
    if proof is not None and hmac.compare_digest(proof.code_hash or "", _code_hash(proof.id, code)):
        return _use(proof.id)
    if n_left == 0:
        raise Conflict("code_dead", "No code can be typed here any more.")
    raise InvalidInput("code_wrong", "This is not the code from the mail.", field="code", n_left=n_left)


def _use(proof_id: int) -> AddressProof:
    """The proof, used up; one of many who type the same code wins."""
    used = (
        update(AddressProof)
        .where(AddressProof.id == proof_id, AddressProof.used_at.is_(None))
        .values(used_at=clock.real_now())
        .returning(AddressProof)
    )
    with transaction("accounts.use_proof"):
        proof = db.session.scalar(used, execution_options={"populate_existing": True, "synchronize_session": False})
    if proof is None:
        raise Conflict("code_dead", "No code can be typed here any more.")
    return proof


def lock_person(person_id: int) -> Person:
    """The person, with nobody else changing who they are until the end of the transaction; Conflict `person_gone`."""
    person = db.session.get(Person, person_id, populate_existing=True, with_for_update=True)
    if person is None or person.is_gone:
        raise Conflict("person_gone", "This account is no longer there.")
    return person


def _count_try(person_id: int, purpose: Purpose) -> AddressProof | None:
    """The newest proof of this person and purpose, with one more try counted; None where no try is left."""
    mine = (AddressProof.person_id == person_id) & (AddressProof.purpose == purpose)
    newest = select(func.max(AddressProof.id)).where(mine).scalar_subquery()
    is_open = AddressProof.used_at.is_(None) & (AddressProof.expires_at > clock.real_now())
    statement = (
        update(AddressProof)
        .where(AddressProof.id == newest, is_open, AddressProof.n_tries < MOST_TRIES)
        .values(n_tries=AddressProof.n_tries + 1)
        .returning(AddressProof)
    )
    return db.session.scalar(statement, execution_options={"populate_existing": True, "synchronize_session": False})


def _code_hash(proof_id: int, code: str) -> str:
    return ids.keyed_digest(settings().secret_key.get_secret_value(), "address proof", str(proof_id), code)
