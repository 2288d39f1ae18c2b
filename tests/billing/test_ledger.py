"""The laws of the books: what always adds up, what is never booked twice, and receipts without gaps."""

import threading
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import DBAPIError

from membership.billing import books, ledger
from membership.billing.books import journal
from membership.billing.models import JournalEntry, JournalTransaction, Payment, ReceiptCounter
from membership.billing.port import ReversalFact
from membership.db import db, transaction
from membership.kernel import clock
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm
from tests.billing.conftest import PAID_AT, make_payment

CURRENCIES = ("EUR", "USD", "UAH", "JPY")
ACCOUNTS = ("provider_balance", "income_recurring", "income_once", "provider_fees")
entries = st.lists(
    st.tuples(st.sampled_from(ACCOUNTS), st.builds(Money, st.integers(-(10**12), 10**12), st.sampled_from(CURRENCIES))),
    max_size=8,
)


@pytest.fixture(autouse=True)
def _provider(provider):
    """No test here reaches out."""


def book(*facts):
    with transaction("test.book"):
        return [ledger.book_payment(fact) for fact in facts]


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(entries=entries, n=st.integers(1))
def test_what_does_not_add_up_to_zero_is_refused_and_the_rest_is_written(app, entries, n):
    sums = {currency: sum(m.minor for _, m in entries if m.currency == currency) for currency in CURRENCIES}
    moves = any(money.minor for _, money in entries)
    before = db.session.scalar(select(func.count()).select_from(JournalEntry))
    ref = f"ref_{before}_{n}"
    with transaction("test.law"):
        if moves and not any(sums.values()):
            ledger.post("payment", ref, PAID_AT, entries)
        else:
            with pytest.raises(ledger.NotBalanced):
                ledger.post("payment", ref, PAID_AT, entries)
    after = db.session.scalar(select(func.count()).select_from(JournalEntry))
    written = sum(1 for _, money in entries if money.minor) if moves and not any(sums.values()) else 0
    assert after - before == written
    assert list(journal.unbalanced(books.WHOLE)) == []


payments = st.lists(
    st.tuples(
        st.integers(0, 9),
        st.sampled_from(list(Rhythm)),
        st.integers(1, 10**9),
        st.sampled_from(CURRENCIES),
        st.none() | st.integers(0, 10**6),
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(payments=payments, again=st.booleans())
def test_any_payments_in_any_order_and_number_leave_books_that_hold(app, payments, again):
    first_of = {}
    for run, rhythm, minor, currency, fee in payments * (2 if again else 1):
        fact = make_payment(
            f"in_{run}",
            rhythm=rhythm,
            charged=Money(minor, currency),
            fee=None if fee is None else Money(fee, "EUR"),
        )
        book(fact)
        first_of.setdefault(run, fact)
    assert books.check(clock.now()) == []
    assert db.session.scalar(select(func.count()).select_from(Payment)) >= len(first_of)


def test_a_movement_is_booked_once(app):
    assert book(make_payment())[0] is not None
    assert book(make_payment(), make_payment()) == [None, None]
    assert db.session.scalar(select(func.count()).select_from(Payment)) == 1


def test_income_fee_and_balance_stand_on_their_accounts(app):
    book(make_payment(), make_payment("pi_1", rhythm=Rhythm.ONCE, period_start=None, period_end=None))
    rows = db.session.execute(
        select(JournalEntry.account, func.sum(JournalEntry.amount_minor)).group_by(JournalEntry.account)
    )
    assert dict(rows.all()) == {
        "provider_balance": 738,
        "provider_fees": 62,
        "income_recurring": -400,
        "income_once": -400,
    }


def test_a_fee_in_another_currency_keeps_each_currency_at_zero(app):
    book(make_payment(charged=Money(10000, "UAH"), fee=Money(35, "EUR")))
    assert books.check(clock.now()) == []


@pytest.mark.parametrize("model", [JournalTransaction, JournalEntry])
def test_what_is_in_the_journal_cannot_be_changed_or_taken_out(app, model):
    book(make_payment())
    for change in (update(model).values(id=99), delete(model)):
        with pytest.raises(DBAPIError, match="append-only"), transaction("test.tamper"):
            db.session.execute(change)


def test_receipts_count_from_one_in_the_year_of_the_payment_by_the_calendar_of_the_newsroom(app):
    old, new = datetime(2026, 12, 31, 21, 59, tzinfo=UTC), datetime(2026, 12, 31, 22, tzinfo=UTC)  # midnight in Kyiv
    booked = book(
        make_payment("in_1", paid_at=old), make_payment("in_2", paid_at=new), make_payment("in_3", paid_at=old)
    )
    assert [payment.receipt_number for payment in booked] == ["2026-000001", "2027-000001", "2026-000002"]


def test_a_booking_that_fails_leaves_no_gap(app):
    with pytest.raises(ZeroDivisionError), transaction("test.fail"):
        ledger.book_payment(make_payment("in_1"))
        1 / 0  # noqa: B018
    assert book(make_payment("in_2"))[0].receipt_number == "2026-000001"


def test_receipts_have_no_gap_when_many_book_at_once(app):
    barrier, faults = threading.Barrier(12), []

    def work(n):
        barrier.wait()
        try:
            with app.app_context():
                for i in range(5):
                    book(make_payment(f"in_{n}_{i}"))
        except Exception as fault:  # noqa: BLE001 - shown by the assertion below
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    numbers = sorted(db.session.scalars(select(Payment.receipt_number)))
    assert numbers == [f"2026-{n:06d}" for n in range(1, 61)]


def test_a_reversal_turns_the_income_round_and_back(app):
    book(make_payment())
    payment = ledger.find_payment("in_1")
    lost = ReversalFact("du_1", "in_1", Money(400, "EUR"), Money(1500, "EUR"), PAID_AT, "dispute")
    won = ReversalFact("du_1", "in_1", Money(400, "EUR"), None, PAID_AT, "dispute_won", is_returned=True)
    with transaction("test.reverse"):
        assert ledger.book_reversal(won, payment) is False  # it never left
        assert ledger.book_reversal(lost, payment) is True
        assert ledger.book_reversal(lost, payment) is False
        assert ledger.book_reversal(won, payment) is True
    assert books.check(clock.now()) == []


# Planted faults: what check-books must find


def find_codes() -> set[str]:
    return {finding.code for finding in books.check(clock.now())}


def tamper(statement: str):
    """Change a table behind our back, as a person with a database shell could."""
    tables = ("journal_entries", "journal_transactions")
    with transaction("test.tamper"):
        for table in tables:
            if db.engine.dialect.name == "sqlite":
                for verb in ("update", "delete"):
                    db.session.execute(text(f"DROP TRIGGER IF EXISTS {table}_no_{verb}"))
            else:
                db.session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
        db.session.execute(text(statement))


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE journal_entries SET amount_minor = amount_minor + 1 WHERE account = 'provider_balance'", "unbalanced"),
        ("DELETE FROM journal_entries", "empty_movement"),
        ("UPDATE payments SET charged_minor = charged_minor + 1", "payment_unlike_journal"),
        ("UPDATE payments SET fee_minor = fee_minor + 1", "fee_unlike_journal"),
        ("UPDATE payments SET provider_id = 'in_other' WHERE provider_id = 'in_1'", "movement_without_payment"),
        ("DELETE FROM payments WHERE provider_id = 'in_1'", "receipt_gap"),
        ("UPDATE receipt_counters SET last_number = last_number + 1", "receipt_gap"),
    ],
)
def test_check_books_finds_what_was_tampered_with(app, statement, code):
    book(make_payment(), make_payment("in_2"))
    assert find_codes() == set()
    tamper(statement)
    assert code in find_codes()


def test_the_counter_stands_at_the_last_receipt(app):
    book(make_payment(), make_payment("in_2"))
    assert db.session.get_one(ReceiptCounter, 2026).last_number == 2
