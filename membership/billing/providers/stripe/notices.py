"""Webhook notices: is it genuine, is it for us, and what is it about? Standard library only, no SDK objects.

The SDK's own check takes a time stamp from the future, one secret at a time, and raises half a dozen kinds of
exception on bad input (stripe.md 1.1). Here everything that is wrong is InvalidInput.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from membership.billing.port import Notice, NoticeUse, ObjectKind
from membership.billing.providers.stripe.translate import id_of
from membership.kernel.errors import InvalidInput

log = structlog.get_logger(__name__)

TOLERANCE = timedelta(seconds=300)
SCHEME = "v1"
LONGEST_ID = 255
LONGEST_STAMP = 11
"""Digits of a time stamp: until the year 5138, which a datetime can still hold."""

# What we listen to, and why. The kind says what is read again; `None`: kept for a later issue.
EVENTS: dict[str, ObjectKind | None] = {
    # How the hosted page ended, and whether money that takes days came.
    "checkout.session.completed": ObjectKind.CHECKOUT,
    "checkout.session.async_payment_succeeded": ObjectKind.CHECKOUT,
    "checkout.session.async_payment_failed": ObjectKind.CHECKOUT,
    "checkout.session.expired": ObjectKind.CHECKOUT,
    # Where recurring support stands, also when staff change it at Stripe.
    "customer.subscription.created": ObjectKind.SUBSCRIPTION,
    "customer.subscription.updated": ObjectKind.SUBSCRIPTION,
    "customer.subscription.deleted": ObjectKind.SUBSCRIPTION,
    "customer.subscription.paused": ObjectKind.SUBSCRIPTION,
    "customer.subscription.resumed": ObjectKind.SUBSCRIPTION,
    "customer.subscription.trial_will_end": ObjectKind.SUBSCRIPTION,
    # Money of every period, or its failure.
    "invoice.paid": ObjectKind.INVOICE,
    "invoice.payment_failed": ObjectKind.INVOICE,
    "invoice.payment_action_required": ObjectKind.INVOICE,
    "invoice.finalization_failed": ObjectKind.INVOICE,
    "invoice.voided": ObjectKind.INVOICE,
    "invoice.marked_uncollectible": ObjectKind.INVOICE,
    "invoice_payment.paid": ObjectKind.INVOICE,
    # Money that leaves again.
    "charge.refunded": ObjectKind.CHARGE,
    "refund.updated": ObjectKind.CHARGE,
    "refund.failed": ObjectKind.CHARGE,
    "charge.dispute.created": ObjectKind.CHARGE,
    "charge.dispute.closed": ObjectKind.CHARGE,
    "charge.dispute.funds_withdrawn": ObjectKind.CHARGE,
    "charge.dispute.funds_reinstated": ObjectKind.CHARGE,
    # A bank warns of fraud: giving the money back may avoid the fee of a dispute.
    "radar.early_fraud_warning.created": ObjectKind.WARNING,
    # Another default card, set in the portal or by staff; or nobody is left to charge. Shown on the support.
    "customer.updated": ObjectKind.CUSTOMER,
    "customer.deleted": ObjectKind.CUSTOMER,
    # The bank renewed a card by itself: it has another end now.
    "payment_method.automatically_updated": ObjectKind.PAYMENT_METHOD,
    # Kept only: a mandate that was withdrawn shows when the next payment fails, and payouts are not in our books.
    # Counted only: many refused cards are the mark of card testers (`TRIES`).
    "charge.failed": None,
    # The same of pages that take a new card and charge nothing.
    "setup_intent.setup_failed": None,
    "mandate.updated": None,
    "payout.reconciliation_completed": None,
}
# Our words for what the notices themselves tell about a storm of tries; nothing is read or booked for it.
TRIES = {
    "paid": "checkout.session.completed",
    "declined": "charge.failed",
    "card_refused": "setup_intent.setup_failed",
    "renewal_failed": "invoice.payment_failed",
}
# Of a customer, only a change of these is of interest; each payment changes something else about them.
CARD_FIELDS = frozenset({"invoice_settings", "default_source"})


def open_notice(raw: bytes, signature: str, at: datetime, secrets: Iterable[str], *, is_live: bool) -> Notice:
    """The notice in `raw`, if its signature fits one of `secrets` and was made within five minutes of `at`.

    InvalidInput for everything else, whatever is wrong with it; what staff should know is logged as an alert.
    """
    signed_at = _check_signature(raw, signature, at, list(secrets))
    try:
        event = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise _bad("not_json", "The body is no JSON.") from error
    if not isinstance(event, dict) or event.get("object") != "event":
        raise _bad("not_an_event", "The body is no snapshot event.")
    _check_addressee(event, is_live=is_live)
    return _notice(event, signed_at)


def listed_notice(event: Mapping[str, Any], *, is_live: bool) -> Notice:
    """The notice of an event that Stripe's own list shows us; InvalidInput where it is none for us."""
    _check_addressee(event, is_live=is_live)
    return _notice(event, signed_at=None)


def _bad(code: str, message: str) -> InvalidInput:
    return InvalidInput(f"webhook_{code}", message)


def _check_signature(raw: bytes, header: str, at: datetime, secrets: list[str]) -> datetime:
    """Compare before looking at the time, so that only genuine notices can raise the alarm about clocks."""
    parts = [part.partition("=") for part in header.split(",")]
    stamps = [value for key, _, value in parts if key.strip() == "t"]
    given = [value.strip() for key, _, value in parts if key.strip() == SCHEME]
    if (
        len(stamps) != 1
        or not given
        or not stamps[0].isascii()
        or not stamps[0].isdecimal()
        or len(stamps[0]) > LONGEST_STAMP
    ):
        raise _bad("no_signature", "The signature header cannot be read.")
    payload = stamps[0].encode() + b"." + raw
    expected = [hmac.new(secret.encode(), payload, hashlib.sha256).hexdigest().encode() for secret in secrets]
    matches = [hmac.compare_digest(one, other.encode("utf-8", "replace")) for one in expected for other in given]
    if not any(matches):
        raise _bad("wrong_signature", "The signature does not fit.")
    signed_at = datetime.fromtimestamp(int(stamps[0]), UTC)
    if abs(at - signed_at) > TOLERANCE:
        log.error("alert_webhook_clock", seconds=round((at - signed_at).total_seconds()))
        raise _bad("not_fresh", "The signature is too old, or from the future; is a clock wrong?")
    return signed_at


def _check_addressee(event: Mapping[str, Any], *, is_live: bool) -> None:
    if event.get("livemode") is not is_live:
        log.error("alert_webhook_mode", livemode=event.get("livemode"), expected=is_live)
        raise _bad("wrong_mode", "A test notice for a live site, or the other way round.")
    if event.get("account") is not None:
        log.error("alert_webhook_account", account=str(event["account"])[:LONGEST_ID])
        raise _bad("wrong_account", "This notice belongs to another account.")


def _notice(event: Mapping[str, Any], signed_at: datetime | None) -> Notice:
    """`signed_at` is None for what was never signed: then it is the moment at which it happened."""
    data = event.get("data")
    thing = data.get("object") if isinstance(data, dict) else None
    event_id, type_ = _name(event.get("id")), _name(event.get("type"))
    if not isinstance(thing, dict) or event_id is None or type_ is None:
        raise _bad("incomplete", "The event lacks its id, type or object.")
    created = event.get("created")
    if type(created) is not int or not 0 <= created < 10**LONGEST_STAMP:
        raise _bad("incomplete", "The event does not say when it happened.")
    kind = EVENTS.get(type_)
    object_id = _thing_to_read(thing, kind)
    if kind is not None and object_id is None:
        raise _bad("incomplete", f"{type_} does not say what it is about.")
    return Notice(
        event_id=event_id,
        type=type_[:100],
        use=_use(type_, kind, data or {}),
        object_kind=kind.value if kind else (_name(thing.get("object")) or "")[:60],
        object_id=object_id or "",
        api_version=(_name(event.get("api_version")) or "")[:40] or None,
        created_at=datetime.fromtimestamp(created, UTC),
        signed_at=signed_at or datetime.fromtimestamp(created, UTC),
    )


def _use(type_: str, kind: ObjectKind | None, data: Mapping[str, Any]) -> NoticeUse:
    before = data.get("previous_attributes")
    if type_ == "customer.updated" and isinstance(before, Mapping) and not CARD_FIELDS & before.keys():
        return NoticeUse.IGNORED
    if kind is not None:
        return NoticeUse.SYNC
    return NoticeUse.DEFERRED if type_ in EVENTS else NoticeUse.IGNORED


def _name(value: Any) -> str | None:
    """A name as Stripe makes them: plain, printable ASCII that every database can hold; else None."""
    if isinstance(value, str) and 0 < len(value) <= LONGEST_ID and value.isascii() and value.isprintable():
        return value
    return None


def _thing_to_read(thing: Mapping[str, Any], kind: ObjectKind | None) -> str | None:
    """The id of what must be read again: the object itself, or the invoice or charge that it belongs to."""
    own = thing.get("object")
    if kind is ObjectKind.INVOICE and own == "invoice_payment":
        found = id_of(thing.get("invoice"))
    elif kind is ObjectKind.CHARGE and own != "charge":
        found = id_of(thing.get("charge"))
    else:
        found = id_of(thing)
    return _name(found)
