"""The form of cups and currencies: one part for each currency, one for a new one, and what they share."""

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar, Self

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, Field, SelectField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than the stubs

from membership.newsroom.forms.base import SettingForm, all_of, written
from membership.newsroom.rules.prices import MAY_BE_OFFERED, CurrencyPrices, Prices

NEW = "new"
SHARE = re.compile(r"[0-9]{1,3}(?:\.[0-9])?")
AMOUNTS = {
    "cup_minor": _l("One cup of coffee"),
    "monthly_minimum_minor": _l("The least a month"),
    "once_minimum_minor": _l("The least once"),
    "fee_fixed_minor": _l("Fixed part of the card fee"),
}


MINIMUMS = ("monthly_minimum_minor", "once_minimum_minor")


class PricesForm(SettingForm):
    """Cups and currencies; made by `of`, since its fields depend on the currencies that are known."""

    PLACES: ClassVar[Mapping[str, str]] = {"open": "reporting_currency"}
    known: Prices

    fee_permille = StringField(_l("Share of the card fee, in per cent"))
    reporting_currency = SelectField(_l("The newsroom's own currency"), validate_choice=False)

    @classmethod
    def of(cls, prices: Prices, **options: Any) -> Self:
        """The form for these currencies; `options` are those of any form."""
        fields: dict[str, Any] = {"known": prices}
        for code in [row.currency for row in prices.currencies] + [NEW]:
            fields |= {f"{code}-{name}": StringField(words) for name, words in AMOUNTS.items()}
            if code != NEW:
                fields[f"{code}-is_open"] = BooleanField(_l("Offer it to who begins to give"))
        fields[f"{NEW}-currency"] = SelectField(_l("Another currency"), validate_choice=False)
        return type("PricesFormOfToday", (cls,), fields)(**options)  # type: ignore[no-any-return]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        codes = [row.currency for row in self.known.currencies]
        others = [code for code in MAY_BE_OFFERED if code not in codes]
        self[f"{NEW}-currency"].choices = [
            SelectChoice("", _l("None")),
            *(SelectChoice(code, code) for code in others),
        ]
        new = self[f"{NEW}-currency"].data
        self.reporting_currency.choices = [SelectChoice(code, code) for code in (*codes, *([new] if new else []))]

    def show(self, values: Prices) -> Self:
        """Fill in these prices; of a currency that has none in them, nothing."""
        for row in values.currencies:
            if f"{row.currency}-cup_minor" in self:
                self._show_row(row)
        self.fee_permille.data = f"{Decimal(values.fee_permille) / 10:f}"
        self.reporting_currency.data = values.reporting_currency
        return self

    def show_unsent(self) -> None:
        """Fill in the currencies that somebody else added while this form was open: it was sent without them."""
        for row in self.known.currencies:
            if not self[f"{row.currency}-cup_minor"].raw_data:
                self._show_row(row)

    def _show_row(self, row: CurrencyPrices) -> None:
        """A least amount of one cup stays empty, so that it goes along with the cup."""
        for name in AMOUNTS:
            minor = getattr(row, name)
            is_cup = name in MINIMUMS and minor == row.cup_minor
            self[f"{row.currency}-{name}"].data = "" if is_cup else written(minor, row.currency)
        self[f"{row.currency}-is_open"].data = row.is_open

    def values(self) -> Prices:
        """What was typed. An empty minimum is one cup, an empty fee none."""
        self.show_unsent()
        readers = [
            partial(self._row, row.currency, row.currency, is_open=bool(self[f"{row.currency}-is_open"].data))
            for row in self.known.currencies
        ]
        *rows, new, permille = all_of(*readers, self._new_row, self._permille)
        found = tuple(row for row in (*rows, new) if row is not None)
        return Prices(found, str(self.reporting_currency.data or ""), permille)

    def _new_row(self) -> CurrencyPrices | None:
        code = str(self[f"{NEW}-currency"].data or "")
        if not code:
            if any(self.text(f"{NEW}-{name}") for name in AMOUNTS):
                raise self.wrong(f"{NEW}-currency", "currency_unchosen")
            return None
        if code not in MAY_BE_OFFERED or self.known.find(code) is not None:
            raise self.wrong(f"{NEW}-currency", "currency_unknown")
        return self._row(NEW, code, is_open=True)

    def _row(self, place: str, code: str, *, is_open: bool) -> CurrencyPrices:
        cup = self.minor(f"{place}-cup_minor", code, None)
        monthly, once, fee = all_of(
            lambda: self.minor(f"{place}-monthly_minimum_minor", code, cup),
            lambda: self.minor(f"{place}-once_minimum_minor", code, cup),
            lambda: self.minor(f"{place}-fee_fixed_minor", code, 0),
        )
        return CurrencyPrices(code, cup, monthly, once, fee, is_open)

    def _permille(self) -> int:
        typed = (self.text("fee_permille") or "0").removesuffix("%").strip().replace(",", ".")
        if not SHARE.fullmatch(typed):
            raise self.wrong("fee_permille", "not_a_share")
        return int(Decimal(typed) * 10)

    def place_of(self, path: str) -> Field:
        """The field of a path; that of a new currency stands in the part for new ones."""
        code, _, name = path.partition(".")
        if code == self[f"{NEW}-currency"].data and f"{NEW}-{name}" in self:
            found: Field = self[f"{NEW}-{name}"]
            return found
        return super().place_of(path)
