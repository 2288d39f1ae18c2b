"""What a change means, in the language of the page: said before the button that saves it."""

from collections.abc import Callable, Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from membership.newsroom.rules.consequences import Consequence
from membership.web.filters import money_short
from membership.web.i18n import LANGUAGES

WAYS = {"bank": _l("Bank transfer"), "paypal": "PayPal", "crypto": _l("Crypto currency"), "cash": _l("Cash")}

# Code -> sentence, where it needs nothing that stands in the consequence.
PLAIN = {
    "books_certain": _l("Lines of a statement with our code, or from a known account, are booked without asking."),
    "books_nothing": _l("Every line of a statement waits for somebody to confirm it, those with our code too."),
    "colours_of_program": _l("Pages and mails have the colours of the style sheet again."),
    "colours_own": _l("Links, buttons and the bar of the goal have these colours on every page and in every mail."),
    "contact_unsaid": _l("Pages and mails no longer say where readers can write to."),
    "crypto_changed": _l("Keep the wallets of the old addresses: who has copied one may still send money there."),
    "fee_changed": _l("The new fee is offered to who begins to give, or changes an amount. Nothing is charged anew."),
    "name_at_stripe": _l(
        "Stripe's payment pages call us by the old name until somebody runs “membership setup stripe” on the server."
    ),
    "prices_promise": _l(
        "Support that runs is not changed: everybody goes on paying what they agreed to. Receipts, and payment pages"
        " that are open already, keep their amounts."
    ),
    "refund_below": _l("It counts for warnings that come from now on."),
}


def _cup_changed(told: Mapping[str, Any]) -> str:
    words = _(
        "Who begins to give in %(currency)s pays %(cup)s for a cup instead of %(was)s.",
        currency=told["currency"],
        cup=money_short(told["cup"]),
        was=money_short(told["was"]),
    )
    stay = ngettext("%(num)s running support keeps its price.", "%(num)s running supports keep their price.", told["n"])
    return f"{words} {stay}" if told["n"] else str(words)


def _currency_closed(currency: str, n_running: int) -> str:
    words = _("Nobody can begin to give in %(currency)s any more.", currency=currency)
    stay = ngettext("%(num)s running support goes on in it.", "%(num)s running supports go on in it.", n_running)
    return f"{words} {stay}" if n_running else str(words)


def _language_closed(told: Mapping[str, Any]) -> str:
    language, instead = LANGUAGES[told["language"]], LANGUAGES[told["instead"]]
    words = _("Pages are no longer shown in %(language)s.", language=language)
    mails = ngettext(
        "%(num)s person gets mails in %(instead)s from now on; their choice is kept.",
        "%(num)s people get mails in %(instead)s from now on; their choice is kept.",
        told["n"],
        instead=instead,
    )
    return f"{words} {mails}" if told["n"] else str(words)


def _way_off(way: str, n_awaited: int) -> str:
    words = _("Readers are no longer offered this way: %(way)s.", way=WAYS[way])
    return f"{words} {_still_awaited(n_awaited)}" if n_awaited else str(words)


def _still_awaited(n: int) -> str:
    return str(
        ngettext(
            "%(num)s announced gift is awaited; its page goes on showing where to send it.",
            "%(num)s announced gifts are awaited; their pages go on showing where to send them.",
            n,
        )
    )


def _account_changed(ends: str, n_awaited: int) -> str:
    words = _(
        "Standing orders go on to the account that ends in %(ends)s: keep it open. Its statements are read as before.",
        ends=ends,
    )
    told = ngettext(
        "%(num)s person was mailed the old account for a gift that has not come.",
        "%(num)s people were mailed the old account for gifts that have not come.",
        n_awaited,
    )
    return f"{words} {told}" if n_awaited else str(words)


FILLED: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "account_changed": lambda told: _account_changed(told["ends"], told["n"]),
    "contact_said": lambda told: _(
        "Every page and mail says that questions go to %(contact)s, and answers to our mails go there too.",
        contact=told["contact"],
    ),
    "cup_changed": _cup_changed,
    "currency_closed": lambda told: _currency_closed(told["currency"], told["n"]),
    "currency_opened": lambda told: _(
        "Readers can give in %(currency)s: a cup costs %(cup)s.",
        currency=told["currency"],
        cup=money_short(told["cup"]),
    ),
    "default_changed": lambda told: _(
        "Who asks for no language that we offer reads %(language)s.", language=LANGUAGES[told["language"]]
    ),
    "goal_money": lambda told: _(
        "The bar counts what running support brings in a month, towards %(wanted)s. Money in other currencies is"
        " counted by the price of a cup; gifts once and by transfer are not in it.",
        wanted=money_short(told["wanted"]),
    ),
    "goal_patrons": lambda told: ngettext(
        "The bar counts patrons; %(num)s is missing to the goal.",
        "The bar counts patrons; %(num)s are missing to the goal.",
        told["n"],
    ),
    "goal_reached": lambda told: ngettext(
        "The goal is reached already, by %(num)s patron: the front page says thank you.",
        "The goal is reached already, by %(num)s patrons: the front page says thank you.",
        told["n"],
    ),
    "grace_changed": lambda told: ngettext(
        "Who becomes late from now on stays a patron for %(num)s day. Who is late already keeps the day that they were"
        " told.",
        "Who becomes late from now on stays a patron for %(num)s days. Who is late already keeps the day that they were"
        " told.",
        told["n"],
    ),
    "language_closed": _language_closed,
    "language_opened": lambda told: _("Readers can choose %(language)s.", language=LANGUAGES[told["language"]]),
    "monthly_minimum": lambda told: _("Monthly support begins at %(least)s.", least=money_short(told["least"])),
    "name_changed": lambda told: _(
        "Pages, mails and new receipts say “%(name)s”. Receipts of before keep “%(was)s”, and codes for transfers that"
        " were given out go on working.",
        name=told["name"],
        was=told["was"],
    ),
    "once_minimum": lambda told: _("Gifts once begin at %(least)s.", least=money_short(told["least"])),
    "reporting_changed": lambda told: _(
        "Sums over all currencies are shown in %(currency)s.", currency=told["currency"]
    ),
    "way_off": lambda told: _way_off(told["way"], told["n"]),
    "way_on": lambda told: _("Readers are offered this way: %(way)s.", way=WAYS[told["way"]]),
}


def meaning(consequence: Consequence) -> str:
    """What will be other than now, as a sentence or two."""
    filled = FILLED.get(consequence.code)
    return str(filled(consequence.details) if filled is not None else PLAIN[consequence.code])
