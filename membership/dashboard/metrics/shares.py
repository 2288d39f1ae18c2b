"""Shares in tables: what was seen, in which interval the real share lies, and whether anything can be said yet."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from membership.dashboard.rules.wilson import LEAST, wilson

WILSON_URL = "https://doi.org/10.1214/ss/1009213286"
WILSON_SOURCE = _l(
    "Interval: Wilson, “Probable inference”, Journal of the American Statistical Association 22 (1927), as recommended "
    "by Brown, Cai and DasGupta, “Interval estimation for a binomial proportion”, Statistical Science 16 (2001)."
)
HEADINGS: tuple[Any, ...] = (_l("The share"), _l("At least"), _l("At most"), _l("Conclusion"))
"""Of the cells that `cells` makes."""

_FOUR_DIGITS = Decimal("0.0001")


def ratio(number: float | Decimal) -> Decimal:
    """A ratio with four digits, as tables and files have it."""
    return Decimal(number).quantize(_FOUR_DIGITS)


def part(n: int, of: int | Decimal) -> Decimal | None:
    """Which part `n` is of all, with four digits; None where there is nothing to divide by."""
    return ratio(Decimal(n) / of) if of > 0 else None


def share_of(n_yes: int, n: int) -> Decimal | None:
    """The share of `n_yes` among `n`; None where there are too few to speak of one."""
    return ratio(Decimal(n_yes) / n) if n >= LEAST else None


def cells(n_yes: int, n: int, verdict: str | None = None) -> tuple[Decimal | None, Decimal, Decimal, str]:
    """Share, lower and upper end of the interval, and what can be said: `verdict`, else whether there are enough."""
    interval = wilson(n_yes, n)
    enough = _("Too early to say") if n < LEAST else _("Enough people")
    return share_of(n_yes, n), ratio(interval.low), ratio(interval.high), str(verdict or enough)


def most_first(counted: dict[str, int], limit: int) -> Sequence[tuple[str, int]]:
    """The `limit` names with the highest numbers, the highest first, in the order of their letters where they tie."""
    return sorted(counted.items(), key=lambda each: (-each[1], each[0]))[:limit]
