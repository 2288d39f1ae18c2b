"""What may happen in a history. Each rule is one sentence; a failing history prints as the list of them."""

import requests
from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from membership.contributions.rules import Wish
from membership.contributions.services import start
from membership.contributions.services.starting import Visit
from membership.db import db
from membership.kernel.errors import MembershipError
from membership.newsroom.queries import offer_in
from tests.faults.lives.choices import CARDS, DEATHS, DEEDS, FAULTS, PAUSES, READERS, RHYTHMS, SPANS, STANDSTILLS, WHICH
from tests.faults.lives.members import Members
from tests.faults.lives.people_at_stripe import PeopleAtStripe
from tests.faults.lives.reckoning import complaints
from tests.faults.lives.world import SWEEPERS

SAY_EVERY = 100


class Lives(Members, PeopleAtStripe, RuleBasedStateMachine):
    """One newsroom, three readers, one Stripe."""

    world = None
    tally: dict

    @initialize(givers=st.lists(st.tuples(READERS, RHYTHMS, st.sampled_from([1, 3]), CARDS), max_size=2))
    def a_newsroom_with_some_supporters(self, givers):
        self.world.begin()
        self.pages: list[str] = []  # addresses of the payment pages that were shown
        self.thanks: list[str] = []
        self.n_forms = self.n_presses = 0
        self.tally["histories"] += 1
        if self.tally["histories"] % SAY_EVERY == 0:
            print(self.tally, flush=True)
        for who, rhythm, cups, card in givers:
            self._choose(who, rhythm, cups)
            self._pay(self.pages[-1], card)
            self.all_notices_arrive_now()
            self.world.work("billing.drain")

    def teardown(self):
        """However it went: once all is delivered and worked off, everything must be right."""
        if not hasattr(self, "pages"):
            return
        self.world.come_to_rest()
        self.tally["deaths"] += len(self.world.deaths)
        self.tally["notices"] += len(self.world.given)
        self.tally["payments"] += len(self.world.rows("SELECT id FROM payments"))
        found = complaints(self.world)
        assert not found, "\n".join(found)

    def step(self):
        self.tally["steps"] += 1

    # Readers ----------------------------------------------------------------------------------------------

    @rule(who=READERS, rhythm=RHYTHMS, cups=st.sampled_from([1, 2, 3, 30]), fees=st.booleans(), same_form=st.booleans(),
          dies_at=DEATHS)  # fmt: skip
    def a_reader_chooses(self, who, rhythm, cups, fees, same_form, dies_at):
        self.step()
        self._choose(who, rhythm, cups, fees=fees, same_form=same_form, dies_at=dies_at)

    def _choose(self, who, rhythm, cups, *, fees=False, same_form=False, dies_at=None):
        """The form of /contribute; True where it led to a payment page."""
        offer = offer_in("EUR" if who else "UAH")
        gift = offer.price(rhythm, cups)
        charge = gift + offer.fee_for(gift) if fees else gift
        wish = Wish(f"reader{who}@example.org", rhythm, gift, charge, offer.cup, None)
        self.n_forms += not same_form or not self.n_forms
        person = self.world.rows("SELECT id FROM people WHERE email = :e", e=wish.email)
        visit = Visit(f"form-{who}-{self.n_forms}", person[0][0] if person and cups == 2 else None, "en", {})
        address = ""
        with self.world.mortal(dies_at):
            try:
                address = start(wish, visit)
            except MembershipError as refusal:
                note(f"refused: {refusal.code}")
        db.session.rollback()
        if "/c/pay/" in address:
            self.pages.append(address)
            return True
        return False

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
        answer = self._fill_in(page, card)
        if answer.status_code == 303:
            self.thanks.append(answer.headers["Location"])

    def _fill_in(self, page, card):
        """A hosted page, filled in and sent; what it answers."""
        typed = {"email": "p@example.org", "cardNumber": card, "cardExpiry": "12/60", "cardCvc": "123", "iban": ""}
        answer = requests.post(page, data=typed | {"billingName": "A Reader"}, allow_redirects=False, timeout=20)
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

    # Time, notices and workers ----------------------------------------------------------------------------

    @rule(span=SPANS)
    def time_passes(self, span):
        self.step()
        self.world.advance(**span)

    @rule(order=st.lists(WHICH, max_size=8), twice=st.booleans(), dies_at=DEATHS)
    def notices_arrive(self, order, twice, dies_at):
        """Some of those that are due, in this order."""
        self.step()
        for which in order:
            if not self.world.pending:
                return
            event = self.world.pending[which % len(self.world.pending)]
            with self.world.mortal(dies_at):
                self.world.deliver(event)
                if not twice:
                    self.world.pending.remove(event)

    @precondition(lambda self: self.world.pending)
    @rule()
    def all_notices_arrive(self):
        self.step()
        while self.world.pending:
            self.world.deliver(self.world.pending.pop(0))

    @precondition(lambda self: self.world.pending)
    @rule(which=WHICH)
    def a_notice_gets_lost(self, which):
        self.step()
        self.world.lost.append(self.world.pending.pop(which % len(self.world.pending)))

    @rule(dies_at=DEATHS)
    def the_worker_works(self, dies_at):
        self.step()
        with self.world.mortal(dies_at):
            self.world.work("billing.drain")

    @rule(dies_at=DEATHS)
    def the_worker_sweeps(self, dies_at):
        self.step()
        with self.world.mortal(dies_at):
            self.world.work(*SWEEPERS)

    @rule(who=READERS, rhythm=RHYTHMS, where=STANDSTILLS, nth=st.integers(0, 2), seconds=PAUSES,
          then=st.sampled_from(["refund", "dispute", "cancel", "amount"]))  # fmt: skip
    def a_worker_dawdles_over_a_first_payment(self, who, rhythm, where, nth, seconds, then):
        self.step()
        self._clear_the_table()
        if self._choose(who, rhythm, 1):
            self._pay(self.pages[-1], "4242424242424242")
            self._work_while_something_happens(where, nth, seconds, then, 0)

    @precondition(lambda self: self.world.at_stripe("subscription"))
    @rule(first=DEEDS, where=STANDSTILLS, nth=st.integers(0, 1), seconds=PAUSES, then=DEEDS, which=WHICH)
    def a_worker_dawdles_over_a_change(self, first, where, nth, seconds, then, which):
        self.step()
        self._clear_the_table()
        self._change_at_stripe(first, which)
        self._work_while_something_happens(where, nth, seconds, then, which)

    @precondition(lambda self: self.world.at_stripe("subscription"))
    @rule(first=DEEDS, then=DEEDS, which=WHICH)
    def two_changes_are_told_backwards(self, first, then, which):
        """Stripe promises no order: the notice of what came first comes last."""
        self.step()
        self._clear_the_table()
        self._change_at_stripe(first, which)
        self._change_at_stripe(then, which)
        self.world.pending.reverse()
        self.all_notices_arrive_now()
        self.world.work("billing.drain")

    def _clear_the_table(self):
        self.world.sandbox.faults.clear()
        self.all_notices_arrive_now()
        self.world.work("billing.drain")

    def _work_while_something_happens(self, where, nth, seconds, then, which):
        """A worker reads something, and before it writes it is changed at Stripe, and another worker is quicker."""

        def meanwhile():
            with self.world.app.app_context():
                self.world.advance(seconds=seconds)
                self._change_at_stripe(then, which)
                self.all_notices_arrive_now()
                self.world.work("billing.drain")

        self.all_notices_arrive_now()
        with self.world.dawdling(where, nth, meanwhile):
            self.world.work("billing.drain")

    def all_notices_arrive_now(self):
        while self.world.pending:
            self.world.deliver(self.world.pending.pop(0))

    @rule(match=st.sampled_from(["GET /v1/*", "POST /v1/*"]), fault=FAULTS, times=st.integers(1, 4))
    def stripe_stumbles(self, match, fault, times):
        self.step()
        self.world.order(match, fault, times)
