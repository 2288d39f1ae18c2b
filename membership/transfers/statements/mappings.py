"""How a table (CSV) is to be read: which column means what, and how its dates and amounts are written."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, field
from typing import Any

from membership.kernel.errors import InvalidInput

DELIMITERS = {",": ",", ";": ";", "tab": "\t"}
ENCODINGS = ("utf-8", "cp1252", "cp1251", "iso-8859-15")
DATE_FORMS = {
    "%Y-%m-%d": "2027-12-31",
    "%d.%m.%Y": "31.12.2027",
    "%d.%m.%y": "31.12.27",
    "%d/%m/%Y": "31/12/2027",
    "%m/%d/%Y": "12/31/2027",
}
LONGEST_NAME = 60
LONGEST_COLUMN = 80


@dataclass(frozen=True, slots=True)
class Mapping:
    """One form of table. Columns are named as in its first line, whatever the case; "" where it has none.

    `delimiter` is a key of DELIMITERS, `decimal` the sign before the cents. `amount` is above zero for money in;
    where a table has two columns, `amount` is money in and `amount_out` money out. `texts` are put together.
    `currency` is a column, `currency_is` the one currency of the account where there is none. `only` are the values
    that a column must have for a line to count; `returns` the values of `kind` that mean money gone back, whose
    `returns_id` names the movement that it takes back; `fees` those that mean a fee on a line of its own, which names
    the movement that it is for, or the one that took that back; `not_kinds` those that are none of our business.
    """

    way: str = "bank"
    delimiter: str = ";"
    encoding: str = "utf-8"
    decimal: str = ","
    date_form: str = "%d.%m.%Y"
    date: str = ""
    amount: str = ""
    amount_out: str = ""
    currency: str = ""
    currency_is: str = ""
    texts: tuple[str, ...] = ()
    name: str = ""
    account: str = ""
    own_id: str = ""
    fee: str = ""
    kind: str = ""
    returns: tuple[str, ...] = ()
    returns_id: str = ""
    fees: tuple[str, ...] = ()
    not_kinds: tuple[str, ...] = ()
    only: Dictionary[str, tuple[str, ...]] = field(default_factory=dict)

    def columns(self) -> list[str]:
        """Every column that must be there."""
        named = (
            self.date, self.amount, self.amount_out, self.currency, *self.texts, self.name, self.account,
            self.own_id, self.fee, self.kind, self.returns_id, *self.only,
        )  # fmt: skip
        return list(dict.fromkeys(column for column in named if column))

    @property
    def source(self) -> str:
        """The form of what is read by it, such as csv-1a2b3c4d: by another mapping, lines have other identities."""
        words = json.dumps(self.to_json(), sort_keys=True, ensure_ascii=True)
        return f"csv-{hashlib.sha256(words.encode()).hexdigest()[:8]}"

    def to_json(self) -> dict[str, Any]:
        """As a database keeps it."""
        return dataclasses.asdict(self)


def from_json(values: dict[str, Any]) -> Mapping:
    """The opposite of `to_json`."""
    lists = {"texts", "returns", "fees", "not_kinds"}
    only = {name: tuple(wanted) for name, wanted in values.get("only", {}).items()}
    plain: dict[str, Any] = {k: tuple(v) if k in lists else v for k, v in values.items() if k != "only"}
    return Mapping(**plain, only=only)


def check(mapping: Mapping) -> Mapping:
    """The mapping, if a table can be read by it; InvalidInput naming the field where not."""
    for name, value, known in (
        ("delimiter", mapping.delimiter, DELIMITERS),
        ("encoding", mapping.encoding, ENCODINGS),
        ("decimal", mapping.decimal, (",", ".")),
        ("date_form", mapping.date_form, DATE_FORMS),
        ("way", mapping.way, ("bank", "paypal")),
    ):
        if value not in known:
            raise InvalidInput("unknown_choice", "Please choose one of those offered.", field=name)
    for name in ("date", "amount"):
        if not getattr(mapping, name):
            raise InvalidInput("no_column", "Please name this column.", field=name)
    if not mapping.currency and not mapping.currency_is:
        raise InvalidInput(
            "no_currency", "Please name the column of the currency, or the one currency.", field="currency_is"
        )
    if any(len(column) > LONGEST_COLUMN for column in mapping.columns()):
        raise InvalidInput("too_long", "A name of a column is too long.", field="date")
    return mapping


# PayPal's activity download: gross and fee apart, one line for each leg; conversions and transfers to the bank are
# no gifts, and what is held back during a dispute comes again or goes with a line of its own (event codes T1110,
# T1111, T1201; the fee of a chargeback, T0106, names the chargeback). Its dates follow the language of the account,
# so there is one mapping for each form.
_PAYPAL = Mapping(
    way="paypal",
    delimiter=",",
    decimal=".",
    date_form="%m/%d/%Y",
    date="Date",
    amount="Gross",
    currency="Currency",
    texts=("Subject", "Note"),
    name="Name",
    account="From Email Address",
    own_id="Transaction ID",
    fee="Fee",
    kind="Type",
    returns=("Payment Refund", "Payment Reversal", "Reversal", "Chargeback", "Refund"),
    returns_id="Reference Txn ID",
    fees=("Chargeback Fee", "Dispute Fee", "Fee Reversal"),
    not_kinds=(
        "General Currency Conversion", "General Withdrawal", "Transfer to Bank", "User Initiated Withdrawal",
        "Bank Deposit to PP Account", "General Credit Card Deposit", "Account Hold for Open Authorization",
        "Reversal of General Account Hold", "General Card Deposit", "Hold on Balance for Dispute Investigation",
        "Cancellation of Hold for Dispute Resolution",
    ),
    only={"Status": ("Completed",)},
)  # fmt: skip

BUILT_IN: dict[str, Mapping] = {
    "paypal": _PAYPAL,
    "paypal-day-first": dataclasses.replace(_PAYPAL, date_form="%d/%m/%Y"),
}
