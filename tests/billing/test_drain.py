"""What becomes of notices: one reading per thing, booked once, put off or aside, and never lost."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select, update

from membership.billing import books, jobs, leases, services
from membership.billing.models import InboxEvent, JournalTransaction, ObjectLease, Payment
from membership.billing.port import (
    CheckoutFact,
    CheckoutFinished,
    FailureFact,
    ObjectKind,
    ObjectRef,
    PaymentFailed,
    PaymentReceived,
    PaymentReversed,
    Reading,
    ReversalFact,
)
from membership.db import db, transaction
from membership.kernel import clock
from membership.kernel.errors import ProviderFailed
from membership.kernel.money import Money
from tests.billing.conftest import PAID_AT, make_event, make_payment, post

PAID = Reading(facts=(make_payment(),))
FINISHED = CheckoutFact(
    reference="con_1",
    checkout_id="cs_1",
    is_finished=True,
    is_expired=False,
    is_paid=True,
    customer_id="cus_1",
    subscription_id="sub_1",
)
DOWN = ProviderFailed("provider_failed", "Down.", retryable=True, outcome_unknown=True)


def drain():
    db.session.rollback()
    jobs.drain(clock.now())
    db.session.rollback()


def state_of(event_id="evt_1") -> str:
    return db.session.get_one(InboxEvent, event_id, populate_existing=True).state


def later(seconds: float):
    return time_machine.travel(clock.real_now() + timedelta(seconds=seconds))


def test_a_payment_is_booked_told_and_receipted(client, provider, news):
    provider.readings["in_1"] = PAID
    post(client, make_event())
    drain()
    assert state_of() == "done"
    payment = db.session.scalars(select(Payment)).one()
    assert (payment.charged, payment.fee, payment.receipt_number) == (
        Money(400, "EUR"),
        Money(31, "EUR"),
        "2026-000001",
    )
    [told] = news.of(PaymentReceived)
    assert (told.reference, told.receipt_number, told.charged) == ("con_1", "2026-000001", Money(400, "EUR"))
    assert books.check(clock.now()) == []


def test_many_notices_about_one_thing_are_one_reading_and_one_booking(client, provider, news):
    provider.readings["in_1"] = PAID
    for n in range(10):
        post(client, make_event(f"evt_{n}"))
    drain()
    assert provider.asked == ["in_1"]
    assert len(news.of(PaymentReceived)) == 1
    assert {state_of(f"evt_{n}") for n in range(10)} == {"done"}
    post(client, make_event("evt_late"))
    drain()
    assert len(news.of(PaymentReceived)) == 1
    assert books.check(clock.now()) == []


def test_a_notice_for_an_unknown_reference_waits_and_is_booked_when_it_is_known(client, provider, news):
    provider.readings["in_1"] = PAID
    news.unknown = {"con_1"}
    post(client, make_event())
    drain()
    assert state_of() == "waiting"
    assert db.session.scalar(select(Payment)) is None
    news.unknown = frozenset()
    drain()
    assert state_of() == "waiting"  # its turn has not come
    with later(6):
        drain()
    assert state_of() == "done"
    assert len(news.of(PaymentReceived)) == 1


def test_after_three_days_of_waiting_a_person_must_look(client, provider, news):
    provider.readings["in_1"] = PAID
    news.unknown = {"con_1"}
    post(client, make_event())
    for hours in (0, 1, 24, 71):
        with later(hours * 3600 + 1):
            drain()
            assert state_of() == "waiting"
    with later(73 * 3600):
        drain()
    assert state_of() == "dead"


def test_what_was_given_up_is_healed_by_a_later_notice(client, provider, news):
    provider.readings["in_1"] = PAID
    news.unknown = {"con_1"}
    post(client, make_event())
    with later(73 * 3600):
        drain()
    news.unknown = frozenset()
    post(client, make_event("evt_2"))
    drain()
    assert (state_of(), state_of("evt_2")) == ("done", "done")


def test_a_foreign_thing_is_kept_and_books_nothing(client, provider, news):
    provider.readings["in_1"] = Reading(is_ours=False)
    post(client, make_event())
    drain()
    assert state_of() == "foreign"
    assert news == []


def test_poison_is_set_aside_with_its_trace_and_the_queue_goes_on(client, provider, news):
    provider.readings["in_1"] = ValueError("a shape that nobody expected")
    provider.readings["in_2"] = Reading(facts=(make_payment("in_2"),))
    post(client, make_event())
    post(client, make_event("evt_2", thing={"id": "in_2", "object": "invoice"}))
    drain()
    assert (state_of(), state_of("evt_2")) == ("waiting", "done")
    for hours in range(1, 10):
        with later(hours * 3601):
            drain()
    row = db.session.get_one(InboxEvent, "evt_1")
    assert (row.state, row.n_faults, row.last_error) == ("dead", 6, "ValueError")
    assert "a shape that nobody expected" in row.traceback
    assert row.body is not None


def test_a_handler_that_fails_rolls_the_booking_back_and_keeps_the_trace(client, provider, news):
    provider.readings["in_1"] = PAID
    news.fault = RuntimeError("no")
    post(client, make_event())
    drain()
    assert db.session.scalar(select(Payment)) is None
    assert db.session.scalar(select(JournalTransaction)) is None
    assert "RuntimeError: no" in db.session.get_one(InboxEvent, "evt_1").traceback
    news.fault = None
    with later(11):
        drain()
    assert state_of() == "done"
    assert db.session.scalars(select(Payment)).one().receipt_number == "2026-000001"


def test_a_provider_that_is_down_for_hours_kills_no_notice(client, provider, news):
    provider.readings["in_1"] = DOWN
    post(client, make_event())
    for hours in range(6):
        with later(hours * 3601):
            drain()
            assert state_of() == "waiting"
    provider.readings["in_1"] = PAID
    with later(7 * 3600):
        drain()
    assert state_of() == "done"


def test_a_drain_stops_asking_a_provider_that_is_down(client, provider, news):
    for n in range(9):
        provider.readings[f"in_{n}"] = DOWN
        post(client, make_event(f"evt_{n}", thing={"id": f"in_{n}", "object": "invoice"}))
    drain()
    assert len(provider.asked) == 3


def test_a_thing_that_the_provider_does_not_know_is_believed_only_when_repeated(client, provider, news):
    post(client, make_event())
    drain()
    assert state_of() == "waiting"
    for minutes in range(1, 5):
        with later(minutes * 61):
            drain()
    assert state_of() == "done"
    assert "does not know" in db.session.get_one(InboxEvent, "evt_1").last_error


def test_a_finished_page_waits_until_its_money_is_booked_too(client, provider, news):
    page = FINISHED
    invoice = ObjectRef(ObjectKind.INVOICE, "in_1")
    provider.readings["cs_1"] = Reading(facts=(page,), related=(invoice,))
    provider.readings["in_1"] = DOWN
    post(client, make_event("evt_cs", "checkout.session.completed", {"id": "cs_1", "object": "checkout.session"}))
    drain()
    assert state_of("evt_cs") == "waiting"
    provider.readings["in_1"] = PAID
    with later(10):
        drain()
    assert state_of("evt_cs") == "done"
    assert len(news.of(PaymentReceived)) == 1
    assert news.of(CheckoutFinished)[0].paid is True


def test_the_return_page_books_without_any_notice_and_the_notice_changes_nothing(client, provider, news):
    page = FINISHED
    provider.readings["cs_1"] = Reading(facts=(page,), related=(ObjectRef(ObjectKind.INVOICE, "in_1"),))
    provider.readings["in_1"] = PAID
    assert services.sync("checkout_session", "cs_1") is True
    assert services.sync("checkout_session", "cs_1") is True
    post(client, make_event())
    drain()
    assert len(news.of(PaymentReceived)) == 1
    assert books.check(clock.now()) == []


def test_the_return_page_does_not_wait_long_for_somebody_else(provider, news):
    provider.readings["in_1"] = PAID
    assert leases.take("in_1") is not None
    assert services.sync("invoice", "in_1") is False
    assert provider.asked == []


def test_a_worker_that_slept_through_its_lease_is_refused_when_it_writes(client, provider, news):
    """The zombie reads, falls asleep; another worker takes over and books a newer state; the zombie wakes."""

    def sleep_while_another_takes_over():
        with transaction("test.expire"):
            db.session.execute(update(ObjectLease).values(expires_at=clock.real_now() - timedelta(seconds=1)))
        provider.readings["in_1"] = PAID
        assert services.settle(ObjectRef(ObjectKind.INVOICE, "in_1")) is services.Outcome.BOOKED
        return Reading(facts=(make_payment("in_old"),))

    provider.readings["in_1"] = sleep_while_another_takes_over
    post(client, make_event())
    assert services.settle(ObjectRef(ObjectKind.INVOICE, "in_1")) is services.Outcome.HELD
    assert [payment.provider_id for payment in db.session.scalars(select(Payment))] == ["in_1"]
    assert state_of() == "done"


def test_a_lease_that_ran_out_but_was_not_taken_still_writes(client, provider, news):
    def slow():
        with transaction("test.expire"):
            db.session.execute(update(ObjectLease).values(expires_at=clock.real_now() - timedelta(seconds=1)))
        return PAID

    provider.readings["in_1"] = slow
    post(client, make_event())
    drain()
    assert state_of() == "done"


def test_a_notice_that_comes_during_the_reading_is_read_again(client, provider, news):
    def meanwhile():
        provider.readings["in_1"] = PAID
        post(client, make_event("evt_2"))
        return Reading()

    provider.readings["in_1"] = meanwhile
    post(client, make_event())
    drain()
    assert provider.asked == ["in_1", "in_1"]
    assert (state_of(), state_of("evt_2")) == ("done", "done")


def test_the_lease_of_a_killed_worker_ends_by_itself(client, provider, news):
    provider.readings["in_1"] = PAID
    leases.take("in_1")
    post(client, make_event())
    drain()
    assert state_of() == "received"
    with later(31):
        drain()
    assert state_of() == "done"


def test_a_failed_attempt_is_told_once(client, provider, news):
    failure = FailureFact("con_1", "in_1:1", Money(400, "EUR"), PAID_AT, "card_declined", None, "sub_1")
    provider.readings["in_1"] = Reading(facts=(failure,))
    for n in range(3):
        post(client, make_event(f"evt_{n}", "invoice.payment_failed"))
        drain()
    assert len(news.of(PaymentFailed)) == 1


def test_a_fee_that_was_not_known_is_booked_by_itself_later(client, provider, news):
    provider.readings["in_1"] = Reading(facts=(make_payment(fee=None),))
    post(client, make_event())
    drain()
    assert news.of(PaymentReceived)[0].fee == Money(0, "EUR")
    assert db.session.scalars(select(Payment)).one().fee is None
    provider.readings["in_1"] = PAID
    with later(121):
        drain()
    assert db.session.scalars(select(Payment)).one().fee == Money(31, "EUR")
    assert len(news.of(PaymentReceived)) == 1
    assert books.check(clock.now()) == []


def test_a_refund_before_its_payment_waits_for_it_and_is_told_once(client, provider, news):
    refund = ReversalFact("re_1", "in_1", Money(400, "EUR"), None, PAID_AT, "refund")
    provider.readings["ch_1"] = Reading(facts=(refund,), related=(ObjectRef(ObjectKind.INVOICE, "in_1"),))
    provider.readings["in_1"] = PAID
    for n in range(2):
        post(client, make_event(f"evt_{n}", "charge.refunded", {"id": "ch_1", "object": "charge"}))
        drain()
    [told] = news.of(PaymentReversed)
    assert (told.amount, told.reference, told.reason) == (Money(400, "EUR"), "con_1", "refund")
    assert books.check(clock.now()) == []


def test_bodies_are_emptied_thirty_days_after_they_are_done(client, provider, news):
    provider.readings["in_1"] = PAID
    post(client, make_event())
    drain()
    jobs.forget(clock.now() + timedelta(days=29))
    assert db.session.get_one(InboxEvent, "evt_1", populate_existing=True).body is not None
    db.session.rollback()
    jobs.forget(clock.now() + timedelta(days=31))
    row = db.session.get_one(InboxEvent, "evt_1", populate_existing=True)
    assert (row.body, row.state) == (None, "done")


@pytest.mark.parametrize("kind", ["checkout_session", "subscription", "invoice", "payment_intent", "charge"])
def test_sync_takes_every_kind_by_name(provider, news, kind):
    assert services.sync(kind, "unknown_1") is False
