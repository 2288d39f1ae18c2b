"""What somebody who supports already may wish: other terms, a pause, an end. Pure functions of values."""

from dataclasses import dataclass
from datetime import datetime

from membership.kernel.errors import InvalidInput
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm
from membership.kernel.words import one_line
from membership.newsroom.rules import MONTHS_A_YEAR, whole_cups
from membership.patrons.rules import add_months

LONGEST_PAUSE_MONTHS = 6
LONGEST_WORDS = 400
# The few reasons that a form offers; what is stored is "<reason>: <own words>", one of them, or nothing.
CANCEL_REASONS = ("money", "news", "politics", "other_way", "technical", "other")


@dataclass(frozen=True, slots=True)
class Terms:
    """What is given from the next payment on. `charge` is `gift` plus a fee that the giver covers."""

    gift: Money
    charge: Money
    cup: Money
    rhythm: Rhythm

    @property
    def n_cups(self) -> int:
        """Whole cups (a month) of the gift."""
        return whole_cups(self.gift, self.rhythm, self.cup)

    def is_charged_like(self, other: "Terms") -> bool:
        """Whether the provider would charge the same, as often."""
        return self.charge == other.charge and self.rhythm is other.rhythm


def pause_ends(now: datetime, n_months: int) -> datetime:
    """When a pause of `n_months` that begins now is over: at noon (UTC) of that day, so that everybody who asks on one
    day asks for the same. Raises InvalidInput for other lengths than are offered.
    """
    if not 1 <= n_months <= LONGEST_PAUSE_MONTHS:
        raise InvalidInput(
            "pause_length",
            f"A pause lasts one to {LONGEST_PAUSE_MONTHS} months.",
            field="months",
            n=LONGEST_PAUSE_MONTHS,
        )
    return add_months(now, n_months).replace(hour=12, minute=0, second=0, microsecond=0)


def payment_after_pause(next_payment_at: datetime, rhythm: Rhythm, until: datetime) -> datetime:
    """The first payment that is due when the pause is over: its day in the month (or year) stays."""
    n, step = 0, MONTHS_A_YEAR if rhythm is Rhythm.YEARLY else 1
    while (due := add_months(next_payment_at, n)) < until:
        n += step
    return due


def insist_on_effect(next_payment_at: datetime | None, until: datetime) -> None:
    """Refuse a pause that is over before anything would be taken: it would only look like one. InvalidInput."""
    if next_payment_at is not None and until <= next_payment_at:
        raise InvalidInput(
            "pause_too_short",
            "Nothing would be taken before that day anyway.",
            field="months",
            next_payment_at=next_payment_at,
        )


def clean_cancel_reason(reason: str, words: str) -> str:
    """Why somebody stops, fit to be kept: one of CANCEL_REASONS and their own words, "" for neither.

    Unknown reasons count as none, and words are cut: nobody is kept from stopping by what they write.
    """
    known = reason if reason in CANCEL_REASONS else ""
    own = one_line(words)[:LONGEST_WORDS]
    return ": ".join(part for part in (known, own) if part)
