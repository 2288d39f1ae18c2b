"""Undoing never makes money out of nothing."""

import pytest

from membership.billing import books
from membership.kernel import clock
from membership.kernel.errors import Conflict
from membership.kernel.money import Money
from membership.transfers import services
from membership.transfers.services import Decision, left_of
from tests.transfers.conftest import announce, days_ago, fresh, gift, today
from tests.transfers.statements import entry
from tests.transfers.test_services import lines, payments, read_in

FREE = Money(0, "EUR")


@pytest.fixture
def decision(finance):
    return Decision(finance, clock.now(), "a mistake")


@pytest.fixture(autouse=True)
def silent_provider(app, monkeypatch):
    monkeypatch.setattr(app.extensions["membership.provider"], "list_booked", lambda _since=None: [])


def return_of(number, decision):
    read_in(entry("1.00", "a part went back", days_ago(0), side="DBIT", is_reversal=True))
    (back,) = lines("new", "suggested")
    services.assign_return(back.id, number, decision)
    fresh()
    return back.id


def test_a_part_that_went_back_is_not_here_again_once_its_gift_was_undone(app, decision):
    read_in(entry("4.00", announce().code, days_ago(1)))
    (gave,) = lines("booked")
    back = return_of(payments()[0].receipt_number, decision)
    services.undo(gave.id, decision)
    with pytest.raises(Conflict):
        services.undo(back, decision)
    fresh()
    assert left_of(payments()[0]) == FREE
    assert books.check(clock.now()) == []


def test_the_same_where_the_gift_was_booked_by_hand(app, decision):
    number = services.book_by_hand(gift(), today(), "form-7", decision)
    back = return_of(number, decision)
    services.undo(back, decision)
    fresh()
    assert left_of(payments()[0]) == Money(400, "EUR")
    services.assign_return(back, number, decision)
    services.undo_payment(payments()[0].provider_id, decision)
    with pytest.raises(Conflict):
        services.undo(back, decision)
    fresh()
    assert left_of(payments()[0]) == FREE


# The way that staff chose -----------------------------------------------------------------------------------


def test_money_that_came_another_way_than_announced_lies_where_staff_say_and_is_booked_once(app, decision):
    found = announce(way="bank")
    numbers = {
        services.book_announced(found.contribution.id, Money(400, "EUR"), today(), "form-8", decision, way=way)
        for way in ("cash", "cash", "bank")
    }
    (payment,) = payments()
    assert numbers == {payment.receipt_number}
    assert (payment.way, payment.provider_id) == ("cash", "cash:form-8")
