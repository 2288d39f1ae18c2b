"""Limits: how often somebody may ask for something that costs money, a mail, or a guess.

`hit` counts in the database (or in Redis, where REDIS_URL is set), so that all processes share one count; it
reckons in real time and keeps no address, only its HMAC. If counting fails, nothing is done: closed for money
and sign-in (security.md S27). Besides, every request passes a first brake by the rate class of its view, per
process and in memory, so that reading writes nothing.
"""

import ipaddress
import logging
import time
from contextlib import nullcontext
from dataclasses import dataclass

from flask import Flask, current_app, request
from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import ServiceUnavailable

from membership.config import Settings
from membership.db import db, in_transaction
from membership.kernel import clock, ids
from membership.kernel.errors import TooMany
from membership.web import settings
from membership.web.access import rate_of
from membership.web.counters import DatabaseStorage

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rule:
    """A limit such as "3 per 15 minutes".

    `is_exact`: at most so many in ANY span of that length, at the price of remembering each hit. Otherwise
    windows start with the first hit and are counted (for large totals).
    """

    limit: str
    is_exact: bool = True


# What is counted, and by which key the callers count it. `{name}` is filled in from the settings.
RULES: dict[str, Rule] = {
    "signin.address": Rule("3 per 15 minutes"),  # mailed links per mailbox and /24 or /48 (S8, decision 25)
    "signin.mailbox": Rule("12 per 15 minutes"),  # the same per mailbox, from wherever
    "signin.origin": Rule("{signin_links_per_hour} per 1 hour"),  # mailed links per address of origin
    "signin.network": Rule("300 per 1 hour", is_exact=False),  # the same per /24 or /48
    "signin.total": Rule("6000 per 10 minutes", is_exact=False),  # mailed links of this installation
    "signin.code": Rule("60 per 10 minutes"),  # codes and links tried per address of origin
    "factor.try": Rule("10 per 15 minutes"),  # second factors tried, right or wrong, per session
    "factor.day": Rule("100 per 24 hours"),  # six digits tried, per member of staff: guessed once in nine years
    "checkout.origin": Rule("10 per 10 minutes"),
    "checkout.network": Rule("30 per 10 minutes"),  # /24 or /48
    "checkout.email": Rule("5 per 10 minutes"),
    "checkout.person": Rule("10 per 10 minutes"),  # the same of one account, from wherever and with whatever address
    "thanks.look": Rule("20 per 1 minute", is_exact=False),  # readings of one payment page at the provider
    "thanks.unknown": Rule("30 per 10 minutes"),  # return pages that we know nothing of, per address of origin
    "gift.code": Rule("20 per 1 hour"),  # codes of gifts tried, per address of origin and per member
    "gift.codes_total": Rule("600 per 10 minutes", is_exact=False),  # the same of this installation
    "gift.send_again": Rule("3 per 24 hours"),  # mails of one gift to its receiver
    "support.ask": Rule("30 per 10 minutes"),  # buttons about running support that reach the provider, per member
    "transfers.origin": Rule("20 per 1 hour"),  # announced transfers: each sends a mail to whoever was typed
    "transfers.network": Rule("60 per 1 hour"),  # the same per /24 or /48: one household's addresses fill no total
    "transfers.email": Rule("5 per 24 hours"),  # the same per mailbox
    # Announced transfers of this installation. It refuses: an announcement is its code, shown at once and mailed, so
    # there is no later step that could wait its turn. High, so that filling it takes more than a few networks.
    "transfers.total": Rule("1500 per 1 hour", is_exact=False),
    "topics.propose": Rule("5 per 24 hours"),  # proposals per member
    "topics.similar": Rule("60 per 1 minute", is_exact=False),  # pauses of typing per member
    "topics.follow": Rule("60 per 10 minutes", is_exact=False),  # taps per member
    "corrections.origin": Rule("10 per 10 minutes"),  # reports of mistakes per address of origin
    "corrections.network": Rule("60 per 1 hour"),  # the same per /24 or /48
    "corrections.total": Rule("1000 per 1 hour", is_exact=False),  # the same of this installation: a desk reads them
    "checkout.confirm_email": Rule("3 per 24 hours"),  # mails to confirm a wish, per mailbox; more never leave
    "checkout.confirm_domain": Rule("30 per 1 hour"),  # mails at once to confirm a wish, per mail domain
    "checkout.confirm_total": Rule("300 per 1 hour", is_exact=False),  # the same in total; later ones wait their turn
    "mails.test": Rule("30 per 1 hour"),  # test mails of the catalogue, per member of staff
    "papers.pdf": Rule("30 per 10 minutes"),  # receipts and statements drawn as PDF, per member
    "checkout.total": Rule("{checkouts_per_minute} per 1 minute", is_exact=False),
}

# The first brake: requests a minute, per process and address of origin. Machines prove themselves instead.
# "events" are what articles tell of readers, many of whom share an address (an office, a mobile network).
BRAKES: dict[str, int] = {"read": 3000, "write": 120, "money": 60, "signin": 120, "events": 600}
MOST_ORIGINS = 50_000


class _Brake:
    """Counts per minute in memory; forgets everything when the minute is over, or when it grew too large."""

    def __init__(self) -> None:
        self._minute = 0
        self._counts: dict[tuple[str, str], int] = {}

    def is_over(self, rate: str, origin: str) -> bool:
        """Count one request; whether it is one too many. Two threads may lose a count, which does no harm."""
        minute = int(time.monotonic() // 60)
        if minute != self._minute or len(self._counts) > MOST_ORIGINS:
            self._minute, self._counts = minute, {}
        n = self._counts.get((rate, origin), 0) + 1
        self._counts[rate, origin] = n
        return n > BRAKES[rate]


def install(app: Flask, known: Settings) -> None:
    """Connect the counters and put the first brake before every request."""
    if known.redis_url:
        patience = {"socket_timeout": 2, "socket_connect_timeout": 2}
        storage: Storage = storage_from_string(known.redis_url, wrap_exceptions=True, **patience)  # type: ignore[assignment]
    else:
        with app.app_context():
            storage = DatabaseStorage(db.engine)
    app.extensions["membership.counters"] = storage
    brake = _Brake()

    def _slow_down() -> None:
        rate = rate_of(request.endpoint)
        unsafe = request.method not in {"GET", "HEAD", "OPTIONS"}
        rate = rate if unsafe or rate == "machine" else "read"
        if settings().rate_limits and rate in BRAKES and brake.is_over(rate, origin()):
            raise TooMany("too_many", "There were too many tries in a short time.", retry_after=60)

    app.before_request(_slow_down)


def hit(rule: str, *keys: str) -> None:
    """Count one more under `rule` (a name in RULES) for `keys`, outside any transaction.

    Raises TooMany with the seconds to wait, and ServiceUnavailable where nothing can be counted; KeyError for
    an unknown rule. Does nothing where the setting RATE_LIMITS is off.
    """
    hit_all((rule, *keys))


def hit_all(*wanted: tuple[str, ...]) -> None:
    """Count several limits in this order, each (rule, *keys), in one go; stops at the first that is reached.

    What was counted before it stays counted. Raises as `hit` does.
    """
    rules = [(RULES[rule], rule, keys) for rule, *keys in wanted]
    if not settings().rate_limits:
        return
    if in_transaction():
        raise RuntimeError("A limit is asked before the transaction, so that it counts whatever comes of it.")
    storage: Storage = current_app.extensions["membership.counters"]
    try:
        with storage.together() if isinstance(storage, DatabaseStorage) else nullcontext():
            waits = (_seconds_to_wait(storage, chosen, rule, keys) for chosen, rule, keys in rules)
            wait = next((wait for wait in waits if wait), 0)
    except (StorageError, SQLAlchemyError) as error:
        log.exception("limits_unavailable", extra={"rules": [rule for _, rule, _ in rules]})
        raise ServiceUnavailable(retry_after=30) from error
    if wait:
        raise TooMany("too_many", "There were too many tries in a short time.", retry_after=wait)


def _seconds_to_wait(storage: Storage, chosen: Rule, rule: str, keys: list[str]) -> int:
    """Count one hit; 0 if it is allowed, else the seconds until the next one will be."""
    strategy = MovingWindowRateLimiter(storage) if chosen.is_exact else FixedWindowRateLimiter(storage)
    item = _item(chosen)
    key = ids.keyed_digest(settings().secret_key.get_secret_value(), "ratelimit", rule, *keys)
    if strategy.hit(item, key):
        return 0
    reset_at = strategy.get_window_stats(item, key).reset_time
    return max(1, int(reset_at - clock.real_now().timestamp()) + 1)


def _item(rule: Rule) -> RateLimitItem:
    return parse(
        rule.limit.format_map(settings().model_dump(include={"signin_links_per_hour", "checkouts_per_minute"}))
    )


def origin() -> str:
    """Where this request comes from: an IPv4 address, or the /64 of an IPv6 one, which one household holds."""
    return _cut(request.remote_addr or "", 32, 64)


def network_of(ip: str) -> str:
    """The neighbourhood of an address: its /24 (IPv4) or /48 (IPv6); the text itself where it is no address."""
    return _cut(ip, 24, 48)


def _cut(ip: str, bits_v4: int, bits_v6: int) -> str:
    try:
        address = ipaddress.ip_address(ip.partition("%")[0])
    except ValueError:
        return ip
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    bits = bits_v4 if address.version == 4 else bits_v6  # noqa: PLR2004 - IPv4
    return str(ipaddress.ip_network(f"{address}/{bits}", strict=False))
