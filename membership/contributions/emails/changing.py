"""What follows from a changed, paused, stopped or ended support. Each function answers None where that is not so any
more when the mail leaves: a newer mail is on its way.
"""

from datetime import datetime
from typing import Any

from membership.contributions.models import Contribution
from membership.contributions.queries import get_by_id
from membership.contributions.rules import State
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm
from membership.mail.catalogue import mail
from membership.newsroom.queries import newsroom
from membership.patrons.queries import standing_of
from membership.web.links import absolute

_EXAMPLE_DAY = datetime.fromisoformat("2027-03-03T09:30:00+00:00")
_EXAMPLE = {
    "newsroom_name": "The Harbour Post",
    "charge": Money(829, "EUR"),
    "fees_covered": Money(29, "EUR"),
    "rhythm": Rhythm.MONTHLY,
    "next_payment_at": _EXAMPLE_DAY,
    "paused_until": _EXAMPLE_DAY,
    "ends_at": _EXAMPLE_DAY,
    "patron_until": _EXAMPLE_DAY,
    "support_url": "https://join.example.org/account/support/con_01jz",
    "contribute_url": "https://join.example.org/contribute",
}


@mail("contributions/changed", example=_EXAMPLE)
def changed(args: dict[str, int | str], at: datetime) -> dict[str, Any] | None:
    """After a change of amount or rhythm: what is charged from when on."""
    return _context(args, at, State.ACTIVE, State.PAUSED, State.PAST_DUE)


@mail("contributions/paused", example=_EXAMPLE)
def paused(args: dict[str, int | str], at: datetime) -> dict[str, Any] | None:
    """When support is paused: until when nothing is taken, and what happens then."""
    return _context(args, at, State.PAUSED)


@mail("contributions/resumed", example=_EXAMPLE)
def resumed(args: dict[str, int | str], at: datetime) -> dict[str, Any] | None:
    """When support goes on, after a pause or because it is kept: what is charged when."""
    return _context(args, at, State.ACTIVE)


@mail("contributions/cancelled", example=_EXAMPLE)
def cancelled(args: dict[str, int | str], at: datetime) -> dict[str, Any] | None:
    """When support is stopped to the end of the paid time: that nothing more is taken, and how to undo it."""
    return _context(args, at, State.CANCELLING)


@mail("contributions/ended", example=_EXAMPLE)
def ended(args: dict[str, int | str], at: datetime) -> dict[str, Any] | None:
    """When support is over: that nothing more is taken, until when they are a patron, how to come back."""
    return _context(args, at, State.ENDED)


def _context(args: dict[str, int | str], at: datetime, *still: State) -> dict[str, Any] | None:
    contribution = get_by_id(int(args["contribution_id"]))
    if State(contribution.state) not in still:
        return None
    return {
        "newsroom_name": newsroom().name,
        "charge": contribution.charge,
        "fees_covered": contribution.charge - contribution.gift if contribution.charge != contribution.gift else None,
        "rhythm": contribution.rhythm_word,
        "next_payment_at": contribution.next_payment_at,
        "paused_until": contribution.paused_until,
        "ends_at": contribution.ends_at,
        "patron_until": _patron_until(contribution, at),
        "support_url": absolute("support.show", reference=contribution.reference),
        "contribute_url": absolute("contributions.contribute"),
    }


def _patron_until(contribution: Contribution, at: datetime) -> datetime | None:
    if contribution.person_id is None:
        return None
    standing = standing_of(contribution.person_id, at)
    return standing.until if standing.is_patron else None
