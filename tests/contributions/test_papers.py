"""Receipts and yearly statements: what they say, who sees them, and the same as PDF."""

import io
from datetime import UTC, datetime

import pypdf
import pytest

from membership.billing import booking
from membership.billing.port import PaymentFact, ReversalFact
from membership.db import db, transaction
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm
from membership.web import pdf
from tests.contributions.test_hearing import make_contribution
from tests.factories.people import make_person, sign_in

MARCH = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
NEW_YEAR = datetime(2026, 12, 31, 22, 30, tzinfo=UTC)  # half past midnight in Kyiv


def pay(payment_id, paid_at, reference="con_1", charged=800):
    booking.book(
        PaymentFact(
            payment_id,
            reference,
            Rhythm.MONTHLY,
            Money(charged, "EUR"),
            None,
            paid_at,
            paid_at,
            paid_at.replace(day=28),
        )
        if paid_at is MARCH
        else PaymentFact(payment_id, reference, Rhythm.ONCE, Money(charged, "EUR"), None, paid_at)
    )


@pytest.fixture
def member(app, client):
    olena = make_person(public_name="Олена <b>")
    with transaction("test.pay"):
        db.session.add(make_contribution("con_1", person_id=olena.id, email="olena@example.org"))
        db.session.flush()
        pay("in_1", MARCH)
        pay("in_2", NEW_YEAR)
        booking.book(ReversalFact("re_1", "in_1", Money(300, "EUR"), None, MARCH, "refund"))
    sign_in(client)
    return client


def words_of(answer):
    """The text of a PDF as one line."""
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    return " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(answer.data)).pages).replace("\n", " ")


def test_a_statement_adds_up_a_year_of_the_newsrooms_calendar_and_says_what_went_back(member):
    page = member.get("/account/statements/2026").get_data(as_text=True)
    assert "2026-000001" in page
    assert "2027-000001" not in page
    assert [word in page for word in ("€5.00", "€8.00", "€3.00 returned")] == [True, True, True]
    assert "2027-000001" in member.get("/account/statements/2027").get_data(as_text=True)


def test_the_list_names_every_year_with_what_stayed(member):
    page = member.get("/account/statements").get_data(as_text=True)
    assert page.index("/account/statements/2027") < page.index("/account/statements/2026")
    assert "€5.00" in page


def test_a_year_without_payments_has_no_statement(member):
    assert member.get("/account/statements/2025").status_code == 404
    assert member.get("/account/statements/2025.pdf").status_code == 404


def test_papers_as_pdf_say_what_the_pages_say_in_the_readers_language(member):
    receipt = words_of(member.get("/account/receipts/2026-000001.pdf"))
    assert [word in receipt for word in ("Receipt 2026-000001", "€8.00", "Олена <b>", "olena@example.org")] == [
        True
    ] * 4
    statement = member.get("/account/statements/2026.pdf?lang=uk")
    assert "2026-000001" in words_of(statement)
    assert statement.headers["Content-Disposition"] == 'attachment; filename="statement-2026.pdf"'
    assert statement.headers["Cache-Control"] == "no-store"
    assert pypdf.PdfReader(io.BytesIO(statement.data)).trailer["/Root"]["/Lang"] == "uk"


def test_nobody_else_gets_a_paper(app, member):
    other = app.test_client()
    make_person("other@example.org")
    sign_in(other, "other@example.org")
    for path in ("/account/receipts/2026-000001", "/account/receipts/2026-000001.pdf", "/account/statements/2026.pdf"):
        assert other.get(path).status_code == 404
        assert app.test_client().get(path).status_code == 303


def test_drawing_papers_is_limited(app, settings, member):
    app.extensions["membership.settings"] = settings.model_copy(update={"rate_limits": True})
    codes = [member.get("/account/receipts/2026-000001.pdf").status_code for _ in range(31)]
    assert (codes[:30], codes[30]) == ([200] * 30, 429)


def test_without_pango_the_page_is_there_and_the_pdf_is_not(member, monkeypatch):
    monkeypatch.setattr(pdf, "find_engine", lambda: None)
    assert "Save as PDF" not in member.get("/account/receipts/2026-000001").get_data(as_text=True)
    assert member.get("/account/receipts/2026-000001.pdf").status_code == 404


def test_a_pdf_reads_nothing_but_our_own_style_sheets(app):
    with app.test_request_context("/"):
        engine = pdf.find_engine()
        fetcher = pdf._own_files(engine)
        assert fetcher.fetch("http://own.invalid/static/tokens.css")
        for url in (
            "http://own.invalid/static/../config.py",
            "file:///etc/hostname",
            "http://own.invalid/static/icon.svg",
            "http://127.0.0.1/x.css",
        ):
            with pytest.raises(ValueError, match="no style sheet of ours"):
                fetcher.fetch(url)
