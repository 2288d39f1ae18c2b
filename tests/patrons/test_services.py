from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from membership.accounts.services import ensure_person
from membership.billing.books import WHOLE
from membership.db import db, transaction
from membership.kernel.money import Money
from membership.patrons import checks, services
from membership.patrons.models import PatronChange
from membership.patrons.queries import grants_of, n_patrons, spans_of, standing_of
from membership.patrons.rules import Cause, MovementKind, Why, place

JAN = datetime(2027, 1, 1, tzinfo=UTC)
FEB, MAR = JAN.replace(month=2), JAN.replace(month=3)
DAY = timedelta(days=1)


@pytest.fixture
def person(app):
    with transaction("test"):
        return ensure_person("reader@example.org", "en", JAN).id


def cover(person, ref, start, end):
    services.grant_period(person, Cause.PAID, ref, paid_at=start, starts_at=start, ends_at=end)


def test_the_same_payment_covers_once(person):
    cover(person, "payment:1", JAN, FEB)
    cover(person, "payment:1", JAN, FEB)
    assert len(grants_of(person)) == len(spans_of(person)) == 1


def test_the_kept_spans_are_those_of_the_rule(person):
    services.grant_months(person, Cause.PAID, "payment:2", paid_at=JAN + DAY, n_months=2)
    cover(person, "payment:1", JAN, FEB)
    cover(person, "payment:3", FEB, MAR)
    services.revoke("payment:3", FEB + DAY)
    assert spans_of(person) == place(grants_of(person))


def test_money_that_comes_back_restores_what_it_covered(person):
    cover(person, "payment:1", JAN, FEB)
    before = spans_of(person)
    services.revoke("payment:1", JAN + DAY)
    assert not standing_of(person, JAN + 2 * DAY).is_patron
    services.restore("payment:1")
    assert spans_of(person) == before


def test_grace_is_not_lengthened_by_a_second_failure(person):
    cover(person, "payment:1", JAN, FEB)
    services.open_grace(person, "con_1", opened_at=FEB, days=14)
    services.open_grace(person, "con_1", opened_at=FEB + 3 * DAY, days=14)
    assert standing_of(person, FEB + DAY).until == FEB + 14 * DAY
    services.close_grace("con_1", FEB + 5 * DAY)
    assert standing_of(person, FEB + 6 * DAY).why is Why.ENDED


def test_patrons_are_counted_once_whether_covered_or_in_grace(person):
    cover(person, "payment:1", JAN, FEB)
    cover(person, "payment:2", JAN, MAR)
    services.open_grace(person, "con_1", opened_at=JAN, days=14)
    services.open_grace(person, "con_2", opened_at=MAR, days=14)
    assert [n_patrons(at) for at in (JAN, MAR + DAY, MAR + 20 * DAY)] == [1, 1, 0]


def n_by_changes(at):
    """Patrons at a moment by what is written whenever somebody's coverage or grace changes."""
    rows = db.session.scalars(select(PatronChange).where(PatronChange.starts_at <= at, PatronChange.ends_at > at))
    return sum(row.delta for row in rows)


def test_every_change_of_coverage_or_grace_is_written_down(person):
    cover(person, "payment:1", JAN, FEB)
    assert [n_by_changes(at) for at in (JAN, FEB)] == [1, 0]
    services.open_grace(person, "con_1", opened_at=FEB, days=14)
    assert [n_by_changes(FEB + n * DAY) for n in (0, 13, 14)] == [1, 1, 0]
    services.close_grace("con_1", FEB + 5 * DAY)
    assert [n_by_changes(FEB + n * DAY) for n in (4, 5)] == [1, 0]
    services.revoke("payment:1", JAN + DAY)
    assert [n_by_changes(JAN + n * DAY) for n in (0, 1)] == [1, 0]
    services.restore("payment:1")
    assert n_by_changes(JAN + DAY) == 1


def test_what_is_written_of_when_people_are_patrons_is_proven(person):
    cover(person, "payment:1", JAN, FEB)
    assert list(checks.unlike_patron_changes(WHOLE)) == []
    db.session.execute(text("UPDATE coverage_spans SET ends_at = '2027-03-01 00:00:00.000000'"))
    db.session.commit()
    (finding,) = checks.unlike_patron_changes(WHOLE)
    assert finding.code == "patron_time_differs"
    services.catch_up_patron_time(0)
    assert list(checks.unlike_patron_changes(WHOLE)) == []


def test_movements_carry_cups(person):
    for yearly, cups in ((4800, 1000), (9600, 2000), (0, 2000)):
        services.move_to(person, "con_1", Money(yearly, "EUR"), JAN, milli_cups=cups)
    services.move_to(person, "con_1", Money(120000, "UAH"), JAN, milli_cups=500)
    rows = db.session.execute(text("SELECT milli_cups_delta FROM movements ORDER BY id")).scalars().all()
    assert rows == [1000, 1000, -2000, 500]


def test_movements_follow_the_level(person):
    levels = [4800, 4800, 9600, 4800, 0, 4800]
    kinds = [services.move_to(person, "con_1", Money(level, "EUR"), JAN) for level in levels]
    assert kinds == [
        MovementKind.NEW,
        None,
        MovementKind.MORE,
        MovementKind.LESS,
        MovementKind.LOST,
        MovementKind.BACK,
    ]


def test_a_change_of_currency_is_a_loss_and_a_return(person):
    services.move_to(person, "con_1", Money(4800, "EUR"), JAN)
    services.move_to(person, "con_1", Money(120000, "UAH"), JAN)
    rows = db.session.execute(text("SELECT kind, yearly_delta_minor, currency FROM movements ORDER BY id")).all()
    assert [tuple(row) for row in rows] == [("new", 4800, "EUR"), ("lost", -4800, "EUR"), ("back", 120000, "UAH")]


def test_movements_cannot_be_changed_or_deleted(person):
    services.move_to(person, "con_1", Money(4800, "EUR"), JAN)
    for statement in ("UPDATE movements SET yearly_delta_minor = 1", "DELETE FROM movements"):
        with pytest.raises(DBAPIError, match="append-only"), transaction("test"):
            db.session.execute(text(statement))


def test_payments_that_arrive_together_each_get_their_own_time(app, person):
    """Two gifts booked by two workers at once: no month of either is lost to the other."""
    barrier = Barrier(4)

    def give(number):
        with app.app_context():
            barrier.wait()
            services.grant_months(person, Cause.PAID, f"payment:{number}", paid_at=JAN, n_months=1)

    threads = [Thread(target=give, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert spans_of(person) == place(grants_of(person))
    assert len(spans_of(person)) == 4
