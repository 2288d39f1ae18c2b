"""What a change of a setting means, said before it is saved. Pure functions of values; pages find the sentences."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from membership.kernel.money import Money
from membership.newsroom.rules.colours import Colours
from membership.newsroom.rules.plain import Goal, Languages, LateMoney, Names
from membership.newsroom.rules.prices import CurrencyPrices, Prices
from membership.newsroom.rules.subjects import Values
from membership.newsroom.rules.ways import WAYS, Ways


@dataclass(frozen=True, slots=True)
class Consequence:
    """One thing that will be other than now (or will not): a stable code, and what its sentence needs."""

    code: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Met:
    """What a change meets: running supports per currency, announced gifts per way, people per language of mails."""

    n_running: Mapping[str, int]
    n_awaited: Mapping[str, int]
    n_readers: Mapping[str, int]
    n_patrons: int


def consequences(before: Values, after: Values, met: Met) -> list[Consequence]:
    """What the change from `before` to `after` means, the weightiest first; empty where nothing changes."""
    return list(_told(before, after, met)) if before != after else []


def _told(before: Values, after: Values, met: Met) -> Iterator[Consequence]:
    match before, after:
        case Prices(), Prices():
            yield from _of_prices(before, after, met)
        case Goal(), Goal():
            yield from _of_goal(after, met)
        case Ways(), Ways():
            yield from _of_ways(before, after, met)
        case Names(), Names():
            yield from _of_names(before, after)
        case Languages(), Languages():
            yield from _of_languages(before, after, met)
        case Colours(), Colours():
            is_own = after.light.accent is not None or after.dark.accent is not None
            yield Consequence("colours_own" if is_own else "colours_of_program")
        case LateMoney(), LateMoney():
            yield from _of_late_money(before, after)
        case _:
            raise TypeError(f"{type(before).__name__} does not become {type(after).__name__}.")


def _of_prices(before: Prices, after: Prices, met: Met) -> Iterator[Consequence]:
    for row in after.currencies:
        yield from _of_currency(before.find(row.currency), row, met.n_running.get(row.currency, 0))
    fees = [(prices.fee_permille, [row.fee_fixed_minor for row in prices.currencies]) for prices in (before, after)]
    if fees[0] != fees[1]:
        yield Consequence("fee_changed")
    if before.reporting_currency != after.reporting_currency:
        yield Consequence("reporting_changed", {"currency": after.reporting_currency})
    yield Consequence("prices_promise")


def _of_currency(was: CurrencyPrices | None, row: CurrencyPrices, n_running: int) -> Iterator[Consequence]:
    cup = Money(row.cup_minor, row.currency)
    known = {"currency": row.currency, "cup": cup, "n": n_running}
    if was is None:
        if row.is_open:
            yield Consequence("currency_opened", known)
        return
    if was.is_open and not row.is_open:
        yield Consequence("currency_closed", known)
    elif row.is_open and not was.is_open:
        yield Consequence("currency_opened", known)
    elif was.cup_minor != row.cup_minor:
        yield Consequence("cup_changed", known | {"was": Money(was.cup_minor, row.currency)})
    for name, code in (("monthly_minimum_minor", "monthly_minimum"), ("once_minimum_minor", "once_minimum")):
        if getattr(was, name) != getattr(row, name) and row.is_open:
            yield Consequence(code, {"least": Money(getattr(row, name), row.currency)})


def _of_goal(after: Goal, met: Met) -> Iterator[Consequence]:
    if after.kind == "money":
        yield Consequence("goal_money", {"wanted": after.money})
    elif met.n_patrons >= after.n_patrons:
        yield Consequence("goal_reached", {"n": met.n_patrons})
    else:
        yield Consequence("goal_patrons", {"n": after.n_patrons - met.n_patrons})


def _of_ways(before: Ways, after: Ways, met: Met) -> Iterator[Consequence]:
    for way in WAYS:
        n_awaited = met.n_awaited.get(way, 0)
        if way in before.offered and way not in after.offered:
            yield Consequence("way_off", {"way": way, "n": n_awaited})
        if way in after.offered and way not in before.offered:
            yield Consequence("way_on", {"way": way})
    if before.iban is not None and before.iban != after.iban:
        yield Consequence("account_changed", {"ends": before.iban[-4:], "n": met.n_awaited.get("bank", 0)})
    if before.crypto and before.crypto != after.crypto:
        yield Consequence("crypto_changed")


def _of_names(before: Names, after: Names) -> Iterator[Consequence]:
    if before.name != after.name:
        yield Consequence("name_changed", {"name": after.name, "was": before.name})
        yield Consequence("name_at_stripe")
    if before.contact != after.contact:
        yield Consequence("contact_said" if after.contact else "contact_unsaid", {"contact": after.contact})


def _of_languages(before: Languages, after: Languages, met: Met) -> Iterator[Consequence]:
    for code in before.offered:
        if code not in after.offered:
            n = met.n_readers.get(code, 0)
            yield Consequence("language_closed", {"language": code, "n": n, "instead": after.default})
    for code in after.offered:
        if code not in before.offered:
            yield Consequence("language_opened", {"language": code, "n": met.n_readers.get(code, 0)})
    if before.default != after.default:
        yield Consequence("default_changed", {"language": after.default})


def _of_late_money(before: LateMoney, after: LateMoney) -> Iterator[Consequence]:
    if before.grace_days != after.grace_days:
        yield Consequence("grace_changed", {"n": after.grace_days})
    if before.books_certain != after.books_certain:
        yield Consequence("books_certain" if after.books_certain else "books_nothing")
    if before.refund_below != after.refund_below:
        yield Consequence("refund_below")
