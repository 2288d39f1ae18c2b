"""What the clock does in billing. Every job finds its work in the database, so killing one loses nothing."""

import time
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select, update

from membership.billing import inbox, inspections, intents, leases, sweeping, watching
from membership.billing.models import Payment
from membership.billing.port import ObjectKind, ObjectRef
from membership.billing.services import Outcome, settle
from membership.db import db, transaction
from membership.kernel import clock
from membership.kernel.errors import ProviderFailed

log = structlog.get_logger(__name__)

DRAIN_SECONDS = 50.0
NOTICES_AT_A_TIME = 500
# After so many failures in a row the provider is down; the rest waits for the next sweep.
FAILURES_IN_A_ROW = 3
ASK_FEES_EVERY = timedelta(minutes=2)
FEES_AT_A_TIME = 50
KEEP_LEASES = timedelta(days=1)


def drain(now: datetime) -> None:
    """Work off open notices, thing by thing, oldest first; then ask for fees that were not known yet.

    Several drains at once share the work by the leases. Ends after 50 seconds, when nothing is due, or when the
    provider fails three times in a row.
    """
    del now
    end = time.monotonic() + DRAIN_SECONDS
    if _drain_inbox(end):
        _ask_for_fees(end)


def _drain_inbox(end: float) -> bool:
    """False where the provider seems to be down."""
    held: set[ObjectRef] = set()
    n_failures = 0
    while time.monotonic() < end:
        due = [ref for ref in inbox.list_due(NOTICES_AT_A_TIME) if ref not in held]
        if not due:
            return True
        for ref in due:
            try:
                if settle(ref) is Outcome.HELD:
                    held.add(ref)
                n_failures = 0
            except ProviderFailed:
                n_failures += 1
            if n_failures >= FAILURES_IN_A_ROW:
                return False
            if time.monotonic() > end:
                break
    return True


def _ask_for_fees(end: float) -> None:
    """Read payments again whose fee the provider had not said yet."""
    query = (
        select(Payment.id, Payment.provider_id, Payment.rhythm)
        .where(Payment.fee_asked_at < clock.real_now() - ASK_FEES_EVERY)
        .order_by(Payment.fee_asked_at)
        .limit(FEES_AT_A_TIME)
    )
    for row_id, provider_id, rhythm in db.session.execute(query).all():
        if time.monotonic() > end:
            return
        with transaction("billing.ask_fee"):
            db.session.execute(
                update(Payment)
                .where(Payment.id == row_id, Payment.fee_asked_at.is_not(None))
                .values(fee_asked_at=clock.real_now())
            )
        kind = ObjectKind.PAYMENT if rhythm == "once" else ObjectKind.INVOICE
        try:
            settle(ObjectRef(kind, provider_id), only_if_open=False)
        except ProviderFailed:
            return


def sweep(now: datetime) -> None:
    """Fetch notices that never reached us from the provider's list."""
    try:
        sweeping.sweep(now)
    except ProviderFailed as failed:
        log.warning("sweep_failed", code=failed.code)


def check_books(now: datetime) -> None:
    """Look whether the books hold: what was booked lately; once a night, everything."""
    watching.check_lately(now)
    watching.check_whole(now)


def reconcile(now: datetime) -> None:
    """Once a night, hold our books against the provider's things, one by one."""
    try:
        watching.reconcile_nightly(now)
    except ProviderFailed as failed:
        log.warning("reconcile_broken_off", code=failed.code)


def finish_open(now: datetime) -> None:
    """Find out what became of requests that were sent and never answered."""
    intents.finish_open(now, lambda ref: settle(ref, only_if_open=False))


def take_up(now: datetime) -> None:
    """Work off notices that an earlier version only kept."""
    del now
    inbox.take_up()


def forget(now: datetime) -> None:
    """Empty what was done 30 days ago, and sweep leases that nobody holds."""
    inbox.forget_bodies(now)
    inspections.forget(now)
    intents.forget_results(clock.real_now())
    leases.sweep(clock.real_now() - KEEP_LEASES)
