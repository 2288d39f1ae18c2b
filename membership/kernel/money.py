"""Money that defends itself: whole minor units and a currency, never a float, never two currencies mixed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

# ISO 4217 digits after the point, for the currencies that a newsroom may offer. What Stripe counts
# differently (UGX, ISK, HUF …) is the adapter's business, not ours.
MINOR_DIGITS: dict[str, int] = {
    **dict.fromkeys(("AED", "AUD", "BGN", "BRL", "CAD", "CHF", "CZK", "DKK", "EUR", "GBP", "GEL", "HUF", "ILS"), 2),
    **dict.fromkeys(("INR", "MDL", "MXN", "NOK", "NZD", "PLN", "RON", "RSD", "SEK", "SGD", "TRY", "UAH", "USD"), 2),
    **dict.fromkeys(("ZAR",), 2),
    **dict.fromkeys(("CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND"), 0),
    **dict.fromkeys(("BHD", "JOD", "KWD", "OMR", "TND"), 3),
}


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount: `minor` counts the smallest ISO 4217 unit (cents), `currency` is the upper-case code.

    Negative amounts are refunds and other movements out. Raises ValueError for an unknown currency or a
    mixture of two, TypeError for anything but an int.
    """

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise TypeError(f"Money takes whole minor units, not {self.minor!r}.")
        if self.currency not in MINOR_DIGITS:
            raise ValueError(f"Unknown currency {self.currency!r}.")

    @classmethod
    def parse(cls, text: str, currency: str) -> "Money":
        """Read what a person typed, such as "12.50" or "12,50"; ValueError where it is not an exact amount.

        One comma or one point may separate the digits after it; spaces of any width group thousands.
        Nothing is rounded: "1.234" in a two-digit currency is refused, since it may mean either number.
        """
        if currency not in MINOR_DIGITS:
            raise ValueError(f"Unknown currency {currency!r}.")
        compact = "".join(text.split()).replace(",", ".")
        whole, _, part = compact.partition(".")
        if not (whole.isdecimal() and (part.isdecimal() or (part == "" and "." not in compact))):
            raise ValueError(f"Not an amount: {text!r}.")
        if len(whole) > 12 or len(part) > MINOR_DIGITS[currency]:  # noqa: PLR2004 - a trillion is no gift
            raise ValueError(f"Too long for an amount in {currency}: {text!r}.")
        try:
            value = Decimal(f"{whole}.{part or '0'}")
        except InvalidOperation as error:  # digits of a script that Decimal does not read
            raise ValueError(f"Not an amount: {text!r}.") from error
        return cls(int(value.scaleb(MINOR_DIGITS[currency])), currency)

    @property
    def amount(self) -> Decimal:
        """The amount in major units, exact."""
        return Decimal(self.minor).scaleb(-MINOR_DIGITS[self.currency])

    def _same(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise ValueError(f"Cannot mix {self.currency} and {other.currency}.")

    def __add__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __mul__(self, times: int) -> "Money":
        if type(times) is not int:
            raise TypeError(f"Money is multiplied by whole numbers only, not {times!r}.")
        return Money(self.minor * times, self.currency)

    def __lt__(self, other: "Money") -> bool:
        self._same(other)
        return self.minor < other.minor

    def __le__(self, other: "Money") -> bool:
        self._same(other)
        return self.minor <= other.minor

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"

    def allocate(self, weights: Sequence[int]) -> list["Money"]:
        """Split by `weights` (at least one, none negative, not all zero) without losing a cent.

        The parts come in the order of the weights and add up to this amount; leftover units go to the
        largest remainders, earlier parts first (Hamilton's method).
        """
        total = sum(weights)
        if not weights or total <= 0 or min(weights) < 0:
            raise ValueError("Weights must be whole numbers, none negative, with a positive sum.")
        sign, size = (-1, -self.minor) if self.minor < 0 else (1, self.minor)
        shares = [divmod(size * weight, total) for weight in weights]
        left = size - sum(quotient for quotient, _ in shares)
        by_remainder = sorted(range(len(weights)), key=lambda i: (-shares[i][1], i))
        extra = set(by_remainder[:left])
        return [Money(sign * (q + (i in extra)), self.currency) for i, (q, _) in enumerate(shares)]


def sum_by_currency(amounts: Iterable[Money]) -> dict[str, Money]:
    """Add amounts up, one sum per currency in order of appearance; an empty input gives an empty map."""
    sums: dict[str, Money] = {}
    for money in amounts:
        sums[money.currency] = sums[money.currency] + money if money.currency in sums else money
    return sums
