"""Ways to support beside the card: what each needs before it can be offered. Pure functions of values."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

from stdnum import bic, iban
from stdnum.exceptions import ValidationError as WrongNumber

from membership.kernel.words import one_line, paragraphs
from membership.newsroom.rules.faults import Bounds, Fault, Leaf

LONGEST_HOLDER = 70  # as an EPC QR code allows
LONGEST_BANK = 80
LONGEST_LINK = 200
LONGEST_CRYPTO_NAME = 30
MOST_CRYPTO = 8
LONGEST_CASH_WORDS = 600
CRYPTO_ADDRESS = re.compile(r"[A-Za-z0-9:._-]{10,128}")

WAYS = ("bank", "paypal", "crypto", "cash")


@dataclass(frozen=True, slots=True)
class Ways:
    """What is known of each way, and whether it is offered. What is switched off stays known: whoever announced a gift
    before still finds the account. None: not filled in.
    """

    has_bank: bool
    iban: str | None
    holder: str | None
    bic: str | None
    bank_name: str | None
    has_paypal: bool
    paypal_link: str | None
    has_crypto: bool
    crypto: tuple[tuple[str, str], ...]
    has_cash: bool
    cash_words: str | None

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Ways":
        """From what `to_json` made."""
        return cls(**(dict(values) | {"crypto": tuple((name, address) for name, address in values["crypto"])}))

    def to_json(self) -> dict[str, Any]:
        """As history keeps it."""
        return asdict(self) | {"crypto": [list(pair) for pair in self.crypto]}

    def leaves(self) -> dict[str, Leaf]:
        """Path -> value, one for each thing that staff set."""
        plain = {name: value for name, value in asdict(self).items() if name != "crypto"}
        return plain | {f"crypto.{name}": address for name, address in self.crypto}

    def keeping(self, before: "Ways") -> "Ways":
        """These as they are."""
        del before
        return self

    @property
    def offered(self) -> list[str]:
        """Those that readers are offered, in the order of the page."""
        is_offered = {
            "bank": self.has_bank and self.iban,
            "paypal": self.has_paypal and self.paypal_link,
            "crypto": self.has_crypto and self.crypto,
            "cash": self.has_cash and self.cash_words,
        }
        return [way for way in WAYS if is_offered[way]]

    def faults(self, bounds: Bounds) -> list[Fault]:
        """Everything that cannot be."""
        del bounds
        return [*self._of_bank(), *self._of_paypal(), *self._of_crypto(), *self._of_cash()]

    def _of_bank(self) -> Iterator[Fault]:
        if self.iban is None:
            if self.has_bank:
                yield Fault("iban", "iban_missing")
        elif not is_number(iban, self.iban):
            yield Fault("iban", "iban")
        if self.has_bank and self.holder is None:
            yield Fault("holder", "holder_missing")
        if self.bic is not None and not is_number(bic, self.bic):
            yield Fault("bic", "bic")
        for name, most in (("holder", LONGEST_HOLDER), ("bank_name", LONGEST_BANK)):
            text = getattr(self, name)
            if text is not None and (len(text) > most or text != one_line(text)):
                yield Fault(name, "too_long", {"most": most})

    def _of_paypal(self) -> Iterator[Fault]:
        if self.paypal_link is None:
            if self.has_paypal:
                yield Fault("paypal_link", "link_missing")
        elif not is_secure_link(self.paypal_link):
            yield Fault("paypal_link", "link")

    def _of_crypto(self) -> Iterator[Fault]:
        if self.has_crypto and not self.crypto:
            yield Fault("crypto", "crypto_missing")
        if len(self.crypto) > MOST_CRYPTO:
            yield Fault("crypto", "crypto_many", {"most": MOST_CRYPTO})
        names = [name for name, _ in self.crypto]
        for place, (name, address) in enumerate(self.crypto):
            if not 1 <= len(name) <= LONGEST_CRYPTO_NAME or name != one_line(name):
                yield Fault(f"crypto.{place}.name", "crypto_name", {"most": LONGEST_CRYPTO_NAME})
            elif name in names[:place]:
                yield Fault(f"crypto.{place}.name", "crypto_twice")
            if not CRYPTO_ADDRESS.fullmatch(address):
                yield Fault(f"crypto.{place}.address", "crypto_address")

    def _of_cash(self) -> Iterator[Fault]:
        if self.cash_words is None:
            if self.has_cash:
                yield Fault("cash_words", "cash_missing")
        elif len(self.cash_words) > LONGEST_CASH_WORDS or self.cash_words != paragraphs(self.cash_words):
            yield Fault("cash_words", "too_long", {"most": LONGEST_CASH_WORDS})


def is_number(kind: Any, text: str) -> bool:
    """Whether `text` is a number of a kind of stdnum (`iban`, `bic`) in its compact form."""
    try:
        return bool(kind.validate(text) == text)
    except WrongNumber:
        return False


def compact(kind: Any, text: str) -> str:
    """A number as people type it, without what groups it; as it is where that cannot be told."""
    try:
        return str(kind.compact(text))
    except WrongNumber:
        return text


def is_secure_link(text: str) -> bool:
    """Whether this is an address on the web that begins with https."""
    try:
        parts = urlsplit(text)
        is_whole = parts.scheme == "https" and bool(parts.hostname) and parts.username is None
    except ValueError:
        return False
    return is_whole and len(text) <= LONGEST_LINK and text.isascii() and text.isprintable() and " " not in text


def grouped(number: str) -> str:
    """An IBAN as people read it, in groups of four."""
    return " ".join(number[place : place + 4] for place in range(0, len(number), 4))
