"""I2: our payments are the provider's payments, to the cent."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice

from flask import current_app
from sqlalchemy import func, select

from membership.billing.books.findings import PROVIDER_SILENT, Finding, Report, Scope
from membership.billing.books.seen import Seen
from membership.billing.models import Payment, PaymentReversal
from membership.billing.port import BookedAtProvider, ObjectKind, ObjectRef, PaymentFact, PaymentProvider
from membership.db import db, outside_call
from membership.kernel.errors import ProviderFailed
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm

AT_A_TIME = 500


def compare(report: Report, since: datetime | None) -> None:
    """Add to `report` what the provider's own books say otherwise about payments since `since` (None: all)."""
    provider: PaymentProvider = current_app.extensions["membership.provider"]
    try:
        with outside_call("stripe.books"):
            theirs = provider.list_booked(since)
        if theirs is None:
            report.notes.append("The provider's own books were not compared: it cannot list them to us.")
            return
        report.findings += _differences(report, theirs, since)
    except ProviderFailed as failed:
        report.findings.append(Finding(PROVIDER_SILENT, failed.message))


def _differences(report: Report, theirs: Iterator[BookedAtProvider], since: datetime | None) -> Iterator[Finding]:
    seen = Seen()
    while True:
        with outside_call("stripe.books"):
            rows = list(islice(theirs, AT_A_TIME))
        if not rows:
            break
        yield from _doubles(rows, seen)
        yield from _compare_rows(rows)
    report.counts["payments in the provider's books"] = len(seen)
    yield from _only_ours(seen, since)


def _doubles(rows: Sequence[BookedAtProvider], seen: Seen) -> Iterator[Finding]:
    for row in rows:
        if not seen.add(row.payment_id):
            yield Finding("provider_double", f"{row.payment_id} stands more than once in the provider's books.")


def _compare_rows(rows: Sequence[BookedAtProvider]) -> Iterator[Finding]:
    ids = [row.payment_id for row in rows]
    of_page = select(Payment).where(Payment.provider_id.in_(ids))
    ours = {payment.provider_id: payment for payment in db.session.scalars(of_page)}
    returned = _returned([payment.id for payment in ours.values()])
    for row in rows:
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
    db.session.expunge_all()  # thousands of them would lie about until the end


def _returned(row_ids: list[int]) -> dict[int, int]:
    total = func.sum(PaymentReversal.amount_minor)
    query = select(PaymentReversal.payment_id, total).group_by(PaymentReversal.payment_id)
    rows = db.session.execute(query.where(PaymentReversal.payment_id.in_(row_ids)))
    return {payment_id: int(minor) for payment_id, minor in rows}


def _only_ours(seen: Seen, since: datetime | None) -> Iterator[Finding]:
    """What the provider's list did not show is asked for by name, since a list has edges: an invoice that was made
    before `since` may have been paid after it.
    """
    # What came by other ways lies with us; the provider knows nothing of it.
    query = select(Payment.provider_id, Payment.rhythm, Payment.charged_minor, Payment.currency)
    query = query.where(Payment.way == "card")
    if since is not None:
        query = query.where(Payment.paid_at >= since)
    missing: list[tuple[str, str, Money]] = []
    for part in Scope().slices(Payment.id):
        rows = db.session.execute(query.where(part).order_by(Payment.id))
        missing += [(ref, rhythm, Money(minor, code)) for ref, rhythm, minor, code in rows if ref not in seen]
    for ref, rhythm, charged in missing:
        if not _is_there(ref, rhythm):
            yield Finding("only_ours", f"{ref}: {charged} is in our books, and the provider knows nothing of it.")


def _is_there(payment_id: str, rhythm: str) -> bool:
    provider: PaymentProvider = current_app.extensions["membership.provider"]
    kind = ObjectKind.PAYMENT if rhythm == Rhythm.ONCE.value else ObjectKind.INVOICE
    with outside_call("stripe.books"):
        reading = provider.read(ObjectRef(kind, payment_id))
    return any(isinstance(fact, PaymentFact) for fact in reading.facts)
