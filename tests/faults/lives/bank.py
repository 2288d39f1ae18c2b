"""Money beside Stripe as it really moved: the newsroom's account, envelopes of cash, what staff did about them."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tests.faults.lives.readers import Reader
from tests.transfers.statements import camt, entry

ZONE = ZoneInfo("Europe/Kyiv")
CUPS = {"EUR": 400, "USD": 500, "CHF": 450}
"""What the newsroom asks for a cup, in cents. Francs are not on offer: they are thanked for and cover nothing."""
IBANS = ("DE02120300000000202051", "AT611904300234573201", "NL91ABNA0417164300")


@dataclass(frozen=True)
class Announced:
    """Somebody said that money would come, and was given a code."""

    reader: Reader
    reference: str
    code: str


@dataclass(eq=False)
class Movement:
    """One line of the account. No two that came are of one amount, so each is known again in the books."""

    day: date
    minor: int
    currency: str
    iban: str
    text: str = ""
    name: str = "A Payer"
    own_id: str = ""
    link: str = ""
    announced: Announced | None = None  # whose code stands in the text, right or with a slip
    is_code_right: bool = False
    takes_back: "Movement | None" = None
    is_imported: bool | None = False  # None: whoever read it in died over it
    is_decided: bool = False  # staff said something about it
    assigned: dict[int, Reader] = field(default_factory=dict)  # n-th booking -> for whom staff booked it
    n_undone: int = 0

    @property
    def paid_at(self) -> datetime:
        """Money of a day counts as paid at its noon (no statement tells the hour)."""
        return noon(self.day)

    def as_entry(self) -> str:
        amount = f"{self.minor // 100}.{self.minor % 100:02d}"
        more = {"name": self.name, "iban": self.iban, "own_id": self.own_id, "currency": self.currency}
        more |= {"end_to_end": self.link} if self.link else {}
        if self.takes_back is not None:
            more |= {"side": "DBIT", "is_reversal": True}
        return entry(amount, self.text, self.day.isoformat(), **more)


@dataclass(frozen=True)
class ByHand:
    """Money that staff booked without a statement. `payment_id` is made of the press of their button."""

    payment_id: str
    way: str
    reader: Reader
    minor: int
    currency: str
    paid_at: datetime


@dataclass
class Account:
    """All money of one history that did not go through Stripe."""

    movements: list[Movement] = field(default_factory=list)
    announced: list[Announced] = field(default_factory=list)
    by_hand: list[ByHand] = field(default_factory=list)
    # Payment -> what staff took back of it, and when (below zero: it counts as here again).
    taken_back: dict[str, list[tuple[datetime, int]]] = field(default_factory=dict)
    n_amounts: int = 0

    def new_amount(self, cup_minor: int, n_cups: int) -> int:
        """So many whole cups and a few cents, which no other amount has."""
        self.n_amounts += 1
        return cup_minor * n_cups + self.n_amounts

    def take_back(self, payment_id: str, at: datetime, minor: int) -> None:
        self.taken_back.setdefault(payment_id, []).append((at, minor))

    def statement(self, movements: list[Movement]) -> bytes:
        return camt(*(movement.as_entry() for movement in movements))


def noon(day: date) -> datetime:
    return datetime.combine(day, time(12), ZONE).astimezone(UTC)


def days_before(at: datetime, n_days: int) -> date:
    """In the newsroom's calendar."""
    return at.astimezone(ZONE).date() - timedelta(days=n_days)


def with_a_slip(code: str) -> str:
    """A code such as "HP-7K2M-4Q9" with another last character."""
    return code[:-1] + ("2" if code[-1] != "2" else "3")
