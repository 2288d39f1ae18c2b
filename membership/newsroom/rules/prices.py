"""Cups and currencies: what each may cost, and which are open. Pure functions of values."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from membership.kernel.money import MINOR_DIGITS, Money
from membership.newsroom.rules.faults import Bounds, Fault, Leaf
from membership.newsroom.rules.offer import CUPS_OFFERED, LARGEST_CHARGE, MONTHS_A_YEAR, Offer, build_offer

MOST_FEE_PERMILLE = 200
# Nothing dearer: four cups for a year are still one charge.
DEAREST_CUP = LARGEST_CHARGE // (max(CUPS_OFFERED) * MONTHS_A_YEAR)
# Currencies counted in thousandths are left out: no payment company charges single ones.
MAY_BE_OFFERED = tuple(code for code, digits in sorted(MINOR_DIGITS.items()) if digits < 3)  # noqa: PLR2004


@dataclass(frozen=True, slots=True)
class CurrencyPrices:
    """What is asked in one currency, in its minor units. A closed one is no longer offered to who begins to give."""

    currency: str
    cup_minor: int
    monthly_minimum_minor: int
    once_minimum_minor: int
    fee_fixed_minor: int
    is_open: bool

    def faults(self, least: int) -> Iterator[Fault]:
        """What cannot be, with the least that the payment company charges in this currency."""
        if not 0 < self.cup_minor <= DEAREST_CUP:
            yield self._fault("cup_minor", "cup_price", most=self._money(DEAREST_CUP))
            return
        for name in ("monthly_minimum_minor", "once_minimum_minor"):
            value = getattr(self, name)
            if value < least:
                yield self._fault(name, "minimum_too_small", least=self._money(least))
            elif value > self.cup_minor:
                yield self._fault(name, "minimum_above_cup", cup=self._money(self.cup_minor))
        if not 0 <= self.fee_fixed_minor < self.cup_minor:
            yield self._fault("fee_fixed_minor", "fee_fixed", cup=self._money(self.cup_minor))

    def _fault(self, name: str, code: str, **details: Any) -> Fault:
        return Fault(f"{self.currency}.{name}", code, details)

    def _money(self, minor: int) -> Money:
        return Money(minor, self.currency)


@dataclass(frozen=True, slots=True)
class Prices:
    """Every currency that ever had a price here, in the newsroom's order; which is its own; and the card fee.

    A price is never thrown away: support that runs in a closed currency still needs it.
    """

    currencies: tuple[CurrencyPrices, ...]
    reporting_currency: str
    fee_permille: int

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Prices":
        """From what `to_json` made."""
        rows = tuple(CurrencyPrices(**row) for row in values["currencies"])
        return cls(rows, values["reporting_currency"], values["fee_permille"])

    def to_json(self) -> dict[str, Any]:
        """As history keeps it."""
        return asdict(self) | {"currencies": [asdict(row) for row in self.currencies]}

    def leaves(self) -> dict[str, Leaf]:
        """Path -> value, one for each thing that staff set."""
        found: dict[str, Leaf] = {}
        for row in self.currencies:
            found |= {f"{row.currency}.{name}": value for name, value in asdict(row).items() if name != "currency"}
        return found | {"reporting_currency": self.reporting_currency, "fee_permille": self.fee_permille}

    @property
    def open_currencies(self) -> tuple[str, ...]:
        """Those that somebody may begin to give in."""
        return tuple(row.currency for row in self.currencies if row.is_open)

    def find(self, currency: str) -> CurrencyPrices | None:
        """What is asked in a currency, open or closed; None for one that never had a price."""
        return next((row for row in self.currencies if row.currency == currency), None)

    def offer(self, currency: str) -> Offer:
        """The offer in a currency, open or closed; KeyError for one without a price."""
        rows = self.currencies
        return build_offer(
            currency,
            {row.currency: row.cup_minor for row in rows},
            {row.currency: row.once_minimum_minor for row in rows},
            self.fee_permille,
            {row.currency: row.fee_fixed_minor for row in rows},
            monthly_minimums={row.currency: row.monthly_minimum_minor for row in rows},
            currencies=self.open_currencies,
        )

    def keeping(self, before: "Prices") -> "Prices":
        """These, with the prices of every currency that `before` knows and these do not: closed, never thrown away."""
        known = {row.currency for row in self.currencies}
        left = tuple(replace(row, is_open=False) for row in before.currencies if row.currency not in known)
        return replace(self, currencies=self.currencies + left)

    def faults(self, bounds: Bounds) -> list[Fault]:
        """Everything that cannot be."""
        found = [fault for row in self.currencies for fault in row.faults(max(1, bounds.least.get(row.currency, 1)))]
        if not 0 <= self.fee_permille <= MOST_FEE_PERMILLE:
            found.append(Fault("fee_permille", "fee_share"))
        if not self.open_currencies:
            found.append(Fault("open", "no_currency"))
        elif self.reporting_currency not in self.open_currencies:
            found.append(Fault("reporting_currency", "reporting_closed", {"currency": self.reporting_currency}))
        return found


def in_one_currency(amounts: Mapping[str, int], currency: str, prices: Prices) -> Money | None:
    """Amounts of several currencies (code -> minor units) as one, worked out by the newsroom's own cups: a cup is a cup
    in each of them. Money in a currency without a price is left out; None where `currency` has none itself.
    """
    own = prices.find(currency)
    if own is None:
        return None
    total = 0
    for code, minor in amounts.items():
        row = prices.find(code)
        if row is not None:
            total += minor if code == currency else minor * own.cup_minor // row.cup_minor
    return Money(total, currency)
