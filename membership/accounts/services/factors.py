"""The second factor of staff: six digits of an app (RFC 6238), and recovery codes. Passkeys stand beside it.

Every try is counted by the caller (`web.ratelimit`); every change is mailed to its owner and stands in the audit log.
"""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

import pyotp
from sqlalchemy import delete, update

from membership.accounts.models import Passkey, Person, RecoveryCode, TotpSecret
from membership.accounts.queries.factors import factors_of, has_factor
from membership.accounts.services.desk import close_desks, end_sessions, staff_name
from membership.accounts.services.proving import lock_person
from membership.audit.services import record
from membership.db import db, transaction
from membership.kernel import clock, ids
from membership.kernel.errors import Conflict, InvalidInput
from membership.mail import services as mail
from membership.newsroom.queries import newsroom
from membership.web.tokens import read_signed, seal, signed, unseal

APP = "app code"
STEP_SECONDS = 30
# A clock may be off by a step, and somebody types for a while.
STEPS_OFF = 1
SET_UP_SECONDS = 30 * 60
N_CODES = 10
# 16 of 32 letters and digits: 80 random bits. What is read as another letter is taken for it (Crockford's base 32).
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
MISREAD = str.maketrans("oil", "011")
CODE_LENGTH, GROUP = 16, 4


@dataclass(frozen=True, slots=True)
class AppSetUp:
    """An app that is to be set up: its secret as letters to type, as an address to scan, and as the form carries it."""

    secret: str
    uri: str
    sealed: str


def begin_app(person: Person) -> AppSetUp:
    """A new secret for somebody's app. Nothing is kept: it comes back, sealed, with the first code."""
    secret = pyotp.random_base32()
    uri = pyotp.TOTP(secret).provisioning_uri(name=person.email, issuer_name=newsroom().name)
    return AppSetUp(secret, uri, signed(APP, seal(APP, person.public_id, secret.encode()).hex(), SET_UP_SECONDS))


def continue_app(person: Person, sealed: str) -> AppSetUp:
    """The same one again, for a form that comes back with a mistake; InvalidInput for one that is too old."""
    secret = _secret_of_form(person, sealed)
    uri = pyotp.TOTP(secret).provisioning_uri(name=person.email, issuer_name=newsroom().name)
    return AppSetUp(secret, uri, sealed)


def set_app(person_id: int, sealed: str, code: str, here: int | None = None) -> list[str] | None:
    """Make the app whose `code` shows that it works somebody's second factor, in the place of any before. The desk
    stays open `here` (the id of a session's row) and nowhere else.

    With the first factor come recovery codes, to be shown once; None where there are some already. InvalidInput
    `code_wrong`, and `token_expired` for a form that was open for half an hour.
    """
    with transaction("accounts.set_app"):
        person = lock_person(person_id)
        secret = _secret_of_form(person, sealed)
        step = _step_of(secret, code)
        if step is None:
            raise _wrong_code()
        is_first, has_app = not has_factor(person_id), factors_of(person_id).app_set_at is not None
        row = db.session.get(TotpSecret, person_id) or TotpSecret(person_id=person_id)
        row.sealed, row.last_step = seal(APP, person.public_id, secret.encode()), step
        row.set_at = clock.real_now()
        db.session.add(row)
        close_desks(person_id, but=here)
        write_down(person, "app_set", before={"app": True} if has_app else None)
        return new_codes(person) if is_first else None


def remove_app(person_id: int, here: int | None = None) -> None:
    """Take the app away, and shut the desk everywhere but `here`; Conflict `last_factor` where nothing else would be
    left. None to take: nothing is done.
    """
    with transaction("accounts.remove_app"):
        person = lock_person(person_id)
        if db.session.get(TotpSecret, person_id) is None:
            return
        keep_a_factor(person_id)
        db.session.execute(delete(TotpSecret).where(TotpSecret.person_id == person_id))
        close_desks(person_id, but=here)
        write_down(person, "app_removed")


def show_app_code(person_id: int, code: str) -> None:
    """Take the six digits of somebody's app, once: neither they nor any earlier ones are taken again.

    InvalidInput `code_wrong` otherwise, also where the secret cannot be unsealed any more (SECRET_KEY was changed).
    """
    with transaction("accounts.show_app_code"):
        row = db.session.get(TotpSecret, person_id, populate_existing=True, with_for_update=True)
        person = db.session.get_one(Person, person_id)
        secret = unseal(APP, person.public_id, row.sealed) if row else None
        step = _step_of(secret.decode(), code) if secret else None
        is_right = row is not None and step is not None and step > row.last_step
        if is_right and row is not None and step is not None:
            row.last_step = step
        else:
            record("factor.refused", ("person", person.public_id), actor=staff_name(person), after={"by": "app"})
    if not is_right:
        raise _wrong_code()


def show_recovery_code(person_id: int, code: str) -> int:
    """Take a recovery code, once; how many are left. InvalidInput `code_wrong` for any other."""
    fits = (RecoveryCode.person_id == person_id) & (RecoveryCode.code_hash == ids.digest(plain_code(code)))
    with transaction("accounts.show_recovery_code"):
        person = db.session.get_one(Person, person_id)
        used = db.session.scalar(
            update(RecoveryCode)
            .where(fits, RecoveryCode.used_at.is_(None))
            .values(used_at=clock.real_now())
            .returning(RecoveryCode.id)
        )
        if used is None:
            record("factor.refused", ("person", person.public_id), actor=staff_name(person), after={"by": "recovery"})
        else:
            write_down(person, "code_used")
    if used is None:
        raise _wrong_code()
    return factors_of(person_id).n_codes


def make_codes(person_id: int, here: int | None = None) -> list[str]:
    """Ten new recovery codes, to be shown once; those before are worth nothing from now on, and the desk is shut
    everywhere but `here`.
    """
    with transaction("accounts.make_codes"):
        person = lock_person(person_id)
        close_desks(person_id, but=here)
        write_down(person, "codes_made")
        return new_codes(person)


def reset(
    person_id: int,
    *,
    actor: str,
    reason: str | None,
    actor_id: int | None = None,
    consent: Mapping[str, str | bool] | None = None,
) -> None:
    """Take away everything that somebody has as a second factor, and sign them out everywhere: they set up another one
    when they next come in by mail. They are told by mail, and the owner who did it (`actor_id`) as well.
    `consent` says in the log who agreed (`approving`).
    """
    with transaction("accounts.reset_factor"):
        person = lock_person(person_id)
        had = factors_of(person_id)
        before = {"app": had.app_set_at is not None, "passkeys": len(had.passkeys), "codes": had.n_codes}
        forget_factors(person_id)
        end_sessions(person_id)
        after = dict(consent) if consent else None
        write_down(person, "reset", actor=actor, reason=reason, before=before, after=after)
        if actor_id is not None:
            owner = db.session.get_one(Person, actor_id)
            args: dict[str, int | str] = {"person_id": owner.id, "of_id": person.id}
            mail.send("accounts/factor_reset", owner.email, owner.locale, args)


def forget_factors(person_id: int) -> None:
    """Delete all of a person's factors, inside the caller's transaction."""
    for model in (TotpSecret, Passkey, RecoveryCode):
        db.session.execute(
            delete(model).where(model.person_id == person_id), execution_options={"synchronize_session": "fetch"}
        )


def keep_a_factor(person_id: int) -> None:
    """Conflict `last_factor` where a person has only one: it can be replaced, not taken away."""
    if factors_of(person_id).n <= 1:
        raise Conflict("last_factor", "This is the only second factor. Set up another one first.")


def write_down(
    person: Person,
    what: str,
    *,
    actor: str | None = None,
    reason: str | None = None,
    before: dict[str, bool | int] | None = None,
    after: Mapping[str, str | int] | None = None,
) -> None:
    """A change of somebody's factor: into the audit log, and by mail to its owner, who may not have made it."""
    who = actor or staff_name(person)
    record(f"factor.{what}", ("person", person.public_id), actor=who, reason=reason, before=before, after=after)
    mail.send("accounts/factor", person.email, person.locale, {"person_id": person.id, "what": what})


def plain_code(typed: str) -> str:
    """A recovery code as it was made, however it is typed: small letters, without what groups them."""
    return "".join(char for char in typed.lower() if char.isalnum()).translate(MISREAD)


def new_codes(person: Person) -> list[str]:
    """Ten codes in groups of four, inside the caller's transaction; all that the person had before are deleted."""
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person.id))
    codes = ["".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH)) for _ in range(N_CODES)]
    at = clock.real_now()
    db.session.add_all(RecoveryCode(person_id=person.id, code_hash=ids.digest(code), made_at=at) for code in codes)
    return ["-".join(code[first : first + GROUP] for first in range(0, CODE_LENGTH, GROUP)) for code in codes]


def _secret_of_form(person: Person, sealed: str) -> str:
    secret = unseal(APP, person.public_id, bytes.fromhex(str(read_signed(APP, sealed))))
    if secret is None:
        raise InvalidInput("token_invalid", "This form was not made by this page.")
    return secret.decode()


def _step_of(secret: str, code: str) -> int | None:
    """The step of 30 seconds, around now, whose code this is; None for no such step."""
    now = int(clock.real_now().timestamp()) // STEP_SECONDS
    totp = pyotp.TOTP(secret, interval=STEP_SECONDS)
    steps = range(now - STEPS_OFF, now + STEPS_OFF + 1)
    fitting = [step for step in steps if hmac.compare_digest(totp.generate_otp(step).encode(), code.encode())]
    return fitting[-1] if fitting else None


def _wrong_code() -> InvalidInput:
    return InvalidInput("code_wrong", "This is not the code.", field="code")
