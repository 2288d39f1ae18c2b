from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DatabaseError

from membership.accounts import queries, services
from membership.accounts.models import Person
from membership.db import db, transaction
from membership.kernel import clock
from membership.kernel.errors import NotFound
from tests.factories.people import make_person

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)


def test_a_person_is_made_once_and_is_unproved(app):
    first = services.ensure_person("olena@example.org", "uk", AT, public_name="Olena")
    again = services.ensure_person("olena@example.org", "en", AT, public_name="Somebody else")
    assert again.id == first.id
    assert (again.locale, again.public_name, again.email_proved_at) == ("uk", "Olena", None)


def test_many_at_once_make_one_person(app):
    def make(n):
        with app.app_context():
            return services.ensure_person("olena@example.org", "en", AT).id

    with ThreadPoolExecutor(16) as pool:
        made = set(pool.map(make, range(40)))
    assert len(made) == 1
    assert db.session.scalar(select(func.count()).select_from(Person)) == 1


def test_a_person_made_in_a_failed_transaction_is_not_there(app):
    with pytest.raises(ZeroDivisionError), transaction("test"):
        services.ensure_person("olena@example.org", "en", AT)
        1 / 0  # noqa: B018
    assert queries.find_person_by_email("olena@example.org") is None


def test_nobody_is_found_by_a_wrong_id(app):
    with pytest.raises(NotFound):
        queries.get_person(1)


def test_the_timeline_reads_newest_first_by_when_it_happened(app):
    person = make_person()
    for day in (3, 1, 5, 2, 4):
        services.note(person.id, "payment_received", AT.replace(day=day), {"receipt": f"2026-{day}"})
    read = queries.timeline(person.id, 4)
    assert [entry.details["receipt"] for entry in read] == [f"2026-{day}" for day in (5, 4, 3, 2)]


@pytest.mark.parametrize("change", ["UPDATE timeline_entries SET kind = 'x'", "DELETE FROM timeline_entries"])
def test_nobody_rewrites_a_timeline(app, change):
    services.note(make_person().id, "signed_in", clock.now())
    with pytest.raises(DatabaseError, match="append-only"):
        db.session.execute(text(change))
    db.session.rollback()
