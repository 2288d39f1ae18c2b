"""What the newsroom has set: what staff saved, and before that what the environment of this installation says."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import cast
from zoneinfo import ZoneInfo

import structlog
from flask import current_app, g
from sqlalchemy.exc import SQLAlchemyError

from membership.kernel.errors import Conflict
from membership.kernel.money import Money
from membership.newsroom.port import Outlook
from membership.newsroom.queries.history import all_accounts, all_names, name_at
from membership.newsroom.queries.snapshot import Current, current, last_known
from membership.newsroom.queries.tokens import read_file, tokens, tokens_path
from membership.newsroom.rules.colours import name_of
from membership.newsroom.rules.faults import Bounds, Tokens
from membership.newsroom.rules.offer import Offer
from membership.newsroom.rules.plain import Goal, LateMoney
from membership.newsroom.rules.prices import Prices
from membership.newsroom.rules.ways import Ways
from membership.web import settings
from membership.web.house import House

__all__ = [
    "Newsroom", "all_accounts", "all_names", "bounds", "colours_drawn", "cup_in", "day_of", "goal", "house",
    "is_offered_language", "late_money", "name_at", "newsroom", "offer_in", "offered_currencies", "offered_ways",
    "outlook", "priced_currencies", "prices", "reporting_currency", "settings_url", "tokens", "ways", "zone",
]  # fmt: skip

GONE = "newsroom_database_gone"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Newsroom:
    """The newsroom as pages and mails name it; `contact` is where readers write to, None where that is nowhere said."""

    name: str
    contact: str | None


def newsroom() -> Newsroom:
    """The newsroom of this installation."""
    names = current().names
    return Newsroom(name=names.name, contact=names.contact)


def zone() -> ZoneInfo:
    """The newsroom's time zone: in it days begin, years end and polls close."""
    return ZoneInfo(settings().newsroom_zone)


def day_of(at: datetime) -> date:
    """The day of a moment in the newsroom's zone."""
    return at.astimezone(zone()).date()


def prices() -> Prices:
    """Cups, currencies and the card fee."""
    return current().prices


def offer_in(currency: str) -> Offer:
    """The offer in `currency`, also in a closed one, for support that runs; Conflict `no_price` for one that never had
    a price here.
    """
    try:
        return prices().offer(currency)
    except KeyError:
        raise Conflict("no_price", "This newsroom has no price in that currency.") from None


def offered_currencies() -> tuple[str, ...]:
    """Currencies in which somebody may begin to give, in the newsroom's own order, at least one."""
    return prices().open_currencies


def priced_currencies() -> tuple[str, ...]:
    """Every currency with a price, the closed ones too: money may still come in them."""
    return tuple(row.currency for row in prices().currencies)


def reporting_currency() -> str:
    """The newsroom's own currency, one of those offered."""
    return prices().reporting_currency


def cup_in(currency: str) -> Money:
    """The price of a cup; zero in a currency without one, whose money is thanked and covers nothing."""
    row = prices().find(currency)
    return Money(row.cup_minor if row is not None else 0, currency)


def goal() -> Goal:
    """What the newsroom asks for on its front page."""
    return current().goal


def ways() -> Ways:
    """What is known of the ways to support beside the card, those that are switched off too."""
    return current().ways


def offered_ways() -> list[str]:
    """The ways beside the card that readers are offered, in the order of the page."""
    return ways().offered


def late_money() -> LateMoney:
    """How late payments and doubtful money are met."""
    return current().late


def is_offered_language(code: str) -> bool:
    """Whether readers are spoken to in this language."""
    return code in house().languages


def house() -> House:
    """What every page shows of the settings. Where the database is gone, what was known last: the page that says so
    still has a name and a language.
    """
    if GONE in g:
        return _house(last_known(), tokens_path())
    try:
        return _house(current(), tokens_path())
    except SQLAlchemyError as error:
        setattr(g, GONE, True)  # a database that does not answer is waited for once a page, not at every name on it
        log.warning("settings_unreadable", error=type(error).__name__)
        return _house(last_known(), tokens_path())


def colours_drawn() -> Tokens:
    """The same with the newsroom's own in their place: for what knows no style sheets, such as mails."""
    return current().colours.drawn(tokens())


def bounds() -> Bounds:
    """What settings are checked against."""
    return Bounds(tokens=tokens(), least=outlook().least_charges, offered=offered_currencies())


def settings_url(subject: str) -> str:
    """The full address of a page of settings."""
    return f"{settings().public_url}/staff/settings/{subject}"


def outlook() -> Outlook:
    """What lies beyond the settings."""
    return cast("Outlook", current_app.extensions["membership.outlook"])


@lru_cache(maxsize=8)
def _house(found: Current, tokens_path: str) -> House:
    """Kept by the very settings that it was made of: a page asks for it a dozen times."""
    css = found.colours.css(read_file(tokens_path))
    return House(
        name=found.names.name,
        contact=found.names.contact,
        languages=found.languages.offered,
        default_language=found.languages.default,
        theme_url=f"/theme-{name_of(css)}.css" if css else None,
        theme_css=css,
    )
