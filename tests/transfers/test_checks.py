"""What check-books asks of lines of statements finds each damage."""

import pytest
from sqlalchemy import update

from membership.billing import books
from membership.billing.booking import book
from membership.billing.models import Payment
from membership.billing.port import ReversalFact
from membership.contributions.models import Contribution
from membership.db import db, transaction
from membership.kernel import clock
from membership.kernel.money import Money
from membership.transfers import services
from membership.transfers.models import StatementLine
from membership.transfers.services import Decision
from membership.transfers.services.posting import post
from tests.transfers.conftest import announce, days_ago, fresh, today
from tests.transfers.statements import entry
from tests.transfers.test_services import lines, payments, read_in

FREE = Money(0, "EUR")


@pytest.fixture
def decision(finance):
    return Decision(finance, clock.now(), "a mistake")


@pytest.fixture(autouse=True)
def silent_provider(app, monkeypatch):
    monkeypatch.setattr(app.extensions["membership.provider"], "list_booked", lambda _since=None: [])


def findings():
    db.session.commit()
    return [each.code for each in books.check(clock.now()) if each.code == "line_differs"]


@pytest.fixture
def booked(app):
    read_in(entry("4.00", announce().code, days_ago(1)))
    (line,) = lines("booked")
    assert findings() == []
    return line.id


def set_line(line_id, **values):
    with transaction("test.damage"):
        db.session.execute(update(StatementLine).where(StatementLine.id == line_id).values(**values))


@pytest.mark.parametrize(
    "values",
    [
        {"state": "new", "done_at": None, "payment_id": None},
        {"state": "suggested", "done_at": None},
        {"state": "ignored"},
        {"state": "returned"},
        {"payment_id": "bank:somebody-elses"},
    ],
)
def test_a_line_whose_state_is_not_what_became_of_its_money_is_found(booked, values):
    set_line(booked, **values)
    assert findings() == ["line_differs"]


def test_a_booked_line_whose_money_is_gone_is_found(booked):
    with transaction("test.damage"):
        payment = db.session.query(Payment).one().provider_id
        book(ReversalFact("planted", payment, Money(400, "EUR"), None, clock.now(), "planted"))
    assert findings() == ["line_differs"]


def test_a_line_that_was_booked_twice_is_found(booked):
    with transaction("test.damage"):
        line = db.session.get_one(StatementLine, booked)
        line.n_bookings = 2
        again = f"bank:{line.identity}:2"
        post(db.session.query(Contribution).first(), again, line.amount, FREE, clock.now(), "bank")
    assert findings() == ["line_differs"]


def test_a_gift_that_was_sent_back_by_hand_is_a_returned_line(booked, decision):
    payment = payments()[0].provider_id
    services.give_back(payment, Money(100, "EUR"), today(), decision, "form-1")
    assert (lines()[0].state, findings()) == ("booked", [])
    services.give_back(payment, Money(300, "EUR"), today(), decision, "form-2")
    fresh()
    assert (lines()[0].state, findings()) == ("returned", [])
