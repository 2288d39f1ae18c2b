"""What is wrong with a setting, in the language of the page. Every sentence says what would be right."""

from collections.abc import Callable, Mapping
from typing import Any

from flask_babel import format_decimal
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from membership.kernel.money import MINOR_DIGITS
from membership.newsroom.rules.faults import Fault
from membership.web.filters import money_short

# Role in the style sheet -> what people call it.
GROUNDS = {
    "paper": _l("the page"),
    "paper-raised": _l("boxes"),
    "paper-sunken": _l("the foot of the page"),
    "paper-warm": _l("the warm ground of a chosen card"),
    "accent": _l("the accent"),
    "accent-strong": _l("the accent when it is pointed at"),
}

# Code -> sentence, where it needs nothing that stands in the fault.
PLAIN = {
    "accent_missing": _l("The other two need an accent: choose one, or leave all three empty."),
    "bic": _l("This is no BIC. It has 8 or 11 letters and digits; copy it from a statement."),
    "cash_missing": _l("Say how cash reaches you, or do not offer it."),
    "contact": _l("Please type an e-mail address such as hello@example.org, or nothing."),
    "crypto_address": _l("This is no address: 10 to 128 letters and digits, without spaces."),
    "crypto_missing": _l("Type at least one address, or do not offer it."),
    "crypto_twice": _l("There is another address of this currency already."),
    "currency_unchosen": _l("Choose which currency the amounts are in."),
    "currency_unknown": _l("This currency cannot be added."),
    "default_closed": _l("Choose one of the languages that are offered."),
    "fee_share": _l("The share of the fee lies between 0 and 20 per cent."),
    "goal_currency": _l("Choose one of the currencies that are offered."),
    "goal_kind": _l("Choose what the bar counts."),
    "goal_money": _l("Type an amount above zero."),
    "holder_missing": _l("A transfer needs the name of whose account it is."),
    "iban": _l("This is no IBAN: its check digits do not fit. Copy it from a statement."),
    "iban_missing": _l("A transfer needs an IBAN. Type it, or do not offer bank transfer."),
    "link": _l("Please type an address that begins with https://."),
    "link_missing": _l("Type the address, or do not offer PayPal."),
    "no_currency": _l("At least one currency must be offered, or nobody could give."),
    "no_language": _l("At least one language must be offered."),
    "not_a_colour": _l("Please type a colour such as #8a3323."),
    "not_a_number": _l("Please type a whole number in figures."),
    "not_a_share": _l("Please type a share with at most one digit after the point, such as 1.5."),
}

# Code -> sentence with what stands in the fault.
FILLED: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "crypto_many": lambda told: _("There is room for %(n)s addresses.", n=told["most"]),
    "crypto_name": lambda told: _("Type the name of the currency, in at most %(n)s characters.", n=told["most"]),
    "cup_price": lambda told: _("A cup costs more than nothing and at most %(most)s.", most=money_short(told["most"])),
    "fee_fixed": lambda told: _(
        "The fixed part of the fee is less than a cup, which costs %(cup)s.", cup=money_short(told["cup"])
    ),
    "goal_patrons": lambda told: _("Type a number from 1 to %(most)s.", most=format_decimal(told["most"])),
    "grace_days": lambda told: _("Type a number of days from 0 to %(most)s.", most=told["most"]),
    "minimum_above_cup": lambda told: _(
        "One cup must always be enough: at most %(cup)s.", cup=money_short(told["cup"])
    ),
    "minimum_too_small": lambda told: _(
        "The payment company takes no less than %(least)s.", least=money_short(told["least"])
    ),
    "name": lambda told: _("Type a name of 1 to %(n)s characters.", n=told["most"]),
    "not_an_amount": lambda told: _not_an_amount(told["currency"]),
    "refund_below": lambda told: _("Type an amount of at most %(most)s, or nothing.", most=money_short(told["most"])),
    "reporting_closed": lambda told: _(
        "%(currency)s is not offered. Choose one of those that are.", currency=told["currency"]
    ),
    "too_long": lambda told: _("Please use at most %(n)s characters.", n=told["most"]),
    "weak": lambda told: _(
        "It stands out too little on %(ground)s: the contrast is %(ratio)s to 1, and words need %(least)s to 1.",
        ground=GROUNDS[told["ground"]],
        ratio=format_decimal(told["ratio"]),
        least=format_decimal(told["least"]),
    ),
}


def sentence(fault: Fault) -> str:
    """What is wrong, and what would be right."""
    filled = FILLED.get(fault.code)
    return str(filled(fault.details) if filled is not None else PLAIN[fault.code])


def _not_an_amount(currency: str) -> str:
    if currency in MINOR_DIGITS and not MINOR_DIGITS[currency]:
        return str(_("Please type a whole amount in %(currency)s, such as 500.", currency=currency))
    return str(_("Please type an amount in %(currency)s, such as 4 or 4.50.", currency=currency))
