"""Lets members live a year, hour by hour; hours in which nothing happens pass at once."""

import heapq
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count

from membership.dashboard.rules.rates import Quote
from membership.dashboard.services import rating, rebuilding
from membership.kernel import clock
from membership.kernel.errors import MembershipError
from tests.faults.lives.hours import BEGINNING
from tests.year.deeds import DEEDS, House
from tests.year.members import N_DAYS, Member
from tests.year.newsroom import Newsroom, Stayed
from tests.year.place import DAY, HOUR, Place, day_at, midnight
from tests.year.stripe_books import Standing, standing_of

Tell = Callable[[date, "Lived"], None]
N_SETTLED = 20
"""So many days more, in which nobody plans anything: the last tries of a failed renewal are over by then, and slow
refunds have arrived.
"""


@dataclass
class Lived:
    """What happened, and what was seen on the way: `quotes` of one euro by day and currency, and at some midnights
    what stood at Stripe and which terms our supporters had; `stayed`: who was a patron some time after each poll.
    """

    deeds: Counter = field(default_factory=Counter)
    refused: Counter = field(default_factory=Counter)
    quotes: dict[tuple[date, str], Decimal] = field(default_factory=dict)
    seen: dict[date, Standing] = field(default_factory=dict)
    beside: list = field(default_factory=list)
    stayed: dict[int, Stayed] = field(default_factory=dict)
    n_notices: int = 0
    ended_at: datetime | None = None


def quotes_of(day: date) -> dict[str, Decimal]:
    """What a euro costs that week: up and down a little, of four decimals as central banks publish."""
    n = day.toordinal() // 7
    return {"USD": Decimal("1.0813") + Decimal(n % 11) / 1000, "UAH": Decimal("47.0317") + Decimal(n % 17 * 7) / 100}


def live(place: Place, members: list[Member], tell: Tell = lambda *_: None) -> Lived:
    """The whole year and some days after it, until all has come to rest; then every day is summed."""
    house, lived, numbers, newsroom = House(place), Lived(), count(), Newsroom(place)
    agenda = [(plan.at, next(numbers), member, plan) for member in members for plan in member.plans]
    heapq.heapify(agenda)
    _publish(lived, day_at(BEGINNING))
    last = day_at(BEGINNING) + (N_DAYS + N_SETTLED) * DAY
    day = day_at(BEGINNING)
    while day <= last:
        _live_a_day(house, lived, agenda, midnight(day + DAY))
        if (day + DAY).day == 1 or day == last:
            lived.seen[day] = standing_of(place)
        day += DAY
        _keep_house(place, lived, day)
        newsroom.live_a_day(day)
        tell(day, lived)
    place.come_to_rest()
    lived.stayed = newsroom.stayed
    lived.n_notices, lived.beside, lived.ended_at = place.n_notices, house.beside, clock.now()
    place.ask_us(lambda: rebuilding.roll(lived.ended_at))
    return lived


def _live_a_day(house: House, lived: Lived, agenda: list, end: datetime) -> None:
    """Everything that somebody planned, or that falls due, up to the end of a day."""
    place = house.place
    while True:
        wanted = [moment for moment in (agenda[0][0] if agenda else None, place.next_due()) if moment is not None]
        following = min(wanted, default=end)
        stop = _full_hour(following)
        if stop >= end:
            break
        place.go_to(max(stop, place.hours.at))
        while agenda and agenda[0][0] <= place.hours.at:
            _, _, member, plan = heapq.heappop(agenda)
            _do(house, lived, member, plan)
        place.listen()
    place.go_to(end)


def _full_hour(moment: datetime) -> datetime:
    """The first full hour that is not before it."""
    hour = moment.replace(minute=0, second=0, microsecond=0)
    return hour if hour == moment else hour + HOUR


def _do(house: House, lived: Lived, member: Member, plan) -> None:
    lived.deeds[plan.deed] += 1
    try:
        DEEDS[plan.deed](house, member, **plan.with_)
    except MembershipError as refusal:
        lived.refused[f"{plan.deed}: {refusal.code}"] += 1


def _keep_house(place: Place, lived: Lived, day: date) -> None:
    """What the worker does meanwhile. Days are summed every tenth night, so that news of older days comes late too."""
    if day.weekday() == 0:
        _publish(lived, day)
    if day.day % 2:
        place.tidy()
    if day.day % 10 == 0:
        place.ask_us(lambda: rebuilding.roll(clock.now()))
        place.let_post_leave()


def _publish(lived: Lived, day: date) -> None:
    found = quotes_of(day)
    rating.take_in([Quote("csv", day, "EUR", currency, rate) for currency, rate in found.items()])
    lived.quotes |= {(day, currency): rate for currency, rate in found.items()}


assert BEGINNING.tzinfo is UTC
