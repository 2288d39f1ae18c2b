"""Who lives in the year, and what they mean to do in it: drawn by chance from a seed, or written out for the cast."""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from membership.kernel.rhythm import Rhythm
from tests.factories.checkout import DECLINED_CARD, FAILS_AT_RENEWAL, GOOD_CARD
from tests.faults.lives.hours import BEGINNING
from tests.year.place import HOUR

N_DAYS = 365
GOOD, WEAK, BAD = (card.replace(" ", "") for card in (GOOD_CARD, FAILS_AT_RENEWAL, DECLINED_CARD))
DISPUTED = "4000000000000259"
SLOW_REFUND, FAILED_REFUND = "4000000000007726", "4000000000005126"


@dataclass(frozen=True)
class Plan:
    """One thing that somebody means to do, so many days after the beginning, at an hour of the day (UTC)."""

    day: int
    deed: str
    hour: int = 12
    with_: dict = field(default_factory=dict)

    @property
    def at(self) -> datetime:
        return BEGINNING.replace(minute=0) + timedelta(days=self.day) + (self.hour - BEGINNING.hour) * HOUR


@dataclass
class Member:
    """Somebody, and how they give. `reference` is of their support that is the newest."""

    number: int
    currency: str
    cups: int
    covers_fees: bool
    plans: list[Plan]
    reference: str = ""

    @property
    def email(self) -> str:
        return f"member{self.number}@example.org"


def cast() -> list[list[Plan]]:
    """Everything that can happen, each at least once whatever the number of members. The days are apart from each
    other: what is heard of in one hour is not told apart by its moment.
    """
    monthly, yearly, once = ({"rhythm": rhythm} for rhythm in (Rhythm.MONTHLY, Rhythm.YEARLY, Rhythm.ONCE))
    weak = monthly | {"card": WEAK}
    return [
        [Plan(0, "join", 10, monthly)],
        [Plan(1, "join", 11, yearly)],
        [Plan(2, "join", 9, once)],
        [Plan(3, "join", 10, monthly), Plan(70, "change", 9, {"cups": 3}), Plan(170, "change", 9, {"cups": 1})],
        [Plan(4, "join", 12, monthly), Plan(60, "pause", 9, {"months": 2}), Plan(80, "resume")],
        [Plan(5, "join", 12, monthly), Plan(60, "pause", 9, {"months": 1})],
        [Plan(6, "join", 10, weak), Plan(39, "new_card")],
        [Plan(7, "join", 10, weak)],
        [Plan(8, "join", 10, weak), Plan(90, "join", 10, monthly)],
        [Plan(9, "join", 10, monthly), Plan(100, "cancel"), Plan(105, "keep")],
        [Plan(10, "join", 10, monthly), Plan(100, "cancel"), Plan(200, "join", 10, monthly)],
        [Plan(11, "join", 10, monthly), Plan(75, "refund", 13)],
        [Plan(12, "join", 10, once), Plan(20, "refund", 13, {"share": 2}), Plan(30, "refund", 14)],
        [Plan(13, "join", 10, monthly), Plan(50, "dispute"), Plan(80, "dispute_step", 12, {"step": "lose"})],
        [Plan(14, "join", 10, once), Plan(52, "dispute"), Plan(90, "dispute_step", 12, {"step": "win"})],
        [Plan(15, "buy_gift", 11, {"months": 3}), Plan(40, "redeem")],
        [Plan(16, "buy_gift", 11, {"months": 12}), Plan(60, "refund")],
        [Plan(17, "transfer", 9), Plan(120, "transfer", 9)],
        [Plan(18, "envelope", 9), Plan(40, "take_back", 9)],
        [Plan(19, "join", 10, once | {"card": BAD}), Plan(19, "join", 13, once)],
        [Plan(20, "join", 10, yearly), Plan(120, "change", 9, {"cups": 4}), Plan(200, "cancel_now")],
        [Plan(21, "join", 10, monthly), Plan(61, "refund_at_stripe")],
        [Plan(22, "join", 10, once | {"card": SLOW_REFUND}), Plan(63, "refund")],
        [Plan(23, "join", 10, once | {"card": FAILED_REFUND}), Plan(65, "refund")],
        [Plan(24, "join", 10, monthly | {"card": DISPUTED}), Plan(30, "dispute_step", 12, {"step": "win"})],
        [Plan(25, "comp", 9, {"days": 60}), Plan(66, "join", 10, monthly)],
        [Plan(26, "join", 10, monthly), Plan(140, "change", 9, {"rhythm": Rhythm.YEARLY})],
        [Plan(27, "join", 10, monthly), Plan(58, "cancel_at_stripe")],
        # Across the nights on which clocks are changed (March 28th and October 31st 2027), and at the end of a month.
        [Plan(57, "join", 21, monthly), Plan(58, "join", 0, once)],
        [Plan(274, "join", 20, monthly), Plan(275, "join", 1, once)],
        [Plan(275, "transfer", 9), Plan(276, "join", 8, once)],
    ]


CURRENCIES = ("EUR", "EUR", "EUR", "UAH", "USD")


def draw(n: int, seed: int) -> list[Member]:
    """So many members; the same for the same seed. The first of them are the cast."""
    dice = random.Random(seed)  # noqa: S311 - not for secrets
    plans = [*cast(), *(_by_chance(dice) for _ in range(n - len(cast())))][:n]
    return [
        Member(number, dice.choice(CURRENCIES), dice.choice((1, 1, 2, 2, 3)), dice.random() < 0.3, each)
        for number, each in enumerate(plans)
    ]


def _by_chance(dice: random.Random) -> list[Plan]:
    """One life. More people come as the months go by."""
    day, hour = int(N_DAYS * dice.random() ** 0.8), dice.randint(6, 18)
    kind = dice.choices(("monthly", "yearly", "once", "gift", "bank", "comp"), (66, 12, 10, 4, 6, 2))[0]
    if kind == "gift":
        return _kept([Plan(day, "buy_gift", hour, {"months": dice.choice((1, 3, 12))}),
                      Plan(day + dice.randint(1, 30), "redeem")])  # fmt: skip
    if kind == "bank":
        return _kept([Plan(day + 60 * i, dice.choice(("transfer", "envelope")), 9) for i in range(dice.randint(1, 3))])
    if kind == "comp":
        return _kept([Plan(day, "comp", hour, {"days": dice.choice((30, 90))})])
    is_weak = kind != "once" and dice.random() < 0.08
    card = WEAK if is_weak else GOOD
    joining = Plan(day, "join", hour, {"rhythm": Rhythm(kind), "card": card})
    plans = [Plan(day, "join", hour, joining.with_ | {"card": BAD})] if dice.random() < 0.04 else []
    plans += [Plan(day, "join", min(hour + 1, 19), joining.with_)] if plans else [joining]
    if is_weak and dice.random() < 0.6:
        plans.append(Plan(day + dice.randint(32, 44), "new_card", hour))
    if kind == "once":
        return _kept([*plans, *_troubles(dice, day, 0.04)])
    return _kept([*plans, *_changes(dice, day), *_troubles(dice, day, 0.05)])


def _changes(dice: random.Random, day: int) -> list[Plan]:
    """What a supporter changes later on."""
    later = day + dice.randint(20, 200)
    match dice.choices(("nothing", "change", "pause", "cancel", "back"), (60, 14, 8, 12, 6))[0]:
        case "change":
            return [Plan(later, "change", 9, {"cups": dice.choice((1, 2, 3, 4))})]
        case "pause":
            return [Plan(later, "pause", 9, {"months": dice.choice((1, 2, 3))}), Plan(later + 25, "resume")]
        case "cancel":
            keeps = [Plan(later + 3, "keep")] if dice.random() < 0.2 else []
            return [Plan(later, "cancel"), *keeps]
        case "back":
            coming = Plan(later + dice.randint(40, 90), "join", 10, {"rhythm": Rhythm.MONTHLY, "card": GOOD})
            return [Plan(later, "cancel"), coming]
    return []


def _troubles(dice: random.Random, day: int, share: float) -> list[Plan]:
    """Money that goes back, now and then."""
    later = day + dice.randint(1, 60)
    if dice.random() >= share:
        return []
    if dice.random() < 0.7:
        return [Plan(later, dice.choice(("refund", "refund", "refund_at_stripe")), 13, {"share": dice.choice((1, 2))})]
    return [Plan(later, "dispute"), Plan(later + 25, "dispute_step", 12, {"step": dice.choice(("win", "lose"))})]


def _kept(plans: list[Plan]) -> list[Plan]:
    """Those that still lie in the year."""
    return [plan for plan in plans if plan.day < N_DAYS]
