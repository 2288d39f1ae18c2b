"""Money goes back once, never more than came, and what that means is said; disputes and warnings of fraud."""

import uuid
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from membership.accounts.queries import find_person_by_email, timeline
from membership.billing import books, queries
from membership.billing.models import JournalEntry, JournalTransaction, PaymentReversal
from membership.contributions import jobs
from membership.contributions.models import Refund
from membership.contributions.services import ending, refunding
from membership.db import db
from membership.kernel import clock
from membership.kernel.errors import InvalidInput
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm
from membership.newsroom.queries.snapshot import forget
from tests.contributions.life import Life, count

SLOW_REFUND, FAILING_REFUND = "4000 0000 0000 7726", "4000 0000 0000 5126"
DISPUTED, WARNED = "4000 0000 0000 0259", "4000 0000 0000 5423"
STAFF = "staff:per_01"


@pytest.fixture
def life(app, sandbox):
    sandbox.reset()
    yield Life(app, sandbox)
    db.session.rollback()
    assert books.check(clock.now()) == []
    sandbox.reset()
    clock.use_offset(clock.no_offset)


def the_payment(reference):
    db.session.rollback()
    return queries.payments_of([reference])[0]


def give_back(reference, minor, token=None):
    token = token or uuid.uuid4().hex
    amount = Money(minor, "EUR")
    return refunding.refund(the_payment(reference), amount, "They asked for it.", STAFF, clock.now(), token=token)


def the_refund():
    db.session.rollback()
    return db.session.scalars(select(Refund)).one()


def states_of(*refund_ids):
    db.session.rollback()
    return [db.session.get_one(Refund, refund_id).state for refund_id in refund_ids]


def test_a_whole_refund_is_booked_ends_the_coverage_and_is_told(life):
    reference = life.give()
    give_back(reference, 800)
    life.hear()
    assert (the_refund().state, the_payment(reference).returned) == ("done", Money(800, "EUR"))
    assert not life.standing().is_patron
    mail = life.says("refunded")
    assert (mail["refunded"], mail["is_whole"], mail["until"]) == (Money(800, "EUR"), True, None)
    kinds = [(entry.kind, entry.actor) for entry in timeline(find_person_by_email("reader@example.org").id)]
    assert ("refund_asked", STAFF) in kinds
    assert ("payment_reversed", "system") in kinds


def test_a_part_that_goes_back_leaves_the_membership(life):
    reference = life.give()
    give_back(reference, 300)
    life.hear()
    assert life.standing().is_patron
    assert life.says("refunded")["is_whole"] is False


def test_nothing_goes_back_twice_and_never_more_than_came(life):
    reference = life.give()
    first = give_back(reference, 500, "one-press")
    assert give_back(reference, 500, "one-press").id == first.id
    for minor in (301, 800, 0, -5):
        with pytest.raises(InvalidInput) as refused:
            give_back(reference, minor)
        assert refused.value.code == "too_much_back"
    give_back(reference, 300)
    life.hear()
    assert the_payment(reference).returned == Money(800, "EUR")
    with pytest.raises(InvalidInput):
        give_back(reference, 1)
    with pytest.raises(InvalidInput) as refused:
        refunding.refund(the_payment(reference), Money(1, "EUR"), "  ", STAFF, clock.now(), token="x")
    assert refused.value.code == "no_reason"
    assert count(Refund) == 2


def test_a_refund_that_takes_days_is_not_booked_before_the_money_moved(life):
    reference = life.give(SLOW_REFUND)
    give_back(reference, 800)
    assert (the_refund().state, the_payment(reference).returned.minor) == ("sent", 0)
    assert life.standing().is_patron
    with pytest.raises(InvalidInput):
        give_back(reference, 800)
    life.pass_time(days=10)
    assert (the_refund().state, the_payment(reference).returned.minor) == ("done", 800)


def test_a_refund_that_fails_is_shown_as_failed_and_its_coverage_is_back(life):
    reference = life.give(FAILING_REFUND)
    give_back(reference, 800)
    life.pass_time(days=10)
    assert (the_refund().state, the_payment(reference).returned.minor) == ("failed", 0)
    assert life.standing().is_patron
    assert refunding.left_of(the_payment(reference)) == Money(800, "EUR")


def booked_until(moment):
    """Every entry of the journal that is dated by then, as a month's books are closed."""
    dated = select(JournalEntry.account, JournalEntry.amount_minor, JournalTransaction.moved_at).join(
        JournalTransaction, JournalTransaction.id == JournalEntry.transaction_id
    )
    db.session.rollback()
    return [tuple(row) for row in db.session.execute(dated.where(JournalTransaction.moved_at <= moment)).all()]


def test_a_refund_that_fails_later_does_not_change_the_books_of_the_month_in_which_it_was_made(life):
    reference = life.give(FAILING_REFUND)
    give_back(reference, 800)
    life.hear()
    closed_at = clock.now()
    closed = booked_until(closed_at)
    assert sum(minor for account, minor, _ in closed if account == "income_recurring") == 0
    life.pass_time(days=40)
    assert booked_until(closed_at) == closed
    refund = life.ask("GET", "/v1/refunds?limit=1")["data"][0]
    back = life.ask("GET", f"/v1/balance_transactions/{refund['failure_balance_transaction']}")
    moved_at = datetime.fromtimestamp(back["created"], UTC)
    returned = select(PaymentReversal).where(PaymentReversal.amount_minor == -800)
    assert [row.moved_at for row in db.session.scalars(returned)] == [moved_at]
    assert moved_at > closed_at
    assert the_refund().state_at == moved_at


def test_a_refund_whose_answer_was_lost_is_asked_for_again_and_made_once(life):
    reference = life.give()
    life.ask("POST", "/_sandbox/faults", calls=[{"match": "POST /v1/refunds", "do": "500", "times": 5}])
    try:
        give_back(reference, 800)
    finally:
        life.ask("DELETE", "/_sandbox/faults")
    assert the_refund().state == "asked"
    life.pass_time(days=1)
    jobs.send_refunds(clock.now())
    life.hear()
    assert (the_refund().state, the_payment(reference).returned.minor) == ("done", 800)
    assert len(life.ask("GET", "/v1/refunds?limit=10")["data"]) == 1


def test_a_wish_that_waits_is_not_settled_by_another_of_the_same_amount(life):
    reference = life.give(minor=1000)
    life.ask("POST", "/_sandbox/faults", calls=[{"match": "POST /v1/refunds", "do": "429", "times": 9}])
    try:
        first = give_back(reference, 500, "first").id
    finally:
        life.ask("DELETE", "/_sandbox/faults")
    second = give_back(reference, 500, "second").id
    life.hear()
    assert states_of(first, second) == ["asked", "done"]
    life.pass_time(days=1)
    jobs.send_refunds(clock.now())
    life.hear()
    assert states_of(first, second) == ["done", "done"]
    assert the_payment(reference).returned == Money(1000, "EUR")


# Disputes and warnings ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending_word", ["won", "lost"])
def test_a_dispute_takes_coverage_a_won_one_gives_it_back_a_lost_one_ends_the_support(life, ending_word):
    reference = life.give(DISPUTED)
    life.pass_time(days=1)
    assert not life.standing().is_patron
    assert life.row(reference).state == "active", "an open dispute cancels nothing by itself"
    dispute = life.ask("GET", "/v1/disputes?limit=1")["data"][0]
    life.ask("POST", "/_sandbox/decide", dispute=dispute["id"], outcome=ending_word)
    life.hear()
    ending.stop_due(clock.now())
    life.hear()
    row = life.row(reference)
    kinds = [entry.kind for entry in timeline(row.person_id)]
    if ending_word == "won":
        assert (row.state, life.standing().is_patron, "dispute_lost" in kinds) == ("active", True, False)
        return
    assert (row.state, row.stop_asked_at) == ("ended", None)
    assert kinds.count("dispute_lost") == 1
    life.pass_time(months=2)
    assert len(life.payments(reference)) == 1, "who disputed a payment is not charged again"
    assert life.mails("refunded") == []


def test_a_warning_of_fraud_is_noted_and_refunds_only_where_that_is_set(life, app, settings):
    reference = life.give(WARNED, rhythm=Rhythm.ONCE)
    life.pass_time(days=1)
    assert life.row(reference).warned_at is not None
    assert count(Refund) == 0
    app.extensions["membership.settings"] = settings.model_copy(update={"fraud_refund_below": {"EUR": 801}})
    forget()  # what this context read of the settings before
    small = life.give(WARNED, rhythm=Rhythm.ONCE, email="small@example.org")
    life.give(WARNED, rhythm=Rhythm.ONCE, email="large@example.org", minor=900)
    life.pass_time(days=1)
    jobs.send_refunds(clock.now() + refunding.ASK_AGAIN_AFTER * 2)
    life.hear()
    assert (the_refund().reference, the_refund().state, the_refund().actor) == (small, "done", "system")
