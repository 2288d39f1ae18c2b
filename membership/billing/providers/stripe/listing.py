"""What Stripe lists, in our words: events that never came to us, and things to hold against our books.

A list costs one call for a hundred things, so a newsroom with 100,000 patrons is gone through in minutes at 20 calls
a second. What it shows is less than a reading; where it differs from our books the thing itself is read.
"""

import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import requests
import structlog

from membership.billing.port import (
    BookedAtProvider,
    Listed,
    ListedNotice,
    ListedPage,
    Listing,
    NoticePage,
    ObjectKind,
    ObjectRef,
)
from membership.billing.providers.stripe import notices, translate
from membership.billing.providers.stripe.client import is_missing
from membership.billing.providers.stripe.currencies import from_stripe
from membership.config import Settings
from membership.kernel.errors import InvalidInput, ProviderFailed

log = structlog.get_logger(__name__)

PAGE = 100
TYPES_AT_A_TIME = 20
"""How many types Stripe lets a list of events name."""

BEFORE = {
    # An invoice is made weeks before its last retry is paid, a refund fails days after it was made, and a dispute is
    # decided after months: all are listed by the day on which they were made.
    Listing.INVOICES: timedelta(days=30),
    Listing.REFUNDS: timedelta(days=60),
    Listing.DISPUTES: timedelta(days=180),
}


class StripeLists(ABC):
    """Satisfies `billing.port.listing.Lists`; the rest of the provider inherits from it."""

    _settings: Settings

    @abstractmethod
    def _ask(self, endpoint: str, question: Callable[[Any], Any]) -> dict[str, Any]:
        """One call; see `client.Calls.ask`."""

    # Events

    def notice_lists(self) -> tuple[str, ...]:
        """One list for every twenty types that we listen to."""
        return tuple(f"events {number}" for number in range(1, -(-len(notices.EVENTS) // TYPES_AT_A_TIME) + 1))

    def list_notices(
        self,
        name: str,
        *,
        newer_than: str | None = None,
        older_than: str | None = None,
        since: datetime | None = None,
        is_undelivered: bool = False,
    ) -> NoticePage:
        """Stripe keeps 30 days; with `ending_before` its pages go forward in time."""
        params: dict[str, Any] = {"limit": PAGE, "types": _types_of(name)}
        params |= {"ending_before": newer_than} if newer_than else {}
        params |= {"starting_after": older_than} if older_than else {}
        params |= {"created": {"gte": int(since.timestamp())}} if since else {}
        params |= {"delivery_success": False} if is_undelivered else {}
        try:
            page = self._ask("events", lambda v1: v1.events.list(params=params))
        except ProviderFailed as failed:
            if is_missing(failed):
                return NoticePage(is_known=False)
            raise
        events = page["data"]
        found = [self._listed_notice(event) for event in reversed(events)]
        return NoticePage(
            rows=tuple(row for row in found if row is not None),
            newest_id=events[0]["id"] if events else None,
            oldest_id=events[-1]["id"] if events else None,
            has_more=bool(page.get("has_more")),
        )

    def _listed_notice(self, event: Mapping[str, Any]) -> ListedNotice | None:
        try:
            notice = notices.listed_notice(event, is_live=self._settings.is_live)
        except InvalidInput as error:
            log.error("alert_listed_event_unusable", event_id=str(event.get("id"))[:255], code=error.code)  # noqa: TRY400 - the code says it all
            return None
        # The SDK makes a Decimal of what is text in Stripe's own JSON.
        return ListedNotice(notice, json.dumps(event, separators=(",", ":"), default=str).encode())

    # Things

    def list_objects(self, listing: Listing, since: datetime | None, cursor: str | None) -> ListedPage:
        """A page of one of Stripe's lists, each thing in our words."""
        params: dict[str, Any] = {"limit": PAGE} | ({"starting_after": cursor} if cursor else {})
        if since is not None and listing is not Listing.SUBSCRIPTIONS:
            since -= BEFORE.get(listing, timedelta())
            params["created"] = {"gte": int(since.timestamp())}
        page = self._list(listing, params)
        rows = tuple(_listed(listing, thing) for thing in page["data"])
        return ListedPage(rows, page["data"][-1]["id"] if page.get("has_more") and page["data"] else None)

    def _list(self, listing: Listing, params: dict[str, Any]) -> dict[str, Any]:
        match listing:
            case Listing.INVOICES:
                return self._ask("invoices.list", lambda v1: v1.invoices.list(params=params))
            case Listing.PAYMENTS:
                return self._ask("payment_intents.list", lambda v1: v1.payment_intents.list(params=params))
            case Listing.REFUNDS:
                return self._ask("refunds.list", lambda v1: v1.refunds.list(params=params))
            case Listing.DISPUTES:
                return self._ask("disputes.list", lambda v1: v1.disputes.list(params=params))
            case Listing.CHECKOUTS:
                finished = params | {"status": "complete"}
                return self._ask("checkout.sessions.list", lambda v1: v1.checkout.sessions.list(params=finished))
            case Listing.SUBSCRIPTIONS:
                every = params | {"status": "all"}
                return self._ask("subscriptions.list", lambda v1: v1.subscriptions.list(params=every))

    # Books

    def list_booked(self, since: datetime | None = None) -> Iterator[BookedAtProvider] | None:
        """The sandbox's own books, whole, where there is a sandbox, since they owe nothing to our listing; else
        Stripe's lists, without fees.
        """
        base = self._settings.stripe_api_base
        if base is None:
            return self.list_booked_by_lists(since)
        try:
            answer = requests.get(f"{base.rstrip('/')}/_sandbox/books", timeout=(3, 60))
            answer.raise_for_status()
            books = answer.json()
        except (requests.RequestException, ValueError) as error:
            raise ProviderFailed("provider_unreachable", "The sandbox shows no books.", retryable=True) from error
        return booked_in_sandbox(books)

    def list_booked_by_lists(self, since: datetime | None) -> Iterator[BookedAtProvider]:
        """Paid invoices and single payments of ours, with what left of them; pages are asked for as one goes on."""
        returned = self._returned(since)
        paid = {"status": "paid", "expand": ["data.payments"]}
        for invoice in self._all("invoices.list", lambda v1, p: v1.invoices.list(params=p), since, paid):
            reference = translate.invoice_reference(invoice)
            if reference and invoice.get("amount_paid"):
                intents = translate.invoice_payment_ids(invoice)
                yield _booked(invoice, reference, invoice["amount_paid"], sum(returned[each] for each in intents))
        for intent in self._all("payment_intents.list", lambda v1, p: v1.payment_intents.list(params=p), since, {}):
            reference = translate.reference_in(intent.get("metadata"))
            if reference and intent.get("status") == "succeeded" and intent.get("amount_received"):
                yield _booked(intent, reference, intent["amount_received"], returned[intent["id"]])

    def _returned(self, since: datetime | None) -> Counter[str]:
        """What left of each payment intent, in minor units; few leave, so they are kept at hand."""
        gone: Counter[str] = Counter()
        for refund in self._all("refunds.list", lambda v1, p: v1.refunds.list(params=p), since, {}):
            if refund.get("status") == "succeeded":
                gone[translate.id_of(refund.get("payment_intent")) or ""] += refund["amount"]
        for dispute in self._all("disputes.list", lambda v1, p: v1.disputes.list(params=p), since, {}):
            moved = [row["amount"] for row in dispute.get("balance_transactions") or []]
            n_out = sum(amount < 0 for amount in moved) - sum(amount > 0 for amount in moved)
            gone[translate.id_of(dispute.get("payment_intent")) or ""] += dispute["amount"] * max(n_out, 0)
        return gone

    def _all(
        self, endpoint: str, question: Callable[[Any, Any], Any], since: datetime | None, narrowed: dict[str, Any]
    ) -> Iterator[dict[str, Any]]:
        params: dict[str, Any] = {"limit": PAGE} | narrowed
        params |= {"created": {"gte": int(since.timestamp())}} if since else {}
        while True:
            page = self._ask(endpoint, lambda v1, p=params: question(v1, p))  # type: ignore[misc]  # bound now
            yield from page["data"]
            if not page.get("has_more") or not page["data"]:
                return
            params = params | {"starting_after": page["data"][-1]["id"]}


def _types_of(name: str) -> list[str]:
    number = int(name.rpartition(" ")[2])
    return sorted(notices.EVENTS)[(number - 1) * TYPES_AT_A_TIME : number * TYPES_AT_A_TIME]


def _listed(listing: Listing, thing: Mapping[str, Any]) -> Listed:
    ref = _ref(listing, thing)
    try:
        return _in_our_words(listing, thing, ref)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        log.error("alert_listed_thing_unusable", object_id=ref.id, error=type(error).__name__)  # noqa: TRY400 - its reading will tell more
        return Listed(ref, is_ours=None, is_clear=False)


def _ref(listing: Listing, thing: Mapping[str, Any]) -> ObjectRef:
    kinds = {
        Listing.INVOICES: ObjectKind.INVOICE,
        Listing.PAYMENTS: ObjectKind.PAYMENT,
        Listing.CHECKOUTS: ObjectKind.CHECKOUT,
        Listing.SUBSCRIPTIONS: ObjectKind.SUBSCRIPTION,
    }
    if listing in kinds:
        return ObjectRef(kinds[listing], thing["id"])
    return ObjectRef(ObjectKind.CHARGE, translate.id_of(thing.get("charge")) or "")


def _in_our_words(listing: Listing, thing: Mapping[str, Any], ref: ObjectRef) -> Listed:
    match listing:
        case Listing.INVOICES:
            reading = translate.invoice(thing)
            return Listed(ref, reading.is_ours, reading.facts)
        case Listing.PAYMENTS:
            # The payment of an invoice carries no stamp, so what has none may still be ours: its invoice tells.
            reading = translate.payment(thing)
            return Listed(ref, reading.is_ours or None, reading.facts)
        case Listing.REFUNDS:
            return Listed(ref, is_ours=None, facts=translate.reversals("", [thing], []))
        case Listing.DISPUTES:
            return Listed(ref, is_ours=None, facts=translate.reversals("", [], [thing]))
        case Listing.CHECKOUTS:
            reading = translate.checkout(thing)
            return Listed(ref, reading.is_ours, reading.facts, reading.related)
        case Listing.SUBSCRIPTIONS:
            reading = translate.subscription(thing)
            return Listed(ref, reading.is_ours, reading.facts)


def _booked(thing: Mapping[str, Any], reference: str, paid: int, returned: int) -> BookedAtProvider:
    currency = thing["currency"]
    return BookedAtProvider(
        payment_id=thing["id"],
        reference=reference,
        charged=from_stripe(paid, currency),
        fee=None,
        returned=from_stripe(returned, currency),
    )


# Disputes in which the money stays with us, or has come back.
KEPT = frozenset({"won", "prevented", "warning_needs_response", "warning_under_review", "warning_closed"})


def booked_in_sandbox(books: dict[str, Any]) -> Iterator[BookedAtProvider]:
    """The payments of ours in the sandbox's books; those of zero and those of others are left out."""
    disputed: Counter[str | None] = Counter()
    for dispute in books["disputes"]:
        if dispute["charge"] and dispute["status"] not in KEPT:
            disputed[dispute["charge"]] += dispute["amount"]
    for row in books["payments"]:
        if not translate.reference_in(row.get("metadata")) or not row["amount"]:
            continue
        yield BookedAtProvider(
            payment_id=row["id"],
            reference=str(translate.reference_in(row["metadata"])),
            charged=from_stripe(row["amount"], row["currency"]),
            fee=None if row.get("fee") is None else from_stripe(row["fee"], row.get("fee_currency") or row["currency"]),
            returned=from_stripe(
                row["amount_refunded"] + (disputed[row["charge"]] if row["charge"] else 0), row["currency"]
            ),
        )
