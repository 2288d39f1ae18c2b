"""The page of one person: everything about them, the newest part of it, at a cost that does not grow with the years."""

from datetime import timedelta

from sqlalchemy import event

from membership.accounts import services as accounts
from membership.db import db, transaction
from membership.front.queries.person_page import ENTRIES_SHOWN, PAYMENTS_SHOWN, view_person
from membership.kernel import clock
from membership.topics import services as topics
from tests.factories.listed import make_payment, make_support
from tests.factories.people import make_person, make_staff, sign_in


def at_the_desk(app, role="finance"):
    browser = app.test_client()
    make_staff(f"{role}@example.org", role)
    sign_in(browser, f"{role}@example.org")
    return browser


def giver(email, n_years):
    """Somebody who has paid every month for so many years."""
    person = make_person(email)
    row = make_support(person)
    for month in range(n_years * 12):
        make_payment(row, days_ago=30 * month + 1)
        accounts.note(person.id, "payment_received", clock.now() - timedelta(days=30 * month + 1))
    return person


def test_everything_about_somebody_stands_on_their_page(app):
    person, other = giver("olena@example.org", 1), make_person("second@example.org")
    sign_in(app.test_client(), "olena@example.org")
    topics.propose(person.id, "Who owns the harbour?", "Readers ask.", [], "en", clock.now())
    accounts.merge(other.id, person.id, "One reader.", "system", clock.now())
    page = at_the_desk(app).get(f"/staff/people/{person.public_id}").get_data(as_text=True)
    receipt = view_person(person, clock.now()).payments.rows[0].receipt_number
    for words in (
        "Patron until",
        f"paid, receipt {receipt}",
        "Who owns the harbour?",
        other.public_id,
        "last seen",
        "Two accounts of yours were made one",
        "You signed in",
    ):
        assert words in page, words


def test_older_payments_and_entries_are_pages_that_neither_repeat_nor_skip(app):
    person, desk = giver("olena@example.org", 6), at_the_desk(app)
    first = desk.get(f"/staff/people/{person.public_id}").get_data(as_text=True)
    assert first.count("/refund/") == PAYMENTS_SHOWN
    assert first.count("Your payment arrived") <= ENTRIES_SHOWN
    for what, mark in (("payments", "/refund/"), ("history", "Your payment arrived")):
        path, n, turns = f"/staff/people/{person.public_id}/{what}", 0, 0
        while path:
            page = desk.get(path).get_data(as_text=True)
            n, turns = n + page.count(mark), turns + 1
            path = next(
                (part.split('"')[0].replace("&amp;", "&") for part in page.split('rel="next" href="')[1:]), None
            )
        assert (n, turns) == (72, 2), what


def test_ten_years_ask_for_no_more_than_one(app):
    def cost(person):
        n = [0, 0]

        def note(*_arguments):
            n[0] += 1

        def load(*_arguments):
            n[1] += 1

        from sqlalchemy.orm import Session

        event.listen(db.engine, "before_cursor_execute", note)
        event.listen(Session, "loaded_as_persistent", load)
        try:
            view_person(person, clock.now())
        finally:
            event.remove(db.engine, "before_cursor_execute", note)
            event.remove(Session, "loaded_as_persistent", load)
            db.session.rollback()
            db.session.expunge_all()
        return n

    one, ten = giver("one@example.org", 2), giver("ten@example.org", 10)
    db.session.expunge_all()
    one, ten = (db.session.merge(person) for person in (one, ten))
    few = cost(one)
    assert cost(db.session.merge(ten)) == few, "as many queries, and as many rows made into objects"


def test_odd_places_are_the_end_of_the_list_and_no_error(app):
    person, desk = giver("olena@example.org", 1), at_the_desk(app)
    for path in ("payments?before=x", "history?before=x", "history?before=999999999", "payments?before=2026-000001"):
        assert desk.get(f"/staff/people/{person.public_id}/{path}").status_code == 200
    with transaction("test.end"):
        person.disabled_at = clock.now()
    assert desk.get("/staff/people/per_unknown/payments").status_code == 404
