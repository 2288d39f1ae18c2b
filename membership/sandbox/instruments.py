"""What a payment method shows of itself, by its type."""

from datetime import UTC, datetime
from types import NoneType
from typing import Any, get_args

from stripe import PaymentMethod

from membership.sandbox import cards
from membership.sandbox.kinds import Obj
from membership.sandbox.protocol.errors import ApiError, missing

_BICS = {
    "abn_amro": "ABNANL2A",
    "adyen": "ADYBNL2A",
    "asn_bank": "ASNBNL21",
    "bunq": "BUNQNL2A",
    "buut": "BUUTNL2A",
    "finom": "FNOMNL22",
    "handelsbanken": "HANDNL2A",
    "ing": "INGBNL2A",
    "knab": "KNABNL2H",
    "mollie": "MLLENL2A",
    "moneyou": "MOYONL21",
    "n26": "NTSBDEB1",
    "nn": "NNBANL2G",
    "rabobank": "RABONL2U",
    "regiobank": "RBRBNL21",
    "revolut": "REVOLT21",
    "sns_bank": "SNSBNL2A",
    "triodos_bank": "TRIONL2U",
    "van_lanschot": "FVLBNL22",
    "yoursafe": "BITSNL2A",
}
_NETWORKS = {"networks": {"preferred": "ach", "supported": ["ach"]}}


def card_of(kind: str, given: Obj) -> cards.Card:
    """The test card or account that the parameters of a new method describe; ApiError where there is none such."""
    if kind == "card":
        return _card(given)
    number = str(given.get("iban") or given.get("account_number") or "")
    if kind == "sepa_debit" and not number:
        raise missing("sepa_debit[iban]")
    return cards.by_number(number) or cards.Card(number, kind, kind)


def _card(given: Obj) -> cards.Card:
    token = given.get("token")
    if token:
        found = cards.TOKENS.get("pm_card_" + str(token).removeprefix("tok_"))
        if found is None:
            raise ApiError(f"No such token: '{token}'", code="resource_missing", param="card[token]")
        return found
    if not given.get("number"):
        raise missing("card")
    typed = cards.by_number(str(given["number"]))
    if typed is None or typed.kind != "card":
        raise ApiError(
            "Your card number is incorrect.", status=402, kind="card_error", code="incorrect_number", param="number"
        )
    return typed


def shown(card: cards.Card, now: int, expires: tuple[int, int] | None, given: Obj) -> Obj:
    """The part of a payment method that is named as its type; `given` are the parameters of that name."""
    if card.kind == "card":
        return _shown_card(card, expires or (12, datetime.fromtimestamp(now, UTC).year + 1))
    if card.kind == "sepa_debit":
        return {
            "bank_code": card.number[4:9],
            "branch_code": None,
            "country": card.number[:2],
            "fingerprint": "sandbox" + card.last4,
            "generated_from": {"charge": None, "setup_attempt": None},
            "last4": card.last4,
        }
    return _shown_other(card, given)


def _shown_other(card: cards.Card, given: Obj) -> Obj:
    """Every field that the SDK names for the type: as it was given, derived where it must be, else null."""
    shape: Any = getattr(PaymentMethod, "".join(part.title() for part in card.kind.split("_")))
    fields = [name for name in shape.__annotations__ if name != "persistent_token"]
    derived: Obj = {"fingerprint": "sandbox" + card.last4, "last4": card.last4, "bic": _BICS.get(given.get("bank", ""))}
    derived |= {"account_holder_type": "individual", "bank_name": "STRIPE TEST BANK", "funding": "card"}
    if card.kind == "us_bank_account":
        derived |= _NETWORKS
    found = {name: given.get(name, derived.get(name)) for name in fields}
    for name, value in found.items():
        if value is None and NoneType not in get_args(shape.__annotations__[name]):
            raise missing(f"{card.kind}[{name}]")
    return found


def _shown_card(card: cards.Card, expires: tuple[int, int]) -> Obj:
    return {
        "brand": card.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "US",
        "display_brand": card.brand,
        "exp_month": expires[0],
        "exp_year": expires[1],
        "fingerprint": "sandbox" + card.number[-9:],
        "funding": "credit",
        "generated_from": None,
        "last4": card.last4,
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }
