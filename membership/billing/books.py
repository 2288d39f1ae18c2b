"""Do the books hold? The invariants I1 to I4, each as a question to the database, and the provider's own books.

Run by `membership check-books`, by tests after every story, and by a timer in production. It only reads.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import func, select

from membership.billing import queries
from membership.billing.ledger import income_account
from membership.billing.models import (
    InboxEvent,
    JournalEntry,
    JournalTransaction,
    Payment,
    PaymentReversal,
    ReceiptCounter,
)
from membership.billing.port import BookedAtProvider, PaymentProvider
from membership.db import db, outside_call
from membership.kernel import clock
from membership.kernel.errors import ProviderFailed
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm

STUCK_AFTER = timedelta(minutes=30)
"""An open notice whose turn came so long ago was forgotten by every drain: the worker does not run."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not hold, as a whole sentence; `code` names the question that found it."""

    code: str
    message: str


@dataclass(slots=True)
class Report:
    """What was looked at (name of the thing -> how many, in order) and what does not hold."""

    counts: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def check(now: datetime) -> list[Finding]:
    """Everything that does not hold; empty when the books are right."""
    return examine(now).findings


def examine(now: datetime) -> Report:
    """Ask every question, and hold our payments against the provider's books where it can list them."""
    del now
    report = Report()
    report.counts |= {
        "movements in the journal": db.session.scalar(select(func.count()).select_from(JournalTransaction)) or 0,
        "entries": db.session.scalar(select(func.count()).select_from(JournalEntry)) or 0,
        "payments with a receipt": db.session.scalar(select(func.count()).select_from(Payment)) or 0,
    }
    report.counts |= {f"notices {state}": n for state, n in sorted(queries.count_inbox().items())}
    for question in (_unbalanced, _unlike_payments, _unlike_reversals, _receipt_gaps, _stuck_notices):
        report.findings += question()
    _compare_with_provider(report)
    return report


# I1: every movement adds up to zero in each currency


def _unbalanced() -> Iterator[Finding]:
    total = func.sum(JournalEntry.amount_minor)
    query = (
        select(JournalTransaction.kind, JournalTransaction.provider_ref, JournalEntry.currency, total)
        .join(JournalEntry, JournalEntry.transaction_id == JournalTransaction.id)
        .group_by(JournalTransaction.id, JournalEntry.currency)
        .having(total != 0)
    )
    for kind, ref, currency, minor in db.session.execute(query):
        yield Finding("unbalanced", f"The {kind} of {ref} is out of balance by {minor} minor units of {currency}.")
    empty = select(JournalTransaction.kind, JournalTransaction.provider_ref).where(
        ~select(JournalEntry.id).where(JournalEntry.transaction_id == JournalTransaction.id).exists()
    )
    for kind, ref in db.session.execute(empty):
        yield Finding("empty_movement", f"The {kind} of {ref} has no entries.")


# I3: each thing at the provider is in the books exactly once, with its own amount


def _booked(kind: str, account: str | None = None) -> dict[str, list[tuple[int, str]]]:
    """Reference of every movement of `kind` -> the amounts (minor, currency) on `account`, or on all of income."""
    query = (
        select(JournalTransaction.provider_ref, JournalEntry.amount_minor, JournalEntry.currency, JournalEntry.account)
        .join(JournalEntry, JournalEntry.transaction_id == JournalTransaction.id)
        .where(JournalTransaction.kind == kind)
    )
    booked: dict[str, list[tuple[int, str]]] = {}
    for ref, minor, currency, entry_account in db.session.execute(query):
        side = booked.setdefault(ref, [])
        if entry_account == account or (account is None and entry_account.startswith("income")):
            side.append((minor, currency))
    return booked


def _unlike_payments() -> Iterator[Finding]:
    income = {rhythm: _booked("payment", account) for rhythm, account in ((r, income_account(r)) for r in Rhythm)}
    fees = _booked("fee", "provider_fees")
    seen: Counter[str] = Counter()
    for payment in db.session.scalars(select(Payment)).yield_per(1000):
        ref = payment.provider_id
        seen[ref] += 1
        booked = income[Rhythm(payment.rhythm)].get(ref, [])
        if booked != [(-payment.charged_minor, payment.currency)]:
            yield Finding(
                "payment_unlike_journal", f"{ref}: {payment.charged} on the receipt, {booked} in the journal."
            )
        fee = [(payment.fee.minor, payment.fee.currency)] if payment.fee and payment.fee.minor else []
        if fees.get(ref, []) != fee:
            yield Finding("fee_unlike_journal", f"{ref}: a fee of {payment.fee}, and {fees.get(ref)} in the journal.")
    for ref in {*income[Rhythm.ONCE], *fees} - set(seen):
        yield Finding("movement_without_payment", f"{ref} is in the journal, and there is no payment of that name.")


def _unlike_reversals() -> Iterator[Finding]:
    booked = _booked("reversal")
    query = select(PaymentReversal, Payment.currency).join(Payment, Payment.id == PaymentReversal.payment_id)
    for row, currency in db.session.execute(query):
        if booked.pop(row.provider_id, []) != [(row.amount_minor, currency)]:
            yield Finding("reversal_unlike_journal", f"{row.provider_id}: its amount in the journal differs.")
    for ref in booked:
        yield Finding("movement_without_reversal", f"{ref} is in the journal, and there is no reversal of that name.")


def _receipt_gaps() -> Iterator[Finding]:
    """Receipts run from 1 without gaps in each year, and the counter stands at the last."""
    counters = {row.year: row.last_number for row in db.session.scalars(select(ReceiptCounter))}
    numbers: dict[int, list[int]] = {}
    for number in db.session.scalars(select(Payment.receipt_number)).yield_per(1000):
        of_year, _, n = number.partition("-")
        numbers.setdefault(int(of_year), []).append(int(n))
    for year in sorted({*counters, *numbers}):
        found, last = sorted(numbers.get(year, [])), counters.get(year, 0)
        if found != list(range(1, last + 1)):
            missing = sorted(set(range(1, last + 1)) - set(found))[:5]
            yield Finding("receipt_gap", f"Receipts of {year}: {len(found)} of {last}; missing {missing or 'none'}.")


# I4: every notice is worked off, waiting with a turn, or set aside


def _stuck_notices() -> Iterator[Finding]:
    late = clock.real_now() - STUCK_AFTER
    n_stuck = db.session.scalar(select(func.count()).where(InboxEvent.next_try_at < late))
    if n_stuck:
        yield Finding("notices_stuck", f"{n_stuck} notices should have been read half an hour ago. Is the worker on?")


# I2: our payments are the provider's payments


def _compare_with_provider(report: Report) -> None:
    provider: PaymentProvider = current_app.extensions["membership.provider"]
    try:
        with outside_call("stripe.books"):
            theirs = None if (listed := provider.list_booked()) is None else list(listed)
    except ProviderFailed as failed:
        report.findings.append(Finding("provider_silent", failed.message))
        return
    if theirs is None:
        report.notes.append("The provider's own books were not compared: it cannot list them to us yet.")
        return
    report.counts["payments in the provider's books"] = len(theirs)
    # What came by other ways lies with us; the provider knows nothing of it.
    through_provider = select(Payment).where(Payment.way == "card")
    ours = {payment.provider_id: payment for payment in db.session.scalars(through_provider)}
    total = func.sum(PaymentReversal.amount_minor)
    returned = select(PaymentReversal.payment_id, total).group_by(PaymentReversal.payment_id)
    report.findings += _differences(ours, theirs, {ref: int(minor) for ref, minor in db.session.execute(returned)})


def _differences(
    ours: dict[str, Payment], theirs: list[BookedAtProvider], returned: dict[int, int]
) -> Iterator[Finding]:
    for ref, n in Counter(row.payment_id for row in theirs).items():
        if n > 1:
            yield Finding("provider_double", f"{ref} stands {n} times in the provider's books.")
    for row in theirs:
        payment = ours.get(row.payment_id)
        if payment is None:
            yield Finding("not_booked", f"{row.payment_id}: {row.charged} of {row.reference} is not in our books.")
            continue
        if (payment.charged, payment.reference) != (row.charged, row.reference):
            yield Finding(
                "differs",
                f"{row.payment_id}: {payment.charged} of {payment.reference} with us, "
                f"{row.charged} of {row.reference} with the provider.",
            )
        if row.fee is not None and payment.fee != row.fee:
            yield Finding("fee_differs", f"{row.payment_id}: fee {payment.fee} with us, {row.fee} with the provider.")
        gone = Money(returned.get(payment.id, 0), payment.currency)
        if gone != row.returned:
            yield Finding(
                "returned_differs", f"{row.payment_id}: {gone} returned with us, {row.returned} with the provider."
            )
    for ref in sorted(set(ours) - {row.payment_id for row in theirs}):
        yield Finding("only_ours", f"{ref}: {ours[ref].charged} is in our books, and the provider knows nothing of it.")
