"""Years with a patron: a card that fails, a bank that is slow, a payment that is disputed."""

import pytest

from tests.journeys.demo import until
from tests.journeys.inspection import faults_in_views
from tests.journeys.reader import DISPUTED_CARD, FAILS_LATER_CARD, OTHER_CARD

ACCOUNTS = {"good": "AT61 1904 3002 3457 3201", "bad": "AT86 1904 3002 3547 3202"}


@pytest.fixture
def member(own_demo, new_reader):
    """A reader at a demo of their own."""
    return new_reader(house=own_demo)


def wait_for_state(demo, email, *states):
    until(lambda: demo.state_of(email) == list(states), 90, f"{states} of {email}")


def sign_in_on_the_way(reader, email):
    """From the page that asks to sign in, by the code, to where the reader was going."""
    n_before = len(reader.mails(email, "sign_in"))
    reader.page.fill("#email", email)
    reader.press("main form button")
    code = reader.code_for(email, n_before + 1)
    reader.open("/signin/sent")
    reader.page.fill("#code", code)
    reader.press("main form button")


def take_another_card(reader, reference, card):
    reader.open(f"/account/support/{reference}/pay")
    reader.press(f"form[action$='/{reference}/card'] button")
    reader.pay(card)


def is_signed_in(reader, email):
    reader.open("/account")
    if "/signin" in reader.page.url:
        reader.sign_in_by_code(email)


def confirm(reader, *, look=True):
    """Look at what was chosen, and press the button on the page that says what it means."""
    if look:
        reader.press("main form[method=get] button[type=submit]")
    reader.press("main form[method=post] button[type=submit]")


def test_thirteen_months_of_one_patron(own_demo, member, fresh_email):
    email = fresh_email("patron")
    reference = member.becomes_patron(email, cups=2)
    own_demo.advance(months=1, days=1)
    until(lambda: len(own_demo.payments(reference)) == 2, 60, "the second payment")
    card_fails_and_is_mended_from_the_mail(own_demo, member, email, reference)
    more_cups_from_the_next_payment_on(own_demo, member, reference)
    pauses_and_goes_on(own_demo, member, email, reference)
    stops_and_keeps_after_all(own_demo, member, email, reference)
    lapses(own_demo, member, email, reference)
    comes_back(own_demo, member, email)


def card_fails_and_is_mended_from_the_mail(demo, member, email, reference):
    [(customer,)] = demo.rows("SELECT customer_id FROM contributions WHERE reference = ?", reference)
    demo.ask_sandbox("POST", "/_sandbox/fail_next", {"customer": customer})
    demo.advance(months=1)
    wait_for_state(demo, email, "past_due")
    assert "You stay a patron until" in member.read_mail(email, "failed")
    member.press(".mail-text a[href*='/pay']")
    sign_in_on_the_way(member, email)
    assert member.page.url.endswith(f"/account/support/{reference}/pay")
    assert faults_in_views(member.page, "pay now") == []
    member.open("/topics")
    assert faults_in_views(member.page, "a page with the line about an open payment") == []
    member.press("aside a[href$='/pay']")
    member.press(f"form[action$='/{reference}/card'] button")
    member.pay(OTHER_CARD)
    # What was open is paid by whoever is first, this page or the worker: then there is nothing left to thank for here.
    member.says("your new card is in use from now on")
    wait_for_state(demo, email, "active")
    assert "without a gap" in member.read_mail(email, "recovered")
    assert len(member.mails(email, "failed")) == 1
    assert len(demo.payments(reference)) == 3


def more_cups_from_the_next_payment_on(demo, member, reference):
    member.open(f"/account/support/{reference}/change")
    member.fill(cups=4)
    confirm(member)
    assert len(demo.payments(reference)) == 3
    demo.advance(months=1)
    until(lambda: len(demo.payments(reference)) == 4, 60, "the fourth payment")
    assert demo.payments(reference)[3]["amount"] == 2 * demo.payments(reference)[0]["amount"]


def pauses_and_goes_on(demo, member, email, reference):
    member.open(f"/account/support/{reference}/pause")
    member.page.check("input[name=months][value='2']")
    confirm(member)
    wait_for_state(demo, email, "paused")
    demo.advance(months=1, days=5)
    assert len(demo.payments(reference)) == 4
    demo.advance(months=2)
    wait_for_state(demo, email, "active")
    until(lambda: len(demo.payments(reference)) >= 5, 60, "the payment after the pause")


def stops_and_keeps_after_all(demo, member, email, reference):
    is_signed_in(member, email)
    member.open(f"/account/support/{reference}/cancel")
    confirm(member, look=False)
    wait_for_state(demo, email, "cancelling")
    member.open(f"/account/support/{reference}/keep")
    confirm(member, look=False)
    wait_for_state(demo, email, "active")
    n_paid = len(demo.payments(reference))
    demo.advance(months=2)
    until(lambda: len(demo.payments(reference)) == n_paid + 2, 60, "payments that go on")


def lapses(demo, member, email, reference):
    is_signed_in(member, email)
    take_another_card(member, reference, FAILS_LATER_CARD)
    member.says("your new card is in use")
    demo.advance(months=1, days=1)
    wait_for_state(demo, email, "past_due")
    demo.advance(days=20)
    wait_for_state(demo, email, "lapsed")
    assert "nothing more will be charged" in member.read_mail(email, "lapsed")


def comes_back(demo, member, email):
    member.press(".mail-text a[href*='/contribute']")
    member.give(email)
    member.pay()
    reference = member.is_thanked()
    wait_for_state(demo, email, "lapsed", "active")
    assert demo.rows("SELECT count(*) FROM people WHERE email = ?", email) == [(1,)]
    demo.advance(months=3)
    until(lambda: len(demo.payments(reference)) >= 4, 60, "the payments after the return")
    is_signed_in(member, email)
    until(lambda: member.open("/account") and member.heading.startswith("You are a patron until"), 60, "the standing")
    assert faults_in_views(member.page, "the account after thirteen months") == []


def test_a_bank_that_takes_days_is_waited_for_and_never_called_failed(own_demo, new_reader, fresh_email):
    demo = own_demo
    ways = demo.ask_sandbox("GET", "/_sandbox/settings")["payment_methods"]
    demo.ask_sandbox("POST", "/_sandbox/settings", {"payment_methods": [*ways, "sepa_debit"]})
    readers = {kind: (new_reader(house=demo), fresh_email(kind)) for kind in ACCOUNTS}
    for kind, (reader, email) in readers.items():
        reader.open("/contribute?currency=EUR")
        reader.give(email)
        reader.page.fill("#iban", ACCOUNTS[kind])
        reader.press("button[type=submit]")
        thanks = reader.page.url
        assert "/contribute/thanks?" in thanks
        until(lambda: reader.open(thanks) and reader.heading.startswith("Your bank"), 60, "word of the debit")  # noqa: B023 - called at once
        reader.says("Your bank is on its way", "Please do not pay a second time")
        assert faults_in_views(reader.page, "a debit on its way") == []
        assert "up to 14 working days" in reader.read_mail(email, "debit")
        assert demo.state_of(email) == ["started"]
    demo.advance(days=6)
    good, bad = readers["good"], readers["bad"]
    wait_for_state(demo, good[1], "active")
    wait_for_state(demo, bad[1], "abandoned")
    good[0].read_mail(good[1], "receipt")
    good[0].sign_in_by_code(good[1])
    assert good[0].heading.startswith("You are a patron until")  # the receipt came, so the coverage stands
    assert "Your bank did not pay" in bad[0].read_mail(bad[1], "debit", 2)
    assert len(good[0].mails(good[1], "debit")) == 1
    assert good[0].mails(good[1], "failed") == bad[0].mails(bad[1], "failed") == []


def test_who_disputes_a_payment_is_no_patron_and_is_not_charged_again(own_demo, member, fresh_email):
    demo, email = own_demo, fresh_email("disputer")
    reference = member.becomes_patron(email, DISPUTED_CARD)
    demo.advance(days=1)
    member.sign_in_by_code(email)
    until(lambda: member.open("/account") and member.heading.startswith("You were a patron"), 60, "the end of it")
    member.says("went back to you")
    assert demo.state_of(email) == ["active"]
    [dispute] = demo.ask_sandbox("GET", "/v1/disputes?limit=10")["data"]
    demo.ask_sandbox("POST", "/_sandbox/decide", {"dispute": dispute["id"], "outcome": "lost"})
    wait_for_state(demo, email, "ended")
    member.open("/account")
    member.says("so that you are not charged again")
    demo.advance(months=2)
    assert len(demo.payments(reference)) == 1
