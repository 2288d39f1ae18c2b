"""The desk of settings, as the people who work there meet it."""

import re

import pytest

from membership.db import db
from membership.newsroom import queries
from membership.newsroom.models import SettingsVersion
from membership.newsroom.queries.snapshot import current, forget
from membership.newsroom.rules.subjects import Subject
from tests.conftest import SECRET, WEBHOOK_SECRET
from tests.factories.people import any_token, make_person, make_staff, sign_in
from tests.newsroom.pages import at, errors_of, fields_of, go_back, look, press_save, save, words_of
from tests.newsroom.values import LANGUAGES, NAMES, WAYS


@pytest.fixture
def second(app):
    """Another owner, in a browser of their own."""
    make_staff("second@example.org", "owner", "Petro")
    browser = app.test_client()
    sign_in(browser, "second@example.org", next="staff")
    return browser


def counted():
    forget()
    return current()


def n_versions():
    return db.session.query(SettingsVersion).count()


def test_the_overview_says_what_counts_and_where_each_value_comes_from(owner):
    words = words_of(owner.get("/staff/settings").text)
    assert "from the environment: NEWSROOM_NAME" in words
    assert "EUR: one cup €4.00 comes with the program" in words
    assert "as the server was set up" in words
    save(owner, "goal", n_patrons="600")
    assert "Saved here by Olena (boss@example.org)" in words_of(owner.get("/staff/settings").text)
    assert "Patrons wanted 600 saved here" in words_of(owner.get("/staff/settings").text)


def test_secrets_and_machine_settings_are_never_shown(app, owner):
    known = app.extensions["membership.settings"]
    secrets = (SECRET, WEBHOOK_SECRET, "sk_test_123456789", known.smtp_url, known.database_url.rpartition("/")[2])
    for path in ("/staff/settings", *(at(subject.value) for subject in Subject)):
        source = owner.get(path).text
        assert [secret for secret in secrets if secret in source] == [], path


@pytest.mark.parametrize("role", ["viewer", "editor", "finance"])
def test_others_of_the_staff_look_and_do_not_touch(app, role):
    make_staff("other@example.org", role)
    browser = app.test_client()
    sign_in(browser, "other@example.org", next="staff")
    source = browser.get(at("goal")).text
    assert "Only owners change settings." in source
    assert "<form" not in source.partition("<main")[2].partition("</main")[0]
    for action in ("", "save", "back"):
        answer = browser.post(at("goal", action), data={"csrf_token": any_token(browser), "n_patrons": "1"})
        assert answer.status_code == 403
    assert n_versions() == 0


def test_members_and_strangers_do_not_even_look(app, client):
    assert client.get("/staff/settings").status_code == 303
    make_person("reader@example.org")
    sign_in(client, "reader@example.org")
    for path in ("/staff/settings", at("prices"), at("colours", "trial-1d4f8f.-.-.-.-.-.css")):
        assert client.get(path).status_code == 403, path


def test_nothing_is_saved_before_it_was_looked_at(owner):
    seen = look(owner, "prices", **{"EUR-cup_minor": "5"})
    words = words_of(seen.text)
    assert "Who begins to give in EUR pays €5 for a cup instead of €4." in words
    assert "Support that runs is not changed" in words
    assert "EUR: one cup €4.00 €5.00" in words
    assert "EUR: the least a month €4.00 €5.00" in words  # one cup, as it was
    assert "€10 a month" in words  # two cups, as readers will see them
    assert (n_versions(), counted().prices.find("EUR").cup_minor) == (0, 400)
    answer = press_save(owner, "prices", seen.text)
    assert (answer.status_code, answer.location) == (303, at("prices") + "?saved=1")
    assert counted().prices.find("EUR").cup_minor == 500
    page = owner.get(answer.location).text
    assert "Saved. It counts from now on." in page
    assert "Take the change back" in page


def test_one_tap_takes_a_change_back_and_one_more_brings_it_again(owner):
    save(owner, "goal", n_patrons="600")
    page = owner.get(at("goal") + "?saved=1").text
    answer = owner.post(at("goal", "back"), data=fields_of(page, at("goal", "back")))
    assert answer.status_code == 303
    assert counted().goal.n_patrons == 500
    words = words_of(owner.get(at("goal")).text)
    assert "Went back to how the server was set up." in words
    assert "Patrons wanted 600 500" in words
    go_back(owner, "goal", 1, 2)
    assert counted().goal.n_patrons == 600
    go_back(owner, "goal", 0, 1)  # a page that was open for long
    assert "Somebody else saved this page in the meantime" in owner.get(at("goal")).text
    assert counted().goal.n_patrons == 600
    assert go_back(owner, "goal", 77, 3).status_code == 404


def test_where_nothing_is_other_there_is_nothing_to_save(owner):
    seen = look(owner, "ways")
    assert "there is nothing to save" in seen.text
    assert at("ways", "save") not in seen.text


def test_every_mistake_stands_at_its_field_at_once_and_nothing_typed_is_lost(owner):
    seen = look(
        owner,
        "prices",
        **{"EUR-cup_minor": "a lot", "UAH-cup_minor": "0", "USD-once_minimum_minor": "9", "fee_permille": "99,9"},
    )
    assert seen.status_code == 422
    assert 'value="a lot"' in seen.text
    assert errors_of(seen.text) == {
        "EUR-cup_minor": "Please type an amount in EUR, such as 4 or 4.50.",
        "UAH-cup_minor": "A cup costs more than nothing and at most ₴20,833.33.",
        "USD-once_minimum_minor": "One cup must always be enough: at most $5.",
        "fee_permille": "The share of the fee lies between 0 and 20 per cent.",
    }
    assert n_versions() == 0


def test_a_currency_is_added_and_closed_and_never_all_of_them(owner):
    save(owner, "prices", **{"new-currency": "PLN", "new-cup_minor": "15", "new-once_minimum_minor": "5"})
    assert queries.cup_in("PLN").minor == 1500 or counted().prices.find("PLN").cup_minor == 1500
    assert counted().prices.find("PLN").monthly_minimum_minor == 1500  # empty: one cup
    seen = look(owner, "prices", drop=("UAH-is_open",))
    assert "Nobody can begin to give in UAH any more." in words_of(seen.text)
    press_save(owner, "prices", seen.text)
    assert counted().prices.open_currencies == ("EUR", "USD", "GBP", "PLN")
    none = look(owner, "prices", drop=tuple(f"{code}-is_open" for code in ("EUR", "USD", "GBP", "PLN", "UAH")))
    assert "At least one currency must be offered" in errors_of(none.text)["reporting_currency"]
    closed = look(owner, "prices", drop=("EUR-is_open",))
    assert errors_of(closed.text) == {"reporting_currency": "EUR is not offered. Choose one of those that are."}


@pytest.mark.parametrize(
    ("subject", "typed", "wrong"),
    [
        ("goal", {"n_patrons": "many"}, "n_patrons"),
        ("goal", {"kind": "money", "money_minor": ""}, "money_minor"),
        ("goal", {"currency": "XXX"}, "currency"),
        ("ways", {"has_bank": "y", "iban": "DE89370400440532013001", "holder": "Post"}, "iban"),
        ("ways", {"has_bank": "y"}, "iban"),
        ("ways", {"has_paypal": "y", "paypal_link": "paypal.me/x"}, "paypal_link"),
        ("ways", {"has_crypto": "y", "crypto-1-address": "bc1q"}, "crypto-1-address"),
        ("ways", {"has_cash": "y"}, "cash_words"),
        ("names", {"name": "  "}, "name"),
        ("names", {"contact": "nobody"}, "contact"),
        ("languages", {"default": "xx"}, "default"),
        ("colours", {"light-accent": "reddish"}, "light-accent"),
        ("late", {"grace_days": "-1"}, "grace_days"),
        ("late", {"EUR-refund_below_minor": "1e3"}, "EUR-refund_below_minor"),
        ("prices", {"new-cup_minor": "4"}, "new-currency"),
        ("prices", {"new-currency": "PLN", "new-cup_minor": "0.10"}, "new-monthly_minimum_minor"),
        ("prices", {"new-currency": "EUR", "new-cup_minor": "4"}, "new-currency"),
    ],
)
def test_a_mistake_is_told_where_it_was_made(owner, subject, typed, wrong):
    seen = look(owner, subject, **typed)
    assert seen.status_code == 422
    assert wrong in errors_of(seen.text)
    assert f'href="#{wrong}' in seen.text  # the summary leads to it
    assert n_versions() == 0


def test_every_page_saves_what_was_typed(owner):
    bank = {"iban": "DE89 3704 0044 0532 0130 00", "holder": " The Harbour Post ", "bic": "cobadeffxxx"}
    others = {"paypal_link": "https://paypal.me/harbourpost", "cash_words": "An envelope through our letter box."}
    crypto = {"crypto-0-name": "Bitcoin", "crypto-0-address": "bc1qharbourpost7x0"}
    offered = dict.fromkeys(("has_bank", "has_paypal", "has_crypto", "has_cash"), "y")
    save(owner, "ways", bank_name="Harbour Bank", **bank, **others, **crypto, **offered)
    save(owner, "names", contact="hello@example.org")
    save(owner, "languages", drop=("en-is_offered",), default="uk")
    save(owner, "colours", **{"light-accent": "1D4F8F"})
    save(owner, "late", drop=("books_certain",), grace_days="7", **{"EUR-refund_below_minor": "5"})
    save(owner, "goal", kind="money", money_minor="2000", currency="EUR")
    now = counted()
    assert (now.ways, now.names) == (WAYS, NAMES)
    assert (now.languages.offered, now.languages.default) == (("uk",), "uk")
    assert now.colours.light.accent == "#1d4f8f"
    assert (now.late.grace_days, now.late.refund_below, now.late.books_certain) == (7, (("EUR", 500),), False)
    assert (now.goal.kind, now.goal.money_minor) == ("money", 200_000)
    assert LANGUAGES.offered == ("en", "uk")


# Two people


def test_the_second_of_two_gets_a_sentence_and_their_input_and_overwrites_only_what_they_touched(owner, second):
    mine = look(owner, "prices", **{"EUR-cup_minor": "4.50"})
    save(second, "prices", **{"USD-cup_minor": "6", "new-currency": "PLN", "new-cup_minor": "15"})
    answer = press_save(owner, "prices", mine.text)
    assert answer.status_code == 409
    words = words_of(answer.text)
    assert "Petro (second@example.org) saved this page while you were changing it." in words
    assert "nothing is lost" in words
    assert "USD: one cup $5.00 $6.00" in words  # what Petro changed
    assert "EUR: one cup €4.00 €4.50" in words  # what is still to be saved, and nothing else
    assert "USD: one cup $6.00 $5.00" not in words
    assert 'value="4.50"' in answer.text
    assert n_versions() == 1
    assert press_save(owner, "prices", answer.text).status_code == 303
    now = counted().prices
    assert [now.find(code).cup_minor for code in ("EUR", "USD", "PLN")] == [450, 600, 1500]


def test_who_looks_after_somebody_else_has_saved_is_told_at_once(owner, second):
    fields = fields_of(owner.get(at("goal")).text, at("goal"))
    save(second, "goal", n_patrons="700")
    seen = owner.post(at("goal"), data=fields | {"n_patrons": "800"})
    assert "saved this page while you were changing it" in seen.text
    assert press_save(owner, "goal", seen.text).status_code == 303
    assert counted().goal.n_patrons == 800


def test_a_double_click_saves_once(owner):
    seen = look(owner, "goal", n_patrons="600")
    assert [press_save(owner, "goal", seen.text).status_code for _ in range(2)] == [303, 303]
    assert n_versions() == 1


# Colours


def test_a_colour_that_cannot_be_read_is_refused_with_its_ratio_and_a_better_one_is_one_tap_away(owner):
    seen = look(owner, "colours", **{"light-accent": "#ff9966"})
    assert seen.status_code == 422
    assert errors_of(seen.text)["light-accent"] == (
        "It stands out too little on the warm ground of a chosen card: the contrast is 1.72 to 1, "
        "and words need 4.5 to 1."
    )
    take = re.search(r'name="take" value="(light-accent=(#[0-9a-f]{6}))"', seen.text)
    taken = owner.post(at("colours"), data=fields_of(seen.text, at("colours")) | {"take": take[1]})
    assert taken.status_code == 200
    assert f'value="{take[2]}"' in taken.text
    press_save(owner, "colours", taken.text)
    assert counted().colours.light.accent == take[2]


def test_colours_are_tried_out_in_a_style_sheet_of_staff_and_nothing_is_inline(owner):
    seen = look(owner, "colours", **{"light-accent": "#1d4f8f"})
    url = re.search(r'href="(/staff/settings/colours/trial-[^"]+)"', seen.text)[1]
    css = owner.get(url)
    assert (css.status_code, css.mimetype) == (200, "text/css")
    assert ".trial--light{color-scheme:light;" in css.text
    assert "--accent:#1d4f8f;" in css.text
    assert "style=" not in seen.text
    for name in ("1d4f8f", "ff9966.-.-.-.-.-", "x"):  # what is no colour, and what could not be read
        assert owner.get(at("colours", f"trial-{name}.css")).status_code == 404


BANK = {"has_bank": "y", "iban": "DE89370400440532013000", "holder": "Harbour Post"}


def age_proofs(minutes):
    from datetime import timedelta

    from membership.accounts.models import StaffSession
    from membership.db import transaction

    with transaction("test.age"):
        for desk in db.session.query(StaffSession):
            desk.proved_at -= timedelta(minutes=minutes)


@pytest.mark.parametrize("act", [(), ("save",), ("back",)])
def test_where_money_goes_is_changed_only_after_a_fresh_proof(owner, act):
    token = any_token(owner)
    age_proofs(11)
    asked = owner.post(at("ways", *act), data={"csrf_token": token} | ({} if act == ("back",) else BANK))
    assert (asked.status_code, asked.location) == (303, "/staff/factor")
    assert n_versions() == 0
    assert save(owner, "goal", n_patrons="600").status_code == 303  # what moves no money is saved as before


def test_every_owner_hears_by_mail_that_it_was_changed_whoever_did_it(owner, second):
    from membership.mail.models import OutboxMail

    def told():
        db.session.rollback()
        kind = OutboxMail.kind == "accounts/ways_changed"
        return sorted(row.to_address for row in db.session.query(OutboxMail).filter(kind))

    save(owner, "goal", n_patrons="600")
    assert told() == []
    save(owner, "ways", **BANK)
    assert told() == ["boss@example.org", "second@example.org"]
