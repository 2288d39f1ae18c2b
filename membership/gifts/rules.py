"""What a gift membership costs, when it is mailed, what its code looks like, and where it stands. Pure functions."""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

from membership.kernel.errors import InvalidInput
from membership.kernel.money import Money
from membership.kernel.words import one_line, paragraphs
from membership.newsroom.rules import Offer

MONTHS_OFFERED = (1, 3, 6, 12)
LONGEST_NAME = 60
LONGEST_MESSAGE = 500
LONGEST_AHEAD = relativedelta(years=1)
# A mail for a later day leaves at this hour of the newsroom, when people read their mail.
HOUR_OF_MAIL = time(8)
# Once, a giver hears that a gift was not redeemed.
REMIND_AFTER = timedelta(days=60)
# So long after a gift is over, or was left unpaid, the receiver's name, address and the message are kept.
FORGET_AFTER = timedelta(days=30)

# Without the letters that are read as figures (I, L, O) or that make words (U).
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 12
GROUP = 4
# What people type instead: figures' lookalikes, and Cyrillic letters of another keyboard.
LOOKALIKES = str.maketrans("OILАВЕКМНРСТУХІ", "011ABEKMHPCTYX1")
CODE = re.compile(rf"[{ALPHABET}]{{{CODE_LENGTH}}}")


class Stage(StrEnum):
    """Where a gift stands. `RETURNED`: its payment went back, so the code (or the membership) is dead."""

    UNPAID = "unpaid"
    PAID = "paid"
    SCHEDULED = "scheduled"
    SENT = "sent"
    REDEEMED = "redeemed"
    RETURNED = "returned"


# What the giver can do about a gift, by its stage.
GIVER_MAY: dict[Stage, frozenset[str]] = {
    Stage.UNPAID: frozenset(),
    Stage.PAID: frozenset({"change", "print"}),
    Stage.SCHEDULED: frozenset({"change", "print"}),
    Stage.SENT: frozenset({"send_again", "print"}),
    Stage.REDEEMED: frozenset(),
    Stage.RETURNED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Delivery:
    """To whom a gift goes. `email` and `send_at` are both None where the giver hands it over."""

    from_name: str
    receiver_name: str
    message: str | None
    email: str | None
    send_at: datetime | None


@dataclass(frozen=True, slots=True)
class GiftWish:
    """What a giver asks for: `n_months` months of `n_cups` cups, for `price`."""

    n_months: int
    n_cups: int
    price: Money
    delivery: Delivery


def stage_of(
    *,
    paid_at: datetime | None,
    send_at: datetime | None,
    sent_at: datetime | None,
    redeemed_at: datetime | None,
    returned_at: datetime | None,
) -> Stage:
    """Where a gift stands, from the moments that were written down."""
    if paid_at is None:
        return Stage.UNPAID
    if returned_at is not None:
        return Stage.RETURNED
    if redeemed_at is not None:
        return Stage.REDEEMED
    if sent_at is not None:
        return Stage.SENT
    return Stage.PAID if send_at is None else Stage.SCHEDULED


def price_of(offer: Offer, n_cups: int, n_months: int) -> Money:
    """What a gift costs. InvalidInput naming the field for what is not on offer."""
    if n_months not in MONTHS_OFFERED:
        raise InvalidInput("unknown_months", "Please choose one of the lengths.", field="months")
    if n_cups not in {choice.n_cups for choice in offer.choices}:
        raise InvalidInput("unknown_cups", "Please choose one of the numbers of cups.", field="cups")
    return offer.cup * n_cups * n_months


def moment_of_mail(day: date, zone: ZoneInfo, now: datetime) -> datetime:
    """When the mail of `day` (in the newsroom's zone) leaves: at once for today, else at 8 in the morning.

    InvalidInput `day_past` or `day_too_far` for a day outside today … a year ahead.
    """
    today = now.astimezone(zone).date()
    if day < today:
        raise InvalidInput("day_past", "This day is over.", field="send_on")
    if day > today + LONGEST_AHEAD:
        raise InvalidInput("day_too_far", "Please choose a day within the next twelve months.", field="send_on")
    return now if day == today else datetime.combine(day, HOUR_OF_MAIL, zone)


def clean_name(text: str, field: str) -> str:
    """A name on one line, of 1 to 60 characters. InvalidInput `name_missing` or `name_too_long` for `field`."""
    name = one_line(text)
    if not name:
        raise InvalidInput("name_missing", "Please type a name.", field=field)
    if len(name) > LONGEST_NAME:
        raise InvalidInput("name_too_long", f"Please use at most {LONGEST_NAME} characters.", field=field)
    return name


def clean_message(text: str) -> str | None:
    """Plain text of at most 500 characters, or None for nothing. InvalidInput `message_too_long`."""
    message = paragraphs(text)
    if len(message) > LONGEST_MESSAGE:
        raise InvalidInput("message_too_long", f"Please use at most {LONGEST_MESSAGE} characters.", field="message")
    return message or None


def make_code(key: str, nonce: str) -> str:
    """The code of a gift: 12 characters, 60 bits, drawn from the random `nonce` with the secret `key`.

    So it can be shown and printed again, and the database alone, which has the nonce, tells it to nobody.
    """
    drawn = hmac.new(key.encode(), b"gift code" + nonce.encode(), hashlib.sha256).digest()
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in drawn[:CODE_LENGTH])


def grouped(code: str) -> str:
    """A code as people read it: "7K3M-9XQ2-TBVW"."""
    return "-".join(code[start : start + GROUP] for start in range(0, len(code), GROUP))


def read_code(text: str) -> str | None:
    """The code that was typed, whatever the case, spaces, dashes and lookalikes; None where it cannot be one."""
    typed = "".join(char for char in text.upper() if not (char.isspace() or char in "-–—.·_")).translate(LOOKALIKES)
    return typed if CODE.fullmatch(typed) else None


def is_reminder_due(redeemable_since: datetime, at: datetime) -> bool:
    """Whether the giver is to hear that the gift waits: 60 days after the code went out."""
    return at >= redeemable_since + REMIND_AFTER
