"""A month later: the next payment, its receipt, the new end; and a card that fails then."""

from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date

from tests.journeys.demo import until
from tests.journeys.inspection import faults_in_views
from tests.journeys.reader import FAILS_LATER_CARD

# From the failed payment, which is due when the paid month ends.
GRACE = 14 * 86_400
# Of the demo's newsroom.
ZONE = ZoneInfo("Europe/Kyiv")
MONTHS = {
    1: "січня", 2: "лютого", 3: "березня", 4: "квітня", 5: "травня", 6: "червня", 7: "липня", 8: "серпня",
    9: "вересня", 10: "жовтня", 11: "листопада", 12: "грудня",
}  # fmt: skip


def day(moment, language):
    at = datetime.fromtimestamp(moment, ZONE)
    if language == "uk":
        return f"{at.day} {MONTHS[at.month]} {at.year}"
    return format_date(at, "long", locale="en")


def test_a_month_later_the_second_payment_extends_the_membership(demo, new_reader, fresh_email):
    readers = [(new_reader("en"), fresh_email(), {"cups": 2}), (new_reader("uk"), fresh_email(), {"rhythm": "monthly"})]
    references = []
    for reader, email, wish in readers:
        references.append(reader.becomes_patron(email, **wish))
        reader.sign_in_by_code(email)
        (payment,) = demo.payments(references[-1])
        reader.says(day(payment["period"]["end"], reader.language))
        assert day(payment["period"]["end"], reader.language) in reader.heading
        reader.press("form[action='/signout'] button")
    demo.advance(months=1, days=1)
    for (reader, email, _), reference in zip(readers, references, strict=True):
        first, second = demo.payments(reference)
        assert first["amount"] == second["amount"]
        assert second["period"]["start"] == first["period"]["end"]
        receipt = reader.read_mail(email, "receipt", 2)
        assert day(second["period"]["end"], reader.language) in receipt
        assert len(reader.mails(email, "welcome")) == 1
        reader.sign_in_by_code(email)
        until(lambda: day(second["period"]["end"], reader.language) in reopened(reader))  # noqa: B023 - called at once
        assert reader.page.locator(".table tbody tr").count() == 2


def reopened(reader):
    reader.open("/account")
    return reader.heading


def test_a_card_that_fails_at_the_renewal_opens_grace_and_says_until_when(demo, new_reader, fresh_email):
    words = {
        "en": ("Your last payment did not go through. You stay a patron", "A payment needs your attention"),
        "uk": ("Останній платіж не пройшов. До цього дня ви лишаєтеся патроном", "Один платіж потребує вашої уваги"),
    }
    readers = [(new_reader(language), fresh_email()) for language in words]
    references = [reader.becomes_patron(email, FAILS_LATER_CARD) for reader, email in readers]
    demo.advance(months=1, days=1)
    for (reader, email), reference in zip(readers, references, strict=True):
        until(lambda: demo.state_of(email) == ["past_due"], 60, "the failed renewal")  # noqa: B023 - called at once
        (first,) = demo.payments(reference)
        reader.sign_in_by_code(email)
        reader.says(*words[reader.language])
        end = first["period"]["end"] + 14 * 86400  # grace runs from the failure, not from when we heard of it
        assert day(end, reader.language) in reader.heading
        assert len(reader.mails(email, "receipt")) == 1
        assert faults_in_views(reader.page, f"{reader.language} account in grace") == []
        reader.press("form[action='/signout'] button")
    demo.advance(days=20)
    for reader, email in readers:
        until(lambda: demo.state_of(email) == ["lapsed"], 60, "the end of the tries")  # noqa: B023 - called at once
        reader.sign_in_by_code(email)
        assert faults_in_views(reader.page, f"{reader.language} account after the end") == []
        reader.press("a[href='/contribute'].button")
        reader.give(email)
        reader.pay()
        reader.is_thanked()
