"""Money that staff booked by hand is never booked again by itself when its statement comes."""

import pytest

from membership.kernel import clock
from membership.kernel.money import Money
from membership.transfers import jobs, services
from membership.transfers.services import Decision
from tests.transfers.conftest import announce, days_ago, fresh, gift, today
from tests.transfers.statements import entry
from tests.transfers.test_services import lines, payments, read_in


def by_hand(finance, found=None, **wish):
    decision = Decision(finance, clock.now(), "seen in the bank's own pages")
    if found is None:
        return services.book_by_hand(gift(**wish), today(), "form-7", decision)
    amount = Money(400, "EUR")
    return services.book_announced(found.contribution.id, amount, today(), "form-8", decision, way="bank")


@pytest.mark.parametrize("is_announced", [True, False])
def test_a_gift_booked_by_hand_is_held_back_when_its_statement_comes(app, finance, is_announced):
    found = announce()
    by_hand(finance, found if is_announced else None)
    read_in(entry("4.00", found.code, days_ago(2)))
    jobs.book_certain(clock.now())
    fresh()
    (line,) = lines()
    assert (line.state, line.why, line.is_certain) == ("suggested", "seen_elsewhere", False)
    assert len(payments()) == 1


def test_other_amounts_other_days_and_what_was_undone_hold_nothing_back(app, finance):
    found = announce()
    by_hand(finance, found)
    report = read_in(entry("5.00", found.code, days_ago(1)), entry("4.00", found.code, days_ago(30)))
    assert report.n_booked == 2
    hand = payments()[0]
    services.undo_payment(hand.provider_id, Decision(finance, clock.now(), "twice"))
    assert read_in(entry("4.00", found.code, days_ago(0))).n_booked == 1
