"""What a reader may wish: amounts within the offer, names, and where the wish came from. Pure functions of values."""

from dataclasses import dataclass

from membership.kernel.errors import InvalidInput
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm
from membership.kernel.words import one_line
from membership.newsroom.rules import CUPS_OFFERED, MONTHS_A_YEAR, Offer, whole_cups

LONGEST_PUBLIC_NAME = 60
LONGEST_ATTRIBUTION = 200
ATTRIBUTION_KEYS = ("article", "section", "appeal", "variant", "utm_source", "utm_medium", "utm_campaign")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a reader asks for: checked, in the newsroom's words. `charge` is `gift` plus a fee they cover.

    `purpose` is "self", or "gift" for a membership that somebody else will have; that is given once.
    """

    email: str
    rhythm: Rhythm
    gift: Money
    charge: Money
    cup: Money
    public_name: str | None
    purpose: str = "self"

    @property
    def n_cups(self) -> int:
        """Whole cups (a month) of the gift."""
        return whole_cups(self.gift, self.rhythm, self.cup)


def gift_from(offer: Offer, rhythm: Rhythm, cups: str, own_amount: str) -> Money:
    """The gift that the form means: `cups` is a number on offer or "own", then `own_amount` counts.

    Raises InvalidInput naming the field for anything that is not an amount within the limits.
    """
    if cups != "own":
        if cups not in {str(choice.n_cups) for choice in offer.choices}:
            raise InvalidInput("unknown_choice", "Please choose one of the amounts.", field="cups")
        return offer.price(rhythm, int(cups))
    try:
        gift = Money.parse(own_amount, offer.currency)
    except ValueError as error:
        raise InvalidInput(
            "not_an_amount", "Please type an amount in figures, such as 12 or 12.50.", field="amount"
        ) from error
    minimum = offer.minimum[rhythm]
    if gift < minimum:
        raise InvalidInput("too_little", f"The least is {minimum}.", field="amount", minimum=minimum)
    if offer.maximum < gift:
        raise InvalidInput("too_much", f"The most is {offer.maximum}.", field="amount", maximum=offer.maximum)
    return gift


def choice_of(gift: Money, rhythm: Rhythm, cup: Money) -> dict[str, str]:
    """The form's fields that mean `gift`: the opposite of `gift_from`."""
    n_cups = whole_cups(gift, rhythm, cup)
    is_a_card = n_cups in CUPS_OFFERED and gift == cup * n_cups * (MONTHS_A_YEAR if rhythm is Rhythm.YEARLY else 1)
    amount = {"cups": str(n_cups)} if is_a_card else {"cups": "own", "amount": str(gift.amount)}
    return {"rhythm": rhythm.value, **amount}


def clean_public_name(text: str) -> str | None:
    """A name fit to be shown: one line, no invisible characters, at most 60; None where nothing is left.

    Raises InvalidInput where it is longer.
    """
    name = one_line(text)
    if len(name) > LONGEST_PUBLIC_NAME:
        raise InvalidInput(
            "name_too_long", f"Please use at most {LONGEST_PUBLIC_NAME} characters.", field="public_name"
        )
    return name or None


def clean_attribution(raw: dict[str, str]) -> dict[str, str]:
    """Where a reader came from: known keys only, printable, cut to 200 characters; empty values dropped."""
    kept = {
        key: "".join(ch for ch in raw.get(key, "") if ch.isprintable())[:LONGEST_ATTRIBUTION]
        for key in ATTRIBUTION_KEYS
    }
    return {key: value for key, value in kept.items() if value}
