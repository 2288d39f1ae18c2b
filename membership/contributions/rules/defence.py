"""When the payment page is guarded against card testers (stripe.md 1.7, peers.md B8). Pure functions of counts.

Card testers try stolen cards on donation forms, thousands at a time. Limits per address and network stop the plain
ones; those who come from everywhere show in what becomes of payment pages: cards are refused, and few are paid.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

SHORT, LONG = timedelta(minutes=10), timedelta(hours=1)
"""The two spans that are looked at; a stance ends by itself when they are over."""

FEW = 10
MANY = 20
UNPAID_PAGES = 25


class Stance(StrEnum):
    """NORMAL: whoever asks gets a payment page. CAREFUL: who has never given confirms the address by mail first.
    CLOSED: as careful, and only few of the mails leave before the storm is over.
    """  # fmt: skip

    NORMAL = "normal"
    CAREFUL = "careful"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Tries:
    """What became of payment pages in a span: pages opened, pages paid, cards refused on them."""

    n_opened: int
    n_paid: int
    n_declined: int

    @property
    def declined_ratio(self) -> float:
        """Refused cards among all that were tried; 0 where none was."""
        n_tried = self.n_paid + self.n_declined
        return self.n_declined / n_tried if n_tried else 0.0


def stance_for(short: Tries, long: Tries) -> Stance:
    """The stance after what happened within SHORT and within LONG until now.

    Closed: twenty tries or more in ten minutes, and more than half of the cards were refused. Careful: ten refused
    cards in an hour that are more than three in ten; or 25 pages in ten minutes of which less than a fifth was paid.
    """
    if short.n_paid + short.n_declined >= MANY and short.declined_ratio > 1 / 2:
        return Stance.CLOSED
    is_refused_often = long.n_declined >= FEW and long.declined_ratio > 3 / 10
    is_hardly_paid = short.n_opened >= UNPAID_PAGES and short.n_paid * 5 < short.n_opened
    return Stance.CAREFUL if is_refused_often or is_hardly_paid else Stance.NORMAL
