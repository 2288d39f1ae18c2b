"""Reading a thing again and booking what came back: the one path for webhooks, return page and sweepers."""

import time
from enum import StrEnum

import structlog
from flask import current_app, has_request_context

from membership.billing import booking, inbox, leases, ledger, rules
from membership.billing.port import NotKnownYet, ObjectKind, ObjectRef, PaymentProvider, Reading
from membership.db import db, hint, outside_call, transaction
from membership.kernel.errors import ProviderFailed

log = structlog.get_logger(__name__)

WAIT_FOR_LEASE_SECONDS = 0.5
# A page that waits for us answers within ten seconds: after a slow first answer, the rest is left to the worker.
SLOW_SECONDS = 2.0


class Outcome(StrEnum):
    """How a reading ended."""

    BOOKED = "booked"
    FOREIGN = "foreign"
    MISSING = "missing"
    HELD = "held"
    WAITING = "waiting"
    FAULTY = "faulty"
    NOTHING_TO_DO = "nothing_to_do"


def sync(kind: str, provider_id: str) -> bool:
    """Read one thing again at the provider and book what it says, now; True once that is done.

    `kind` is a value of ObjectKind, such as "checkout_session". The same path as a webhook takes, so it is safe
    to call at any time and any number of times. False where it is not (yet) in order: somebody else is at it
    (waited for half a second), it is not ours, or our own code failed; its notices are tried again by themselves.
    Raises ProviderFailed.
    """
    ref = ObjectRef(ObjectKind(kind), provider_id)
    end = time.monotonic() + WAIT_FOR_LEASE_SECONDS
    outcome = settle(ref, only_if_open=False)
    while outcome is Outcome.HELD and time.monotonic() < end:
        time.sleep(0.1)
        outcome = settle(ref, only_if_open=False)
    return outcome is Outcome.BOOKED


def settle(ref: ObjectRef, *, only_if_open: bool = True) -> Outcome:
    """Take the lease of `ref`, read it, book it and close its notices; once, without waiting.

    With `only_if_open` nothing is read where no notice about it is open any more. Notices are put off or aside
    as the outcome asks. Raises ProviderFailed, after putting them off.
    """
    lease = leases.take(ref.id)
    if lease is None:
        return Outcome.HELD
    event_ids = inbox.list_open(ref.id)
    if only_if_open and not event_ids:
        leases.end(lease)
        return Outcome.NOTHING_TO_DO
    try:
        outcome = _read_and_book(ref, lease, event_ids)
    except leases.LeaseLost:
        return Outcome.HELD
    except Exception as fault:
        db.session.rollback()
        outcome = _put_back(ref, event_ids, fault)
        leases.end(lease)
        if isinstance(fault, ProviderFailed):
            raise
    if not only_if_open and set(inbox.list_open(ref.id)) - set(event_ids):
        hint("billing.drain")  # word that came while we were reading
    return outcome


def _put_back(ref: ObjectRef, event_ids: list[str], fault: Exception) -> Outcome:
    """Write down why the notices could not be worked off, outside the transaction that was rolled back."""
    match fault:
        case NotKnownYet():
            log.warning("reference_not_known_yet", object_id=ref.id, n_notices=len(event_ids))
            inbox.put_off(event_ids, str(fault), patience=rules.WAIT_FOR_UNKNOWN)
            return Outcome.WAITING
        case ProviderFailed():
            log.warning("provider_failed", object_id=ref.id, code=fault.code)
            inbox.put_off(event_ids, f"The provider failed: {fault.code}.")
            return Outcome.WAITING
        case _:
            log.error("booking_failed", object_kind=ref.kind.value, object_id=ref.id, exc_info=fault)
            inbox.put_aside(event_ids, fault)
            return Outcome.FAULTY


def _read_and_book(ref: ObjectRef, lease: leases.Lease, event_ids: list[str]) -> Outcome:
    provider: PaymentProvider = current_app.extensions["membership.provider"]
    began = time.monotonic()
    with outside_call("stripe.read"):
        reading = provider.read(ref)
    if not reading.is_found:
        inbox.miss(event_ids, ref.id)
        leases.end(lease)
        return Outcome.MISSING
    if not _settle_related(reading, is_slow=time.monotonic() - began > SLOW_SECONDS):
        inbox.put_off(event_ids, "What belongs to it is not booked yet.", patience=rules.WAIT_FOR_UNKNOWN)
        leases.end(lease)
        return Outcome.WAITING
    is_known = bool(reading.is_ours or reading.related)
    with transaction("billing.book"):
        leases.insist(lease)
        for fact in reading.facts:
            booking.book(fact)
        if not reading.after:
            _close(event_ids, lease, is_known=is_known)
    if reading.after:
        _settle_after(reading, event_ids, lease)
    return Outcome.BOOKED if is_known else Outcome.FOREIGN


def _close(event_ids: list[str], lease: leases.Lease, *, is_known: bool = True) -> None:
    inbox.close(event_ids, "done" if is_known else "foreign")
    leases.end(lease)


def _settle_after(reading: Reading, event_ids: list[str], lease: leases.Lease) -> None:
    """Read what this one moved. Its notices stay open until that is booked too, so a kill in between loses nothing:
    booking this one again changes nothing.
    """
    outcomes = [settle(ref, only_if_open=False) for ref in reading.after]
    with transaction("billing.book_after"):
        if set(outcomes) <= {Outcome.BOOKED, Outcome.FOREIGN, Outcome.MISSING}:
            _close(event_ids, lease)
        else:
            inbox.put_off(event_ids, "What it moved is not booked yet.")
            leases.end(lease)


def _settle_related(reading: Reading, *, is_slow: bool) -> bool:
    """Read what belongs to it first, so that its notices stay open until all of it is booked."""
    missing = [ref for ref in reading.related if ledger.find_payment(ref.id) is None]
    if missing and is_slow and has_request_context():
        return False
    outcomes = [settle(ref, only_if_open=False) for ref in missing]
    return all(outcome in {Outcome.BOOKED, Outcome.FOREIGN, Outcome.MISSING} for outcome in outcomes)
