"""What may happen in a history. Each rule is one sentence; a failing history prints as the list of them."""

from collections import Counter

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.faults.lives.choices import CARDS, DEATHS, DEEDS, FAULTS, PAUSES, READERS, RHYTHMS, SPANS, STANDSTILLS, WHICH
from tests.faults.lives.givers import GOOD_CARD, Givers
from tests.faults.lives.members import Members
from tests.faults.lives.newsroom_staff import NewsroomStaff
from tests.faults.lives.notebook import Notebook
from tests.faults.lives.other_ways import OtherWays
from tests.faults.lives.people_at_stripe import PeopleAtStripe
from tests.faults.lives.readers import Readers
from tests.faults.lives.reckoning import complaints
from tests.faults.lives.world import SWEEPERS

SAY_EVERY = 100


class Lives(Givers, Members, OtherWays, NewsroomStaff, PeopleAtStripe, RuleBasedStateMachine):
    """One newsroom, three readers, one Stripe."""

    world = None
    tally: Counter

    @initialize(givers=st.lists(st.tuples(READERS, RHYTHMS, st.sampled_from([1, 3]), CARDS), max_size=2))
    def a_newsroom_with_some_supporters(self, givers):
        self.world.begin()
        self.notes = Notebook(Readers(self.world.hours.at))
        self.pages: list[str] = []  # addresses of the payment pages that were shown
        self.thanks: list[str] = []
        self.n_forms = self.n_presses = 0
        self.tally["histories"] += 1
        if self.tally["histories"] % SAY_EVERY == 0:
            print(dict(self.tally), flush=True)
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
        self._count()
        found = complaints(self.world, self.notes)
        assert not found, "\n".join(found)

    def _count(self):
        """What happened, so that whoever reads the tally sees whether it is worth anything."""
        readers, account = self.notes.readers.all, self.notes.account
        charges = self.world.at_stripe("charge")
        self.tally.update(
            deaths=len(self.world.deaths),
            notices=len(self.world.given),
            payments=len(self.world.rows("SELECT id FROM payments WHERE way = 'card'")),
            debits=sum(charge["payment_method_details"]["type"] == "sepa_debit" for charge in charges),
            comps=len(self.notes.comps),
            redeemed=len(self.notes.redeemed),
            merged=sum(reader.into is not None for reader in readers),
            forgotten=sum(reader.forgotten_at is not None for reader in readers),
            lines=len(self.world.rows("SELECT id FROM statement_lines WHERE n_bookings > 0")),
            by_hand=len(account.by_hand),
            taken_back=len(account.taken_back),
        )

    def step(self):
        self.tally["steps"] += 1

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

    @rule(dies_at=DEATHS, post_leaves=st.booleans())
    def the_worker_sweeps(self, dies_at, post_leaves):
        self.step()
        if post_leaves:
            self.world.let_post_leave()
        with self.world.mortal(dies_at):
            self.world.work(*SWEEPERS)

    @rule(who=READERS, rhythm=RHYTHMS, where=STANDSTILLS, nth=st.integers(0, 2), seconds=PAUSES,
          then=st.sampled_from(["refund", "dispute", "cancel", "amount"]))  # fmt: skip
    def a_worker_dawdles_over_a_first_payment(self, who, rhythm, where, nth, seconds, then):
        self.step()
        self._clear_the_table()
        if self._choose(who, rhythm, 1):
            self._pay(self.pages[-1], GOOD_CARD)
            self._work_while_something_happens(where, nth, seconds, then, 0)

    @rule(who=READERS, rhythm=RHYTHMS, nth=st.integers(0, 1), then=st.sampled_from(["refund", "dispute"]))
    def a_first_payment_is_given_back_while_a_worker_is_at_it(self, who, rhythm, nth, then):
        """What is given back is heard of by another worker, who may neither book the payment nor forget this."""
        self.step()
        self._clear_the_table()
        if self._choose(who, rhythm, 1):
            self._pay(self.pages[-1], GOOD_CARD)
            self._work_while_something_happens("stripe.read:after-call", nth, 1, then, 0)

    @precondition(lambda self: self.world.is_at_stripe("subscription"))
    @rule(first=DEEDS, where=STANDSTILLS, nth=st.integers(0, 1), seconds=PAUSES, then=DEEDS, which=WHICH)
    def a_worker_dawdles_over_a_change(self, first, where, nth, seconds, then, which):
        self.step()
        self._clear_the_table()
        self._change_at_stripe(first, which)
        self._work_while_something_happens(where, nth, seconds, then, which)

    @precondition(lambda self: self.world.is_at_stripe("subscription"))
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
