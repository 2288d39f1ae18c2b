"""Round numbers for the axis of a picture."""

from decimal import Decimal
from math import floor, log10


def ticks(low: float, high: float, at_most: int = 5, smallest: float = 1) -> list[Decimal]:
    """Round numbers (1, 2 or 5 times a power of ten apart, at least `smallest`) that span `low` to `high`, ascending;
    two or more, about `at_most` of them.
    """
    span = max(high - low, smallest)
    rough = span / max(at_most - 1, 1)
    power = Decimal(10) ** floor(log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if float(power * factor) >= rough)
    step = max(step, Decimal(str(smallest)))
    first = (Decimal(str(low)) / step).to_integral_value("ROUND_FLOOR")
    last = max((Decimal(str(high)) / step).to_integral_value("ROUND_CEILING"), first + 1)
    return [step * n for n in range(int(first), int(last) + 1)]
