"""What members, staff and people at Stripe do: each through the services behind our pages, or at Stripe itself.

A deed is a function `(house, member, **with_)`. What the product refuses (a pause of what has ended) is counted.
"""

from datetime import timedelta
from types import SimpleNamespace

import requests
from sqlalchemy import select

from membership.accounts import services as accounts
from membership.accounts.models import Person
from membership.billing.queries import payments_of
from membership.contributions.rules import Terms, pause_ends
from membership.contributions.rules import Wish as Wished
from membership.contributions.services import cancelling, changing, pausing, recovering, refunding, start
from membership.contributions.services.declaring import Gift
from membership.contributions.services.starting import Visit
from membership.db import db
from membership.gifts import services as gifts
from membership.gifts.queries import code_of, find_by_contribution
from membership.gifts.rules import Delivery, GiftWish
from membership.kernel import clock
from membership.kernel.rhythm import Rhythm
from membership.newsroom.queries import offer_in
from membership.patrons import services as patrons
from membership.transfers import queries as transfers_queries
from membership.transfers import services as transfers
from membership.transfers.services import Decision
from tests.faults.lives.world import DESK
from tests.transfers.statements import camt, entry
from tests.year.members import GOOD, Member
from tests.year.newsroom import attribution_of
from tests.year.place import Place, day_at

STAFF = "staff:st_1"
TYPED = {"email": "p@example.org", "billingName": "A Member", "cardExpiry": "12/60", "cardCvc": "123"}


class House:
    """The place with a counter for the presses of buttons; `beside` notes money that Stripe knows nothing of."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.n_presses = 0
        self.beside: list[SimpleNamespace] = []

    def key(self) -> str:
        """Names one press of one button."""
        self.n_presses += 1
        return f"press-{self.n_presses}"

    def ask(self, deed):
        return self.place.ask_us(deed)

    def note_beside(self, member: Member, minor: int) -> None:
        """Money beside Stripe came today (or, below zero, went back): it counts as paid at the noon of its day."""
        day = day_at(self.place.hours.at)
        self.beside.append(SimpleNamespace(day=day, currency=member.currency, minor=minor))

    def fill_in(self, page: str, card: str) -> bool:
        """A hosted page, filled in and sent: whether it led on."""
        answer = requests.post(page, data=TYPED | {"cardNumber": card}, allow_redirects=False, timeout=20)
        self.place.stripe()
        return answer.status_code == requests.codes.see_other

    def reference_of(self, page: str) -> str:
        found = self.place.rows("SELECT reference FROM contributions WHERE checkout_id = :c", c=page.rpartition("/")[2])
        return found[0][0]

    def person_of(self, member: Member) -> int:
        made = self.ask(lambda: accounts.ensure_person(member.email, "en", clock.now()).id)
        db.session.rollback()
        return made

    def decision(self) -> Decision:
        desk = db.session.scalars(select(Person).where(Person.email == DESK)).one()
        return Decision(desk, clock.now(), "As agreed.")


# Members ------------------------------------------------------------------------------------------------------


def join(house: House, member: Member, rhythm: Rhythm, card: str = GOOD) -> None:
    offer = offer_in(member.currency)
    gift = offer.price(rhythm, member.cups)
    charge = gift + offer.fee_for(gift) if member.covers_fees else gift
    wished = Wished(member.email, rhythm, gift, charge, offer.cup, None)
    visit = Visit(f"form-{house.key()}", None, "en", attribution_of(member.number))
    page = house.ask(lambda: start(wished, visit))
    if "/c/pay/" in page and house.fill_in(page, card):
        member.reference = house.reference_of(page)


def change(house: House, member: Member, cups: int = 0, rhythm: Rhythm = Rhythm.MONTHLY) -> None:
    offer = offer_in(member.currency)
    found = house.place.rows("SELECT rhythm FROM contributions WHERE reference = :r", r=member.reference)
    if cups:
        rhythm, member.cups = Rhythm(found[0][0]), cups
    gift = offer.price(rhythm, member.cups)
    terms = Terms(gift, gift + offer.fee_for(gift) if member.covers_fees else gift, offer.cup, rhythm)
    house.ask(lambda: changing.change(member.reference, terms, house.key()))


def pause(house: House, member: Member, months: int) -> None:
    house.ask(lambda: pausing.pause(member.reference, pause_ends(clock.now(), months), house.key()))


def resume(house: House, member: Member) -> None:
    house.ask(lambda: pausing.resume(member.reference, house.key()))


def cancel(house: House, member: Member) -> None:
    house.ask(lambda: cancelling.cancel(member.reference, house.key()))


def keep(house: House, member: Member) -> None:
    house.ask(lambda: cancelling.keep(member.reference, house.key()))


def new_card(house: House, member: Member) -> None:
    page = house.ask(lambda: recovering.open_card_page(member.reference, house.key()))
    if house.fill_in(page, GOOD):
        house.ask(lambda: recovering.take_new_card(member.reference, page.rpartition("/")[2]))


def buy_gift(house: House, member: Member, months: int) -> None:
    offer = offer_in(member.currency)
    price = offer.cup * member.cups * months
    wish = GiftWish(months, member.cups, price, Delivery("A Giver", "A Friend", None, None, None))
    visit = Visit(f"gift-{house.key()}", None, "en", {})
    page = house.ask(lambda: gifts.buy(wish, member.email, offer.cup, visit))
    if house.fill_in(page, GOOD):
        member.reference = house.reference_of(page)


def redeem(house: House, member: Member) -> None:
    """By somebody else, with the code."""
    friend = Member(member.number, member.currency, 1, covers_fees=False, plans=[])
    person_id = house.ask(lambda: accounts.ensure_person(f"friend-of-{friend.email}", "en", clock.now()).id)
    code = house.ask(lambda: code_of(find_by_contribution(member.reference)))
    house.ask(lambda: gifts.redeem(code, person_id, clock.now()))


# Money beside Stripe ------------------------------------------------------------------------------------------


def transfer(house: House, member: Member) -> None:
    """Announced, and told of by a statement of the same day, with the code in its text."""
    offer = offer_in(member.currency)
    minor = offer.cup.minor * member.cups
    gift = Gift("bank", offer.cup * member.cups, offer.cup, member.email, None, "en", None)
    reference = house.ask(lambda: transfers.announce(gift, Rhythm.ONCE, house.key(), clock.now()))
    code = house.ask(lambda: transfers_queries.get_announced(reference).code)
    day, written = day_at(house.place.hours.at).isoformat(), f"{minor // 100}.{minor % 100:02d}"
    line = entry(written, f"{code} thank you", day, currency=member.currency, own_id=f"BANK{house.key()}")
    house.ask(lambda: transfers.read_in(camt(line), None, clock.now()))
    house.place.work("transfers.book_certain")
    house.note_beside(member, minor)


def envelope(house: House, member: Member) -> None:
    offer, person_id = offer_in(member.currency), house.person_of(member)
    amount, day = offer.cup * member.cups, day_at(house.place.hours.at)
    gift = Gift("cash", amount, offer.cup, member.email, None, "en", person_id)
    house.ask(lambda: transfers.book_by_hand(gift, day, house.key(), house.decision()))
    house.note_beside(member, amount.minor)


def take_back(house: House, member: Member) -> None:
    """It was booked by mistake."""
    payment_id, minor = house.place.rows(
        "SELECT p.provider_id, p.charged_minor FROM payments p JOIN contributions c ON c.reference = p.reference"
        " WHERE c.email = :e ORDER BY p.id DESC", e=member.email,
    )[0]  # fmt: skip
    house.ask(lambda: transfers.undo_payment(payment_id, house.decision()))
    house.note_beside(member, -int(minor))


# Staff and people at Stripe -----------------------------------------------------------------------------------


def comp(house: House, member: Member, days: int) -> None:
    person_id, at = house.person_of(member), clock.now()
    until = at + timedelta(days=days)
    house.ask(lambda: patrons.grant_comp(person_id, until, house.key(), reason="A guest.", actor=STAFF, at=at))


def refund(house: House, member: Member, share: int = 1) -> None:
    def give_back():
        payment = payments_of([member.reference])[0]
        amount = (payment.charged - payment.returned).allocate([1] * share)[0]
        refunding.refund(payment, amount, "As agreed.", STAFF, clock.now(), token=house.key())

    house.ask(give_back)


def cancel_now(house: House, member: Member) -> None:
    house.ask(lambda: cancelling.cancel_now(member.reference, house.key(), reason="As agreed.", actor=STAFF))


def _charge_of(house: House, member: Member) -> dict | None:
    """The newest payment of theirs, at Stripe."""
    found = house.place.rows("SELECT customer_id FROM contributions WHERE reference = :r", r=member.reference)
    charges = house.place.at_stripe("charge", customer=found[0][0]) if found and found[0][0] else []
    good = [charge for charge in charges if charge["status"] == "succeeded"]
    return good[-1] if good else None


def refund_at_stripe(house: House, member: Member, share: int = 1) -> None:
    charge = _charge_of(house, member)
    left = charge["amount"] - charge["amount_refunded"] if charge else 0
    if left:
        house.place.act("refund", charge=charge["id"], amount=max(left // share, 1))


def dispute(house: House, member: Member) -> None:
    if charge := _charge_of(house, member):
        house.place.act("dispute", charge=charge["id"], kind="chargeback")


def dispute_step(house: House, member: Member, step: str) -> None:
    charge = _charge_of(house, member)
    for found in house.place.at_stripe("dispute") if charge else ():
        if found["charge"] == charge["id"] or found["charge"] in charge.get("disputes", ()):
            house.place.act("dispute_step", dispute=found["id"], step=step)


def cancel_at_stripe(house: House, member: Member) -> None:
    found = house.place.rows("SELECT subscription_id FROM contributions WHERE reference = :r", r=member.reference)
    house.place.act("cancel_subscription", subscription=found[0][0])


DEEDS = {
    deed.__name__: deed
    for deed in (
        join, change, pause, resume, cancel, keep, new_card, buy_gift, redeem, transfer, envelope, take_back, comp,
        refund, cancel_now, refund_at_stripe, dispute, dispute_step, cancel_at_stripe,
    )
}  # fmt: skip
