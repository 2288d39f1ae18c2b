"""Money that fails to come, takes its time, or will be charged soon. Each function answers None where that trouble is
over when the mail would leave: nobody is sent to mend what is whole.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from membership.contributions.models import Card, Contribution
from membership.contributions.queries import get_by_id
from membership.contributions.rules import LIVE, State
from membership.contributions.rules.failing import card_ends_at, class_of_failure, may_be_paid_now
from membership.db import db
from membership.kernel.money import Money
from membership.mail.catalogue import mail
from membership.newsroom.queries import newsroom
from membership.patrons.queries import standing_of
from membership.web.links import absolute

_DAY = datetime.fromisoformat("2027-03-01T09:30:00+00:00")
_SITE = "https://join.example.org"
_BASE = {"newsroom_name": "The Harbour Post", "charge": Money(800, "EUR")}
_FAILED = _BASE | {
    "why": "funds",
    "until": _DAY + timedelta(days=14),
    "next_try_at": _DAY + timedelta(days=3),
    "pay_url": f"{_SITE}/account/support/con_01jz/pay",
}
Args = dict[str, int | str]


def _base(contribution: Contribution) -> dict[str, Any]:
    return {"newsroom_name": newsroom().name, "charge": contribution.charge}


def _patron_until(contribution: Contribution, at: datetime) -> datetime | None:
    standing = standing_of(contribution.person_id, at) if contribution.person_id else None
    return standing.until if standing is not None and standing.is_patron else None


@mail("contributions/payment_failed", example=_FAILED)
def payment_failed(args: Args, at: datetime) -> dict[str, Any] | None:
    """When a renewal failed, once per open payment: why, until when they stay a patron, and how to mend it."""
    contribution = get_by_id(int(args["contribution_id"]))
    # The failure is heard a moment before the provider's word that support is past due: both count.
    is_open = may_be_paid_now(State(contribution.state), contribution.failed_at, contribution.ends_at)
    if not is_open or contribution.state == State.LAPSED or contribution.stop_asked_at is not None:
        return None
    why = class_of_failure(contribution.failure_reason, needs_action=bool(contribution.needs_action))
    return _base(contribution) | {
        "why": why.value,
        "until": _patron_until(contribution, at),
        "next_try_at": contribution.next_try_at,
        "pay_url": absolute("recovering.pay", reference=contribution.reference),
    }


@mail("contributions/action_needed", example=_FAILED | {"why": "confirm"})
def action_needed(args: Args, at: datetime) -> dict[str, Any] | None:
    """When a bank lets a renewal pass only after its owner has confirmed it (3-D Secure)."""
    return payment_failed(args, at)


@mail(
    "contributions/card_expires",
    example=_BASE
    | {
        "last4": "4242",
        "valid_until": _DAY - timedelta(days=1),
        "next_payment_at": _DAY + timedelta(days=6),
        "card_url": f"{_SITE}/account/support/con_01jz/pay",
    },
)
def card_expires(args: Args, at: datetime) -> dict[str, Any] | None:
    """When the card will have expired by the next charge, once per card and expiry."""
    del at
    contribution = get_by_id(int(args["contribution_id"]))
    card = db.session.scalar(select(Card).where(Card.contribution_id == contribution.id))
    day = contribution.next_payment_at
    if contribution.state != State.ACTIVE or card is None or card.exp_year is None or card.exp_month is None:
        return None
    ends_at = card_ends_at(card.exp_year, card.exp_month)
    if day is None or day < ends_at:
        return None
    return _base(contribution) | {
        "last4": card.last4,
        "valid_until": ends_at - timedelta(days=1),
        "next_payment_at": day,
        "card_url": absolute("recovering.pay", reference=contribution.reference),
    }


@mail("contributions/recovered", example=_BASE | {"until": _DAY, "account_url": f"{_SITE}/account"})
def recovered(args: Args, at: datetime) -> dict[str, Any] | None:
    """When a payment that had failed arrived after all: thanks, all is well."""
    contribution = get_by_id(int(args["contribution_id"]))
    if State(contribution.state) not in LIVE or contribution.failed_at is not None:
        return None
    return _base(contribution) | {
        "until": _patron_until(contribution, at),
        "account_url": absolute("contributions.account"),
    }


@mail("contributions/lapsed", example=_BASE | {"is_payable": False, "back_url": f"{_SITE}/contribute"})
def lapsed(args: Args, at: datetime) -> dict[str, Any] | None:
    """When support ended because payments did not go through: that nothing more is taken, and how to come back."""
    del at
    contribution = get_by_id(int(args["contribution_id"]))
    if contribution.state != State.LAPSED:
        return None
    is_payable = may_be_paid_now(State.LAPSED, contribution.failed_at, contribution.ends_at)
    pay_url = absolute("recovering.pay", reference=contribution.reference)
    return _base(contribution) | {
        "is_payable": is_payable,
        "back_url": pay_url if is_payable else absolute("contributions.contribute"),
    }


@mail("contributions/renewal", example=_BASE | {"next_payment_at": _DAY, "account_url": f"{_SITE}/account"})
def renewal(args: Args, at: datetime) -> dict[str, Any] | None:
    """Fourteen days before a yearly charge: when, how much, and how to change or stop it."""
    contribution = get_by_id(int(args["contribution_id"]))
    day = contribution.next_payment_at
    if contribution.state != State.ACTIVE or day is None or day <= at:
        return None
    changed = {}
    if contribution.next_charge_minor is not None:
        changed = {"charge": Money(contribution.next_charge_minor, contribution.currency)}
    url = absolute("contributions.account")
    return _base(contribution) | changed | {"next_payment_at": day, "account_url": url}


@mail("contributions/debit_pending", example=_BASE | {"account_url": f"{_SITE}/account"})
def debit_pending(args: Args, at: datetime) -> dict[str, Any] | None:
    """When a first payment takes days (bank debits): that it is on its way, and that nobody need pay twice."""
    del at
    contribution = get_by_id(int(args["contribution_id"]))
    if contribution.state != State.STARTED or contribution.pending_at is None:
        return None
    return _base(contribution) | {"account_url": absolute("contributions.account")}


@mail("contributions/debit_failed", example=_BASE | {"again_url": f"{_SITE}/contribute"})
def debit_failed(args: Args, at: datetime) -> dict[str, Any] | None:
    """When a first bank debit did not arrive: nothing was taken, and how to begin again. No bank's reason."""
    del at
    contribution = get_by_id(int(args["contribution_id"]))
    if contribution.state != State.ABANDONED:
        return None
    return _base(contribution) | {"again_url": absolute("contributions.contribute")}
