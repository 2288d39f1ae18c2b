"""The form of the ways to support beside the card."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from flask_babel import lazy_gettext as _l
from stdnum import bic, iban
from wtforms import BooleanField, Field, StringField, TextAreaField

from membership.kernel.words import one_line, paragraphs
from membership.newsroom.forms.base import TYPED, SettingForm
from membership.newsroom.rules.prices import Prices
from membership.newsroom.rules.ways import MOST_CRYPTO, Ways, compact


class WaysForm(SettingForm):
    """Ways to support beside the card. Made by `of`, with a pair of fields for each crypto address."""

    PLACES: ClassVar[Mapping[str, str]] = {"crypto": "crypto-0-name"}

    has_bank = BooleanField(_l("Offer bank transfer"))
    iban = StringField("IBAN", validators=[TYPED])
    holder = StringField(_l("Whose account it is"), validators=[TYPED])
    bic = StringField("BIC", validators=[TYPED])
    bank_name = StringField(_l("Name of the bank"), validators=[TYPED])
    has_paypal = BooleanField(_l("Offer PayPal"))
    paypal_link = StringField(_l("Address of your PayPal page"), validators=[TYPED])
    has_crypto = BooleanField(_l("Offer crypto currency"))
    has_cash = BooleanField(_l("Offer cash"))
    cash_words = TextAreaField(_l("How cash reaches you"), validators=[TYPED])

    @classmethod
    def of(cls, prices: Prices, **options: Any) -> Self:
        """The form with room for as many addresses as there may be."""
        del prices
        fields: dict[str, Any] = {}
        for place in range(MOST_CRYPTO):
            fields[f"crypto-{place}-name"] = StringField(_l("Currency"), validators=[TYPED])
            fields[f"crypto-{place}-address"] = StringField(_l("Address"), validators=[TYPED])
        return type("WaysFormOfToday", (cls,), fields)(**options)  # type: ignore[no-any-return]

    def show(self, values: Ways) -> Self:
        """Fill in these ways."""
        for name, value in values.leaves().items():
            if name in self:
                self[name].data = value if isinstance(value, bool) else value or ""
        for place in range(MOST_CRYPTO):
            name, address = values.crypto[place] if place < len(values.crypto) else ("", "")
            self[f"crypto-{place}-name"].data, self[f"crypto-{place}-address"].data = name, address
        return self

    def values(self) -> Ways:
        """What was typed, tidied up: numbers without what groups them, empty rows left out."""
        pairs = [(self.text(f"crypto-{place}-name"), self.text(f"crypto-{place}-address")) for place in self._rows()]
        return Ways(
            has_bank=bool(self.has_bank.data),
            iban=self._number("iban", iban),
            holder=one_line(self.holder.data or "") or None,
            bic=self._number("bic", bic),
            bank_name=one_line(self.bank_name.data or "") or None,
            has_paypal=bool(self.has_paypal.data),
            paypal_link=self.text("paypal_link"),
            has_crypto=bool(self.has_crypto.data),
            crypto=tuple((one_line(name or ""), address or "") for name, address in pairs),
            has_cash=bool(self.has_cash.data),
            cash_words=paragraphs(self.cash_words.data or "") or None,
        )

    def _number(self, name: str, kind: Any) -> str | None:
        typed = self.text(name)
        return compact(kind, typed) if typed is not None else None

    def _rows(self) -> list[int]:
        """The places of the rows in which something stands."""
        return [
            place
            for place in range(MOST_CRYPTO)
            if self.text(f"crypto-{place}-name") or self.text(f"crypto-{place}-address")
        ]

    def place_of(self, path: str) -> Field:
        """The field of a path; an address is counted among those that are filled in."""
        if path.startswith("crypto."):
            _, place, name = path.split(".")
            found: Field = self[f"crypto-{self._rows()[int(place)]}-{name}"]
            return found
        return super().place_of(path)
