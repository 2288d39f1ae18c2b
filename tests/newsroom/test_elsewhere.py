"""What the other rooms make of a change: pages, mails, forms that were open, money that comes."""

from dataclasses import replace

import pytest

from membership.contributions.models import Contribution
from membership.contributions.services.hearing import rows as hearing
from membership.db import db, transaction
from membership.front.queries.front_page import goal
from membership.kernel import clock
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm
from membership.mail import letters
from membership.mail.catalogue import all_mails
from membership.mail.models import OutboxMail
from membership.newsroom import queries, services
from membership.newsroom.queries.snapshot import current
from membership.newsroom.rules import whole_cups
from membership.newsroom.rules.colours import Colours, Palette
from membership.newsroom.rules.plain import Goal, Languages, LateMoney, Names
from membership.newsroom.rules.subjects import Subject
from membership.patrons.models import Grace
from membership.transfers import queries as transfers
from membership.transfers.services import matching
from membership.transfers.services.importing import _of_another_account
from membership.transfers.statements.lines import Statement
from tests.factories.people import any_token, form_token, make_person, sign_in
from tests.newsroom.conftest import ACTOR
from tests.newsroom.pages import words_of
from tests.newsroom.values import COLOURS, NO_COLOURS, WAYS
from tests.transfers.conftest import announce

WELCOME = next(entry for entry in all_mails() if entry.kind == "contributions/welcome")


def with_cup(code, minor):
    known = current().prices
    changed = tuple(
        replace(row, cup_minor=minor, monthly_minimum_minor=minor) if row.currency == code else row
        for row in known.currencies
    )
    return replace(known, currencies=changed)


def closed(code):
    known = current().prices
    rows = tuple(replace(row, is_open=row.is_open and row.currency != code) for row in known.currencies)
    return replace(known, currencies=rows)


def a_support(minor=800, currency="EUR", rhythm=Rhythm.MONTHLY, state="active", cup=400) -> Contribution:
    """A support that runs, written as its own room would."""
    person = make_person(f"reader{minor}{currency.lower()}{rhythm.value}@example.org")
    with transaction("test.support"):
        row = Contribution(
            reference=f"con_{person.id:026}", form_token=f"form-{person.id}", email=person.email, locale="en",
            person_id=person.id, rhythm=rhythm.value, currency=currency, gift_minor=minor, charge_minor=minor,
            cup_minor=cup, state=state, state_at=clock.now(), created_at=clock.now(), attribution={},
        )  # fmt: skip
        db.session.add(row)
    return row


# Pages


@pytest.mark.parametrize("accept", ["en", "uk"])
def test_another_price_stands_on_the_ask_in_both_languages_at_once(app, client, save, accept):
    headers = {"Accept-Language": f"{accept}-DE"}
    assert "€4" in client.get("/contribute", headers=headers).text or accept == "uk"
    save(Subject.PRICES, with_cup("EUR", 550))
    source = client.get("/contribute?currency=EUR", headers=headers).text
    assert ("€11 a month" if accept == "en" else "11\u00a0€") in source
    assert "€8 a month" not in source


def test_a_form_that_was_open_while_prices_changed_charges_nothing(app, client, save):
    page = client.get("/contribute?currency=EUR").text
    seen = page.partition('id="seen"')[0].rpartition("<input")[2] + page.partition('id="seen"')[2].partition(">")[0]
    assert queries.offer_in("EUR").mark in seen
    token = page.partition('name="form_token"')[2].partition('value="')[2].partition('"')[0]
    typed = {
        "csrf_token": form_token(client, "/contribute"), "form_token": token, "currency": "EUR", "rhythm": "monthly",
        "cups": "2", "email": "reader@example.org", "seen": queries.offer_in("EUR").mark,
    }  # fmt: skip
    save(Subject.PRICES, with_cup("EUR", 550))
    answer = client.post("/contribute", data=typed)
    assert answer.status_code == 409
    assert "Our prices have changed since you opened this page." in answer.text
    assert queries.offer_in("EUR").mark in answer.text
    assert db.session.query(Contribution).count() == 0
    gift = {"months": "3", "way": "hand", "receiver_name": "Ivan", "from_name": "Olena", "cups": "1"}
    token = client.get("/gift").text.partition('name="form_token"')[2].partition('value="')[2].partition('"')[0]
    kept = {key: typed[key] for key in ("csrf_token", "currency", "email", "seen")}
    assert client.post("/gift", data=gift | kept | {"form_token": token}).status_code == 409


def test_a_closed_currency_is_nowhere_offered_and_an_amount_in_it_means_nothing_in_another(app, client, save):
    save(Subject.PRICES, closed("UAH"))
    source = client.get("/contribute?currency=UAH&cups=own&amount=777&rhythm=yearly").text
    assert 'value="777"' not in source
    assert 'value="UAH"' not in source
    assert "currency=UAH" not in client.get("/contribute").text
    assert 'value="777"' in client.get("/contribute?currency=EUR&cups=own&amount=777").text


def test_running_support_keeps_its_price_and_is_changed_in_cups_of_today(app, client, save):
    row = a_support()
    save(Subject.PRICES, with_cup("EUR", 500))
    db.session.refresh(row)
    assert (row.gift, row.cup, whole_cups(row.gift, row.rhythm_word, row.cup)) == (
        Money(800, "EUR"),
        Money(400, "EUR"),
        2,
    )
    sign_in(client, row.email)
    source = client.get(f"/account/support/{row.reference}/change").text
    # Two cups would be 10 euros now, so what is given today is an amount of its own.
    assert 'value="8.00"' in source
    assert "€10 a month" in source
    confirm = client.get(f"/account/support/{row.reference}/change?rhythm=monthly&cups=2").text
    assert "Change it to €10 a month" in words_of(confirm)
    save(Subject.PRICES, with_cup("EUR", 600))
    hidden = {name: confirm.partition(f'name="{name}"')[2].partition('value="')[2].partition('"')[0]
              for name in ("form_token", "rhythm", "cups", "seen")}  # fmt: skip
    answer = client.post(
        f"/account/support/{row.reference}/change", data=hidden | {"csrf_token": any_token(client), "amount": ""}
    )
    assert answer.status_code == 409
    assert "Our prices have changed since this page was opened" in answer.text
    assert "Change it to €12 a month" in words_of(answer.text)


def test_support_in_a_currency_that_was_closed_can_be_changed(app, client, save):
    row = a_support(20000, "UAH", cup=10000)
    save(Subject.PRICES, closed("UAH"))
    sign_in(client, row.email)
    assert "₴200 a month" in client.get(f"/account/support/{row.reference}/change").text


def test_the_goal_may_be_money_counted_by_cups(app, client, save):
    a_support(800)
    a_support(9600, rhythm=Rhythm.YEARLY)
    a_support(10000, "UAH", cup=10000)
    a_support(4000, state="paused")  # brings in nothing now
    save(Subject.GOAL, Goal("money", 500, 10000, "EUR"))
    found = goal(clock.now())
    assert (found.money, found.money_wanted) == (Money(2000, "EUR"), Money(10000, "EUR"))
    assert "Together €20 a month; our goal is €100." in " ".join(client.get("/").text.split())
    save(Subject.GOAL, Goal("money", 500, 1000, "EUR"))
    assert "the goal of €10 is reached" in client.get("/").text


def test_the_name_and_the_address_for_questions_stand_on_pages_and_mails(app, client, save):
    assert "Questions?" not in client.get("/").text
    save(Subject.NAMES, Names("The Quay", "hello@example.org"))
    source = client.get("/").text
    assert 'href="mailto:hello@example.org"' in source
    assert "The Quay" in source
    assert "The Harbour Post" not in source
    letter = letters.write(WELCOME, WELCOME.example, "en")
    assert "hello@example.org" in letter.text
    assert "mailto:hello@example.org" in letter.html
    message = letters.make_message(letter, a_mail())
    assert str(message["Reply-To"]) == "hello@example.org"
    assert str(message["From"]) == "The Quay <support@example.org>"


def test_a_sender_that_the_operator_chose_stays(app, save):
    app.extensions["membership.settings"] = app.extensions["membership.settings"].model_copy(
        update={"mail_from": "Harbour help desk <support@example.org>"}
    )
    save(Subject.NAMES, Names("The Quay", None))
    message = letters.make_message(letters.write(WELCOME, WELCOME.example, "en"), a_mail())
    assert str(message["From"]) == "Harbour help desk <support@example.org>"
    assert message["Reply-To"] is None


def a_mail(locale="en") -> OutboxMail:
    return OutboxMail(id=1, to_address="reader@example.org", locale=locale, created_at=clock.now())


def test_only_languages_that_are_offered_are_spoken(app, client, save):
    assert '<html lang="uk"' in client.get("/", headers={"Accept-Language": "uk"}).text
    save(Subject.LANGUAGES, Languages(("en",), "en"))
    for ask in ({"headers": {"Accept-Language": "uk"}}, {"query_string": {"lang": "uk"}}):
        source = client.get("/", **ask).text
        assert '<html lang="en"' in source
        assert 'hreflang="uk"' not in source
    assert client.get("/lang/uk").status_code == 404
    letter = letters.write(WELCOME, WELCOME.example, "uk")  # somebody who chose Ukrainian before
    assert 'lang="en"' in letter.html
    assert letters.make_message(letter, a_mail("uk"))["Content-Language"] == "en"
    save(Subject.LANGUAGES, Languages(("uk",), "uk"))
    assert '<html lang="uk"' in client.get("/", headers={"Accept-Language": "de"}).text
    assert '<html lang="uk"' in client.get("/nowhere", headers={"Accept-Language": "en"}).text


def test_the_colours_reach_every_page_and_every_mail_and_go_again(app, client, save):
    assert "/theme-" not in client.get("/").text
    before = letters.write(WELCOME, WELCOME.example, "en").html
    save(Subject.COLOURS, Colours(COLOURS.light, Palette("#9cc4f5", None, None)))
    assert f'<link rel="stylesheet" href="{queries.house().theme_url}">' in client.get("/").text
    html = letters.write(WELCOME, WELCOME.example, "en").html
    assert "#1d4f8f" in html
    assert "#9cc4f5" in html
    assert "#1d4f8f" not in before
    save(Subject.COLOURS, Colours(NO_COLOURS, NO_COLOURS))
    assert letters.write(WELCOME, WELCOME.example, "en").html == before
    assert "/theme-" not in client.get("/").text


# Money that is late, doubtful, or comes by transfer


def test_days_of_grace_count_for_who_becomes_late_from_now_on(app, save):
    row = a_support()
    save(Subject.LATE, LateMoney(3, (("EUR", 500),), books_certain=False))
    now = clock.now()
    with transaction("test.grace"):
        hearing.open_grace(row, now)
    assert (db.session.query(Grace).one().until - now).days == 3
    assert dict(queries.late_money().refund_below) == {"EUR": 500}


def test_codes_of_before_a_new_name_are_still_found(app, save):
    save(Subject.WAYS, WAYS)
    found = announce()
    assert found.code.startswith("HP-")
    save(Subject.NAMES, Names("Quay and Lighthouse Letter", None))
    assert transfers.prefixes() == ["QAL", "HP"]
    assert matching.names_a_code(f"RF12HP{found.declaration.body}")  # right behind the prefix
    assert transfers.find_announced_by_code(found.code).declaration.id == found.declaration.id
    assert announce(token="form-2", email="petro@example.org").code.startswith("QAL-")


def test_a_way_that_was_switched_off_still_shows_the_account_to_who_announced_a_gift(app, client, save):
    save(Subject.WAYS, WAYS)
    found = announce()
    save(Subject.WAYS, replace(WAYS, has_bank=False, has_cash=False))
    assert queries.offered_ways() == ["paypal", "crypto"]
    assert "DE89 3704 0044 0532 0130 00" not in client.get("/support").text
    assert "DE89 3704 0044 0532 0130 00" in client.get(f"/support/declared/{found.contribution.reference}").text


def test_statements_of_an_earlier_account_are_no_strangers(app, save):
    save(Subject.WAYS, WAYS)
    save(Subject.WAYS, replace(WAYS, iban="GB29NWBK60161331926819"))
    assert _of_another_account(statement("DE89370400440532013000")) == []
    assert _of_another_account(statement("GB29NWBK60161331926819")) == []
    assert "ends in 0003" in _of_another_account(statement("DE02120300000000200003"))[0]


def statement(account) -> Statement:
    return Statement(way="bank", source="camt.053", account=account, lines=())


def test_money_in_a_closed_currency_still_covers_and_in_an_unknown_one_is_thanked(app, save):
    save(Subject.PRICES, closed("UAH"))
    assert queries.cup_in("UAH") == Money(10000, "UAH")
    assert "UAH" in queries.priced_currencies()
    assert queries.cup_in("CZK") == Money(0, "CZK")


def test_going_back_undoes_all_of_it(app, client, save):
    before = client.get("/contribute").text.count("€4")
    save(Subject.PRICES, with_cup("EUR", 550))
    services.go_back(Subject.PRICES, 0, 1, ACTOR, clock.now())
    assert client.get("/contribute").text.count("€4") == before
