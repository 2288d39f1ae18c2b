"""Mending one difference: read the thing again and book it, then look again whether that helped."""

import time
from dataclasses import dataclass, replace
from enum import StrEnum

from flask import current_app

from membership.billing.port import Listed, ObjectRef, PaymentProvider
from membership.billing.reconcile.comparing import differences
from membership.billing.services import Outcome, settle
from membership.db import db, outside_call

HOLD_SECONDS = 5.0


class End(StrEnum):
    """What became of one thing that was looked at."""

    IN_ORDER = "in order"
    REPAIRED = "repaired"
    WRONG = "wrong"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Mended:
    """How it ended, and why, in words."""

    end: End
    words: str


WHY = {
    Outcome.MISSING: "the provider does not know it any more",
    Outcome.HELD: "somebody else is reading it",
    Outcome.WAITING: "what it belongs to is not known here",
    Outcome.FAULTY: "our own code failed on it; the log says why",
}


def mend(row: Listed, words: str) -> Mended:
    """Read `row` again and book it. Raises ProviderFailed."""
    outcome = settle_patiently(row.ref)
    if outcome is Outcome.FOREIGN:
        return Mended(End.FOREIGN, words)
    if outcome is not Outcome.BOOKED:
        return Mended(End.WRONG, f"{words}; {WHY[outcome]}")
    db.session.rollback()
    if not differences([row]) or not _differs_now(row):
        return Mended(End.REPAIRED, words)
    return Mended(End.WRONG, f"{words}; reading it again did not help")


def settle_patiently(ref: ObjectRef) -> Outcome:
    """Read and book; waits a little where somebody else is at it. Raises ProviderFailed."""
    end = time.monotonic() + HOLD_SECONDS
    while (outcome := settle(ref, only_if_open=False)) is Outcome.HELD and time.monotonic() < end:
        time.sleep(0.2)
    return outcome


def _differs_now(row: Listed) -> bool:
    """Whether it differs from what the provider says by now: it may have changed since it was listed."""
    provider: PaymentProvider = current_app.extensions["membership.provider"]
    with outside_call("stripe.read"):
        reading = provider.read(row.ref)
    return bool(differences([replace(row, facts=reading.facts, related=reading.related, is_clear=True)]))
