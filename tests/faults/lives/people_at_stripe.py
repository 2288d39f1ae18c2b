"""What somebody at the newsroom, a bank or a reader does at Stripe, so that nothing but a notice tells us of it."""

from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.faults.lives.choices import WHICH

EDITS = {
    "amount": {"amount": 1200},
    "more": {"amount": 2500},
    "pause": {"pause_collection": "void"},
    "go_on": {"pause_collection": ""},
}


class PeopleAtStripe:
    """Rules of `machine.Lives`."""

    def _change_at_stripe(self, deed, which):
        """One deed of somebody: about the support, or the charge, that is the newest but `which`."""
        if deed == "refund":
            self._refund(which, 1)
            return
        if deed == "dispute":
            charges = self._charges()[::-1]
            if charges:
                self.world.act("dispute", charge=charges[which % len(charges)]["id"])
            return
        subs = self.world.at_stripe("subscription")[::-1]
        if not subs:
            return
        sub = subs[which % len(subs)]["id"]
        if deed == "cancel":
            self.world.act("cancel_subscription", subscription=sub)
        else:
            self.world.act("edit_subscription", subscription=sub, **EDITS[deed])

    def _charges(self):
        return [charge for charge in self.world.at_stripe("charge") if charge["status"] == "succeeded"]

    def _refund(self, which, share):
        charges = self._charges()[::-1]
        if charges:
            charge = charges[which % len(charges)]
            left = charge["amount"] - charge["amount_refunded"]
            if left:
                self.world.act("refund", charge=charge["id"], amount=max(left // share, 1))

    @precondition(lambda self: self.world.is_at_stripe("charge"))
    @rule(which=WHICH, share=st.integers(1, 3))
    def somebody_refunds_at_stripe(self, which, share):
        self.step()
        self._refund(which, share)

    @precondition(lambda self: self.world.is_at_stripe("charge"))
    @rule(which=WHICH, kind=st.sampled_from(["chargeback", "chargeback", "inquiry", "prevented"]))
    def a_bank_disputes(self, which, kind):
        self.step()
        charges = self._charges()
        if charges:
            self.world.act("dispute", charge=charges[which % len(charges)]["id"], kind=kind)

    @precondition(lambda self: self.world.is_at_stripe("dispute"))
    @rule(which=WHICH, step=st.sampled_from(["win", "lose", "review", "escalate", "withdraw", "appeal"]))
    def a_dispute_goes_on(self, which, step):
        self.step()
        disputes = self.world.at_stripe("dispute")
        self.world.act("dispute_step", dispute=disputes[which % len(disputes)]["id"], step=step)

    @precondition(lambda self: self.world.is_at_stripe("subscription"))
    @rule(
        which=WHICH,
        change=st.sampled_from(
            [
                {"cancel_at_period_end": True}, {"cancel_at_period_end": False}, {"amount": 400}, {"amount": 2500},
                {"pause_collection": "void"}, {"pause_collection": ""}, {"paused": True}, {"paused": False},
            ]
        ),
    )  # fmt: skip
    def somebody_edits_at_stripe(self, which, change):
        self.step()
        subs = self.world.at_stripe("subscription")
        self.world.act("edit_subscription", subscription=subs[which % len(subs)]["id"], **change)

    @precondition(lambda self: self.world.is_at_stripe("subscription"))
    @rule(which=WHICH)
    def somebody_cancels_at_stripe(self, which):
        self.step()
        self._change_at_stripe("cancel", which)

    @precondition(lambda self: self.world.is_at_stripe("customer"))
    @rule(which=WHICH)
    def their_next_payment_fails(self, which):
        self.step()
        customers = self.world.at_stripe("customer")
        self.world.act("fail_next", customer=customers[which % len(customers)]["id"])

    @precondition(lambda self: self.world.is_at_stripe("customer"))
    @rule(which=WHICH)
    def a_customer_is_deleted(self, which):
        self.step()
        customers = self.world.at_stripe("customer")
        self.world.act("delete_customer", customer=customers[which % len(customers)]["id"])

    @precondition(lambda self: self.world.is_at_stripe("invoice"))
    @rule(which=WHICH, what=st.sampled_from(["elsewhere", "pay", "void", "mark_uncollectible"]))
    def an_open_invoice_is_dealt_with(self, which, what):
        self.step()
        found = [
            invoice for invoice in self.world.at_stripe("invoice") if invoice["status"] in {"open", "uncollectible"}
        ]
        if found:
            path = "pay" if what == "elsewhere" else what
            data = {"paid_out_of_band": "true"} if what == "elsewhere" else {}
            status = self.world.call_stripe(f"/v1/invoices/{found[which % len(found)]['id']}/{path}", data)
            note(f"{what}: {status}")
