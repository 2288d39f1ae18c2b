"""Use cases of gifts: bought, paid, mailed, changed, redeemed, returned, forgotten."""

from membership.gifts.services.buying import buy
from membership.gifts.services.forgetting import erase, forget, merge
from membership.gifts.services.hearing import hear_payment, hear_payment_reversed
from membership.gifts.services.redeeming import redeem
from membership.gifts.services.sending import change, remind, send_again, send_due

__all__ = [
    "buy",
    "change",
    "erase",
    "forget",
    "hear_payment",
    "hear_payment_reversed",
    "merge",
    "redeem",
    "remind",
    "send_again",
    "send_due",
]
