"""Holds numbers of the dashboard against what is reckoned from rows, and against Stripe's own books."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import zip_longest
from typing import Any

from membership.dashboard.metrics import METRICS, Lens, Result
from membership.dashboard.rules.periods import period_of
from tests.year.asked import REPORTING, Answer, Asked
from tests.year.living import Lived
from tests.year.place import DAY, Place, day_at
from tests.year.reckoned import RECKONED
from tests.year.rows import Rows, read
from tests.year.stripe_books import StripeBooks, books_of, by_currency, summed

CURRENCIES = ("EUR", "USD", "UAH")
CENT_OF_A_CUP = Fraction(1, 100)
REGULAR = "SELECT currency, sum(charged_minor) FROM payments WHERE rhythm <> 'once' GROUP BY currency"
REGULAR_BACK = """
    SELECT p.currency, sum(r.amount_minor) FROM payment_reversals r JOIN payments p ON p.id = r.payment_id
    WHERE p.rhythm <> 'once' GROUP BY p.currency
"""


@dataclass
class Compared:
    """How many numbers were held against another source, and what differs, as sentences."""

    n: int
    differences: list[str]
    unknown: list[str]


def compare(place: Place, lived: Lived) -> Compared:
    """Everything. `unknown` are metrics that nobody reckons here yet."""
    rows, books = read(place, lived), books_of(place)
    found = Compared(0, [], sorted(METRICS.keys() - RECKONED.keys()))
    for asked in questions(rows.today):
        hold_against_rows(found, place, lived, rows, asked)
        if asked.currency:
            _hold_against_stripe(found, place, lived, books, asked)
    for day, standing in lived.seen.items():
        _hold_standing(found, place, lived, day, standing)
    found.n += 2 * len(CURRENCIES)
    found.differences += _regular_money(place, books)
    return found


def hold_against_rows(found: Compared, place: Place, lived: Lived, rows: Rows, asked: Asked) -> None:
    """What every metric says of a range is what the rows say."""
    for key, reckon in RECKONED.items():
        _hold(found, f"{key}, {asked}", _said(ask(place, key, asked, lived)), reckon(rows, asked))


def questions(today: date) -> Iterator[Asked]:
    """Several ranges, each in one currency and in the reporting currency."""
    spans = {
        "the whole time by months": (date(2027, 1, 1), today),
        "a quarter by weeks": (date(2027, 7, 1), date(2027, 9, 30)),
        "the last 30 days": (today - 29 * DAY, today),
        "a day of 23 hours": (date(2027, 3, 28), date(2027, 3, 28)),
        "a day of 25 hours": (date(2027, 10, 31), date(2027, 10, 31)),
    }
    for name, (first, last) in spans.items():
        for currency in (None, *CURRENCIES):
            yield Asked(name, first, last + DAY, currency)


def ask(place: Place, key: str, asked: Asked, lived: Lived) -> Result:
    """What the dashboard says, as its page asks it."""
    period = period_of("own", day_at(lived.ended_at), asked.first, asked.end - DAY)
    return place.ask_us(lambda: METRICS[key].measure(lived.ended_at, period, Lens(REPORTING, asked.currency)))


def _said(result: Result) -> Answer:
    lines = {line.key: ([_plain(v) for v in line.values], _plain(line.total), line.n) for line in result.lines}
    rows = (
        [(row[0], *(cell for cell in row[1:] if not isinstance(cell, str))) for row in result.table.rows]
        if result.table
        else None
    )
    return Answer(_plain(result.now), _plain(result.before), lines, rows)


def _plain(value: Any) -> int | Decimal | None:
    return getattr(value, "minor", value)


def _hold(found: Compared, what: str, said: Answer, wanted: Answer) -> None:
    found.n += 2
    for name in ("now", "before"):
        if getattr(said, name) != getattr(wanted, name):
            found.differences.append(f"{what}: {name} is {getattr(said, name)}, should be {getattr(wanted, name)}")
    for key in {**said.lines, **wanted.lines}:
        left, right = said.lines.get(key), wanted.lines.get(key)
        found.n += len(right[0]) + 1 if right else 1
        if left is None or right is None or left[:2] != right[:2] or right[2] not in {None, left[2]}:
            found.differences.append(f"{what}: the line {key} is {left}, should be {right}")
    if wanted.table is not None:
        _hold_table(found, what, said.table or [], wanted.table)


def _hold_table(found: Compared, what: str, said: list[tuple], wanted: list[tuple]) -> None:
    for left, right in zip_longest(said, wanted, fillvalue=()):
        found.n += max(len(right) - 1, 1)
        if left[1:] != right[1:] or (right and right[0] not in {None, left[0]}):
            found.differences.append(f"{what}: a row is {left}, should be {right}")


# Against Stripe -----------------------------------------------------------------------------------------------


def _hold_against_stripe(found: Compared, place: Place, lived: Lived, books: StripeBooks, asked: Asked) -> None:
    """What Stripe took, kept and gave back, and the money beside it that we saw move ourselves."""
    first, end, currency = asked.first, asked.end, asked.currency
    gifts, fees = _said(ask(place, "gifts", asked, lived)), _said(ask(place, "fees", asked, lived))
    total = {key: line[1] for key, line in gifts.lines.items()}
    beside = summed([move for move in lived.beside if move.minor > 0], first, end, currency)
    undone = -summed([move for move in lived.beside if move.minor < 0], first, end, currency)
    wanted = {
        "single payments": (total["card"] + total.get("gift", 0), summed(books.single, first, end, currency)),
        "money beside Stripe": (total.get("other", 0), beside),
        "what went back": (-total["returned"], summed(books.single_back, first, end, currency) + undone),
        "fees": (fees.now, summed(books.fees, first, end, currency)),
    }
    for name, (said, right) in wanted.items():
        found.n += 1
        if said != right:
            found.differences.append(f"Stripe, {asked}: {name} are {said} on the dashboard, {right} there")


def _hold_standing(found: Compared, place: Place, lived: Lived, day: date, standing) -> None:
    """What ran at Stripe at the end of a day, by currency; and how many cups that was by what we had promised."""
    levels = by_currency(standing.levels)
    for currency in CURRENCIES:
        asked = Asked("the end of a day", day, day + DAY, currency)
        said, right = _plain(ask(place, "mrr", asked, lived).now), round(Fraction(levels[currency], 12))
        n_said = ask(place, "mrr", asked, lived).lines[0].n
        n_right = sum(of == currency for _, of in standing.levels.values())
        found.n += 2
        if (said, n_said) != (right, n_right):
            wrong = f"{said} of {n_said} supports, should be {right} of {n_right}"
            found.differences.append(f"Stripe, {day}: monthly revenue in {currency} is {wrong}")
    cups = [
        Fraction(gift * (12 if rhythm == "monthly" else 1), cup * 12)
        for reference, (gift, cup, rhythm) in standing.cups.items()
        if reference in standing.levels
    ]
    said = ask(place, "average-cups", Asked("the end of a day", day, day + DAY), lived).now
    found.n += 1
    if (said is None) != (not cups) or (cups and abs(Fraction(said) - sum(cups) / len(cups)) > CENT_OF_A_CUP):
        found.differences.append(f"Stripe, {day}: average cups are {said}, should be {float(sum(cups) / len(cups))}")


def _regular_money(place: Place, books: StripeBooks) -> Iterator[str]:
    """What subscriptions brought and gave back, row by row as the books have it; no metric shows it by itself."""
    came, went = dict(place.rows(REGULAR)), dict(place.rows(REGULAR_BACK))
    for currency in CURRENCIES:
        for what, ours, theirs in (("payments", came, books.regular), ("returns", went, books.regular_back)):
            right = sum(move.minor for move in theirs if move.currency == currency)
            if int(ours.get(currency, 0)) != right:
                yield f"regular {what} in {currency} are {ours.get(currency, 0)} with us, {right} at Stripe"
