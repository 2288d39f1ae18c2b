"""A list as CSV: what stands in it, who may have it, and that it needs no more memory for many."""

import csv
import io
import tracemalloc

import pytest

from membership.db import db, transaction
from membership.front.queries.listing.export import COLUMNS
from membership.front.rules.filters import Filter, Standing
from membership.front.services import lists, tagging
from membership.kernel import clock
from tests.factories.listed import cover, make_people, make_support
from tests.factories.people import any_token, make_person, make_staff, sign_in


def at_the_desk(app, role):
    browser = app.test_client()
    make_staff(f"{role}@example.org", role)
    sign_in(browser, f"{role}@example.org")
    return browser


def rows_of(text) -> list[dict[str, str]]:
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:], newline="")))


def exported(**fields) -> list[dict[str, str]]:
    return rows_of("".join(lists.begin_export(Filter(**fields), actor="staff:per_test", at=clock.now()).text))


def test_a_line_says_who_somebody_is_and_how_they_stand(app):
    now = clock.now()
    one, two, three = make_people(3)
    with transaction("test.name"):
        one.public_name = "=HYPERLINK(A1)"
        two.public_name = 'Олена "Лена" Петренко'
    cover(one.id, 3, -27)
    cover(two.id, 90, 60)
    support = make_support(one, n_cups=3, currency="UAH", cup=10000)
    make_support(one, "ended", n_cups=9)
    for name in ("Jury", "=Press"):
        tagging.tag_by_name(one.id, name, now)
    first, second, third = exported()
    assert list(first) == list(COLUMNS)
    assert first["name"] == "'=HYPERLINK(A1)"
    assert sorted(first["tags"].removeprefix("'").split("; ")) == ["=Press", "Jury"]
    assert (first["id"], first["address"], first["standing"]) == (one.public_id, one.email, "patron")
    assert (first["support"], first["state"], first["currency"]) == (support.reference, "active", "UAH")
    assert (first["amount_minor"], first["cups"], first["rhythm"]) == ("30000", "3", "monthly")
    assert first["since"] == one.created_at.date().isoformat()
    assert (second["name"], second["standing"], second["support"]) == ('Олена "Лена" Петренко', "lapsed", "")
    assert (third["address"], third["standing"], third["covered_until"]) == (three.email, "never", "")


def test_only_whom_the_filter_finds(app):
    one, two = make_people(2)
    cover(one.id, 3, -27)
    assert [row["address"] for row in exported(standing=Standing.PATRON)] == [one.email]
    assert [row["address"] for row in exported(q="r001")] == [two.email]
    assert exported(q="nobody") == []


@pytest.mark.parametrize(("role", "status"), [("owner", 200), ("finance", 200), ("editor", 403), ("viewer", 403)])
def test_it_is_a_file_for_owner_and_finance_only(app, role, status):
    make_person("olena@example.org")
    desk = at_the_desk(app, role)
    assert desk.get("/staff/people/export?q=olena").status_code == status
    # Read to its end where it is asked for: it is sent while it is read.
    fields = {"csrf_token": any_token(desk), "filter": "q=olena"}
    answer = desk.post("/staff/people/export", data=fields, buffered=True)
    assert answer.status_code == status
    if status == 200:
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert answer.headers["Content-Disposition"].startswith('attachment; filename="people-')
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "no-store" in answer.headers["Cache-Control"]
        assert [row["address"] for row in rows_of(answer.get_data(as_text=True))] == ["olena@example.org"]


def test_memory_does_not_grow_with_the_list(app, monkeypatch):
    monkeypatch.setattr("membership.front.queries.listing.export.AT_A_TIME", 50)
    from membership.accounts.models import Person

    def add(first, last):
        with transaction("test.many"):
            db.session.execute(
                Person.__table__.insert(),
                [
                    {"public_id": f"per_{i}", "email": f"m{i}@example.org", "locale": "en", "created_at": clock.now()}
                    for i in range(first, last)
                ],
            )

    def peak() -> int:
        n = 0
        tracemalloc.start()
        for part in lists.begin_export(Filter(), actor="staff:per_test", at=clock.now()).text:
            n += part.count("\r\n")
        _now, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        db.session.rollback()
        return n, most

    add(0, 500)
    peak()  # what is built once
    (few, at_first), _ = peak(), add(500, 5000)
    many, later = peak()
    assert (few, many) == (501, 5001)
    assert later < at_first * 1.5 + 100_000
