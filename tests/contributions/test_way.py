"""The way from the form to the patron, through the views, with the real SDK and the sandbox."""

import html
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import requests
from sqlalchemy import func, select

from membership.accounts.models import Person
from membership.accounts.queries import find_person_by_email
from membership.contributions import queries, services
from membership.contributions.models import Contribution
from membership.contributions.rules import State, Wish
from membership.contributions.rules.defence import UNPAID_PAGES
from membership.contributions.services.starting import Visit
from membership.db import db
from membership.kernel import clock
from membership.kernel.errors import Conflict
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm
from membership.mail.models import OutboxMail
from membership.patrons.models import Movement
from membership.patrons.queries import standing_of
from membership.patrons.rules import Why
from membership.wiring import JOBS
from tests.factories.checkout import DECLINED_CARD, GOOD_CARD, pay
from tests.factories.people import make_person, sign_in

URL = "/contribute?article=dredging&appeal=demo-foot&utm_source=letter&evil=1"


def fill_in(client, url=URL, **changes):
    """The form of the contribute page as this browser would send it."""
    page = client.get(url).get_data(as_text=True)
    form = re.search(r'<form[^>]*class="form give".*?</form>', page, re.DOTALL).group(0)
    hidden = re.findall(r'<input[^>]*type="hidden"[^>]*>', form)
    sent = {re.search(r'name="([^"]+)"', tag).group(1): re.search(r'value="([^"]*)"', tag).group(1) for tag in hidden}
    typed = {"email": "reader@example.org", "rhythm": "monthly", "cups": "2", "amount": "", "public_name": ""}
    return {name: html.unescape(value) for name, value in sent.items()} | typed | changes


def press(client, fields, url=URL):
    return client.post(url, data=fields)


def begin(client, **changes):
    """Press the button; the address of the payment page."""
    answer = press(client, fill_in(client, **changes))
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return answer.location


def come_back(client, paid):
    return client.get(paid.headers["Location"].removeprefix("http://localhost")).get_data(as_text=True)


def open_sessions(sandbox):
    answer = requests.get(
        f"{sandbox.public_url}/v1/checkout/sessions?limit=100&status=open", auth=("sk_test_123456789", ""), timeout=20
    )
    return [session["id"] for session in answer.json()["data"]]


def n_contributions():
    return db.session.scalar(select(func.count()).select_from(Contribution))


@pytest.fixture(autouse=True)
def fresh_sandbox(sandbox):
    sandbox.reset()


def test_a_paid_page_makes_a_patron_with_thanks_receipt_and_movement(app, client):
    paid = pay(begin(client, covers_fees="y"), email="wallet@example.org")
    page = come_back(client, paid)
    assert "Thank you" in page
    person = find_person_by_email("reader@example.org")
    assert find_person_by_email("wallet@example.org") is None, "bound by our reference, never by the wallet's address"
    standing = standing_of(person.id, clock.now())
    assert (standing.is_patron, standing.why) == (True, Why.PAID)
    contribution = queries.contributions_of(person.id)[0]
    assert contribution.attribution == {"article": "dredging", "appeal": "demo-foot", "utm_source": "letter"}
    assert contribution.gift.minor == 800
    assert contribution.charge.minor > 800
    movement = db.session.scalars(select(Movement)).one()
    assert (movement.kind, movement.yearly_delta_minor) == ("new", contribution.charge_minor * 12)
    assert set(db.session.scalars(select(OutboxMail.kind))) == {"contributions/welcome", "contributions/receipt"}


def test_nobody_is_thanked_before_the_money_is_confirmed(app, client, sandbox):
    url = begin(client)
    checkout_id = url.rpartition("/")[2]
    page = client.get(f"/contribute/thanks?session={checkout_id}").get_data(as_text=True)
    assert "Thank you" not in page
    assert db.session.scalar(select(func.count()).select_from(Person)) == 0


def test_a_declined_card_books_nothing_and_the_same_page_takes_another(app, client):
    url = begin(client)
    assert pay(url, DECLINED_CARD).status_code in {200, 402}
    assert n_contributions() == 1
    assert "Thank you" in come_back(client, pay(url, GOOD_CARD))


def test_after_a_decline_the_same_address_can_begin_again_at_once(app, client):
    pay(begin(client), DECLINED_CARD)
    other_browser = app.test_client()
    assert "Thank you" in come_back(other_browser, pay(begin(other_browser)))


def test_a_double_click_opens_one_page(app, client, sandbox):
    fields = fill_in(client)
    cookie = client.get_cookie("visit").value

    def click(_):
        browser = app.test_client()
        browser.set_cookie("visit", cookie)
        return press(browser, fields).location

    with ThreadPoolExecutor(8) as threads:
        places = set(threads.map(click, range(8)))
    assert len(places) == 1
    assert len(open_sessions(sandbox)) == n_contributions() == 1


def test_two_tabs_of_one_browser_open_one_page(app, client, sandbox):
    first, second = fill_in(client), fill_in(client)
    assert press(client, first).location == press(client, second).location
    assert len(open_sessions(sandbox)) == 1


def test_going_back_and_changing_the_amount_leaves_one_page_that_can_be_paid(app, client, sandbox):
    first = begin(client)
    second = begin(client, cups="4")
    assert first != second
    assert open_sessions(sandbox) == [second.rpartition("/")[2]]
    assert db.session.scalars(select(Contribution.state).order_by(Contribution.id)).all() == ["abandoned", "started"]


def test_a_second_tab_after_paying_leads_to_the_thanks(app, client):
    fields = fill_in(client)
    paid = pay(press(client, fields).location)
    again = press(client, fields | {"cups": "4"})
    assert again.location == paid.headers["Location"]
    assert "Thank you" in come_back(client, paid)
    assert press(client, fields).location == paid.headers["Location"]
    assert sorted(db.session.scalars(select(Contribution.state))) == ["abandoned", "active"]


def test_a_closed_tab_is_abandoned_when_its_page_runs_out(app, client, sandbox):
    begin(client)
    services.abandon_overdue(clock.now() + timedelta(minutes=30))
    assert db.session.scalars(select(Contribution.state)).all() == ["started"]
    requests.post(f"{sandbox.public_url}/_sandbox/clock", json={"days": 1}, timeout=20)
    services.abandon_overdue(clock.now() + timedelta(days=1))
    assert db.session.scalars(select(Contribution.state)).all() == ["abandoned"]


def test_an_open_page_is_read_at_most_twenty_times_a_minute(app, client, sandbox, settings):
    app.extensions["membership.settings"] = settings.model_copy(update={"rate_limits": True})
    checkout_id = begin(client).rpartition("/")[2]
    pages = [client.get(f"/contribute/thanks?session={checkout_id}") for _ in range(25)]
    assert {page.status_code for page in pages} == {200}
    assert "waiting" in pages[-1].get_data(as_text=True).lower()
    assert "waiting" not in pages[0].get_data(as_text=True).lower()


def test_once_below_a_cup_is_thanked_without_coverage(app, client):
    assert "Thank you" in come_back(client, pay(begin(client, rhythm="once", cups="own", amount="2")))
    person = find_person_by_email("reader@example.org")
    assert standing_of(person.id, clock.now()).why is Why.NONE
    assert queries.contributions_of(person.id)[0].state == State.PAID


def test_three_cups_given_once_cover_three_months(app, client):
    come_back(client, pay(begin(client, rhythm="once", cups="own", amount="12")))
    standing = standing_of(find_person_by_email("reader@example.org").id, clock.now())
    assert timedelta(days=85) < standing.until - clock.now() < timedelta(days=93)
    assert db.session.scalar(select(func.count()).select_from(Movement)) == 0


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"email": "nobody"}, "e-mail address"),
        ({"email": ""}, "e-mail address"),
        ({"email": "a@example.org\r\nBcc: b@example.org"}, "e-mail address"),
        ({"cups": "own", "amount": "lots"}, "in figures"),
        ({"cups": "own", "amount": "1"}, "The least is €4."),
        ({"cups": "own", "amount": "99999"}, "The most is €10,000"),
        ({"cups": "7"}, "choice"),
        ({"rhythm": "daily"}, "choice"),
        ({"currency": "XXX"}, "currency"),
        ({"currency": "JPY"}, "currency"),
        ({"public_name": "x" * 61}, "60 characters"),
        ({"public_name": "x" * 2000}, "too long"),
    ],
)
def test_wrong_input_gets_a_sentence_and_writes_nothing(app, client, sandbox, changes, sentence):
    answer = press(client, fill_in(client, **changes))
    assert answer.status_code == 422
    assert sentence in html.unescape(answer.get_data(as_text=True))
    assert n_contributions() == 0
    assert open_sessions(sandbox) == []


def test_a_form_without_its_token_writes_nothing(app, client):
    fields = fill_in(client)
    for name in ("csrf_token", "form_token"):
        assert press(client, {key: value for key, value in fields.items() if key != name}).status_code in {400, 409}
    stranger = app.test_client()
    own = fill_in(stranger)
    assert press(stranger, fields).status_code == 400, "another browser's form token"
    assert press(stranger, own | {"form_token": fields["form_token"]}).status_code == 409, "another browser's wish"
    assert n_contributions() == 0


@pytest.mark.parametrize(
    ("n_allowed", "address"),
    [(10, lambda n: "198.51.100.7"), (30, lambda n: f"198.51.100.{n}")],
    ids=["one address", "one network"],
)
def test_limits_stop_card_testers_before_the_payment_company_is_asked(
    app, client, sandbox, settings, n_allowed, address
):
    app.extensions["membership.settings"] = settings.model_copy(update={"rate_limits": True})
    answers = [_ask_from(app, n, address(n)) for n in range(n_allowed + 1)]
    assert [answer.status_code for answer in answers] == [303] * n_allowed + [429]
    assert n_contributions() == n_allowed
    assert len(open_sessions(sandbox)) == min(n_allowed, UNPAID_PAGES)


def test_who_comes_from_everywhere_and_pays_nothing_confirms_an_address_and_nobody_is_refused(
    app, client, sandbox, settings
):
    app.extensions["membership.settings"] = settings.model_copy(update={"rate_limits": True})
    answers = [_ask_from(app, n, f"203.0.{n}.1") for n in range(40)]
    to_confirm = [answer.location.endswith("/contribute/confirm") for answer in answers]
    assert to_confirm == [False] * UNPAID_PAGES + [True] * (40 - UNPAID_PAGES)
    assert len(open_sessions(sandbox)) == UNPAID_PAGES


def _ask_from(app, n, address):
    browser = app.test_client()
    fields = fill_in(browser, email=f"reader{n}@example.org")
    return browser.post(URL, data=fields, environ_base={"REMOTE_ADDR": address})


def test_one_mailbox_cannot_be_used_for_many_tries(app, client, sandbox, settings):
    app.extensions["membership.settings"] = settings.model_copy(update={"rate_limits": True})
    statuses = []
    for n in range(6):
        browser = app.test_client()
        fields = fill_in(browser, email=f"reader+{n}@example.org")
        statuses.append(browser.post(URL, data=fields, environ_base={"REMOTE_ADDR": f"203.0.{n}.1"}).status_code)
    assert statuses == [303] * 5 + [429]


def test_a_form_that_grew_old_works_when_pressed_again(app, client):
    old = fill_in(client) | {"form_token": "gone"}
    page = press(client, old)
    assert page.status_code == 409
    fresh = re.search(r'name="form_token"[^>]*value="([^"]+)"', page.get_data(as_text=True)).group(1)
    assert press(client, old | {"form_token": html.unescape(fresh)}).status_code == 303


@pytest.mark.parametrize("fault", ["500", "429", "html"])
def test_when_the_payment_company_fails_the_page_says_so_and_pressing_again_works(app, client, sandbox, fault):
    requests.post(
        f"{sandbox.public_url}/_sandbox/faults",
        json=[{"match": "POST /v1/checkout/sessions", "times": 1, "do": fault}],
        timeout=20,
    )
    fields = fill_in(client)
    answer = press(client, fields)
    assert answer.status_code == 503
    assert "nothing" in answer.get_data(as_text=True).lower()
    assert press(client, fields).status_code == 303
    assert len(open_sessions(sandbox)) == n_contributions() == 1


def test_a_lost_answer_makes_no_second_page(app, client, sandbox):
    requests.post(
        f"{sandbox.public_url}/_sandbox/faults",
        json=[{"match": "POST /v1/checkout/sessions", "times": 1, "do": "lost_reply"}],
        timeout=20,
    )
    fields = fill_in(client)
    assert press(client, fields).status_code == 503
    assert press(client, fields).status_code == 303
    assert len(open_sessions(sandbox)) == 1


def test_a_signed_in_patron_is_not_given_a_second_support(app, client):
    paid = pay(begin(client))
    come_back(client, paid)
    sign_in(client, "reader@example.org")
    page = client.get("/contribute").get_data(as_text=True)
    assert "/account" in page
    assert 'name="email"' not in page
    assert n_contributions() == 1


def test_a_form_opened_before_signing_in_gives_no_second_support_either(app, client):
    come_back(client, pay(begin(client)))
    person = find_person_by_email("reader@example.org")
    wish = Wish(person.email, Rhythm.MONTHLY, Money(400, "EUR"), Money(400, "EUR"), Money(400, "EUR"), None)
    visit = Visit(form_token="other", person_id=person.id, locale="en", attribution={})
    with pytest.raises(Conflict):
        services.start(wish, visit)
    once = Wish(person.email, Rhythm.ONCE, Money(400, "EUR"), Money(400, "EUR"), Money(400, "EUR"), None)
    assert "/c/pay/" in services.start(once, visit), "a gift on top is welcome"


def test_receipts_are_for_their_owner_only(app, client):
    come_back(client, pay(begin(client)))
    sign_in(client, "reader@example.org")
    page = client.get("/account").get_data(as_text=True)
    number = re.search(r"/account/receipts/(\d{4}-\d{6})", page).group(1)
    receipt = client.get(f"/account/receipts/{number}")
    assert number in receipt.get_data(as_text=True)
    other = app.test_client()
    make_person("other@example.org")
    sign_in(other, "other@example.org")
    assert other.get(f"/account/receipts/{number}").status_code == 404


def test_a_renewal_covers_the_next_month_and_a_second_receipt_is_sent(app, client, sandbox):
    come_back(client, pay(begin(client)))
    person = find_person_by_email("reader@example.org")
    before = standing_of(person.id, clock.now()).until
    requests.post(f"{sandbox.public_url}/_sandbox/clock", json={"days": 32}, timeout=60)
    contribution = queries.contributions_of(person.id)[0]
    for invoice in requests.get(
        f"{sandbox.public_url}/v1/invoices?subscription={contribution.subscription_id}",
        auth=("sk_test_123456789", ""),
        timeout=20,
    ).json()["data"]:
        from membership.billing.services import sync

        sync("invoice", invoice["id"])
    after = standing_of(person.id, clock.now()).until
    assert timedelta(days=27) < after - before < timedelta(days=32)
    receipts = select(func.count()).select_from(OutboxMail).where(OutboxMail.kind == "contributions/receipt")
    assert db.session.scalar(receipts) == 2
    assert db.session.scalar(select(func.count()).select_from(Movement)) == 1
    JOBS["billing.drain"].function(clock.now())


@pytest.mark.parametrize("checkout_id", ["%00", "a" * 300, "..%2Fcustomers", "", "cs_test_nobody"])
def test_a_payment_page_that_never_was_is_not_found(client, checkout_id):
    assert client.get(f"/contribute/thanks?session={checkout_id}").status_code == 404


@pytest.mark.parametrize("number", ["%00", "2026-000001", "x" * 400])
def test_a_receipt_that_never_was_is_not_found(app, client, number):
    make_person("reader@example.org")
    sign_in(client, "reader@example.org")
    assert client.get(f"/account/receipts/{number}").status_code == 404
