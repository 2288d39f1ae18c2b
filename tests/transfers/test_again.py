"""What was booked, undone, ignored or told otherwise before is never booked again without a person."""

import pytest

from membership.billing import books
from membership.billing.models import PaymentReversal
from membership.db import db
from membership.kernel import clock
from membership.transfers import jobs, services
from membership.transfers.models import StatementLine
from membership.transfers.services import Decision
from tests.transfers.conftest import announce, days_ago, fresh
from tests.transfers.statements import entry
from tests.transfers.test_services import lines, payments, read_in

IBAN = "NL91ABNA0417164300"


@pytest.fixture(autouse=True)
def books_hold(app, monkeypatch):
    """After every story the books hold; the provider has no payments of ours."""
    monkeypatch.setattr(app.extensions["membership.provider"], "list_booked", lambda _since=None: [])
    yield
    fresh()
    assert books.check(clock.now()) == []


def a_minute_later():
    jobs.book_certain(clock.now())
    fresh()


def test_a_booking_that_was_undone_waits_for_a_person_although_its_code_is_right(app, finance):
    read_in(entry("4.00", announce().code, days_ago(1), iban=IBAN))
    (line,) = lines("booked")
    services.undo(line.id, Decision(finance, clock.now(), "It was her brother"))
    a_minute_later()
    (line,) = lines()
    assert (line.state, line.why, line.is_certain) == ("suggested", "code", False)
    assert len(payments()) == 1
    services.confirm(line.id, clock.now(), Decision(finance, clock.now()))
    assert len(payments()) == 2


def test_a_return_that_was_undone_waits_for_a_person_although_the_bank_names_its_gift(app, finance):
    read_in(entry("4.00", announce().code, days_ago(2), iban=IBAN, end_to_end="E2E-9"))
    read_in(entry("4.00", "AC04", days_ago(1), side="DBIT", is_reversal=True, end_to_end="E2E-9"))
    _, back = lines()
    services.undo(back.id, Decision(finance, clock.now(), "the bank was wrong"))
    a_minute_later()
    gave, back = lines()
    assert (gave.state, back.state, back.why, back.is_certain) == ("booked", "suggested", "movement", False)
    assert db.session.query(PaymentReversal).count() == 2


def test_an_ignored_line_that_was_opened_again_waits_for_a_person_even_when_its_reason_is_forgotten(app, finance):
    read_in(entry("4.00", "no code", days_ago(1)), entry("5.00", "nor here", days_ago(1)))
    for line in lines("new"):
        services.ignore(line.id, Decision(finance, clock.now(), "no gift"))
    code = announce().code
    first, second = lines("ignored")
    first.remittance, second.remittance, second.reason, second.emptied_at = code, code, None, clock.now()
    db.session.commit()
    for line in (first, second):
        services.reopen(line.id, Decision(finance, clock.now()))
    a_minute_later()
    assert [(line.state, line.is_certain) for line in lines()] == [("suggested", False)] * 2
    assert payments() == []
    assert db.session.query(StatementLine).count() == 2


def test_somebody_else_who_pays_through_a_known_account_waits_for_a_person(app):
    code = announce(name="Olena Example").code
    read_in(entry("4.00", code, days_ago(3), iban=IBAN, name="Olena Example"))
    report = read_in(
        entry("4.00", "gift", days_ago(2), iban=IBAN, name="EXAMPLE OLENA"),
        entry("4.00", "gift", days_ago(1), iban=IBAN, name="Mallory Stranger"),
    )
    assert (report.n_booked, report.n_open) == (1, 1)
    (line,) = lines("suggested")
    assert (line.payer_name, line.why, line.is_certain) == ("Mallory Stranger", "account", False)
