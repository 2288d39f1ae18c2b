"""Ways to pay: which ones an account has turned on, where Stripe offers them, and the options that intents show.

Only cards and SEPA debits can be used on the hosted pages; the others are listed as Stripe lists what is turned on
in a Dashboard. Everything here is what Stripe's own answers show.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stripe import Charge

from membership.sandbox.kinds import Obj

_ANY: frozenset[str] = frozenset()
_EVERYWHERE = frozenset({"intent", "invoice", "setup", "session"})
_LINKED: Obj = {"financial_connections": {"permissions": ["payment_method"], "prefetch": []}}
_CARD: Obj = {"network": None, "request_three_d_secure": "automatic"}


@dataclass(frozen=True)
class Way:
    """One way to pay, by its name at Stripe.

    `currencies` are those in which it is offered (none named: all), `places` where the account has it turned on:
    Stripe keeps a list for intents and pages, and another one for invoices. `redirects` means that the payer is sent to
    another site, `holds` that the money can be reserved first and taken later, `keeps` that it can be saved and
    charged without the payer, `late` that the money comes days later. The four last are the options shown in a
    payment intent, in the intent of an invoice (by default the same), in a setup intent and in a session; None
    shows nothing.
    """

    name: str
    currencies: frozenset[str] = _ANY
    places: frozenset[str] = _EVERYWHERE
    redirects: bool = False
    holds: bool = False
    keeps: bool = False
    late: bool = False
    intent: Mapping[str, Any] | None = field(default_factory=dict)
    invoice: Mapping[str, Any] | None = None
    setup: Mapping[str, Any] | None = None
    session: Mapping[str, Any] | None = None


def _in(codes: str) -> frozenset[str]:
    return frozenset(codes.split())


_CHECKED: Obj = {"verification_method": "automatic"}
_MANDATE: Obj = {"mandate_options": {"interval_description": None, "payment_schedule": None, "transaction_type": None}}
_LIST = [
    Way(
        "card",
        holds=True,
        keeps=True,
        intent={"installments": None, "mandate_options": None, **_CARD},
        setup={"mandate_options": None, **_CARD},
        session={"request_three_d_secure": "automatic"},
    ),
    Way(
        "acss_debit",
        _in("cad usd"),
        _EVERYWHERE - {"session"},
        keeps=True,
        late=True,
        intent=_CHECKED,
        invoice=_MANDATE | _CHECKED,
    ),
    Way("afterpay_clearpay", _in("usd cad gbp aud nzd"), redirects=True, holds=True, intent={"reference": None}),
    Way("alipay", _in("usd eur gbp aud cad hkd jpy nzd sgd cny"), redirects=True),
    Way("au_becs_debit", _in("aud"), keeps=True, late=True),
    Way("bacs_debit", _in("gbp"), keeps=True, late=True, intent={"mandate_options": {}}),
    Way("bancontact", _in("eur"), redirects=True, keeps=True, intent={"preferred_language": "en"}),
    Way("cashapp", _in("usd"), _in("invoice"), redirects=True, holds=True, keeps=True),
    Way("eps", _in("eur"), redirects=True),
    Way("ideal", _in("eur"), redirects=True, keeps=True),
    Way(
        "klarna",
        _in("usd eur gbp cad aud nzd chf czk dkk nok pln sek ron"),
        _EVERYWHERE - {"invoice"},
        redirects=True,
        holds=True,
        keeps=True,
        intent={"preferred_locale": None},
    ),
    Way("link", holds=True, keeps=True, intent={"persistent_token": None}),
    Way("p24", _in("eur pln"), redirects=True),
    Way("sepa_debit", _in("eur"), keeps=True, late=True, intent={"mandate_options": {}}),
    Way(
        "us_bank_account",
        _in("usd"),
        keeps=True,
        late=True,
        intent=_LINKED | {"mandate_options": {}, "transaction_purpose": "unspecified"} | _CHECKED,
        invoice={"mandate_options": {}, **_CHECKED},
        setup={"mandate_options": {}, **_CHECKED},
        session=_LINKED | _CHECKED,
    ),
    Way(
        "wechat_pay",
        _in("usd eur gbp aud cad hkd jpy nzd sgd cny chf dkk nok sek"),
        redirects=True,
        intent={"app_id": None, "client": None},
        session={"app_id": None, "client": "web"},
    ),
]
WAYS = {way.name: way for way in _LIST}
LATE = frozenset(way.name for way in _LIST if way.late)
REDIRECTING = frozenset(way.name for way in _LIST if way.redirects)


def for_intent(on: Sequence[str], currency: str, *, capture: str, redirects: bool = True) -> list[str]:
    """What an intent with automatic payment methods offers; `redirects` may be ruled out by the caller."""
    found = _turned_on(on, currency, "intent")
    return [way.name for way in found if (redirects or not way.redirects) and (capture != "manual" or way.holds)]


def for_invoice(on: Sequence[str], currency: str) -> list[str]:
    """What the intent of an invoice offers, in the order of the alphabet."""
    return sorted(way.name for way in _turned_on(on, currency, "invoice") if way.keeps)


def for_setup(on: Sequence[str]) -> list[str]:
    """What can be saved for later."""
    return [way.name for way in _turned_on(on, None, "setup") if way.keeps]


def for_session(on: Sequence[str], currency: str | None, mode: str) -> list[str]:
    """What a Checkout page offers."""
    return [way.name for way in _turned_on(on, currency, "session") if mode == "payment" or way.keeps]


def options(names: Sequence[str], where: str) -> Obj:
    """`payment_method_options` of an object: `where` is intent, invoice, setup or session."""
    found = ((name, getattr(WAYS[name], where)) for name in sorted(names) if name in WAYS)
    if where == "invoice":
        found = ((name, WAYS[name].intent if shown is None else shown) for name, shown in found)
    return {name: dict(shown) for name, shown in found if shown is not None}


def _turned_on(on: Sequence[str], currency: str | None, place: str) -> list[Way]:
    found = [WAYS[name] for name in on if place in WAYS[name].places]
    return [way for way in found if not way.currencies or currency is None or currency in way.currencies]


def configuration(account: str) -> Obj:
    """`payment_method_configuration_details` of what is offered automatically."""
    return {"id": f"pmc_{account}", "parent": None}


def paid_with(method: Obj) -> Obj:
    """`payment_method_details` of a charge by anything but a card or a SEPA debit: what the SDK lets it say."""
    kind = method["type"]
    shape = getattr(Charge.PaymentMethodDetails, "".join(part.title() for part in kind.split("_")))
    return {"type": kind, kind: {name: method[kind].get(name) for name in shape.__annotations__}}
