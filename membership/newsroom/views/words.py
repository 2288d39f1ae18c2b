"""What values of settings are called and how they are written, in the language of the page."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask_babel import format_decimal, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from membership.kernel.money import Money
from membership.newsroom.rules.faults import Leaf
from membership.newsroom.rules.subjects import Difference, Subject, Values
from membership.newsroom.rules.ways import grouped
from membership.web.filters import money
from membership.web.i18n import LANGUAGES

# Subject -> its heading, and what is in it.
SUBJECTS = {
    Subject.PRICES: (_l("Cups and currencies"), _l("What a cup costs, which currencies are offered, the card fee.")),
    Subject.GOAL: (_l("Goal"), _l("What the bar on the front page counts towards.")),
    Subject.WAYS: (_l("Ways to support"), _l("Bank transfer, PayPal, crypto currency, cash.")),
    Subject.NAMES: (_l("Names"), _l("How the newsroom is called, and where readers write to.")),
    Subject.LANGUAGES: (_l("Languages"), _l("In which languages readers are spoken to.")),
    Subject.COLOURS: (_l("Colours"), _l("Links, buttons and the bar of the goal, in the light and in the dark.")),
    Subject.LATE: (_l("Late and doubtful money"), _l("Days of grace, warnings of fraud, lines of statements.")),
}

# Last part of a path -> what it is called.
NAMES = {
    "cup_minor": _l("one cup"),
    "monthly_minimum_minor": _l("the least a month"),
    "once_minimum_minor": _l("the least once"),
    "fee_fixed_minor": _l("fixed part of the card fee"),
    "is_open": _l("offered"),
    "reporting_currency": _l("The newsroom's own currency"),
    "fee_permille": _l("Share of the card fee"),
    "kind": _l("What the bar counts"),
    "n_patrons": _l("Patrons wanted"),
    "money_minor": _l("Money wanted a month"),
    "currency": _l("Currency of the goal"),
    "has_bank": _l("Bank transfer offered"),
    "iban": "IBAN",
    "holder": _l("Whose account it is"),
    "bic": "BIC",
    "bank_name": _l("Name of the bank"),
    "has_paypal": _l("PayPal offered"),
    "paypal_link": _l("Address of the PayPal page"),
    "has_crypto": _l("Crypto currency offered"),
    "has_cash": _l("Cash offered"),
    "cash_words": _l("How cash reaches you"),
    "name": _l("Name of the newsroom"),
    "contact": _l("Address for readers' questions"),
    "is_offered": _l("offered"),
    "default": _l("Language where nothing is known"),
    "accent": _l("accent"),
    "strong": _l("accent when it is pointed at"),
    "ink": _l("words on the accent"),
    "grace_days": _l("Days of grace"),
    "books_certain": _l("Certain lines are booked without asking"),
    "refund_below_minor": _l("given back on a warning of fraud, below"),
}
SCHEMES = {"light": _l("Light"), "dark": _l("Dark")}
# What stands for nothing, where it is more than that.
EMPTY = {"accent": _l("as in the style sheet"), "strong": _l("worked out"), "ink": _l("worked out")}
GOALS = {"patrons": _l("Patrons"), "money": _l("Money a month")}


@dataclass(frozen=True, slots=True)
class Row:
    """One value in words; `before` None where there is nothing to compare. `colour` and `colour_before` to draw it."""

    path: str
    label: str
    shown: str
    before: str | None = None
    colour: str | None = None
    colour_before: str | None = None


def title(subject: Subject) -> str:
    """What a subject is called."""
    return str(SUBJECTS[subject][0])


def rows_of(values: Values) -> list[Row]:
    """Every value in words, in its order."""
    leaves = values.leaves()
    return [Row(path, label(path), shown(path, value, leaves), colour=_colour(value)) for path, value in leaves.items()]


def rows_between(before: Values, after: Values, found: Iterable[Difference]) -> list[Row]:
    """Every difference in words."""
    was, becomes = before.leaves(), after.leaves()
    return [
        Row(
            one.path,
            label(one.path),
            shown(one.path, one.after, becomes),
            shown(one.path, one.before, was),
            _colour(one.after),
            _colour(one.before),
        )
        for one in found
    ]


def label(path: str) -> str:
    """What a value is called: "EUR: one cup", "Light: accent", "Name of the newsroom"."""
    first, _dot, last = path.partition(".")
    if first == "crypto":
        return str(_("Crypto address: %(name)s", name=last))
    if not last:
        return str(NAMES[first])
    group = SCHEMES.get(first) or LANGUAGES.get(first) or first
    return f"{group}: {NAMES[last]}"


def shown(path: str, value: Leaf, leaves: dict[str, Leaf]) -> str:
    """A value as people write it. `leaves` are those beside it: an amount needs its currency."""
    first, _dot, last = path.partition(".")
    match value:
        case None | "":
            return str(EMPTY.get(last, _l("nothing")))
        case bool():
            return str(_("yes") if value else _("no"))
        case int() if path.endswith("_minor"):
            currency = first if last else str(leaves["currency"])
            return money(Money(value, currency))
        case int():
            return _number(last or first, value)
        case _:
            return grouped(value) if path == "iban" else _words(last or first, value)


def _number(name: str, value: int) -> str:
    if name == "fee_permille":
        return f"{format_decimal(value / 10)} %"
    if name == "grace_days":
        return str(ngettext("%(num)s day", "%(num)s days", value))
    return str(format_decimal(value))


def _words(name: str, value: str) -> str:
    if name == "default":
        return LANGUAGES.get(value, value)
    return str(GOALS[value]) if name == "kind" else value


def _colour(value: Any) -> str | None:
    return value if isinstance(value, str) and value.startswith("#") else None
