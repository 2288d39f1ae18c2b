"""Announce, read in, match, book, undo: with real databases, and the books proved after every story."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from membership.accounts.models import Person, TimelineEntry
from membership.accounts.queries import find_person_by_email
from membership.billing import books
from membership.billing.models import JournalEntry, Payment, PaymentReversal
from membership.contributions.models import Contribution
from membership.db import db, transaction
from membership.kernel import clock
from membership.kernel.errors import Conflict, InvalidInput
from membership.kernel.money import Money
from membership.mail.models import OutboxMail
from membership.patrons.queries import grants_of, standing_of
from membership.transfers import jobs, queries, services
from membership.transfers.emails import announced as announced_mail
from membership.transfers.models import Declaration, KnownPayer, StatementLine
from membership.transfers.services import Decision
from membership.transfers.statements import BUILT_IN, Mapping
from tests.factories.people import make_person
from tests.transfers.conftest import announce, days_ago, fresh, gift, today
from tests.transfers.statements import camt, entry

IBAN = "NL91ABNA0417164300"


def read_in(*entries, **more):
    report = services.read_in(camt(*entries, **more), None, clock.now())
    fresh()
    return report


def lines(*states):
    query = select(StatementLine).order_by(StatementLine.id)
    return list(db.session.scalars(query.where(StatementLine.state.in_(states)) if states else query))


def payments():
    return list(db.session.scalars(select(Payment).order_by(Payment.id)))


def patron(email="olena@example.org"):
    person = find_person_by_email(email)
    return person is not None and standing_of(person.id, clock.now()).is_patron


def mails(kind):
    return list(db.session.scalars(select(OutboxMail).where(OutboxMail.kind == kind).order_by(OutboxMail.id)))


@pytest.fixture(autouse=True)
def books_hold(app, monkeypatch):
    """After every story every movement balances, every payment stands in the journal, and no receipt is missing."""
    provider = app.extensions["membership.provider"]
    monkeypatch.setattr(
        provider, "list_booked", lambda _since=None: []
    )  # the provider has no payments, and ours are none of its own
    yield
    fresh()
    assert books.check(clock.now()) == []


# Announcing ------------------------------------------------------------------------------------------------


def test_an_announcement_books_nothing_thanks_for_nothing_and_makes_nobody(app):
    found = announce(amount=800)
    assert found.code.startswith("HP-")
    assert payments() == []
    assert find_person_by_email("olena@example.org") is None
    assert [mail.kind for mail in db.session.scalars(select(OutboxMail))] == ["transfers/announced"]
    context = announced_mail({"declaration_id": found.declaration.id}, clock.now())
    assert (context["code"], context["amount"]) == (found.code, Money(800, "EUR"))
    assert context["iban"] == "DE89 3704 0044 0532 0130 00"


def test_a_double_click_is_one_announcement_and_one_mail(app):
    assert announce().code == announce().code
    assert len(mails("transfers/announced")) == 1
    assert announce(amount=800).code != announce().code


def test_money_with_the_code_makes_the_patron_and_the_receipt(app):
    found = announce(amount=800)
    report = read_in(entry("8.00", f"Thanks! {found.code.lower()}", days_ago(1), iban=IBAN))
    assert (report.n_new, report.n_booked, report.n_open) == (1, 1, 0)
    (payment,) = payments()
    assert (payment.charged, payment.way, payment.fee) == (Money(800, "EUR"), "bank", Money(0, "EUR"))
    assert payment.reference == found.contribution.reference
    person = find_person_by_email("olena@example.org")
    assert [grant.n_months for grant in grants_of(person.id)] == [2]
    assert patron()
    assert [mail.to_address for mail in mails("contributions/receipt")] == ["olena@example.org"]
    accounts = {row.account: row.amount_minor for row in db.session.scalars(select(JournalEntry))}
    assert accounts == {"bank": 800, "income_once": -800}
    assert announced_mail({"declaration_id": found.declaration.id}, clock.now()) is None


def test_a_members_announcement_stays_bound_to_them(app):
    member = make_person("member@example.org")
    found = announce(email="member@example.org", person_id=member.id)
    read_in(entry("4.00", found.code, days_ago(0), name="A Spouse"))
    assert patron("member@example.org")


def test_one_reminder_after_two_weeks_and_none_where_money_came_or_the_giver_withdrew(app):
    waits, paid, withdrawn = announce("a"), announce("b", email="b@example.org"), announce("c", email="c@example.org")
    read_in(entry("4.00", paid.code, days_ago(0)))
    services.withdraw(withdrawn.declaration.id)
    jobs.remind(clock.now() + timedelta(days=13))
    assert mails("transfers/reminder") == []
    for n_days in (15, 40):
        jobs.remind(clock.now() + timedelta(days=n_days))
    assert [mail.to_address for mail in mails("transfers/reminder")] == ["olena@example.org"]
    assert [each.code for each in queries.list_awaited(clock.now(), 10)] == [waits.code]


# The same money twice ---------------------------------------------------------------------------------------


def test_the_same_statement_twice_recut_or_overlapping_books_nothing_twice(app):
    found = announce()
    one = entry("4.00", found.code, days_ago(3), iban=IBAN)
    two = entry("4.00", found.code, days_ago(2), iban=IBAN)
    same_day = entry("4.00", found.code, days_ago(2), iban=IBAN)
    three = entry("4.00", "no code", days_ago(1), iban=IBAN)
    read_in(one, two, same_day)
    assert read_in(one, two, same_day).n_new == 0
    assert read_in(two, same_day, three).n_new == 1
    assert read_in(three, same_day, one, two).n_new == 0
    assert len(payments()) == 4


def test_another_form_of_the_same_statement_is_not_booked_by_itself(app):
    found = announce()
    read_in(entry("4.00", found.code, days_ago(1), iban=IBAN))
    assert read_in(entry("4.00", found.code, days_ago(1), iban=IBAN), version="04").n_new == 0
    mapping = Mapping(
        date="day", date_form="%Y-%m-%d", amount="sum", currency_is="EUR", texts=("text",), account="from"
    )
    table = f"day;sum;text;from\n{days_ago(1)};4,00;{found.code};{IBAN}\n".encode()
    assert services.read_in(table, mapping, clock.now()).n_new == 1
    fresh()
    assert len(payments()) == 1
    (again,) = lines("suggested")
    assert again.why == "seen_elsewhere"


def test_two_imports_at_once_book_each_line_once(app):
    found = announce()
    raw = camt(*[entry("4.00", f"{found.code} {n}", days_ago(1), own_id=f"T{n}") for n in range(12)])
    faults, barrier = [], threading.Barrier(3)

    def run():
        with app.app_context():
            try:
                barrier.wait()
                services.read_in(raw, None, clock.now())
            except Exception as error:  # noqa: BLE001 - whatever it is, the test fails with it
                faults.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    fresh()
    services.book_certain(clock.now())
    assert faults == []
    assert len(payments()) == 12
    assert {line.state for line in lines()} == {"booked"}


def test_a_trial_run_writes_nothing_and_says_what_would_be_new(app):
    found = announce()
    raw = camt(entry("4.00", found.code, days_ago(1)), entry("950.00", "Rent", days_ago(1), side="DBIT"))
    report = services.read_in(raw, None, clock.now(), is_trial=True)
    assert (report.n_lines, report.n_new, report.n_left) == (1, 1, 1)
    assert lines() == []


def test_an_import_killed_before_booking_is_finished_by_the_worker(app, monkeypatch):
    found = announce()
    monkeypatch.setattr(services.importing.booking, "book_certain", lambda *_args: 0)
    read_in(entry("4.00", found.code, days_ago(1)))
    assert payments() == []
    monkeypatch.undo()
    provider = app.extensions["membership.provider"]
    monkeypatch.setattr(provider, "list_booked", lambda _since=None: [])
    jobs.book_certain(clock.now())
    assert len(payments()) == 1


# Whose money it is -----------------------------------------------------------------------------------------


def test_a_statement_of_very_many_lines_is_looked_at_by_the_worker_and_not_in_the_request(app, monkeypatch):
    monkeypatch.setattr("membership.transfers.services.importing.BOOKED_AT_ONCE", 2)
    code = announce().code
    report = read_in(*(entry("4.00", text, days_ago(1)) for text in (code, "one", "two")))
    assert (report.n_booked, report.n_open, report.is_in_work, payments()) == (0, 3, True, [])
    assert {line.why for line in lines("new")} == {None}
    jobs.book_certain(clock.now())
    fresh()
    assert len(payments()) == 1
    assert len(lines("booked")) == 1


def test_the_next_months_transfer_is_known_by_its_account_and_after_a_cancel_all_the_same(app):
    found = announce()
    read_in(entry("4.00", found.code, days_ago(40), iban=IBAN))
    services.withdraw(found.declaration.id)
    read_in(entry("4.00", "standing order", days_ago(10), iban=IBAN))
    read_in(entry("4.00", f"my old code {found.code}", days_ago(0)))
    assert len(payments()) == 3
    assert {payment.reference for payment in payments()} == {found.contribution.reference}
    known = db.session.scalar(select(KnownPayer))
    assert (known.account_digest != IBAN, known.account_end) == (True, IBAN[-4:]), "of the account itself only its end"


def test_a_wrong_character_is_suggested_and_confirmed_by_a_person(app, finance):
    found = announce()
    body = found.declaration.body
    wrong = body[:-1] + ("2" if body[-1] != "2" else "3")
    report = read_in(entry("4.00", f"HP {wrong}", days_ago(1)))
    assert (report.n_booked, report.n_open) == (0, 1)
    (line,) = lines("suggested")
    assert (line.why, line.is_certain) == ("near_code", False)
    services.confirm(line.id, clock.now(), Decision(finance, clock.now()))
    assert patron()
    with pytest.raises(Conflict):
        services.confirm(line.id, clock.now(), Decision(finance, clock.now()))
    assert len(payments()) == 1


def test_the_same_amount_and_a_like_name_are_suggested(app):
    announce(name="Olena Example")
    read_in(entry("4.00", "thank you", days_ago(1), name="EXAMPLE, OLENA"))
    (line,) = lines("suggested")
    assert line.why == "name"


def test_a_strangers_announcement_under_somebodys_name_does_not_take_their_standing_order_over(app, finance):
    announce(name="Olena Example", email="thief@example.net")
    read_in(entry("4.00", "for the paper", days_ago(9), name="Olena Example", iban=IBAN))
    (line,) = lines("suggested")
    services.confirm(line.id, clock.now(), Decision(finance, clock.now()))
    assert patron("thief@example.net")
    assert db.session.scalar(select(KnownPayer)) is None
    read_in(entry("4.00", "for the paper", days_ago(1), name="Olena Example", iban=IBAN))
    (next_one,) = lines("new", "suggested")
    assert (next_one.suggested_id, next_one.is_certain) == (None, False)


@pytest.mark.parametrize("is_proved", [True, False])
def test_a_new_account_of_a_giver_of_old_is_learnt_by_name_once_their_address_is_proved(app, finance, is_proved):
    found = announce()
    read_in(entry("4.00", found.code, days_ago(40)))
    with transaction("test"):
        find_person_by_email("olena@example.org").email_proved_at = clock.now() if is_proved else None
    announce("form-2", name="Olena Example")
    read_in(entry("4.00", "from my new bank", days_ago(9), name="Olena Example", iban=IBAN))
    (line,) = lines("suggested")
    services.confirm(line.id, clock.now(), Decision(finance, clock.now()))
    assert (db.session.scalar(select(KnownPayer)) is not None) == is_proved


def test_a_line_is_given_to_a_person_by_address_and_teaches_the_account(app, finance):
    read_in(entry("12.00", "for the paper", days_ago(1), iban=IBAN), entry("4.00", "more", days_ago(0), iban=IBAN))
    first, second = lines("new")
    services.assign(first.id, "new@example.org", "en", Decision(finance, clock.now()))
    assert patron("new@example.org")
    jobs.book_certain(clock.now())
    fresh()
    assert db.session.get(StatementLine, second.id).state == "booked"
    person = find_person_by_email("new@example.org")
    kinds = [row.kind for row in db.session.scalars(select(TimelineEntry).where(TimelineEntry.person_id == person.id))]
    assert "transfer_matched" in kinds


def test_an_account_that_two_people_share_is_never_certain(app, finance):
    read_in(entry("4.00", "one", days_ago(3), iban=IBAN), entry("4.00", "two", days_ago(2), iban=IBAN))
    first, second = lines("new")
    services.assign(first.id, "a@example.org", "en", Decision(finance, clock.now()))
    services.assign(second.id, "b@example.org", "en", Decision(finance, clock.now()))
    read_in(entry("4.00", "three", days_ago(1), iban=IBAN))
    (third,) = lines("suggested")
    assert not third.is_certain


@pytest.mark.parametrize("changes", [{"book_certain_transfers": False}])
def test_where_the_newsroom_wants_to_look_first_nothing_is_booked_by_itself(app, changes):
    found = announce()
    report = read_in(entry("4.00", found.code, days_ago(1)))
    jobs.book_certain(clock.now())
    assert (report.n_open, payments()) == (1, [])


def test_money_in_another_offered_currency_covers_by_its_cups_and_in_others_it_is_thanked(app):
    found = announce()
    read_in(
        entry("10.00", found.code, days_ago(2), currency="USD"), entry("50.00", found.code, days_ago(1), currency="PLN")
    )
    assert [payment.charged for payment in payments()] == [Money(1000, "USD"), Money(5000, "PLN")]
    person = find_person_by_email("olena@example.org")
    assert [grant.n_months for grant in grants_of(person.id)] == [2]
    assert len(mails("contributions/receipt")) == 2


def test_paypal_books_its_fee_and_a_refund_there_takes_the_booking_back(app):
    found = announce(way="paypal")
    head = "Date,Name,Type,Status,Currency,Gross,Fee,From Email Address,Transaction ID,Reference Txn ID,Subject,Note\n"
    day = today().strftime("%m/%d/%Y")
    came = f"{day},A,Donation Payment,Completed,EUR,4.00,-0.41,a@example.com,TX1,,,{found.code}\n"
    went = f"{day},A,Payment Refund,Completed,EUR,-4.00,0.00,a@example.com,TX2,TX1,,\n"
    services.read_in((head + came).encode(), BUILT_IN["paypal"], clock.now())
    fresh()
    (payment,) = payments()
    assert (payment.way, payment.fee) == ("paypal", Money(41, "EUR"))
    assert patron()
    services.read_in((head + went + came).encode(), BUILT_IN["paypal"], clock.now())
    fresh()
    assert not patron()
    assert [line.state for line in lines()] == ["returned", "booked"]


# Money that went back ---------------------------------------------------------------------------------------


def test_a_bank_return_takes_the_booking_and_its_coverage_back_and_can_be_undone(app, finance):
    found = announce()
    read_in(entry("4.00", found.code, days_ago(2), iban=IBAN, end_to_end="E2E-9"))
    assert patron()
    back = entry("4.00", "AC04", days_ago(1), side="DBIT", is_reversal=True, end_to_end="E2E-9")
    assert read_in(back).n_booked == 1
    assert read_in(back).n_new == 0
    assert not patron()
    (reversal,) = db.session.scalars(select(PaymentReversal)).all()
    assert (reversal.amount_minor, reversal.reason) == (400, "bank_return")
    gave, returned = lines()
    assert (gave.state, returned.state) == ("returned", "booked")
    services.undo(returned.id, Decision(finance, clock.now(), "the bank was wrong"))
    fresh()
    assert patron()
    assert [line.state for line in lines()] == ["booked", "new"]


def test_other_debits_are_left_alone_and_are_not_kept(app):
    report = read_in(entry("950.00", "Rent", days_ago(1), side="DBIT", name="The Landlord"))
    assert (report.n_lines, report.n_left) == (0, 1)
    assert lines() == []


def test_a_return_that_names_nothing_waits_for_a_receipt_number(app, finance):
    found = announce()
    read_in(entry("4.00", found.code, days_ago(2)))
    read_in(entry("4.00", "returned", days_ago(1), side="DBIT", is_reversal=True))
    (line,) = lines("new")
    with pytest.raises(InvalidInput):
        services.assign_return(line.id, "2026-999999", Decision(finance, clock.now()))
    services.assign_return(line.id, payments()[0].receipt_number, Decision(finance, clock.now()))
    assert not patron()


# Undo and by hand -------------------------------------------------------------------------------------------


def test_a_wrong_match_is_undone_by_a_reversing_entry_and_booked_for_the_right_person(app, finance):
    found = announce(email="wrong@example.org")
    read_in(entry("4.00", found.code, days_ago(1), iban=IBAN))
    (line,) = lines("booked")
    services.undo(line.id, Decision(finance, clock.now(), "It was her brother"))
    fresh()
    assert not patron("wrong@example.org")
    assert db.session.scalar(select(KnownPayer)) is None
    services.assign(line.id, "right@example.org", "en", Decision(finance, clock.now()))
    assert patron("right@example.org")
    assert [payment.provider_id.count(":") for payment in payments()] == [1, 2]
    with pytest.raises(InvalidInput):
        services.undo(line.id, Decision(finance, clock.now(), "  "))


def test_what_is_ignored_has_a_reason_and_can_be_opened_again(app, finance):
    read_in(entry("4.00", "a refund from the grocer", days_ago(1)))
    (line,) = lines("new")
    services.ignore(line.id, Decision(finance, clock.now(), "no gift"))
    assert [row.state for row in lines()] == ["ignored"]
    services.reopen(line.id, Decision(finance, clock.now()))
    assert [row.state for row in lines()] == ["new"]
    with pytest.raises(Conflict):
        services.reopen(line.id, Decision(finance, clock.now()))


def test_cash_is_booked_by_hand_once_however_often_the_form_is_sent(app, finance):
    decision = Decision(finance, clock.now(), "An envelope at the office")
    wish = gift(2000, way="cash", email="cash@example.org")
    numbers = {services.book_by_hand(wish, today(), "form-7", decision) for _ in range(3)}
    assert len(numbers) == len(payments()) == 1
    assert patron("cash@example.org")
    (payment,) = payments()
    too_much = Decision(finance, clock.now(), "Too much")
    for _ in range(2):
        services.give_back(payment.provider_id, Money(1500, "EUR"), today(), too_much, "form-8")
    fresh()
    assert services.left_of(payments()[0]) == Money(500, "EUR")
    assert patron("cash@example.org")
    with pytest.raises(InvalidInput):
        services.give_back(payment.provider_id, Money(501, "EUR"), today(), too_much, "form-9")
    services.undo_payment(payment.provider_id, Decision(finance, clock.now(), "It was play money"))
    assert not patron("cash@example.org")
    with pytest.raises(Conflict):
        services.undo_payment(payment.provider_id, Decision(finance, clock.now(), "again"))
    accounts = {row.account for row in db.session.scalars(select(JournalEntry))}
    assert accounts == {"cash", "income_once"}


def test_announced_money_that_no_statement_tells_of_is_booked_by_hand(app, finance):
    found = announce(way="crypto", amount=4000)
    decision = Decision(finance, clock.now(), "0.001 BTC, worth that on the day")
    services.book_announced(found.contribution.id, Money(3900, "EUR"), today(), "form-8", decision, way="crypto")
    (payment,) = payments()
    assert (payment.way, payment.reference) == ("crypto", found.contribution.reference)
    assert patron()


# Leaving ----------------------------------------------------------------------------------------------------


def test_words_of_a_line_are_kept_for_30_days_after_it_was_decided(app):
    found = announce()
    read_in(entry("4.00", found.code, days_ago(1), iban=IBAN), entry("9.00", "open", days_ago(1), iban=""))
    services.forget(clock.now() + timedelta(days=29))
    assert lines("booked")[0].payer_name == "A Giver"
    services.forget(clock.now() + timedelta(days=31))
    fresh()
    booked, waits = lines("booked")[0], lines("new")[0]
    assert (booked.payer_name, booked.payer_account, booked.remittance) == (None, None, None)
    assert waits.payer_name == "A Giver"


def test_after_erasure_no_word_of_a_person_is_left_and_their_money_waits_for_a_person(app):
    code = announce().code
    read_in(entry("4.00", code, days_ago(1), iban=IBAN, name="Olena Example"))
    person = find_person_by_email("olena@example.org")
    services.erase_person(person.id, clock.now())
    with transaction("test.erase"):
        row = db.session.get_one(Person, person.id)
        row.email, row.disabled_at = "erased@invalid.example", clock.now()
    fresh()
    assert db.session.scalar(select(Declaration)) is None
    assert db.session.scalar(select(KnownPayer)) is None
    assert {line.payer_name for line in lines()} == {None}
    read_in(entry("4.00", code, days_ago(0), iban=IBAN))
    assert len(payments()) == 1
    assert len(lines("new")) == 1


@pytest.mark.parametrize("link", ["the account", "the movement"])
def test_an_open_return_of_somebody_who_is_erased_names_them_no_more_and_can_still_be_decided(app, finance, link):
    theirs = {"name": "Olena Example"} | ({"iban": IBAN} if link == "the account" else {"end_to_end": "E2E-17"})
    read_in(entry("4.00", announce().code, days_ago(2), **theirs))
    read_in(entry("4.00", "", days_ago(1), **theirs, side="DBIT", is_reversal=True))
    if link == "the movement":  # certain, so it was booked at once
        services.undo(lines()[1].id, Decision(finance, clock.now(), "the bank was wrong"))
        fresh()
    (line,) = lines("new", "suggested")
    assert line.payer_name == "Olena Example"
    services.erase_person(find_person_by_email("olena@example.org").id, clock.now())
    fresh()
    assert {each.payer_name for each in lines()} == {None}
    services.assign_return(line.id, payments()[0].receipt_number, Decision(finance, clock.now()))
    fresh()
    assert [each.state for each in lines()] == ["returned", "booked"]


def test_erasure_also_forgets_what_was_announced_under_the_address_and_never_came(app):
    announce()
    person = make_person("olena@example.org")
    with transaction("test.erase"):
        db.session.scalars(select(Contribution)).one().email = ""  # as the contributions' own eraser does before
    services.erase_person(person.id, clock.now())
    fresh()
    assert db.session.scalar(select(Declaration)) is None
    assert jobs.remind(clock.now() + timedelta(days=20)) is False


def test_two_people_who_are_one_bring_their_accounts_together(app, finance):
    read_in(
        entry("4.00", "one", days_ago(3), iban=IBAN),
        entry("4.00", "two", days_ago(2), iban="FR1420041010050500013M02606"),
    )
    for line, email in zip(lines("new"), ("a@example.org", "b@example.org"), strict=True):
        services.assign(line.id, email, "en", Decision(finance, clock.now()))
    one, two = find_person_by_email("a@example.org"), find_person_by_email("b@example.org")
    services.merge_people(one.id, two.id, clock.now())
    fresh()
    assert {row.person_id for row in db.session.scalars(select(KnownPayer))} == {two.id}
    assert queries.export_of(one.id) == []


def test_the_export_has_what_was_announced(app):
    member = make_person("member@example.org")
    found = announce(email="member@example.org", person_id=member.id)
    (row,) = queries.export_of(member.id)
    assert (row["code"], row["amount"]) == (found.code, "4.00 EUR")
    assert db.session.scalar(select(Contribution.way)) == "bank"
