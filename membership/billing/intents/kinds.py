"""What can be asked of a provider: a table of kinds, each with its call, its words and how it is found again."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from membership.billing.models import ProviderIntent
from membership.billing.port import (
    CardRequest,
    CheckoutRequest,
    ObjectKind,
    ObjectRef,
    OpenedCheckout,
    PaymentProvider,
)
from membership.kernel import clock
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm

Words = dict[str, Any]
"""A request, or what came of it, as JSON or as columns of the row."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of ask.

    `ask(provider, request, key)` carries it out and returns the columns of the answer; `provider_id` is among them.
    `subject` names the word of the request that says what it is about, and `wish` those that must agree when the
    same attempt key comes again. Asks of one `line` about one subject undo each other, so that an older one is not
    repeated when a newer one was made. `seek` finds what was done where its key does not tell (any more); without it
    such an ask is given up. `again` says what is read again afterwards. `is_kept`: nobody waits for it and doing it
    twice does no harm, so that it is asked until it is certain.
    """

    ask: Callable[[PaymentProvider, Words, str], Words]
    subject: str
    wish: tuple[str, ...]
    line: str | None = None
    seek: Callable[[PaymentProvider, Words], Words | None] | None = None
    again: Callable[[ProviderIntent], tuple[ObjectRef, ...]] = lambda _intent: ()
    is_kept: bool = False

    def digest(self, wanted: Words) -> str:
        """What makes two requests the same wish: who, what for and how much; not the time or language of a page."""
        wish = {key: wanted[key] for key in self.wish}
        return hashlib.sha256(json.dumps(wish, sort_keys=True).encode()).hexdigest()


# Requests as JSON -----------------------------------------------------------------------------------------


def freeze(request: CheckoutRequest | CardRequest) -> Words:
    """The request as JSON, so that it can be repeated word for word."""
    frozen = asdict(request) | {"expires_at": request.expires_at.isoformat()}
    if isinstance(request, CheckoutRequest):
        frozen |= {
            "rhythm": request.rhythm.value,
            "charge": frozen_money(request.charge),
            "metadata": dict(request.metadata),
        }
    return frozen


def frozen_money(money: Money) -> list[int | str]:
    """An amount as JSON."""
    return [money.minor, money.currency]


def _thaw_checkout(frozen: Words) -> CheckoutRequest:
    return CheckoutRequest(
        **frozen
        | {
            "rhythm": Rhythm(frozen["rhythm"]),
            "charge": Money(*frozen["charge"]),
            "expires_at": datetime.fromisoformat(frozen["expires_at"]),
        }
    )


def _thaw_card(frozen: Words) -> CardRequest:
    return CardRequest(**frozen | {"expires_at": datetime.fromisoformat(frozen["expires_at"])})


# Hosted pages ---------------------------------------------------------------------------------------------


def _page(opened: OpenedCheckout) -> Words:
    return {"provider_id": opened.provider_id, "url": opened.url, "expires_at": opened.expires_at}


def _open_checkout(provider: PaymentProvider, request: Words, key: str) -> Words:
    return _page(provider.open_checkout(_thaw_checkout(request), key))


def _close_checkout(provider: PaymentProvider, request: Words, key: str) -> Words:
    is_closed = provider.close_checkout(request["checkout_id"], key)
    return {"provider_id": request["checkout_id"], "closed_at": clock.now() if is_closed else None}


def _open_card_page(provider: PaymentProvider, request: Words, key: str) -> Words:
    return _page(provider.open_card_page(_thaw_card(request), key))


def _use_card(provider: PaymentProvider, request: Words, key: str) -> Words:
    changed = provider.use_card(request["checkout_id"], key)
    return {"provider_id": request["checkout_id"], "result": {"subscription_ids": list(changed)}}


# Running support ------------------------------------------------------------------------------------------


def _change(provider: PaymentProvider, request: Words, key: str) -> Words:
    provider.change(request["subscription_id"], Money(*request["charge"]), Rhythm(request["rhythm"]), key)
    return _about_subscription(request)


def _pause(provider: PaymentProvider, request: Words, key: str) -> Words:
    provider.pause(request["subscription_id"], datetime.fromisoformat(request["until"]), key)
    return _about_subscription(request)


def _simply(verb: str) -> Callable[[PaymentProvider, Words, str], Words]:
    """An ask that says nothing but which support it is about."""

    def ask(provider: PaymentProvider, request: Words, key: str) -> Words:
        getattr(provider, verb)(request["subscription_id"], key)
        return _about_subscription(request)

    return ask


def _about_subscription(request: Words) -> Words:
    return {"provider_id": request["subscription_id"]}


def _pay_open(provider: PaymentProvider, request: Words, key: str) -> Words:
    outcome = provider.pay(request["open_payment_id"], key)
    return {"provider_id": request["open_payment_id"], "result": asdict(outcome)}


# Money back, and customers --------------------------------------------------------------------------------


def _refund(provider: PaymentProvider, request: Words, key: str) -> Words:
    made = provider.refund(request["payment_id"], Money(*request["amount"]), request["reference"], request["mark"], key)
    return {"provider_id": made.refund_id, "result": {"charge_id": made.charge_id}}


def _seek_refund(provider: PaymentProvider, request: Words) -> Words | None:
    found = provider.find_refund(request["payment_id"], request["mark"])
    return None if found is None else {"provider_id": found.refund_id, "result": {"charge_id": found.charge_id}}


def _forget_customer(provider: PaymentProvider, request: Words, key: str) -> Words:
    provider.forget_customer(request["customer_id"], key)
    return {"provider_id": request["customer_id"]}


def _rename_customer(provider: PaymentProvider, request: Words, key: str) -> Words:
    provider.rename_customer(request["customer_id"], request["email"], key)
    return {"provider_id": request["customer_id"]}


# What to read again ---------------------------------------------------------------------------------------


def _subscription(intent: ProviderIntent) -> tuple[ObjectRef, ...]:
    return (ObjectRef(ObjectKind.SUBSCRIPTION, intent.subject),)


def _collected(intent: ProviderIntent) -> tuple[ObjectRef, ...]:
    return (ObjectRef(ObjectKind.INVOICE, intent.provider_id or ""),)


def _charge(intent: ProviderIntent) -> tuple[ObjectRef, ...]:
    return (ObjectRef(ObjectKind.CHARGE, (intent.result or {})["charge_id"]),)


def _subscriptions(intent: ProviderIntent) -> tuple[ObjectRef, ...]:
    return tuple(ObjectRef(ObjectKind.SUBSCRIPTION, found) for found in (intent.result or {})["subscription_ids"])


# The table ------------------------------------------------------------------------------------------------


def _steer(verb: str, line: str) -> Kind:
    return Kind(_simply(verb), "subscription_id", ("subscription_id",), line=line, again=_subscription)


KINDS: dict[str, Kind] = {
    "open_checkout": Kind(_open_checkout, "reference", ("reference", "rhythm", "charge", "email")),
    "close_checkout": Kind(_close_checkout, "checkout_id", ("checkout_id",)),
    "open_card_page": Kind(_open_card_page, "subscription_id", ("reference", "customer_id", "subscription_id")),
    "use_card": Kind(_use_card, "checkout_id", ("checkout_id",), again=_subscriptions, is_kept=True),
    "change": Kind(
        _change, "subscription_id", ("subscription_id", "charge", "rhythm"), line="terms", again=_subscription
    ),
    "pause": Kind(_pause, "subscription_id", ("subscription_id", "until_day"), line="pause", again=_subscription),
    "resume": _steer("resume", "pause"),
    "cancel": _steer("cancel", "end"),
    "keep": _steer("keep", "end"),
    "cancel_now": _steer("cancel_now", "end"),
    "pay_open": Kind(_pay_open, "subscription_id", ("subscription_id",), again=_collected),
    "refund": Kind(_refund, "payment_id", ("payment_id", "amount"), seek=_seek_refund, again=_charge),
    "forget_customer": Kind(_forget_customer, "customer_id", ("customer_id",)),
    "rename_customer": Kind(_rename_customer, "customer_id", ("customer_id", "email"), line="address"),
}
