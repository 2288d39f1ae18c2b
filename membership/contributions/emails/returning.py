"""Money that goes back, and two supports of one person."""

from datetime import datetime
from typing import Any

from membership.billing.queries import is_wholly_returned, payments_of
from membership.contributions.queries import get_by_id
from membership.contributions.rules import State
from membership.contributions.services.doubling import find_choice, find_double, find_paid_until, keep_url
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm
from membership.mail.catalogue import mail
from membership.newsroom.queries import newsroom
from membership.patrons.queries import standing_of
from membership.web.links import absolute

_DAY = datetime.fromisoformat("2027-03-01T09:30:00+00:00")
_SITE = "https://join.example.org"


@mail(
    "contributions/refunded",
    example={
        "newsroom_name": "The Harbour Post",
        "refunded": Money(800, "EUR"),
        "paid_at": _DAY,
        "is_whole": True,
        "until": None,
        "goes_on": False,
        "account_url": f"{_SITE}/account",
    },
)
def refunded(args: dict[str, int | str], at: datetime) -> dict[str, Any] | None:
    """When money went back: how much, and what that means for the membership."""
    contribution = get_by_id(int(args["contribution_id"]))
    payment_id = str(args["payment_id"])
    payment = next((row for row in payments_of([contribution.reference]) if row.payment_id == payment_id), None)
    if payment is None or contribution.person_id is None:
        return None
    standing = standing_of(contribution.person_id, at)
    return {
        "newsroom_name": newsroom().name,
        "refunded": Money(int(args["minor"]), str(args["currency"])),
        "paid_at": payment.paid_at,
        "is_whole": is_wholly_returned(payment_id),
        "until": standing.until if standing.is_patron else None,
        "goes_on": contribution.state in {State.ACTIVE, State.PAST_DUE} and contribution.stop_asked_at is None,
        "account_url": absolute("contributions.account"),
    }


@mail(
    "contributions/second_support",
    example={
        "newsroom_name": "The Harbour Post",
        "newer_charge": Money(800, "EUR"),
        "newer_rhythm": Rhythm.MONTHLY,
        "older_charge": Money(4800, "EUR"),
        "older_rhythm": Rhythm.YEARLY,
        "older_since": _DAY,
        "older_stays_until": _DAY,
        "keep_url": f"{_SITE}/support/keep/WzE3OTk5LCJjb24iXQ.c2lnbmVk",
    },
)
def second_support(args: dict[str, int | str], at: datetime) -> dict[str, Any] | None:
    """When somebody supports us twice: a choice which one stays, and what of the other one goes back."""
    del at
    choice = find_choice(get_by_id(int(args["contribution_id"])).reference)
    if choice is None or not choice.is_open:
        return None
    older = choice.older.reference
    return {
        "newsroom_name": newsroom().name,
        "newer_charge": choice.newer.charge,
        "newer_rhythm": choice.newer.rhythm_word,
        "older_charge": choice.older.charge,
        "older_rhythm": choice.older.rhythm_word,
        "older_since": choice.older.created_at,
        "older_stays_until": None if find_double(choice, older) else find_paid_until(older),
        "keep_url": keep_url(choice.newer.reference),
    }
