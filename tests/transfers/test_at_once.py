"""Two of the staff about the same money at the same moment: one of them is first, the other is told, nobody hangs."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import event

from membership.accounts import jobs as accounts_jobs
from membership.accounts import services as accounts
from membership.accounts.models import Person
from membership.accounts.queries import find_person_by_email
from membership.billing import books
from membership.db import db
from membership.kernel import clock
from membership.kernel.errors import MembershipError
from membership.kernel.money import Money
from membership.transfers import services
from membership.transfers.services import Decision, left_of
from tests.transfers.conftest import announce, days_ago, fresh, today
from tests.transfers.statements import entry
from tests.transfers.test_services import lines, payments, read_in


class Meeting:
    """Lets whoever holds the line wait until the other holds its first row, as long as that may come to be."""

    def __init__(self, table: str) -> None:
        self.table = table
        self.line_is_held, self.other_is_held = threading.Event(), threading.Event()

    def after(self, _connection, _cursor, statement, *_rest) -> None:
        if "FOR UPDATE" not in statement:
            return
        if "FROM statement_lines" in statement and threading.current_thread().name == "undo":
            self.line_is_held.set()
            self.other_is_held.wait(1)
        if f"FROM {self.table}" in statement and threading.current_thread().name == "back":
            self.other_is_held.set()
            self.line_is_held.wait(1)


@pytest.fixture(params=["payments"])
def meeting(app, request):
    found = Meeting(request.param)
    event.listen(db.engine, "after_cursor_execute", found.after)
    yield found
    event.remove(db.engine, "after_cursor_execute", found.after)


@pytest.fixture
def decision(app, finance, monkeypatch):
    monkeypatch.setattr(app.extensions["membership.provider"], "list_booked", lambda _since=None: [])
    return Decision(finance, clock.now(), "a mistake")


def at_once(app, **steps) -> dict[str, str]:
    """What came of each step: "done", the code of our error, or the database's error."""
    ended: dict[str, str] = {}

    def run(name, step):
        with app.app_context():
            try:
                step()
                ended[name] = "done"
            except MembershipError as error:
                ended[name] = error.code
            except Exception as error:  # noqa: BLE001 - shown by the test
                ended[name] = repr(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=each, name=each[0]) for each in steps.items()]
    db.session.rollback()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    fresh()
    return ended


def test_an_undo_and_money_that_is_given_back_by_hand(app, decision, meeting):
    read_in(entry("4.00", announce().code, days_ago(1)))
    line_id, payment_id = lines()[0].id, payments()[0].provider_id
    ended = at_once(
        app,
        undo=lambda: services.undo(line_id, decision),
        back=lambda: services.give_back(payment_id, Money(400, "EUR"), today(), decision, "one-press"),
    )
    assert ended in ({"undo": "done", "back": "too_much"}, {"undo": "line_done", "back": "done"})
    assert left_of(payments()[0]) == Money(0, "EUR")
    assert books.check(clock.now()) == []


def test_an_undo_and_a_return_of_the_bank(app, decision, meeting):
    read_in(entry("4.00", announce().code, days_ago(1)))
    line_id = lines()[0].id
    read_in(entry("4.00", "went back", days_ago(0), side="DBIT", is_reversal=True))
    (back,) = lines("new")
    back_id, number = back.id, payments()[0].receipt_number
    ended = at_once(
        app,
        undo=lambda: services.undo(line_id, decision),
        back=lambda: services.assign_return(back_id, number, decision),
    )
    assert ended in ({"undo": "done", "back": "nothing_left"}, {"undo": "line_done", "back": "done"})
    assert left_of(payments()[0]) == Money(0, "EUR")
    assert books.check(clock.now()) == []


@pytest.mark.parametrize("meeting", ["contributions"], indirect=True)
def test_an_undo_and_the_erasure_of_its_giver(app, decision, meeting):
    read_in(entry("4.00", announce().code, days_ago(1)))
    line_id, person_id = lines()[0].id, find_person_by_email("olena@example.org").id
    accounts.begin_erasure(person_id, "member", None, clock.now())
    late = clock.now() + timedelta(days=2)
    ended = at_once(app, undo=lambda: services.undo(line_id, decision), back=lambda: accounts_jobs.erase(late))
    assert ended == {"undo": "done", "back": "done"}
    assert db.session.get_one(Person, person_id).is_gone
    assert left_of(payments()[0]) == Money(0, "EUR")
    assert books.check(clock.now()) == []
