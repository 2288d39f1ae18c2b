"""Passkeys as a second factor of staff (WebAuthn level 2): the device must know its owner by finger, face or code.

What the browser sends is believed only if it answers a question that was put to this very session, once, within five
minutes, from our own origin. Keys are kept with their public half; attestation is not asked for.
"""

import base64
import hashlib
import json
from datetime import timedelta
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from membership.accounts.models import Passkey, PasskeyChallenge, Person
from membership.accounts.queries.factors import has_factor, passkey_ids_of
from membership.accounts.services.desk import close_desks, staff_name
from membership.accounts.services.factors import keep_a_factor, new_codes, write_down
from membership.accounts.services.proving import lock_person
from membership.audit.services import record
from membership.db import db, transaction
from membership.kernel import clock
from membership.kernel.errors import InvalidInput, NotFound
from membership.kernel.words import one_line
from membership.newsroom.queries import newsroom
from membership.web import settings

Purpose = Literal["add", "show"]
QUESTION_LIFE = timedelta(minutes=5)
LONGEST_NAME = 60
LARGEST_ANSWER = 32 * 1024


def are_possible() -> bool:
    """Whether browsers make passkeys for this site: they do not where its address is a number, as the demo's is."""
    try:
        ip_address(_site().strip("[]"))
    except ValueError:
        return True
    return False


def offer_new(person: Person, session_id: int) -> str:
    """The question "make a passkey", as JSON for the browser's `parseCreationOptionsFromJSON`."""
    options = generate_registration_options(
        rp_id=_site(),
        rp_name=newsroom().name,
        user_id=person.public_id.encode(),
        user_name=person.email,
        exclude_credentials=_known(person.id),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
    )
    _remember(options.challenge, session_id, "add")
    return options_to_json(options)


def add(person_id: int, session_id: int, answer: str, name: str) -> list[str] | None:
    """Keep the passkey that the browser made, under a `name` of its owner's.

    With the first factor come recovery codes, to be shown once; None where there are some already. InvalidInput
    `passkey_wrong` for whatever does not answer our question, `name_missing`.
    """
    name = one_line(name)[:LONGEST_NAME]
    if not name:
        raise InvalidInput("name_missing", "Give this passkey a name.", field="name")
    made = _verify_new(answer, _take_challenge(answer, session_id, "add"))
    try:
        with transaction("accounts.add_passkey"):
            person = lock_person(person_id)
            is_first = not has_factor(person_id)
            key = Passkey(
                person_id=person_id,
                id_hash=_digest(made.credential_id),
                credential_id=made.credential_id,
                public_key=made.credential_public_key,
                sign_count=made.sign_count,
                name=name,
                added_at=clock.real_now(),
            )
            db.session.add(key)
            close_desks(person_id, but=session_id)
            db.session.flush()
            write_down(person, "passkey_added", after={"passkey": key.id})
            return new_codes(person) if is_first else None
    except IntegrityError as error:
        raise InvalidInput("passkey_wrong", "This passkey is known already.") from error


def offer_show(person_id: int, session_id: int) -> str | None:
    """The question "show one of your passkeys", as JSON for `parseRequestOptionsFromJSON`; None where there is none."""
    known = _known(person_id)
    if not known or not are_possible():
        return None
    options = generate_authentication_options(
        rp_id=_site(), allow_credentials=known, user_verification=UserVerificationRequirement.REQUIRED
    )
    _remember(options.challenge, session_id, "show")
    return options_to_json(options)


def show(person_id: int, session_id: int, answer: str) -> None:
    """Take a passkey of this person as shown; InvalidInput `passkey_wrong` for what does not answer our question."""
    challenge = _take_challenge(answer, session_id, "show")
    with transaction("accounts.show_passkey"):
        person = db.session.get_one(Person, person_id)
        shown = _verify_shown(answer, challenge, _find(person_id, answer))
        if shown is not None:
            key, seen = shown
            key.sign_count, key.used_at = seen.new_sign_count, clock.real_now()
        else:
            record("factor.refused", ("person", person.public_id), actor=staff_name(person), after={"by": "passkey"})
    if shown is None:
        raise _wrong()


def remove(person_id: int, passkey_id: int, here: int | None = None) -> None:
    """Take a passkey away, and shut the desk everywhere but `here`; NotFound `no_passkey`, Conflict `last_factor` where
    nothing else would be left.
    """
    with transaction("accounts.remove_passkey"):
        person = lock_person(person_id)
        get_passkey(person_id, passkey_id)
        keep_a_factor(person_id)
        db.session.execute(delete(Passkey).where(Passkey.id == passkey_id))
        close_desks(person_id, but=here)
        write_down(person, "passkey_removed", before={"passkey": passkey_id})


def get_passkey(person_id: int, passkey_id: int) -> Passkey:
    """One passkey of this person; NotFound for anybody else's."""
    key = db.session.scalar(select(Passkey).where(Passkey.id == passkey_id, Passkey.person_id == person_id))
    if key is None:
        raise NotFound("no_passkey", "There is no such passkey.")
    return key


# Questions and answers ------------------------------------------------------------------------------------


def _remember(challenge: bytes, session_id: int, purpose: Purpose) -> None:
    with transaction("accounts.ask_passkey"):
        db.session.add(
            PasskeyChallenge(
                session_id=session_id,
                purpose=purpose,
                challenge_hash=_digest(challenge),
                expires_at=clock.real_now() + QUESTION_LIFE,
            )
        )


def _take_challenge(answer: str, session_id: int, purpose: Purpose) -> bytes:
    """The question that an answer names, if it was put to this session; it is used up, whatever the answer is worth."""
    challenge = _challenge_in(answer)
    mine = (PasskeyChallenge.session_id == session_id) & (PasskeyChallenge.purpose == purpose)
    taken = (
        delete(PasskeyChallenge)
        .where(mine, PasskeyChallenge.challenge_hash == _digest(challenge))
        .returning(PasskeyChallenge.expires_at)
    )
    with transaction("accounts.take_challenge"):
        expires_at = db.session.scalar(taken)
    if expires_at is None or expires_at <= clock.real_now():
        raise _wrong()
    return challenge


def _challenge_in(answer: str) -> bytes:
    """What the browser says that it was asked; the verification holds it against the signed bytes once more."""
    if len(answer) > LARGEST_ANSWER:
        raise _wrong()
    try:
        client_data = json.loads(_bytes_of(json.loads(answer)["response"]["clientDataJSON"]))
        return _bytes_of(client_data["challenge"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise _wrong() from error


def _verify_new(answer: str, challenge: bytes) -> VerifiedRegistration:
    try:
        return verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=_site(),
            expected_origin=settings().public_url,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, TypeError, KeyError) as error:
        raise _wrong() from error


def _verify_shown(answer: str, challenge: bytes, key: Passkey | None) -> tuple[Passkey, VerifiedAuthentication] | None:
    if key is None:
        return None
    try:
        seen = verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=_site(),
            expected_origin=settings().public_url,
            credential_public_key=key.public_key,
            credential_current_sign_count=key.sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, TypeError, KeyError):
        return None
    return key, seen


def _find(person_id: int, answer: str) -> Passkey | None:
    """The passkey that an answer names, if it is this person's; locked, so that no count is taken twice."""
    try:
        id_hash = _digest(_bytes_of(json.loads(answer)["rawId"]))
    except (ValueError, TypeError, KeyError):
        return None
    mine = (Passkey.person_id == person_id) & (Passkey.id_hash == id_hash)
    return db.session.scalar(select(Passkey).where(mine).with_for_update())


def _known(person_id: int) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=each) for each in passkey_ids_of(person_id)]


def _site() -> str:
    """The name to which passkeys belong (the "RP ID"): the host of PUBLIC_URL."""
    return urlsplit(settings().public_url).hostname or ""


def _bytes_of(text: str) -> bytes:
    """Base64url without padding, as browsers write it."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def _wrong() -> InvalidInput:
    return InvalidInput("passkey_wrong", "This passkey could not be taken. Nothing was done; please try again.")
