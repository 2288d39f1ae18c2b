"""The mails of a gift: to the receiver the code, to the giver what became of it. The receiver never reads a price."""

from datetime import datetime
from typing import Any

from membership.gifts.models import Gift
from membership.gifts.queries import code_of, get, price_of
from membership.gifts.rules import Stage
from membership.gifts.services.redeeming import REDEEMABLE
from membership.kernel.money import Money
from membership.mail.catalogue import Args, mail
from membership.newsroom.queries import newsroom
from membership.web.links import absolute

_NEWSROOM = {"newsroom_name": "The Harbour Post"}
_GIFT = _NEWSROOM | {"n_months": 3, "receiver_name": "Taras", "gifts_url": "https://join.example.org/account/gifts"}
_CODE = "7K3M-9XQ2-TBVW"
_REDEEM_URL = f"https://join.example.org/gift/redeem/{_CODE}"
_EXAMPLE_DAY = datetime.fromisoformat("2027-03-01T06:00:00+00:00")


@mail(
    "gifts/for_you",
    example=_NEWSROOM
    | {
        "n_months": 3,
        "from_name": "Olena",
        "receiver_name": "Taras",
        "message": "Happy birthday!",
        "code": _CODE,
        "redeem_url": _REDEEM_URL,
    },
)
def for_you(args: Args, at: datetime) -> dict[str, Any] | None:
    """To the receiver of a gift, on its day: from whom, the message, the code, and how to take it."""
    del at
    gift = get(int(args["gift_id"]))
    if gift.stage not in REDEEMABLE:
        return None
    code = code_of(gift)
    return {
        "newsroom_name": newsroom().name,
        "n_months": gift.n_months,
        "from_name": gift.from_name,
        "receiver_name": gift.receiver_name,
        "message": gift.message,
        "code": code,
        "redeem_url": absolute("gifts.redeem_link", code=code),
    }


@mail(
    "gifts/bought",
    example=_GIFT | {"price": Money(1200, "EUR"), "is_by_hand": True, "send_at": _EXAMPLE_DAY, "code": _CODE},
)
def bought(args: Args, at: datetime) -> dict[str, Any] | None:
    """To the giver, once the gift is paid: what happens now, and the code where they hand it over."""
    del at
    gift = get(int(args["gift_id"]))
    if gift.stage is Stage.RETURNED:
        return None
    is_by_hand = gift.send_at is None
    return _about(gift) | {
        "price": price_of(gift),
        "is_by_hand": is_by_hand,
        "send_at": gift.send_at,
        "code": code_of(gift) if is_by_hand else None,
    }


@mail("gifts/redeemed", example=_GIFT)
def redeemed(args: Args, at: datetime) -> dict[str, Any] | None:
    """To the giver: the gift was redeemed."""
    del at
    return _about(get(int(args["gift_id"])))


@mail("gifts/not_redeemed", example=_GIFT | {"is_by_hand": False})
def not_redeemed(args: Args, at: datetime) -> dict[str, Any] | None:
    """To the giver, once: the code has been out for 60 days and nobody redeemed it; it stays good."""
    del at
    gift = get(int(args["gift_id"]))
    if gift.stage not in REDEEMABLE:
        return None
    return _about(gift) | {"is_by_hand": gift.send_at is None}


def _about(gift: Gift) -> dict[str, Any]:
    return {
        "newsroom_name": newsroom().name,
        "n_months": gift.n_months,
        "receiver_name": gift.receiver_name,
        "gifts_url": absolute("gifts.mine"),
    }
