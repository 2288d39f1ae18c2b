"""Random lives of customers: whatever happens, the books balance, periods follow one another, statuses are legal."""

import os
import time
from collections import defaultdict
from itertools import pairwise

import pytest
import requests
import stripe
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from membership.sandbox.app import create_sandbox
from tests.sandbox.conftest import client_for
from tests.sandbox.legal import check_statuses

CARDS = ["pm_card_visa", "pm_card_visa", "pm_card_chargeCustomerFail", "pm_card_authenticationRequired", "pm_sepaDebit"]
DOUBTFUL = ["pm_card_createDispute", "pm_card_createDisputeInquiry", "pm_card_pendingRefund", "pm_card_refundFail"]
RHYTHMS = st.sampled_from([("day", 3), ("week", 1), ("month", 1), ("month", 3), ("year", 1)])
AMOUNTS = st.integers(100, 20_000)
CURRENCIES = st.sampled_from(["eur", "jpy", "kwd"])
PRORATIONS = st.sampled_from(["none", "create_prorations", "always_invoice"])
ALIVE = {"active", "trialing", "past_due", "unpaid"}
CHOICE = st.integers(0, 1000)


class Lives(RuleBasedStateMachine):
    """People come, pay, change their minds and go, over the API and from the dashboard; time passes between."""

    base: str
    client: stripe.StripeClient

    @initialize(retries=st.sampled_from([[], [1], [3, 5, 7]]), then=st.sampled_from(["canceled", "unpaid", "past_due"]))
    def begin(self, retries, then):
        self.control("reset")
        self.control("settings", retry_days=retries, after_retries=then)
        self.product = self.client.products.create({"name": "Support"}).id
        self.customers, self.subs, self.restarted, self.is_stale = [], [], set(), True
        self.clock = None

    # What may happen --------------------------------------------------------------------------------------

    @rule(card=st.sampled_from(CARDS + DOUBTFUL), amount=AMOUNTS, rhythm=RHYTHMS, currency=CURRENCIES, days=CHOICE)
    def somebody_subscribes(self, card, amount, rhythm, currency, days):
        customer = self.newcomer(card)
        more = {"trial_period_days": days % 20 + 1} if days % 4 == 0 else {}
        if days % 3 == 0:
            more["payment_behavior"] = "default_incomplete"
        items = [{"price_data": self.price(amount, rhythm, currency), "quantity": days % 2 + 1}]
        with refusal_is_fine():
            self.subs.append(self.client.subscriptions.create({"customer": customer, "items": items, **more}).id)

    @rule(card=st.sampled_from(["4242424242424242", "4000000000000341", "AT611904300234573201"]), amount=AMOUNTS)
    def somebody_comes_through_checkout(self, card, amount):
        line = {"price_data": self.price(amount, ("month", 1), "eur"), "quantity": 1}
        kinds = ["card", "sepa_debit"]
        session = self.client.checkout.sessions.create(
            {
                "mode": "subscription",
                "success_url": "http://127.0.0.1/",
                "line_items": [line],
                "allowed_payment_method_types": kinds,
            }
        )
        typed = {"email": "p@example.org", "cardNumber": card, "cardExpiry": "12/60", "cardCvc": "123", "iban": ""}
        if card.startswith("AT"):
            typed["iban"] = card
        answer = requests.post(session.url, data=typed, allow_redirects=False, timeout=20)
        assert answer.status_code == 303, answer.text
        done = self.client.checkout.sessions.retrieve(session.id)
        self.customers.append(done.customer)
        self.subs.append(done.subscription)

    @rule(card=st.sampled_from(["pm_card_visa", *DOUBTFUL, "pm_card_chargeDeclined"]), amount=AMOUNTS)
    def somebody_gives_once(self, card, amount):
        with refusal_is_fine():
            gift = {"amount": amount, "currency": "eur", "payment_method": card, "confirm": True}
            self.client.payment_intents.create({**gift, "automatic_payment_methods": NO_REDIRECTS})

    @rule(days=st.integers(1, 70))
    def time_passes(self, days):
        self.control("advance", days=days)
        if self.clock:
            now = self.client.test_helpers.test_clocks.retrieve(self.clock).frozen_time
            self.client.test_helpers.test_clocks.advance(self.clock, {"frozen_time": now + days * 86400})
            deadline = time.monotonic() + 20
            while self.client.test_helpers.test_clocks.retrieve(self.clock).status != "ready":
                assert time.monotonic() < deadline
                time.sleep(0.01)

    @rule(which=CHOICE, amount=AMOUNTS, rhythm=RHYTHMS, keeps_rhythm=st.booleans(), how=PRORATIONS)
    def they_pay_another_amount(self, which, amount, rhythm, keeps_rhythm, how):
        sub = self.pick(which)
        if not sub:
            return
        item = sub["items"].data[0]
        old = (item.price.recurring.interval, item.price.recurring.interval_count)
        price = self.price(amount, old if keeps_rhythm else rhythm, sub.currency)
        if not keeps_rhythm:
            self.restarted.add(sub.id)
        self.update(sub, items=[{"id": item.id, "price_data": price}], proration_behavior=how)

    @rule(which=CHOICE, wanted=st.booleans())
    def they_mean_to_stop_or_do_not(self, which, wanted):
        self.update(self.pick(which), cancel_at_period_end=wanted)

    @rule(which=CHOICE)
    def they_stop_now(self, which):
        sub = self.pick(which)
        if sub:
            with refusal_is_fine():
                self.client.subscriptions.cancel(sub.id)

    @rule(which=CHOICE, how=st.sampled_from(["void", "keep_as_draft", "mark_uncollectible", ""]))
    def collection_is_paused_or_goes_on(self, which, how):
        self.update(self.pick(which), pause_collection={"behavior": how} if how else "")

    @rule(which=CHOICE, anchor=st.sampled_from(["now", "unchanged"]))
    def they_pause_or_go_on(self, which, anchor):
        sub = self.pick(which)
        if not sub:
            return
        self.restarted.add(sub.id)
        with refusal_is_fine():
            if sub.status == "paused":
                self.client.subscriptions.resume(sub.id, {"billing_cycle_anchor": {"type": anchor}})
            else:
                self.client.subscriptions.pause(sub.id, {"type": "subscription"})

    @rule(which=CHOICE, card=st.sampled_from(["pm_card_visa", "pm_card_chargeCustomerFail"]))
    def they_take_another_card(self, which, card):
        sub = self.pick(which)
        if sub:
            with refusal_is_fine():
                method = self.client.payment_methods.attach(card, {"customer": sub.customer}).id
                self.client.subscriptions.update(sub.id, {"default_payment_method": method})

    @rule(which=CHOICE, what=st.sampled_from(["pay", "void_invoice", "mark_uncollectible"]))
    def an_open_invoice_is_dealt_with(self, which, what):
        for customer in self.customers[which % max(len(self.customers), 1) :][:1]:
            for invoice in self.client.invoices.list({"customer": customer, "status": "open"}).data[:1]:
                with refusal_is_fine():
                    getattr(self.client.invoices, what)(invoice.id)

    @rule(which=CHOICE, amount=st.integers(-6000, 3000))
    def something_is_added_to_the_next_invoice(self, which, amount):
        sub = self.pick(which)
        if sub and amount:
            with refusal_is_fine():
                item = {"customer": sub.customer, "amount": amount, "currency": sub.currency}
                self.client.invoice_items.create(item)

    @rule(which=CHOICE)
    def their_next_payment_fails(self, which):
        if self.customers:
            self.control("fail_next", customer=self.customers[which % len(self.customers)], may_fail=True)

    @rule(which=CHOICE, share=st.integers(1, 4))
    def some_money_goes_back(self, which, share):
        charge = self.pick_charge(which)
        if charge:
            with refusal_is_fine():
                left = charge.amount - charge.amount_refunded
                self.client.refunds.create({"charge": charge.id, "amount": max(left // share, 1)})

    @rule(which=CHOICE, kind=st.sampled_from(["chargeback", "inquiry", "prevented"]))
    def a_bank_writes(self, which, kind):
        charge = self.pick_charge(which)
        if charge:
            self.control("dispute", charge=charge.id, kind=kind, may_fail=True)

    @rule(which=CHOICE, step=st.sampled_from(["review", "win", "lose", "escalate", "withdraw", "appeal"]))
    def a_dispute_goes_on(self, which, step):
        found = self.client.disputes.list({"limit": 100}).data
        if found:
            self.control("dispute_step", dispute=found[which % len(found)].id, step=step, may_fail=True)

    @rule(which=CHOICE)
    def a_customer_is_deleted(self, which):
        if len(self.customers) > 2:
            self.client.customers.delete(self.customers.pop(which % len(self.customers)))

    # What must hold ---------------------------------------------------------------------------------------

    @invariant()
    def all_is_well(self):
        if not self.is_stale:
            return
        self.is_stale = False
        self.nothing_broke()
        self.the_books_balance()
        for customer in self.customers:
            self.invoices_are_in_order(customer)
        self.subscriptions_are_in_order()
        check_statuses(self.client)

    def nothing_broke(self):
        health = requests.get(f"{self.base}/_sandbox/health", timeout=10).json()
        assert health["failed_tasks"] == 0

    def the_books_balance(self):
        totals = requests.get(f"{self.base}/_sandbox/books", timeout=20).json()["totals"]
        moves = list(self.client.balance_transactions.list({"limit": 100}).auto_paging_iter())
        net, by_source = defaultdict(int), defaultdict(int)
        for move in moves:
            assert move.net == move.amount - move.fee
            net[move.currency] += move.net
            by_source[move.source] += move.amount
        balance = self.client.balance.retrieve()
        held = defaultdict(int)
        for amount in [*balance.available, *balance.pending]:
            held[amount.currency] += amount.amount
        assert dict(held) == dict(net)
        for currency, sums in totals.items():
            assert sums["net"] == net[currency]
            assert sums["net"] == sums["charges"] - sums["fees"] - sums["refunds"] - sums["disputes"]
        refunds = defaultdict(int)
        for refund in self.client.refunds.list({"limit": 100}).auto_paging_iter():
            counts = refund.status in {"succeeded", "pending"}
            refunds[refund.charge] += refund.amount if counts else 0
            assert by_source.pop(refund.id) == (-refund.amount if counts else 0)
        for charge in self.client.charges.list({"limit": 100}).auto_paging_iter():
            assert by_source.pop(charge.id, 0) == (charge.amount if charge.status == "succeeded" else 0)
            assert charge.amount_refunded == refunds[charge.id] <= charge.amount
        for dispute in self.client.disputes.list({"limit": 100}).auto_paging_iter():
            costs = dispute.status not in {"won", "prevented"} and not dispute.status.startswith("warning")
            assert by_source.pop(dispute.id, 0) == (-dispute.amount if costs else 0)
        assert by_source == {}

    def invoices_are_in_order(self, customer):
        found = list(self.client.invoices.list({"customer": customer, "limit": 100}).auto_paging_iter())
        credit = 0
        for invoice in found:
            if invoice.status not in {"draft", "void"}:
                credit += invoice.ending_balance - invoice.starting_balance
        assert self.client.customers.retrieve(customer).balance == credit
        assert len({invoice.number for invoice in found if invoice.number}) == sum(bool(i.number) for i in found)
        for invoice in found:
            assert invoice.total == sum(line.amount for line in invoice.lines.data)
            if invoice.status == "draft":
                continue
            assert invoice.amount_due == invoice.total - (invoice.ending_balance - invoice.starting_balance) >= 0
            if invoice.status == "paid":
                assert (invoice.amount_paid, invoice.amount_remaining) == (invoice.amount_due, 0)
            paid = self.client.invoice_payments.list({"invoice": invoice.id, "status": "paid"}).data
            assert sum(payment.amount_paid for payment in paid) == invoice.amount_paid

    def subscriptions_are_in_order(self):
        for name in self.subs:
            sub = self.client.subscriptions.retrieve(name)
            now = self.client.test_helpers.test_clocks.retrieve(sub.test_clock).frozen_time if sub.test_clock else None
            if now is None:
                now = requests.get(f"{self.base}/_sandbox/clock", timeout=10).json()["now"]
            start, end = sub["items"].data[0].current_period_start, sub["items"].data[0].current_period_end
            assert start < end
            if sub.status in ALIVE:
                assert start <= now <= end, (sub.status, start, now, end)
            invoices = list(self.client.invoices.list({"subscription": name, "limit": 100}).auto_paging_iter())
            periods = sorted({p for invoice in invoices for p in service_periods(invoice)})
            if name not in self.restarted:
                for one, two in pairwise(periods):
                    assert one[1] == two[0], (name, periods)
                if sub.status in ALIVE:
                    assert periods[-1] == (start, end)

    # Helpers ----------------------------------------------------------------------------------------------

    def newcomer(self, card):
        params = {"email": "l@example.org"}
        if len(self.customers) % 3 == 2:
            if self.clock is None:
                now = requests.get(f"{self.base}/_sandbox/clock", timeout=10).json()["now"]
                self.clock = self.client.test_helpers.test_clocks.create({"frozen_time": now}).id
            params["test_clock"] = self.clock
        customer = self.client.customers.create(params).id
        method = self.client.payment_methods.attach(card, {"customer": customer}).id
        self.client.customers.update(customer, {"invoice_settings": {"default_payment_method": method}})
        self.customers.append(customer)
        return customer

    def price(self, amount, rhythm, currency):
        amount = amount // 10 * 10
        recurring = {"interval": rhythm[0], "interval_count": rhythm[1]}
        return {"currency": currency, "unit_amount": amount, "recurring": recurring, "product": self.product}

    def pick(self, which):
        self.is_stale = True
        return self.client.subscriptions.retrieve(self.subs[which % len(self.subs)]) if self.subs else None

    def pick_charge(self, which):
        self.is_stale = True
        found = [c for c in self.client.charges.list({"limit": 30}).data if c.status == "succeeded"]
        return found[which % len(found)] if found else None

    def update(self, sub, **params):
        if sub:
            with refusal_is_fine():
                self.client.subscriptions.update(sub.id, params)

    def control(self, path, *, may_fail=False, **body):
        self.is_stale = True
        answer = requests.post(f"{self.base}/_sandbox/{path}", json=body, timeout=60)
        assert answer.status_code == 200 or (may_fail and answer.status_code == 400), answer.text
        return answer.json()


NO_REDIRECTS = {"enabled": True, "allow_redirects": "never"}


class refusal_is_fine:  # noqa: N801 - reads as a sentence
    """A refusal is part of a life; a failure of the sandbox is not."""

    def __enter__(self):
        return self

    def __exit__(self, kind, error, _trace):
        return isinstance(error, stripe.InvalidRequestError | stripe.CardError)


def service_periods(invoice):
    """The periods that an invoice charges for, without prorations."""
    for line in invoice.lines.data:
        details = line.parent and line.parent.subscription_item_details
        if details and not details.proration and line.period.start < line.period.end:
            yield line.period.start, line.period.end


@pytest.fixture(scope="module")
def world():
    box = create_sandbox()
    box.start()
    yield box
    box.close()


def test_random_lives_keep_the_books_the_periods_and_the_statuses(world, capfd):
    Lives.base, Lives.client = world.public_url, client_for(world.public_url)
    run_state_machine_as_test(
        Lives,
        settings=settings(
            max_examples=int(os.environ.get("LIVES", "12")),
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
    assert "Traceback" not in capfd.readouterr().err
