"""PayPal's own statement: whatever it keeps and gives back stands in the books, so that both come to the same sum."""

from collections import Counter

import pytest
from sqlalchemy import func, select, update

from membership.billing import books
from membership.billing.models import JournalEntry, JournalTransaction
from membership.db import db, transaction
from membership.kernel import clock
from membership.kernel.money import Money
from membership.transfers import queries, services
from membership.transfers.models import StatementLine
from membership.transfers.services import Decision
from membership.transfers.statements import BUILT_IN, Kind, read
from tests.transfers.conftest import announce, fresh, today
from tests.transfers.test_services import patron, payments
from tests.transfers.test_views import page, post

HEAD = "Date,Name,Type,Status,Currency,Gross,Fee,Net,From Email Address,Transaction ID,Reference Txn ID,Subject,Note\n"


def row(kind, gross, fee, own, about="", note="", account="giver@example.com"):
    net = f"{float(gross) + float(fee):.2f}"
    day = today().strftime("%m/%d/%Y")
    return f"{day},A Giver,{kind},Completed,EUR,{gross},{fee},{net},{account},{own},{about},,{note}\n"


def net_of(*rows):
    return sum(round(float(each.split(",")[7]) * 100) for each in rows)


def read_in(*rows):
    report = services.read_in((HEAD + "".join(rows)).encode(), BUILT_IN["paypal"], clock.now())
    fresh()
    return report


def at_paypal():
    """What lies at PayPal by our books, in cents."""
    fresh()
    return db.session.scalar(select(func.sum(JournalEntry.amount_minor)).where(JournalEntry.account == "paypal")) or 0


def states():
    fresh()
    return Counter((line.kind, line.state) for line in db.session.scalars(select(StatementLine)))


@pytest.fixture(autouse=True)
def books_hold(app, monkeypatch):
    monkeypatch.setattr(app.extensions["membership.provider"], "list_booked", lambda _since=None: [])
    yield
    fresh()
    assert books.check(clock.now()) == []


@pytest.fixture
def decision(finance):
    return Decision(finance, clock.now(), "a mistake")


@pytest.fixture
def gift(app):
    return row("Donation Payment", "10.00", "-0.70", "TX1", note=announce(way="paypal", amount=1000).code)


CHARGEBACK = (
    row("Hold on Balance for Dispute Investigation", "-10.00", "0.00", "TX2", "TX1"),
    row("Cancellation of Hold for Dispute Resolution", "10.00", "0.00", "TX2", "TX1"),
    row("Chargeback", "-10.00", "0.00", "TX3", "TX1"),
    row("Chargeback Fee", "-16.00", "0.00", "TX4", "TX3"),  # names the chargeback and not the gift
)


@pytest.mark.parametrize("cut", [0, 1], ids=["in one file", "in two"])
def test_a_chargeback_with_its_fee_leaves_what_paypal_says_is_left(gift, cut):
    rows = (gift, *CHARGEBACK)
    for part in (rows,) if not cut else (rows[:cut], rows[cut:]):
        read_in(*part)
    read_in(*rows)
    assert at_paypal() == net_of(*rows) == -1670
    assert states() == {("credit", "returned"): 1, ("return", "booked"): 1, ("fee", "booked"): 1}
    assert not patron()


@pytest.mark.parametrize(
    ("gross", "fee"), [("-10.00", "0.00"), ("-10.00", "0.35"), ("-4.00", "0.20"), ("-10.00", "-16.00")]
)
def test_a_refund_gives_back_as_much_of_the_fee_as_paypal_does(gift, decision, gross, fee):
    rows = (gift, row("Payment Refund", gross, fee, "TX2", "TX1"))
    read_in(*rows)
    for line in queries.list_open_lines(10):  # a part that went back is booked by staff
        services.assign_return(line.id, payments()[0].receipt_number, decision)
    assert at_paypal() == net_of(*rows)


def test_a_fee_that_paypal_gives_back_is_no_gift(gift):
    rows = (gift, *CHARGEBACK, row("Fee Reversal", "16.00", "0.00", "TX5", "TX3"))
    read_in(*rows)
    assert at_paypal() == net_of(*rows) == -70
    assert states()["fee_back", "booked"] == 1
    assert len(payments()) == 1


def test_money_that_comes_again_after_a_chargeback_is_not_booked_as_a_gift_unasked(gift):
    read_in(gift, *CHARGEBACK, row("Chargeback", "10.00", "0.00", "TX6", "TX1"))
    assert len(payments()) == 1
    (line,) = queries.list_open_lines(10)
    assert (line.kind, line.is_odd, line.is_certain) == ("credit", True, False)


def test_a_fee_of_something_else_waits_for_a_person_and_is_booked_by_its_receipt(app, gift, decision):
    lost = row("Dispute Fee", "-8.00", "0.00", "TX9", "TX77")
    read_in(gift, lost)
    (line,) = queries.list_open_lines(10)
    assert (line.kind, line.is_certain) == ("fee", False)
    assert at_paypal() == net_of(gift)
    services.assign_return(line.id, payments()[0].receipt_number, decision)
    assert at_paypal() == net_of(gift, lost)
    assert patron()  # a fee takes no coverage away


def test_what_is_undone_and_booked_again_keeps_each_fee_once(gift, decision):
    rows = (gift, *CHARGEBACK)
    read_in(*rows)
    by_kind = {line.kind: line.id for line in db.session.scalars(select(StatementLine))}
    services.undo(by_kind["fee"], decision)
    assert at_paypal() == net_of(*rows) + 1600
    services.undo(by_kind["return"], decision)
    assert at_paypal() == net_of(gift)
    services.undo(by_kind["credit"], decision)
    assert at_paypal() == 0
    services.assign(by_kind["credit"], "another@example.org", "en", decision)
    assert at_paypal() == net_of(gift)
    number = payments()[-1].receipt_number
    for kind in ("return", "fee"):
        services.assign_return(by_kind[kind], number, decision)
    assert at_paypal() == net_of(*rows)


def test_the_books_find_a_fee_that_is_not_as_its_line_says(gift):
    read_in(gift, *CHARGEBACK)
    fee = db.session.scalar(select(StatementLine.id).where(StatementLine.kind == "fee"))
    values = {"state": "new", "done_at": None, "payment_id": None}
    with transaction("test.damage"):
        db.session.execute(update(StatementLine).where(StatementLine.id == fee).values(**values))
    assert [each.code for each in books.check(clock.now())] == ["line_fee_differs"]
    values = {"state": "booked", "done_at": clock.now(), "payment_id": payments()[0].provider_id}
    with transaction("test.repair"):
        db.session.execute(update(StatementLine).where(StatementLine.id == fee).values(**values))
    assert db.session.query(JournalTransaction).filter_by(kind="extra_fee").count() == 1


def test_the_fee_of_a_chargeback_is_read_as_what_it_is():
    (statement,) = read(HEAD.encode() + "".join(CHARGEBACK).encode(), BUILT_IN["paypal"], today())
    back, fee = statement.lines
    assert (back.kind, back.fee, back.linked_id) == (Kind.RETURN, None, "TX1")
    assert (fee.kind, fee.amount, fee.linked_id) == (Kind.FEE, Money(1600, "EUR"), "TX1")


def test_the_desk_says_what_a_fee_is(app, client, finance, gift):
    from tests.factories.people import sign_in

    read_in(gift, row("Dispute Fee", "-8.00", "0.00", "TX9", "TX77"))
    sign_in(client, "finance@example.org")
    (line,) = queries.list_open_lines(10)
    assert "−€8.00" in page(client, "/staff/statements")
    source = page(client, f"/staff/statements/{line.id}")
    assert "A fee that PayPal kept" in source
    assert "Which payment is it about?" in source
    number = payments()[0].receipt_number
    assert post(client, f"/staff/statements/{line.id}/return", receipt=number).status_code == 303
    assert "Undo" in page(client, f"/staff/statements/{line.id}")
