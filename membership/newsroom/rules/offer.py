"""What a cup costs, what a gift may be, and what the fee comes to. Pure functions of values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm

CUPS_OFFERED = (1, 2, 4)
MONTHS_A_YEAR = 12
# Above this many cups in one charge a person should talk to the newsroom: it is a typing error or a grant.
MOST_CUPS = 2_500
# Payment companies take eight digits in one charge.
LARGEST_CHARGE = 99_999_999


@dataclass(frozen=True, slots=True)
class Choice:
    """One card on the contribute page: `n_cups` a month, and what that is in each rhythm."""

    n_cups: int
    monthly: Money
    yearly: Money
    once: Money


@dataclass(frozen=True, slots=True)
class Offer:
    """What a reader may give in one currency; all amounts in `currency`. `currencies` are those to choose from."""

    currency: str
    currencies: tuple[str, ...]
    cup: Money
    choices: tuple[Choice, ...]
    minimum: Mapping[Rhythm, Money]
    maximum: Money
    fee_permille: int
    fee_fixed: Money

    @property
    def has_fee(self) -> bool:
        """Whether there is a card fee that a giver may cover."""
        return bool(self.fee_permille or self.fee_fixed.minor)

    @property
    def mark(self) -> str:
        """What a form carries along, so that nobody is charged by other prices than those that they saw."""
        minors = (self.cup.minor, self.minimum[Rhythm.MONTHLY].minor, self.minimum[Rhythm.ONCE].minor)
        return "-".join(map(str, (self.currency, *minors, self.fee_permille, self.fee_fixed.minor)))

    def is_other_than(self, seen: str | None) -> bool:
        """Whether a form was filled in by other prices in this currency; `seen` is the mark that it carries, if any."""
        return bool(seen) and seen != self.mark and str(seen).partition("-")[0] == self.currency

    def price(self, rhythm: Rhythm, n_cups: int) -> Money:
        """What `n_cups` cost: a month's worth for monthly and once, twelve months' for yearly (decision 9)."""
        return self.cup * n_cups * (MONTHS_A_YEAR if rhythm is Rhythm.YEARLY else 1)

    def fee_for(self, gift: Money) -> Money:
        """What must be added so that `gift` arrives whole after the card fee, rounded up to the minor unit.

        The fee is taken from the sum charged, so the addition x solves x = rate * (gift + x) + fixed.
        """
        thousandths = gift.minor * self.fee_permille + self.fee_fixed.minor * 1000
        return Money(-(-thousandths // (1000 - self.fee_permille)), gift.currency)


def whole_cups(gift: Money, rhythm: Rhythm, cup: Money) -> int:
    """How many whole cups (a month) a gift is, without fees that the giver covers (decision 9).

    None where the cup has no price: money in a currency that the newsroom does not offer is thanked and covers nothing.
    """
    if not cup.minor:
        return 0
    return gift.minor // (cup.minor * (MONTHS_A_YEAR if rhythm is Rhythm.YEARLY else 1))


def milli_cups(gift: Money, rhythm: Rhythm, cup: Money) -> int:
    """A recurring gift in thousandths of a cup a month, without fees that the giver covers; 0 where the cup has no
    price, or the gift is no recurring one.
    """
    if not cup.minor or not rhythm.times_a_year:
        return 0
    return gift.minor * rhythm.times_a_year * 1000 // (cup.minor * MONTHS_A_YEAR)


def build_offer(
    currency: str,
    cups: Mapping[str, int],
    once_minimums: Mapping[str, int],
    fee_permille: int,
    fee_fixed: Mapping[str, int],
    *,
    monthly_minimums: Mapping[str, int] | None = None,
    currencies: Sequence[str] | None = None,
) -> Offer:
    """The offer in `currency` from tables of minor units per currency; KeyError for one without a price.

    `monthly_minimums`: one cup where it is not given. `currencies`: those to choose from, all of `cups` by default.
    """
    cup = Money(cups[currency], currency)
    monthly = Money((monthly_minimums or cups)[currency], currency)
    return Offer(
        currency=currency,
        currencies=tuple(cups if currencies is None else currencies),
        cup=cup,
        choices=tuple(Choice(n, cup * n, cup * n * MONTHS_A_YEAR, cup * n) for n in CUPS_OFFERED),
        minimum={
            Rhythm.MONTHLY: monthly,
            Rhythm.YEARLY: monthly * MONTHS_A_YEAR,
            Rhythm.ONCE: Money(once_minimums[currency], currency),
        },
        maximum=Money(min(cup.minor * MOST_CUPS, LARGEST_CHARGE), currency),
        fee_permille=fee_permille,
        fee_fixed=Money(fee_fixed[currency], currency),
    )
