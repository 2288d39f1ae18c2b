"""How money and moments are written for readers, in the language of the page. The only place that formats."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from babel import Locale
from babel.dates import format_date as babel_date
from babel.dates import format_interval, format_skeleton
from babel.numbers import format_currency, format_decimal, format_percent, get_currency_symbol, get_decimal_symbol
from flask import Flask
from flask_babel import format_date, format_time, get_timezone, ngettext
from flask_babel import gettext as _

from membership.kernel.money import MINOR_DIGITS, Money
from membership.web.i18n import current_locale

# The Unicode tables write some of these as three letters where they are foreign; our readers know the signs.
SIGNS = {"EUR": "€", "USD": "$", "GBP": "£", "UAH": "₴"}
# The tables end a Ukrainian date with «р.»; a sentence that ends with a date would then end with two points.
SHORT_FOR_YEAR = re.compile("[ \u00a0\u202f]рр?\\.$")


def install(app: Flask) -> None:
    """Make every function below a filter of the templates."""
    shows = (amount_in, in_words, day, day_only, day_short, days_span, decimal, moment, moment_of, moment_short)
    for show in (*shows, money, money_short, money_words, month_name, month_span, percent):
        app.add_template_filter(show)


def amount_in(details: Mapping[str, Any]) -> Money:
    """The size of the amount that a timeline entry keeps as `minor` and `currency`."""
    return Money(abs(int(details["minor"])), str(details["currency"]))


def in_words(sentence: Mapping[str, Any]) -> str:
    """A sentence that was kept by `kernel.said.packed`, in the language of the page, with moments as `moment` says."""
    values = {name: _value(value) for name, value in sentence["values"].items()}
    said = sentence["words"]
    words = str(_(said))
    return words % values if values else words


def _value(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return moment(datetime.fromisoformat(value["at"])) if "at" in value else in_words(value)


def money(amount: Money) -> str:
    """With its symbol and all its digits: "€4.00", «4,00 €»."""
    return _money(amount, current_locale())


@lru_cache(maxsize=4096)
def _money(amount: Money, language: str) -> str:
    """Kept, since a page shows the same few amounts dozens of times and Babel takes a third of a millisecond each."""
    locale = Locale.parse(language)
    symbol = get_currency_symbol(amount.currency, locale)
    sign = SIGNS.get(amount.currency, symbol)
    pattern = str(locale.currency_formats["standard"].pattern)
    if sign[-1:].isalpha():  # letters stand apart from the digits ("CZK 50"), signs need not
        pattern = pattern.replace("¤#", "¤\u00a0#")
    return str(format_currency(amount.amount, amount.currency, pattern, locale=locale)).replace(symbol, sign)


def money_short(amount: Money) -> str:
    """Without digits after the point where they are zero: "€4", "€4.50"."""
    text = money(amount)
    if amount.amount != int(amount.amount):
        return text
    zeros = get_decimal_symbol(current_locale()) + "0" * MINOR_DIGITS[amount.currency]
    return text.replace(zeros, "") if len(zeros) > 1 else text


def money_words(amount: Money) -> str:
    """For running text: "4 euros", «100 гривень»; amounts with cents and rarer currencies as `money` does."""
    if amount.amount != int(amount.amount):
        return money(amount)
    n = int(amount.amount)
    number = str(format_decimal(n, locale=current_locale()))
    match amount.currency:
        case "EUR":
            return str(ngettext("%(number)s euro", "%(number)s euros", n, number=number))
        case "USD":
            return str(ngettext("%(number)s dollar", "%(number)s dollars", n, number=number))
        case "GBP":
            return str(ngettext("%(number)s pound", "%(number)s pounds", n, number=number))
        case "UAH":
            return str(ngettext("%(number)s hryvnia", "%(number)s hryvnias", n, number=number))
        case _:
            return money_short(amount)


def day(at: datetime) -> str:
    """The day of a moment in the newsroom's zone: "November 22, 2026", «22 листопада 2026»."""
    return SHORT_FOR_YEAR.sub("", format_date(at, "long"))


def moment(at: datetime) -> str:
    """Day and time of a moment in the newsroom's zone, with the zone: "November 22, 2026, 15:39 UTC"."""
    zone = str(at.astimezone(get_timezone()).tzname())
    return str(_("%(day)s, %(time)s %(zone)s", day=day(at), time=format_time(at, "HH:mm"), zone=zone))


def day_only(on: date) -> str:
    """A day that is one already, whatever the zone: "November 30, 2026", «30 листопада 2026»."""
    return SHORT_FOR_YEAR.sub("", format_date(on, "long"))


def moment_of(text: str) -> str:
    """As `moment`, of a moment that was kept as ISO text."""
    return moment(datetime.fromisoformat(text))


def moment_short(at: datetime) -> str:
    """The same for tables: "Nov 30, 2026, 15:39", «30 лист. 2026, 15:39»."""
    return f"{SHORT_FOR_YEAR.sub('', format_date(at, 'medium'))}, {format_time(at, 'HH:mm')}"


def month_span(start: datetime, end: datetime) -> str:
    """A span of days: "Nov 22 – Dec 22, 2026", «22 лист. – 22 груд. 2026»."""
    zone = get_timezone()
    span = format_interval(start.astimezone(zone), end.astimezone(zone), "yMMMd", locale=current_locale())
    return SHORT_FOR_YEAR.sub("", span)


def day_short(on: date) -> str:
    """A day without its year: "Nov 22", «22 лист.»."""
    return _skeleton("MMMd", on)


def month_name(on: date) -> str:
    """The month of a day, with its year: "Nov 2026", «лист. 2026»."""
    return SHORT_FOR_YEAR.sub("", _skeleton("yMMM", on))


def month_short(on: date) -> str:
    """The month of a day, without its year: "Nov", «лист.»."""
    return str(babel_date(on, "LLL", locale=current_locale()))


def days_span(first: date, last: date) -> str:
    """Days from `first` to `last`, both among them: "Nov 1 – 22, 2026", «1–22 лист. 2026»."""
    return SHORT_FOR_YEAR.sub("", format_interval(first, last, "yMMMd", locale=current_locale()))


def _skeleton(skeleton: str, on: date) -> str:
    return format_skeleton(skeleton, datetime(on.year, on.month, on.day), locale=current_locale())  # noqa: DTZ001 - a day, in no zone


def decimal(number: Decimal | int, digits: int = 2) -> str:
    """A number with at most `digits` after the point: "1.25", «1,25»."""
    return str(format_decimal(number, "#,##0." + "#" * digits if digits else "#,##0", locale=current_locale()))


def percent(ratio: Decimal | float) -> str:
    """A ratio as per cent with one digit: "2.9%", «2,9 %»."""
    return str(
        format_percent(ratio, "#,##0.#%" if current_locale() == "en" else "#,##0.#\u00a0%", locale=current_locale())
    )
