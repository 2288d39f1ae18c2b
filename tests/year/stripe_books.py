"""What Stripe's own objects say of the year: money with its moments, and what stood at a midnight. No code of ours
but the sandbox's store is asked.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from tests.faults.lives.stripes_view import moment, yearly_level
from tests.year.place import Place, day_at


class Moved(NamedTuple):
    """Money on a day of the newsroom, in minor units."""

    day: date
    currency: str
    minor: int


@dataclass(frozen=True)
class Standing:
    """At the end of a day. `levels`: reference -> what runs there brings in a year, in minor units, and its currency,
    by Stripe; `cups`: reference -> the gift and the price of a cup that we promised it for, and its rhythm.
    """

    levels: dict[str, tuple[int, str]]
    cups: dict[str, tuple[int, int, str]]


@dataclass(frozen=True)
class StripeBooks:
    """All money of the year. `single`: for what promises nothing further; `regular`: of subscriptions. What went back
    stands apart, below zero where it came again. `fees`: what Stripe kept.
    """

    single: list[Moved]
    regular: list[Moved]
    single_back: list[Moved]
    regular_back: list[Moved]
    fees: list[Moved]


def standing_of(place: Place) -> Standing:
    levels = {}
    for subscription in place.at_stripe("subscription"):
        reference = subscription["metadata"].get("reference")
        # Until its first payment came, a subscription stands open for a while and then is gone.
        if reference and subscription["status"] not in {"incomplete", "incomplete_expired"}:
            minor, currency = yearly_level(subscription)
            if minor:
                levels[reference] = (minor, currency)
    rows = place.rows("SELECT reference, gift_minor, cup_minor, rhythm FROM contributions WHERE rhythm <> 'once'")
    cups = {reference: (int(gift), int(cup), rhythm) for reference, gift, cup, rhythm in rows}
    return Standing(levels, cups)


def books_of(place: Place) -> StripeBooks:
    invoice_of = {}
    for row in place.at_stripe("invoice_payment"):
        invoice_of[row["payment"]["payment_intent"]] = row["invoice"]
    single, regular, is_regular = [], [], {}
    for charge in place.at_stripe("charge"):
        if charge["status"] != "succeeded":
            continue
        is_regular[charge["id"]] = charge["payment_intent"] in invoice_of
        side = regular if is_regular[charge["id"]] else single
        side.append(Moved(_day(charge["created"]), charge["currency"].upper(), charge["amount_captured"]))
    back: dict[bool, list[Moved]] = defaultdict(list)
    for charge_id, moved in _went_back(place):
        back[is_regular[charge_id]].append(moved)
    fees = [
        Moved(_day(move["created"]), move["currency"].upper(), move["fee"])
        for move in place.at_stripe("balance_transaction")
        if move["fee"]
    ]
    return StripeBooks(single, regular, back[False], back[True], fees)


def _went_back(place: Place):
    for refund in place.at_stripe("refund"):
        if refund["status"] == "succeeded":
            yield refund["charge"], Moved(_day(refund["created"]), refund["currency"].upper(), refund["amount"])
    for dispute in place.at_stripe("dispute"):
        for move in dispute["balance_transactions"]:
            if move["amount"]:
                minor = dispute["amount"] if move["amount"] < 0 else -dispute["amount"]
                yield dispute["charge"], Moved(_day(move["created"]), dispute["currency"].upper(), minor)


def _day(seconds: int) -> date:
    return day_at(moment(seconds))


def summed(moves: list[Moved], first: date, end: date, currency: str) -> int:
    """What moved in one currency on the days `[first, end)`."""
    return sum(move.minor for move in moves if move.currency == currency and first <= move.day < end)


def by_currency(levels: dict[str, tuple[int, str]]) -> Counter:
    """What all supports together bring in a year."""
    found: Counter = Counter()
    for minor, currency in levels.values():
        found[currency] += minor
    return found


def charges_ahead(place: Place) -> Iterator[tuple[datetime, str, str, int]]:
    """When Stripe means to charge what: the next renewal of whatever runs and goes on, and what it tries again."""
    tried_again = {
        invoice["parent"]["subscription_details"]["subscription"]: invoice
        for invoice in place.at_stripe("invoice")
        if invoice["status"] == "open" and invoice["next_payment_attempt"]
    }
    for subscription in place.at_stripe("subscription"):
        ends = subscription["cancel_at_period_end"] or subscription["cancel_at"]
        if ends or subscription["pause_collection"] or not subscription["metadata"].get("reference"):
            continue
        currency, items = subscription["currency"].upper(), subscription["items"]["data"]
        if subscription["status"] == "active":
            minor = sum(item["price"]["unit_amount"] * item["quantity"] for item in items)
            kind = {"month": "monthly", "year": "yearly"}[items[0]["price"]["recurring"]["interval"]]
            yield moment(items[0]["current_period_end"]), kind, currency, minor
        elif subscription["status"] == "past_due" and subscription["id"] in tried_again:
            invoice = tried_again[subscription["id"]]
            yield moment(invoice["next_payment_attempt"]), "retry", currency, invoice["amount_due"]
