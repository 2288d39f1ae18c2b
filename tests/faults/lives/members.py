"""What members and staff do about support that runs, through the services behind the pages."""

import requests
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from membership.billing.queries import payments_of
from membership.contributions.rules import Terms, pause_ends
from membership.contributions.services import (
    cancelling,
    changing,
    doubling,
    pausing,
    recovering,
    refunding,
)
from membership.kernel import clock
from membership.kernel.rhythm import Rhythm
from membership.newsroom.queries import offer_in
from tests.faults.lives.choices import CARDS, DEATHS, STAFF, WHICH

RECURRING = st.sampled_from([Rhythm.MONTHLY, Rhythm.MONTHLY, Rhythm.YEARLY])
WHO_ACTS = st.sampled_from(["member", STAFF])


class Members:
    """Rules of `machine.Lives`."""

    def _supports(self):
        query = "SELECT reference, currency FROM contributions WHERE subscription_id IS NOT NULL ORDER BY id"
        return self.world.rows(query)

    @precondition(_supports)
    @rule(
        which=WHICH,
        cups=st.integers(1, 4),
        rhythm=RECURRING,
        fees=st.booleans(),
        who=WHO_ACTS,
        dies_at=DEATHS,
        again=st.booleans(),
    )
    def they_change_what_they_give(self, which, cups, rhythm, fees, who, dies_at, again):
        self.step()
        supports = self._supports()
        reference, currency = supports[which % len(supports)]
        offer = offer_in(currency)
        gift = offer.price(rhythm, cups)
        terms = Terms(gift, gift + offer.fee_for(gift) if fees else gift, offer.cup, rhythm)
        self._press(lambda key: changing.change(reference, terms, key, actor=who), dies_at, again=again)
        self.world.stripe()

    @precondition(_supports)
    @rule(
        which=WHICH,
        what=st.sampled_from(["pause", "resume", "cancel", "cancel", "keep", "cancel_now", "pay_now"]),
        n_months=st.integers(1, 3),
        who=WHO_ACTS,
        dies_at=DEATHS,
        again=st.booleans(),
    )
    def they_press(self, which, what, n_months, who, dies_at, again):
        self.step()
        supports = self._supports()
        reference = supports[which % len(supports)][0]
        until = pause_ends(clock.now(), n_months)
        deeds = {
            "pause": lambda key: pausing.pause(reference, until, key, actor=who),
            "resume": lambda key: pausing.resume(reference, key, actor=who),
            "cancel": lambda key: cancelling.cancel(reference, key, actor=who),
            "keep": lambda key: cancelling.keep(reference, key, actor=who),
            "cancel_now": lambda key: cancelling.cancel_now(reference, key, reason="As agreed.", actor=STAFF),
            "pay_now": lambda key: recovering.pay_now(reference, key),
        }
        self._press(deeds[what], dies_at, again=again)
        self.world.stripe()

    @precondition(_supports)
    @rule(which=WHICH, card=CARDS, comes_back=st.booleans(), dies_at=DEATHS)
    def they_take_a_new_card(self, which, card, comes_back, dies_at):
        self.step()
        supports = self._supports()
        reference, currency = supports[which % len(supports)]
        page = self._press(lambda key: recovering.open_card_page(reference, key), dies_at).value
        if page is None:
            return
        answer = self._fill_in(page, card, self._giver_of(reference), takes_debits=currency == "EUR")
        if answer.status_code == requests.codes.see_other and comes_back:
            checkout_id = page.rpartition("/")[2]
            self._press(lambda _key: recovering.take_new_card(reference, checkout_id), dies_at)
            self.world.stripe()

    def _giver_of(self, reference):
        page_id = self.world.rows("SELECT checkout_id FROM contributions WHERE reference = :r", r=reference)[0][0]
        return self.notes.wishes[page_id].reader

    @rule(which=WHICH, share=st.integers(1, 3), dies_at=DEATHS, again=st.booleans())
    def staff_give_money_back(self, which, share, dies_at, again):
        self.step()
        references = [reference for (reference,) in self.world.rows("SELECT reference FROM contributions ORDER BY id")]
        payments = payments_of(references)[::-1]
        if not payments:
            return
        payment = payments[which % len(payments)]
        amount = (payment.charged - payment.returned).allocate([1] * share)[0]
        self._press(
            lambda key: refunding.refund(payment, amount, "As agreed.", STAFF, clock.now(), token=key),
            dies_at,
            again=again,
        )
        self.world.stripe()

    def _doubles(self):
        return self.world.rows("SELECT reference, second_of FROM contributions WHERE second_of IS NOT NULL ORDER BY id")

    @precondition(_doubles)
    @rule(which=WHICH, keeps_newer=st.booleans(), dies_at=DEATHS)
    def they_keep_one_of_two(self, which, keeps_newer, dies_at):
        self.step()
        doubles = self._doubles()
        newer, older = doubles[which % len(doubles)]

        def keep(_key):
            doubling.keep_one(doubling.find_choice(newer), newer if keeps_newer else older, clock.now())

        self._press(keep, dies_at)
        self.world.stripe()
