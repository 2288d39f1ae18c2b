"""News of one failed charge and its mending, in orders in which it may come: the end is the same."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from membership.billing.port import PaymentFailed, SubscriptionStatus
from membership.contributions import queries
from membership.db import db
from membership.kernel import clock
from membership.mail.models import OutboxMail
from membership.patrons.models import Grace
from tests.contributions.test_hearing import CHARGE, payment, reference, seen, state, tell

__all__ = ["reference"]


def failure(attempt=1, after_days=31, **changes):
    values = {
        "reference": "con_1",
        "provider_ref": f"in_2:{attempt}",
        "amount": CHARGE,
        "failed_at": clock.now() + timedelta(days=after_days),
        "reason": "insufficient_funds",
        "next_try_at": None,
        "subscription_id": "sub_con_1",
        "invoice_id": "in_2",
    }
    return PaymentFailed(**values | changes)


def paid():
    now = clock.now() + timedelta(days=32)
    return payment(2, paid_at=now, period_start=now, period_end=now + timedelta(days=30))


def kinds():
    db.session.rollback()
    return [kind.removeprefix("contributions/") for kind in db.session.scalars(select(OutboxMail.kind))]


@pytest.fixture
def running(reference):
    tell(payment())
    tell(seen(SubscriptionStatus.ACTIVE))
    return reference


@pytest.mark.parametrize("order", ["money first", "word of the support first"])
def test_who_mended_a_payment_is_thanked_whichever_news_comes_first(running, order):
    tell(failure())
    tell(seen(SubscriptionStatus.PAST_DUE))
    last = [paid(), seen(SubscriptionStatus.ACTIVE)]
    for event in last if order == "money first" else reversed(last):
        tell(event)
    assert state() == "active"
    assert kinds().count("recovered") == 1
    row = queries.find_by_reference(running)
    assert (row.failed_at, row.failure_reason, row.needs_action) == (None, None, None)


def test_an_earlier_try_heard_late_changes_only_since_when(running):
    tell(failure(2, after_days=34, reason="expired_card"))
    tell(failure(1, after_days=31))
    row = queries.find_by_reference(running)
    assert row.failure_reason == "expired_card"
    assert row.failed_at < clock.now() + timedelta(days=32)
    assert kinds().count("payment_failed") == 1


def test_two_open_payments_within_a_day_are_one_mail_and_the_next_try_tells_of_the_second(running):
    tell(failure())
    tell(failure(1, provider_ref="in_3:1", invoice_id="in_3"))
    assert kinds().count("payment_failed") == 1
    tell(failure(2, after_days=33, provider_ref="in_3:2", invoice_id="in_3"))
    assert kinds().count("payment_failed") == 2


def test_an_open_payment_that_was_withdrawn_is_no_trouble_and_nothing_to_thank_for(running):
    tell(failure())
    tell(seen(SubscriptionStatus.PAST_DUE))
    tell(seen(SubscriptionStatus.ACTIVE))
    assert queries.find_by_reference(running).failed_at is None
    assert "recovered" not in kinds()


def test_grace_begins_with_the_failure_although_word_of_it_came_by_an_earlier_clock(running):
    tell(seen(SubscriptionStatus.PAST_DUE))
    tell(failure(after_days=31))
    tell(failure(2, after_days=40))
    grace = db.session.scalars(select(Grace)).one()
    first = queries.find_by_reference(running).failed_at
    assert (grace.opened_at, grace.until) == (first, first + timedelta(days=14)), "and no later try lengthens it"
