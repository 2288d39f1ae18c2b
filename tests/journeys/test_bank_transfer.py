"""A reader gives by bank transfer: code, statement, receipt; again by standing order; and the bank takes one back."""

import re
from datetime import UTC, datetime, timedelta

from membership.front.seed import EDITOR
from tests.journeys.demo import until
from tests.transfers.statements import SAMPLES

SUBJECT = "How to send your €48.00: code {code}"


def statement(name, code, reference, day):
    """One of the samples, with this giver's code, of a day of ours."""
    text = (SAMPLES / name).read_text().replace("@CODE@", code).replace("@RF@", reference)
    return re.sub(r"2026-11-2[01]", day.isoformat(), text).encode()


def upload(staff, name, raw):
    staff.open("/staff/statements")
    staff.page.set_input_files("#file", {"name": name, "mimeType": "application/xml", "buffer": raw})
    staff.press("form[enctype] button[type=submit]")


def test_from_a_code_to_a_patron_with_receipt_and_back(demo, new_reader, fresh_email):
    email, reader, staff = fresh_email("transfer"), new_reader(), new_reader()
    reader.open("/contribute")
    reader.press("main a[href='/support']")
    reader.press(".currencies a[href*='currency=EUR']")
    reader.fill(email, rhythm="once", amount="48")
    reader.press(reader.button)
    code = reader.heading.removeprefix("Your code: ")
    reader.says("DE89 3704 0044 0532 0130 00", "€48.00", "Nothing is booked yet")
    assert reader.page.locator("svg.qr__code").count() == 1
    place, reference = reader.page.url, re.search(r"RF\d\d[A-Z0-9]+", reader.page.inner_text("main")).group()
    reader.open_mail(email, SUBJECT.format(code=code))
    reader.says(code)

    today = datetime.now(UTC).date()
    staff.sign_in_by_code(EDITOR)
    first = statement("statement_08.xml", code, reference, today - timedelta(days=2))
    upload(staff, "first.xml", first)
    staff.says("4 new lines", "2 are booked")
    upload(staff, "again.xml", first)
    staff.says("0 new lines; 4 were known already")

    reader.open(place)
    reader.says("It has arrived. Thank you.")
    reader.read_mail(email, "receipt")
    reader.sign_in_by_code(email)
    reader.says("€48.00")
    assert "patron" in reader.page.inner_text("main")

    upload(staff, "second.xml", statement("statement_02.xml", code, reference, today - timedelta(days=1)))
    staff.says("2 new lines", "2 are booked")
    until(lambda: reader.open("/account") and "went back to you" in reader.page.inner_text("main"), 20, "the return")
    demo.check_books()
