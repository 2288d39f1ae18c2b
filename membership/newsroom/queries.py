"""What the newsroom has set, read from the settings of this installation."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from membership.newsroom.rules import Offer, build_offer
from membership.web import settings


@dataclass(frozen=True, slots=True)
class Newsroom:
    """The newsroom as pages and mails name it."""

    name: str


def newsroom() -> Newsroom:
    """The newsroom of this installation."""
    return Newsroom(name=settings().newsroom_name)


def zone() -> ZoneInfo:
    """The newsroom's time zone: in it days begin, years end and polls close."""
    return ZoneInfo(settings().newsroom_zone)


def day_of(at: datetime) -> date:
    """The day of a moment in the newsroom's zone."""
    return at.astimezone(zone()).date()


def offer_in(currency: str) -> Offer:
    """The offer in `currency`; KeyError for a currency that this newsroom does not offer."""
    known = settings()
    return build_offer(currency, known.cup_prices, known.once_minimums, known.fee_permille, known.fee_fixed)


def offered_currencies() -> tuple[str, ...]:
    """Currency codes in the newsroom's own order, at least one."""
    return tuple(settings().cup_prices)


def goal_patrons() -> int:
    """How many patrons the newsroom asks for on its front page."""
    return settings().goal_patrons
