"""The pages of the dashboard: for whom they are, what they say, what they cost."""

import csv
import html
import io
import re
from decimal import Decimal

import pytest
import time_machine
from sqlalchemy import event

from membership.contributions.models import Contribution
from membership.dashboard.metrics import METRICS, Kind, Unit
from membership.dashboard.services import rebuilding
from membership.dashboard.views.shown import signed
from membership.db import db, transaction
from membership.kernel import clock
from membership.kernel.rhythm import Rhythm
from membership.topics import services as topics
from membership.web.spreadsheet import safe
from tests.dashboard.conftest import NOW, kyiv
from tests.factories.money import book, cover, give_back, make_giver, support
from tests.factories.people import make_staff, sign_in
from tests.factories.starts import begin, pay_for


@pytest.fixture(autouse=True)
def _today():
    with time_machine.travel(NOW, tick=False):
        yield


def staff(app, role="viewer"):
    client = app.test_client()
    make_staff(f"{role}@example.org", role)
    sign_in(client, f"{role}@example.org")
    return client


def page(client, path, status=200, **headers) -> str:
    answer = client.get(path, headers=headers)
    assert answer.status_code == status, answer.get_data(as_text=True)[:400]
    return answer.get_data(as_text=True)


@pytest.fixture
def lived(app):
    giver = make_giver(NOW)
    support(giver, "con_1", kyiv("2026-11-02 10:00"), 2)
    cover(giver, kyiv("2026-11-02 10:00"))
    payment = book(kyiv("2026-11-02 10:00"), 800, fee=40)
    give_back(payment, kyiv("2026-11-03 10:00"), 100)
    book(kyiv("2026-11-04 10:00"), 1234, rhythm=Rhythm.ONCE, fee=50)
    rebuilding.roll(NOW)
    return app


@pytest.mark.parametrize("role", ["owner", "finance", "editor", "viewer"])
def test_everybody_who_works_here_sees_it_and_nobody_else(app, client, role):
    worker = staff(app, role)
    for path in ("/staff/dashboard", "/staff/dashboard/patrons", "/staff/dashboard/mrr.csv"):
        assert worker.get(path).status_code == 200
        assert client.get(path).status_code == 303


def test_an_empty_newsroom_says_so_and_breaks_nothing(app):
    viewer = staff(app)
    assert "Nothing has been summed yet" in page(viewer, "/staff/dashboard")
    rebuilding.roll(NOW)
    overview = page(viewer, "/staff/dashboard")
    assert "Nothing has been summed yet" not in overview
    assert "There is nothing to draw in these days yet." in overview
    for key in METRICS:
        page(viewer, f"/staff/dashboard/{key}")


def test_the_overview_answers_in_words_and_numbers(lived):
    text = page(staff(lived), "/staff/dashboard")
    assert "1 more patron since Oct 20. Of monthly revenue most came by: new, €8." in re.sub(r"\s+", " ", text)
    numbers = re.findall(r'tile__number">([^<]+)<', text)
    assert numbers == ["1", "€8", "€12.34", "2", "€0.90"]
    assert "Nothing waits. Enjoy your coffee." in text


def test_nothing_on_it_is_styled_or_scripted_inline(lived):
    viewer = staff(lived)
    for path in ("/staff/dashboard", "/staff/dashboard/movements"):
        text = page(viewer, path)
        assert 'role="img"' in text
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", text)


@pytest.mark.parametrize("language", ["en", "uk"])
def test_every_metric_has_its_picture_or_says_why_not_its_table_and_its_meaning(lived, language):
    viewer = staff(lived)
    for key, metric in METRICS.items():
        text = page(viewer, f"/staff/dashboard/{key}?range=month", **{"Accept-Language": language})
        has_picture = metric.kind not in {Kind.NUMBER, Kind.TABLE, Kind.HEATMAP}
        assert ("<svg" in text or "picture__none" in text) is has_picture
        assert text.count("<tr>") >= {Kind.NUMBER: 0, Kind.HEATMAP: 13, Kind.TABLE: 0}.get(metric.kind, 18)
        assert ('role="table"' in text) is (metric.kind is Kind.TABLE)
        assert 'id="meaning"' in text
        assert str(metric.definition.url) in text
        assert f"/staff/dashboard/{key}.csv?range=month" in text


def rows_of(client, path) -> list[list[str]]:
    answer = client.get(path)
    assert answer.mimetype == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"]
    text = answer.get_data().decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


@pytest.mark.parametrize("key", METRICS)
def test_every_number_can_be_taken_along(lived, key):
    head, *rows = rows_of(staff(lived), f"/staff/dashboard/{key}.csv?range=year")
    assert len(head) > 1
    assert all(len(row) == len(head) for row in rows)
    assert rows or METRICS[key].kind is Kind.TABLE


def test_a_metric_as_a_table_to_take_along(lived):
    rows = rows_of(staff(lived), "/staff/dashboard/gifts.csv?range=own&from=2026-11-03&to=2026-11-05")
    assert rows == [
        ["from", "to", "card (EUR)", "returned (EUR)"],
        ["2026-11-03", "2026-11-03", "0.00", "0.00"],
        ["2026-11-04", "2026-11-04", "12.34", "0.00"],
        ["2026-11-05", "2026-11-05", "0.00", "0.00"],
    ]
    movements = rows_of(staff(lived, "editor"), "/staff/dashboard/movements.csv?range=month&in=uah")
    assert movements[0][2:] == ["new (UAH)", "more (UAH)", "back (UAH)", "less (UAH)", "lost (UAH)"]


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"), ("+49 30", "'+49 30"), ("-1", "'-1"), ("@SUM(A1)", "'@SUM(A1)"), ("\t=1", "'\t=1"),
        (" =1", "' =1"), ("＝1", "'＝1"), ("plain", "plain"), ("a=b", "a=b"), (-1, "-1"), (None, ""),
    ],
)  # fmt: skip
def test_a_cell_of_text_is_never_a_formula_and_a_number_stays_one(cell, written):
    assert safe(cell) == written


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("range=own&from=2026-11-05&to=2026-11-03", "Please give two days, the first one not after the second."),
        ("range=own&from=soon&to=2026-11-03", "Please give two days, the first one not after the second."),
        ("range=own&from=2026-11-05&to=2027-01-01", "Please choose days that are not ahead of today."),
        ("range=century", "There is no such range. Choose one of those above."),
    ],
)
def test_what_makes_no_range_is_said_and_the_last_days_are_shown(app, query, words):
    text = page(staff(app), f"/staff/dashboard?{query}")
    assert words in text
    assert "Oct 20 – Nov 18, 2026" in re.sub(r"[\u2009\u202f]", " ", text)


def test_a_link_keeps_days_and_money(lived):
    text = page(staff(lived), "/staff/dashboard?range=quarter&in=eur")
    assert "/staff/dashboard/mrr?in=EUR&amp;range=quarter" in text
    assert 'href="/staff/dashboard?range=quarter"' in text


def test_an_unknown_number_is_not_there(app):
    viewer = staff(app)
    assert viewer.get("/staff/dashboard/nothing").status_code == 404
    assert viewer.get("/staff/dashboard/nothing.csv").status_code == 404


def test_what_waits_for_somebody_is_said_with_where_to_go(app):
    now = clock.now()
    values = dict.fromkeys(("gift_minor", "charge_minor", "cup_minor"), 400)
    words = {"reference": "con_1", "form_token": "x", "email": "", "locale": "en", "rhythm": "monthly"}
    with transaction("test.past_due"):
        db.session.add(Contribution(**values, **words, currency="EUR", state="past_due", state_at=now, created_at=now))
    topics.propose(None, "Where do the dredging contracts go?", "Three firms win.", [], "en", now)
    text = page(staff(app), "/staff/dashboard")
    assert '<a href="/staff/trouble">1 payment has failed and is being retried</a>' in text
    assert '<a href="/staff/topics">1 proposed topic waits for a decision</a>' in text


def test_a_line_of_a_statement_that_nobody_was_found_for_waits_too(app):
    from membership.transfers import services as transfers
    from tests.transfers.statements import camt, entry

    transfers.read_in(camt(entry("4.00", "no code", "2026-11-10")), None, clock.now())
    assert "1 line of a statement waits for you" in page(staff(app, "finance"), "/staff/dashboard")


def test_a_page_costs_as_many_statements_however_much_was_paid(lived):
    viewer = staff(lived)

    def n_statements() -> int:
        seen = []

        def note(_connection, _cursor, statement, *_rest):
            seen.append(statement)

        event.listen(db.engine, "before_cursor_execute", note)
        page(viewer, "/staff/dashboard")
        event.remove(db.engine, "before_cursor_execute", note)
        raw = [s for s in seen if re.search(r"FROM (payments|movements|journal|coverage|patron_changes)", s)]
        assert raw == []
        return len(seen)

    n_statements()
    before = n_statements()
    for n in range(20):
        book(kyiv("2026-11-05 10:00"), 400 + n)
    rebuilding.roll(NOW)
    page(viewer, "/staff/dashboard")
    # Three of them are the desk's door (its session, what it writes down) and the settings of the newsroom.
    assert n_statements() == before <= 45


@pytest.mark.parametrize(
    ("change", "unit", "words"),
    [
        (Decimal("0.0662"), Unit.PERCENT, "+6.6 pp"), (Decimal("-0.3"), Unit.PERCENT, "−30 pp"),
        (Decimal(0), Unit.PERCENT, "±0"), (-3, Unit.PEOPLE, "−3"), (None, Unit.PERCENT, ""),
    ],
)  # fmt: skip
def test_a_share_changes_by_percentage_points(app, change, unit, words):
    with app.test_request_context():
        assert signed(change, unit) == words


# Tables ------------------------------------------------------------------------------------------------


@pytest.fixture
def came(app):
    """One of two who came from an article with a nasty name paid."""
    for is_paid in (True, False):
        row = begin(kyiv("2026-11-04 10:00"), article='=HYPERLINK("x")<b>', section="city")
        if is_paid:
            pay_for(row, kyiv("2026-11-04 10:05"), make_giver(NOW))
    rebuilding.roll(NOW)
    return app


def test_a_table_is_read_row_by_row_in_the_words_of_the_page(came):
    text = page(staff(came), "/staff/dashboard/conversion?range=month", **{"Accept-Language": "en"})
    assert "<b>" not in text
    cells = re.findall(r'<th scope="row"[^>]*>([^<]*)</th>\s*((?:<td.*?</td>)+)', text, re.DOTALL)
    rows = {html.unescape(name): re.findall(r'staff-table__value">([^<]*)<', row) for name, row in cells}
    assert rows['=HYPERLINK("x")<b>'] == ["Article", "2", "1", "–", "9.4%", "90.6%", "Too early to say"]
    assert rows["city"][0] == "Section"
    text = page(staff(came, "owner"), "/staff/dashboard/conversion?range=month", **{"Accept-Language": "uk"})
    assert "Зарано казати" in text


def test_a_table_to_take_along(came):
    rows = rows_of(staff(came), "/staff/dashboard/conversion.csv?range=month")
    assert rows[0] == [
        "Where from",
        "What that is",
        "Went to pay",
        "Paid",
        "The share",
        "At least",
        "At most",
        "Conclusion",
    ]
    assert rows[2] == ['\'=HYPERLINK("x")<b>', "Article", "2", "1", "", "0.0945", "0.9055", "Too early to say"]


def test_the_overview_lists_every_number_in_its_group(lived):
    text = page(staff(lived), "/staff/dashboard", **{"Accept-Language": "en"})
    for key in METRICS:
        assert f'href="/staff/dashboard/{key}"' in text
    assert (
        text.index("Where patrons come from")
        < text.index("/staff/dashboard/conversion")
        < text.index("Polls and topics")
    )


@pytest.mark.parametrize("key", ["conversion", "first-story", "turnout", "promise", "voters-stay"])
def test_a_table_costs_as_many_statements_however_many_came_and_paid(came, key):
    viewer = staff(came)

    def n_statements() -> int:
        seen = []

        def note(_connection, _cursor, statement, *_rest):
            seen.append(statement)

        event.listen(db.engine, "before_cursor_execute", note)
        page(viewer, f"/staff/dashboard/{key}")
        event.remove(db.engine, "before_cursor_execute", note)
        raw = r"FROM (payments|movements|journal|coverage|patron_changes|roll_entries|counted_ballots)"
        assert [statement for statement in seen if re.search(raw, statement)] == []
        return len(seen)

    n_statements()
    before = n_statements()
    for n in range(10):
        row = begin(kyiv("2026-11-05 10:00"), article=f"article-{n}", section="city", utm_campaign=f"letter-{n}")
        pay_for(row, kyiv("2026-11-05 10:00"), make_giver(NOW))
    rebuilding.roll(NOW)
    page(viewer, f"/staff/dashboard/{key}")
    assert n_statements() == before <= 30
