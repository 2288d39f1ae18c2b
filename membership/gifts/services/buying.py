"""From the pressed button to the payment page: the gift is written with the contribution that pays for it."""

from membership.contributions import services as contributions
from membership.contributions.models import Contribution
from membership.contributions.rules import Wish
from membership.contributions.services.starting import Visit
from membership.db import db
from membership.gifts.models import Gift
from membership.gifts.queries import find_by_contribution
from membership.gifts.rules import Delivery, GiftWish
from membership.kernel.ids import new_public_id, new_secret
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm


def buy(wish: GiftWish, email: str, cup: Money, visit: Visit) -> str:
    """Open the payment page for a gift and return its address; `email` is the giver's, canonical.

    As with every contribution, pressing twice leads to one page, and a changed mind closes the page before. Raises
    ProviderFailed where there is no page: then nothing was charged.
    """
    asked = Wish(
        email=email,
        rhythm=Rhythm.ONCE,
        gift=wish.price,
        charge=wish.price,
        cup=cup,
        public_name=None,
        purpose="gift",
    )
    return contributions.start(asked, visit, also=lambda contribution: _write(contribution, wish))


def _write(contribution: Contribution, wish: GiftWish) -> None:
    gift = find_by_contribution(contribution.reference)
    if gift is None:
        gift = Gift(
            public_id=new_public_id("gif"),
            reference=contribution.reference,
            locale=contribution.locale,
            nonce=new_secret(),
            created_at=contribution.created_at,
        )
        db.session.add(gift)
    gift.n_months, gift.n_cups = wish.n_months, wish.n_cups
    deliver_to(gift, wish.delivery)


def deliver_to(gift: Gift, delivery: Delivery) -> None:
    """Write down to whom a gift goes."""
    gift.from_name, gift.receiver_name, gift.message = delivery.from_name, delivery.receiver_name, delivery.message
    gift.receiver_email, gift.send_at = delivery.email, delivery.send_at
