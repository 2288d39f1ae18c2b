"""The mails of a contribution. Each function finds what its templates say, at the moment of sending."""

from datetime import datetime
from typing import Any

from membership.billing.queries import get_receipt
from membership.contributions.queries import get_by_id
from membership.contributions.rules import State
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm
from membership.mail.catalogue import mail
from membership.newsroom.queries import newsroom
from membership.newsroom.rules import whole_cups
from membership.patrons.queries import standing_of
from membership.web.links import absolute
from membership.web.tokens import signed

CONFIRM_AGE = 24 * 3600
_EXAMPLE_DAY = datetime.fromisoformat("2027-03-01T09:30:00+00:00")


@mail(
    "contributions/welcome",
    example={
        "newsroom_name": "The Harbour Post",
        "charge": Money(800, "EUR"),
        "rhythm": Rhythm.MONTHLY,
        "n_cups": 2,
        "covered_until": _EXAMPLE_DAY,
        "signin_url": "https://join.example.org/signin",
    },
)
def welcome(args: dict[str, int | str], at: datetime) -> dict[str, Any] | None:
    """To a new patron, once: thanks, what happens now, and where to sign in. Carries no secret.

    See decision 12.
    """
    contribution = get_by_id(int(args["contribution_id"]))
    standing = standing_of(contribution.person_id, at) if contribution.person_id else None
    return {
        "newsroom_name": newsroom().name,
        "charge": contribution.charge,
        "rhythm": contribution.rhythm_word,
        "n_cups": whole_cups(contribution.gift, contribution.rhythm_word, contribution.cup),
        "covered_until": standing.until if standing else None,
        "signin_url": absolute("accounts.signin"),
    }


@mail(
    "contributions/receipt",
    example={
        "newsroom_name": "The Harbour Post",
        "number": "2027-000042",
        "paid_at": _EXAMPLE_DAY,
        "charged": Money(829, "EUR"),
        "fees_covered": Money(29, "EUR"),
        "rhythm": Rhythm.MONTHLY,
        "covers_from": _EXAMPLE_DAY,
        "covers_until": datetime.fromisoformat("2027-04-01T09:30:00+00:00"),
        "n_months": 0,
        "receipt_url": "https://join.example.org/account/receipts/2027-000042",
        "account_url": "https://join.example.org/account",
    },
)
def receipt(args: dict[str, int | str], at: datetime) -> dict[str, Any] | None:
    """For every payment: how much, when, for what time, and the number of the receipt."""
    del at
    contribution = get_by_id(int(args["contribution_id"]))
    payment = get_receipt(str(args["receipt"]))
    return {
        "newsroom_name": newsroom().name,
        "number": payment.receipt_number,
        "paid_at": payment.paid_at,
        "charged": payment.charged,
        "fees_covered": contribution.fees_in(payment.charged),
        "rhythm": contribution.rhythm_word,
        "covers_from": payment.period_start,
        "covers_until": payment.period_end,
        "n_months": contribution.n_months,
        "receipt_url": absolute("contributions.receipt", number=payment.receipt_number),
        "account_url": absolute("contributions.account"),
    }


@mail(
    "contributions/confirm",
    example={
        "newsroom_name": "The Harbour Post",
        "charge": Money(800, "EUR"),
        "confirm_url": "https://join.example.org/contribute/confirm/example",
    },
)
def confirm(args: dict[str, int | str], at: datetime) -> dict[str, Any] | None:
    """To who wishes to give while card testers are about: the way on to the payment page. None where that is over."""
    del at
    contribution = get_by_id(int(args["contribution_id"]))
    if contribution.state != State.STARTED:
        return None
    return {
        "newsroom_name": newsroom().name,
        "charge": contribution.charge,
        "confirm_url": absolute("contributions.confirm", token=signed("confirm", contribution.reference, CONFIRM_AGE)),
    }
