"""What readers do: choose at our forms, pay at Stripe's pages, come back; for themselves and for somebody else."""

from dataclasses import dataclass

import requests
from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from sqlalchemy import select

from membership.accounts import services as accounts
from membership.contributions.models import Contribution
from membership.contributions.rules import Wish as Wished
from membership.contributions.services import start
from membership.contributions.services.starting import Visit
from membership.db import db
from membership.gifts import services as gifts
from membership.gifts.queries import code_of, find_by_contribution
from membership.gifts.rules import Delivery, GiftWish
from membership.kernel import clock
from membership.kernel.errors import MembershipError
from membership.newsroom.queries import offer_in
from tests.faults.lives.choices import CARDS, DEATHS, GIFTS, READERS, RHYTHMS, WHICH
from tests.faults.lives.notebook import Redeemed, Wish
from tests.faults.lives.readers import ADDRESSES, Reader

GOOD_CARD = "4242424242424242"


@dataclass
class Pressed:
    """What came of a press of a button, or of the two of a double click: `value` is what it gave back.

    It may be done, refused (the second time) and have been died over (the first time) all at once.
    """

    is_done: bool = False
    value: object = None
    refusal: str | None = None
    has_died: bool = False


class Givers:
    """Rules of `machine.Lives`."""

    def _press(self, deed, dies_at, *, again=False) -> Pressed:
        """One press of a button on one of our pages; `again` is the second half of a double click."""
        self.n_presses += 1
        key, pressed = f"press-{self.n_presses}", Pressed()
        for _ in range(1 + again):
            with self.world.mortal(dies_at) as fate:
                try:
                    pressed.value = self.world.ask_us(lambda: deed(key))
                    pressed.is_done = True
                except MembershipError as refusal:
                    note(f"refused: {refusal.code}")
                    pressed.refusal = pressed.refusal or refusal.code
            pressed.has_died |= fate.has_died
        return pressed

    def _use(self, who: int) -> Reader:
        """Somebody types an address: its holder, or another one about them."""
        return self.notes.readers.use(ADDRESSES[who], self.world.hours.at)

    def _signed_in(self, who: int) -> tuple[Reader, int | None]:
        """A reader with a row of theirs; without one where they are being forgotten, and so cannot sign in."""
        reader = self._use(who)
        if reader.is_leaving:
            return reader, None
        person_id = accounts.ensure_person(reader.email, "en", clock.now()).id
        db.session.rollback()
        return reader, person_id

    # At our forms -----------------------------------------------------------------------------------------

    @rule(who=READERS, rhythm=RHYTHMS, cups=st.sampled_from([1, 2, 3, 30]), fees=st.booleans(), same_form=st.booleans(),
          dies_at=DEATHS)  # fmt: skip
    def a_reader_chooses(self, who, rhythm, cups, fees, same_form, dies_at):
        self.step()
        self._choose(who, rhythm, cups, fees=fees, same_form=same_form, dies_at=dies_at)

    def _choose(self, who, rhythm, cups, *, fees=False, same_form=False, dies_at=None):
        """The form of /contribute; True where it led to a payment page."""
        self._use(who)
        offer = offer_in("EUR" if who else "UAH")
        gift = offer.price(rhythm, cups)
        charge = gift + offer.fee_for(gift) if fees else gift
        wished = Wished(ADDRESSES[who], rhythm, gift, charge, offer.cup, None)
        self.n_forms += not same_form or not self.n_forms
        person_id = self._signed_in(who)[1] if cups == 2 else None
        visit = Visit(f"form-{who}-{self.n_forms}", person_id, "en", {})
        amounts = (gift.minor, charge.minor, offer.cup.minor, offer.currency)
        return self._open_page(lambda: start(wished, visit), ADDRESSES[who], amounts, dies_at)

    @rule(who=READERS, gift=GIFTS, receiver=st.none() | READERS, n_days=st.sampled_from([0, 9]), card=CARDS,
          same_form=st.booleans(), dies_at=DEATHS, redeemer=st.none() | READERS)  # fmt: skip
    def a_reader_buys_a_gift(self, who, gift, receiver, n_days, card, same_form, dies_at, redeemer):
        self.step()
        offer, (n_months, n_cups) = offer_in("EUR" if who else "UAH"), gift
        price = offer.cup * n_cups * n_months
        email = None if receiver is None else self._use(receiver).email
        self._use(who)
        send_at = None if receiver is None else self.world.hours.in_days(n_days)
        wish = GiftWish(n_months, n_cups, price, Delivery("A Giver", "A Friend", None, email, send_at))
        self.n_forms += not same_form or not self.n_forms
        visit = Visit(f"gift-{who}-{self.n_forms}", None, "en", {})
        amounts = (price.minor, price.minor, offer.cup.minor, offer.currency, n_months)
        opening = lambda: gifts.buy(wish, ADDRESSES[who], offer.cup, visit)  # noqa: E731 - one line
        if self._open_page(opening, ADDRESSES[who], amounts, dies_at):
            self._pay(self.pages[-1], card)
            if redeemer is not None:
                self.all_notices_arrive_now()
                self.world.work("billing.drain")
                self._redeem(self._gifts()[-1][0], redeemer, None, again=False)

    def _open_page(self, opening, email, amounts, dies_at):
        """Whether a payment page was shown; then it is noted whose it is, and what is paid for there."""
        address = ""
        with self.world.mortal(dies_at):
            try:
                address = opening()
            except MembershipError as refusal:
                note(f"refused: {refusal.code}")
        db.session.rollback()
        if "/c/pay/" not in address:
            return False
        self.pages.append(address)
        page_id = _page_id(address)
        if page_id not in self.notes.wishes:
            begun_at = db.session.scalar(select(Contribution.created_at).where(Contribution.checkout_id == page_id))
            db.session.rollback()
            self.notes.wishes[page_id] = Wish(self.notes.readers.holder(email, begun_at), *amounts)
        return True

    # At Stripe's pages ------------------------------------------------------------------------------------

    @rule(who=READERS, rhythm=RHYTHMS, cups=st.sampled_from([1, 2, 3]), fees=st.booleans(), card=CARDS)
    def a_reader_chooses_and_pays(self, who, rhythm, cups, fees, card):
        self.step()
        if self._choose(who, rhythm, cups, fees=fees):
            self._pay(self.pages[-1], card)

    @precondition(lambda self: self.pages)
    @rule(which=WHICH, card=CARDS)
    def they_pay(self, which, card):
        self.step()
        self._pay(self.pages[-1 - which % len(self.pages)], card)

    def _pay(self, page, card):
        wish = self.notes.wishes[_page_id(page)]
        answer = self._fill_in(page, card, wish.reader, takes_debits=wish.currency == "EUR")
        if answer.status_code == requests.codes.see_other:
            self.thanks.append(answer.headers["Location"])

    def _fill_in(self, page, card, reader, *, takes_debits):
        """A hosted page, filled in and sent; what it answers. Where no debits are taken, a card is used instead."""
        is_account = card[0].isalpha()
        typed = {"email": "p@example.org", "billingName": reader.name, "cardExpiry": "12/60", "cardCvc": "123"}
        typed |= {"iban": card} if is_account and takes_debits else {"cardNumber": GOOD_CARD if is_account else card}
        answer = requests.post(page, data=typed, allow_redirects=False, timeout=20)
        note(f"the page says {answer.status_code}")
        self.world.stripe()
        return answer

    @precondition(lambda self: self.thanks)
    @rule(which=WHICH, dies_at=DEATHS)
    def they_come_back_to_say_thanks(self, which, dies_at):
        self.step()
        address = self.thanks[-1 - which % len(self.thanks)]
        with self.world.mortal(dies_at):
            self.world.request("GET", address.removeprefix("http://localhost"))

    # Gifts ------------------------------------------------------------------------------------------------

    def _gifts(self):
        return self.world.rows("SELECT reference FROM gifts ORDER BY id")

    @precondition(_gifts)
    @rule(which=WHICH, who=READERS, dies_at=DEATHS, again=st.booleans())
    def somebody_redeems_a_gift(self, which, who, dies_at, again):
        self.step()
        references = self._gifts()
        self._redeem(references[-1 - which % len(references)][0], who, dies_at, again=again)

    def _redeem(self, reference, who, dies_at, *, again):
        """A code is good as long as money for it is in the books and nobody had it; and then it must be taken."""
        reader, person_id = self._signed_in(who)
        if person_id is None:
            return
        is_good = self._has_money_in_books(reference) and reference not in self.notes.redeemed
        is_theirs = reference in self.notes.redeemed and self.notes.redeemed[reference].reader.by_now() is reader
        code, at = code_of(find_by_contribution(reference)), clock.now()
        db.session.rollback()
        pressed = self._press(lambda _key: gifts.redeem(code, person_id, at), dies_at, again=again)
        if not pressed.has_died:
            wanted = is_good or (is_theirs and self._has_money_in_books(reference))
            assert pressed.is_done == wanted, f"{reference} is good: {wanted}; redeeming it: {pressed}"
        theirs = "SELECT id FROM gifts WHERE reference = :r AND redeemed_by_id = :p"
        if self.world.rows(theirs, r=reference, p=person_id):
            self.notes.redeemed.setdefault(reference, Redeemed(reader, at))

    def _has_money_in_books(self, reference) -> bool:
        found = self.world.rows(
            "SELECT p.charged_minor - coalesce(sum(r.amount_minor), 0) FROM payments p"
            " LEFT JOIN payment_reversals r ON r.payment_id = p.id WHERE p.reference = :r GROUP BY p.id",
            r=reference,
        )
        return any(int(left) > 0 for (left,) in found)


def _page_id(address: str) -> str:
    return address.rpartition("/")[2]
