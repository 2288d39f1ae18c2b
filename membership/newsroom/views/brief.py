"""What counts of a setting, in one line: for the overview."""

from flask_babel import format_decimal, ngettext
from flask_babel import gettext as _

from membership.newsroom.rules.colours import Colours
from membership.newsroom.rules.plain import Goal, Languages, LateMoney, Names
from membership.newsroom.rules.prices import Prices
from membership.newsroom.rules.subjects import Values
from membership.newsroom.rules.ways import Ways
from membership.newsroom.views.meaning import WAYS
from membership.web.filters import money_short
from membership.web.i18n import LANGUAGES


def brief_of(values: Values) -> str:
    """The line of these values."""
    match values:
        case Prices():
            return " · ".join(money_short(values.offer(code).cup) for code in values.open_currencies)
        case Ways():
            return " · ".join(str(WAYS[way]) for way in values.offered) or str(_("Only the card"))
        case Names():
            return " · ".join(text for text in (values.name, values.contact) if text)
        case Languages():
            return " · ".join(LANGUAGES[code] for code in values.offered)
        case _:
            return _of_the_rest(values)


def _of_the_rest(values: Goal | Colours | LateMoney) -> str:
    match values:
        case Goal(kind="money"):
            return str(_("%(amount)s a month", amount=money_short(values.money)))
        case Goal():
            n = values.n_patrons
            return str(ngettext("%(number)s patron", "%(number)s patrons", n, number=format_decimal(n)))
        case Colours():
            own = " · ".join(accent for accent in (values.light.accent, values.dark.accent) if accent)
            return own or str(_("As in the style sheet"))
        case LateMoney():
            return str(ngettext("%(num)s day of grace", "%(num)s days of grace", values.grace_days))
