"""The smaller settings: goal, names, languages, late and doubtful money. Pure functions of values."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from email_validator import EmailNotValidError, validate_email

from membership.kernel.money import Money
from membership.kernel.words import one_line
from membership.newsroom.rules.faults import Bounds, Fault, Leaf

LARGEST_GOAL = 10_000_000
LARGEST_GOAL_MINOR = 10**12
LONGEST_NAME = 80
LONGEST_CONTACT = 254
MOST_GRACE_DAYS = 60
LARGEST_REFUND = 1_000_000


class _Flat:
    """A setting whose values are all beside each other."""

    __slots__ = ()

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """From what `to_json` made."""
        return cls(**values)

    def to_json(self) -> dict[str, Any]:
        """As history keeps it."""
        return asdict(self)  # type: ignore[call-overload,no-any-return]  # every class below is a dataclass

    def leaves(self) -> dict[str, Leaf]:
        """Path -> value, one for each thing that staff set."""
        return self.to_json()

    def keeping(self, before: Self) -> Self:
        """These as they are: nothing here must outlive a change."""
        del before
        return self


@dataclass(frozen=True, slots=True)
class Goal(_Flat):
    """What the front page asks for: so many patrons, or so much money a month."""

    kind: str
    n_patrons: int
    money_minor: int
    currency: str

    @property
    def money(self) -> Money:
        """The money wanted a month."""
        return Money(self.money_minor, self.currency)

    def faults(self, bounds: Bounds) -> list[Fault]:
        """Everything that cannot be."""
        found = []
        if self.kind not in {"patrons", "money"}:
            found.append(Fault("kind", "goal_kind"))
        if not 1 <= self.n_patrons <= LARGEST_GOAL:
            found.append(Fault("n_patrons", "goal_patrons", {"most": LARGEST_GOAL}))
        if self.kind == "money" and not 1 <= self.money_minor <= LARGEST_GOAL_MINOR:
            found.append(Fault("money_minor", "goal_money"))
        if self.kind == "money" and self.currency not in bounds.offered:
            found.append(Fault("currency", "goal_currency"))
        return found


@dataclass(frozen=True, slots=True)
class Names(_Flat):
    """How the newsroom is called on pages, mails and receipts, and where readers write to; None: nowhere said."""

    name: str
    contact: str | None

    def faults(self, bounds: Bounds) -> list[Fault]:
        """Everything that cannot be."""
        del bounds
        found = []
        if not 1 <= len(self.name) <= LONGEST_NAME or self.name != one_line(self.name):
            found.append(Fault("name", "name", {"most": LONGEST_NAME}))
        if self.contact is not None and not is_address(self.contact):
            found.append(Fault("contact", "contact"))
        return found


def is_address(text: str) -> bool:
    """Whether mail can be sent there, as far as the letters of an address show."""
    try:
        found = validate_email(text, check_deliverability=False, allow_smtputf8=False, strict=True)
    except EmailNotValidError:
        return False
    return len(text) <= LONGEST_CONTACT and text in {found.normalized, found.ascii_email}


@dataclass(frozen=True, slots=True)
class Languages:
    """In which languages readers are spoken to, at least one, and which of them where nothing is known of a reader."""

    offered: tuple[str, ...]
    default: str

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Languages":
        """From what `to_json` made."""
        return cls(tuple(values["offered"]), values["default"])

    def to_json(self) -> dict[str, Any]:
        """As history keeps it."""
        return {"offered": list(self.offered), "default": self.default}

    def leaves(self) -> dict[str, Leaf]:
        """Path -> value, one for each thing that staff set."""
        return {f"{code}.is_offered": True for code in self.offered} | {"default": self.default}

    def keeping(self, before: "Languages") -> "Languages":
        """These as they are."""
        del before
        return self

    def faults(self, bounds: Bounds) -> list[Fault]:
        """Everything that cannot be."""
        del bounds
        if not self.offered:
            return [Fault("offered", "no_language")]
        return [] if self.default in self.offered else [Fault("default", "default_closed")]


@dataclass(frozen=True, slots=True)
class LateMoney:
    """How late payments and doubtful money are met. `refund_below`: smaller payments (currency -> minor units) go back
    by themselves when a bank warns of fraud; a currency that is missing, or 0, has none.
    """

    grace_days: int
    refund_below: tuple[tuple[str, int], ...]
    books_certain: bool

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "LateMoney":
        """From what `to_json` made."""
        return cls(values["grace_days"], tuple(sorted(values["refund_below"].items())), values["books_certain"])

    def to_json(self) -> dict[str, Any]:
        """As history keeps it."""
        return {
            "grace_days": self.grace_days,
            "refund_below": dict(self.refund_below),
            "books_certain": self.books_certain,
        }

    def leaves(self) -> dict[str, Leaf]:
        """Path -> value, one for each thing that staff set."""
        below: dict[str, Leaf] = {f"{code}.refund_below_minor": minor for code, minor in self.refund_below if minor}
        return {"grace_days": self.grace_days, "books_certain": self.books_certain} | below

    def keeping(self, before: "LateMoney") -> "LateMoney":
        """These as they are."""
        del before
        return self

    def faults(self, bounds: Bounds) -> list[Fault]:
        """Everything that cannot be."""
        del bounds
        found = []
        if not 0 <= self.grace_days <= MOST_GRACE_DAYS:
            found.append(Fault("grace_days", "grace_days", {"most": MOST_GRACE_DAYS}))
        for code, minor in self.refund_below:
            if not 0 <= minor <= LARGEST_REFUND:
                found.append(Fault(f"{code}.refund_below_minor", "refund_below", {"most": Money(LARGEST_REFUND, code)}))
        return found
