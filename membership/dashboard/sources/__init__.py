"""Where days are summed from: the rows of the rooms below, one file each. A new one is a file and a line here."""

from membership.dashboard.sources.fees import FEES
from membership.dashboard.sources.first_gifts import FIRST_GIFTS
from membership.dashboard.sources.movements import MOVEMENTS
from membership.dashboard.sources.patrons import PATRONS
from membership.dashboard.sources.payments import PAYMENTS
from membership.dashboard.sources.reversals import REVERSALS
from membership.dashboard.sources.source import Source, Sum
from membership.dashboard.sources.starts import PAID_STARTS, STARTS
from membership.dashboard.sources.troubles import TROUBLES

SOURCES: tuple[Source, ...] = (
    MOVEMENTS, PAYMENTS, REVERSALS, FEES, PATRONS, TROUBLES, STARTS, PAID_STARTS, FIRST_GIFTS
)  # fmt: skip
MONEY: frozenset[str] = frozenset().union(*(source.money for source in SOURCES))
"""Names of measures whose `amount` is money."""

__all__ = ["FIRST_GIFTS", "MONEY", "PAID_STARTS", "SOURCES", "STARTS", "Source", "Sum"]
