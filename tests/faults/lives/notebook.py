"""What was really done in a history, written down by those who did it, so that nobody need ask the product."""

from dataclasses import dataclass, field
from datetime import datetime

from tests.faults.lives.bank import Account
from tests.faults.lives.readers import Reader, Readers


@dataclass(frozen=True)
class Wish:
    """What a payment page was opened for. Amounts in minor units; `n_months` of a gift for somebody else."""

    reader: Reader
    gift_minor: int
    charge_minor: int
    cup_minor: int
    currency: str
    n_months: int = 0

    @property
    def is_for_somebody_else(self) -> bool:
        return self.n_months > 0


@dataclass
class Comp:
    """Free membership that staff gave."""

    name: str
    reader: Reader
    at: datetime
    until: datetime
    gone_at: datetime | None = None


@dataclass(frozen=True)
class Redeemed:
    """A code that became a membership."""

    reader: Reader
    at: datetime


@dataclass
class Notebook:
    """All of one history."""

    readers: Readers
    account: Account = field(default_factory=Account)
    wishes: dict[str, Wish] = field(default_factory=dict)  # by the id of the payment page
    comps: list[Comp] = field(default_factory=list)
    redeemed: dict[str, Redeemed] = field(default_factory=dict)  # by the reference of the contribution that paid
