"""The pages about one support, and stopping without an account, as a browser meets them."""

import html
import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from membership.accounts.queries import find_person_by_email, timeline
from membership.contributions import queries, services
from membership.contributions.models import Contribution
from membership.contributions.rules import State
from membership.db import db
from membership.kernel import clock
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm
from membership.mail.catalogue import find_entry
from membership.mail.models import OutboxMail
from tests.factories.people import ask, make_person, open_mail, sign_in, type_code
from tests.factories.support import (
    begin_support,
    fields_of,
    order_fault,
    pass_days,
    press,
    sign_in_as,
    support_in,
    terms,
)


@pytest.fixture(autouse=True)
def fresh(sandbox):
    sandbox.reset()
    yield
    clock.use_offset(clock.no_offset)


@pytest.fixture
def support(app, sandbox):
    return begin_support(sandbox)


@pytest.fixture
def giver(app, support):
    return sign_in_as(app, support)


def words_of(answer):
    """The text of a page as a reader sees it."""
    page = re.sub(r"<script.*?</script>|<style.*?</style>", " ", answer.get_data(as_text=True), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def day(at):
    """As the page writes it, in the newsroom's zone."""
    at = at.astimezone(ZoneInfo("Europe/Kyiv"))
    return f"{at:%B} {at.day}, {at.year}"


def n_mails(kind):
    db.session.rollback()
    query = select(func.count()).select_from(OutboxMail).where(OutboxMail.kind == f"contributions/{kind}")
    return db.session.scalar(query)


def mail_of(kind, support):
    return find_entry(f"contributions/{kind}").build({"contribution_id": support.row.id}, clock.now())


# What is said before the button -----------------------------------------------------------------------------------


def test_a_change_says_from_when_on_and_what_instead_of_what(giver, support):
    words = words_of(giver.get(support.url("change?rhythm=monthly&cups=1")))
    assert f"From {day(support.row.next_payment_at)}: €4 a month instead of €8 a month." in words
    assert "Nothing is charged today." in words
    assert support.row.terms == terms(2), "looking changes nothing"


def test_a_change_by_own_amount_with_the_fee_keeps_both_apart(giver, support):
    answer = press(giver, support.url("change?rhythm=monthly&cups=own&amount=12.50&covers_fees=y"))
    assert answer.status_code == 303
    assert support.row.gift == Money(1250, "EUR")
    assert support.row.charge > support.row.gift


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        ("rhythm=monthly&cups=own&amount=1", "The least is €4."),
        ("rhythm=monthly&cups=own&amount=99999", "The most is €10,000"),
        ("rhythm=monthly&cups=own&amount=lots", "in figures"),
        ("rhythm=monthly&cups=2", "You give this already"),
        ("rhythm=daily&cups=2", "choice"),
        ("cups=7&rhythm=monthly", "choice"),
    ],
)
def test_a_wish_that_cannot_be_gets_a_sentence_and_no_button(giver, support, wish, sentence):
    answer = giver.get(support.url(f"change?{wish}"))
    assert answer.status_code == 422
    assert sentence in words_of(answer)
    assert 'name="form_token"' not in answer.get_data(as_text=True)


def test_a_pause_says_what_is_left_out_and_when_it_goes_on(giver, support):
    words = words_of(giver.get(support.url("pause?months=3")))
    first = support.row.next_payment_at
    assert f"beginning with that of {day(first)}" in words
    assert "goes on by itself" in words
    assert "Nothing is charged today." in words


def test_a_pause_of_yearly_support_that_would_leave_out_nothing_is_not_offered(app, sandbox):
    support = begin_support(sandbox, terms(1, Rhythm.YEARLY))
    words = words_of(sign_in_as(app, support).get(support.url("pause")))
    assert f"Nothing is taken before {day(support.row.next_payment_at)} anyway" in words


def test_stopping_offers_less_but_the_button_stands_on_the_same_page(giver, support):
    page = giver.get(support.url("cancel"))
    words = words_of(page)
    assert words.index("Stop my support") < words.index("Fewer cups"), "no obstacle before the button"
    assert f"Your support ends on {day(support.row.next_payment_at)}" in words
    answer = press(giver, support.url("cancel"))
    assert (answer.status_code, support.state, support.row.cancel_reason) == (303, State.CANCELLING, "")


def test_why_somebody_stops_is_kept_in_their_words_and_never_keeps_them_from_stopping(giver, support):
    press(giver, support.url("cancel"), reason="nonsense", words="x" * 5000)
    assert (support.state, len(support.row.cancel_reason)) == (State.CANCELLING, 400)


def test_the_page_of_a_support_says_where_it_stands_in_every_state(app, sandbox):
    sentences = {
        State.ACTIVE: "The next payment of €8",
        State.PAST_DUE: "did not go through",
        State.PAUSED: "It is paused until",
        State.CANCELLING: "Nothing more is taken; it ends on",
        State.LAPSED: "payments did not go through",
        State.ENDED: "It ended on",
        State.PAID: "A single gift, paid.",
    }
    for state, sentence in sentences.items():
        support = support_in(sandbox, state)
        client = sign_in_as(app, support)
        assert sentence in words_of(client.get(support.url())), state
        assert sentence in words_of(client.get("/account")), state


# Presses ------------------------------------------------------------------------------------------------------------


def test_a_double_click_stops_once_and_leads_to_the_same_page(giver, support):
    page = giver.get(support.url("cancel")).get_data(as_text=True)
    form = next(form for form in re.findall(r"<form.*?</form>", page, re.DOTALL) if "form_token" in form)
    answers = [giver.post(support.url("cancel"), data=fields_of(form)) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.location for answer in answers}) == 1
    assert n_mails("cancelled") == 1


def test_a_form_sent_again_after_it_was_taken_back_does_not_stop_it_again(giver, support):
    page = giver.get(support.url("cancel")).get_data(as_text=True)
    form = next(form for form in re.findall(r"<form.*?</form>", page, re.DOTALL) if "form_token" in form)
    giver.post(support.url("cancel"), data=fields_of(form))
    press(giver, support.url("keep"))
    giver.post(support.url("cancel"), data=fields_of(form))
    assert support.state is State.ACTIVE


def test_a_form_that_grew_old_asks_for_nothing_and_works_when_pressed_again(giver, support):
    page = giver.get(support.url("cancel")).get_data(as_text=True)
    form = next(form for form in re.findall(r"<form.*?</form>", page, re.DOTALL) if "form_token" in form)
    stale = giver.post(support.url("cancel"), data=fields_of(form) | {"form_token": "old"})
    assert (stale.status_code, support.state) == (409, State.ACTIVE)
    again = next(
        form for form in re.findall(r"<form.*?</form>", stale.get_data(as_text=True), re.DOTALL) if "form_token" in form
    )
    assert giver.post(support.url("cancel"), data=fields_of(again)).status_code == 303
    assert support.state is State.CANCELLING


def test_the_token_of_one_support_or_action_presses_no_other_button(app, sandbox, giver, support):
    page = giver.get(support.url("change?rhythm=monthly&cups=1")).get_data(as_text=True)
    form = next(form for form in re.findall(r"<form.*?</form>", page, re.DOTALL) if "form_token" in form)
    token = fields_of(form)
    wrong = giver.post(support.url("cancel"), data={key: token[key] for key in ("csrf_token", "form_token")})
    assert (wrong.status_code, support.state) == (409, State.ACTIVE)


def test_without_the_form_token_of_the_site_nothing_is_done(giver, support):
    assert giver.post(support.url("cancel"), data={}).status_code == 400
    assert support.state is State.ACTIVE


def test_when_the_payment_company_refuses_the_page_says_that_nothing_was_changed(sandbox, giver, support):
    order_fault(sandbox, "POST /v1/subscriptions/*", "500")
    answer = press(giver, support.url("change?rhythm=monthly&cups=1"))
    assert answer.status_code == 503
    assert "Nothing was changed" in words_of(answer)
    assert (support.row.terms, support.row.next_terms) == (terms(2), None)
    form = next(
        form
        for form in re.findall(r"<form.*?</form>", answer.get_data(as_text=True), re.DOTALL)
        if "form_token" in form
    )
    assert giver.post(support.url("change"), data=fields_of(form)).status_code == 303
    assert support.row.terms == terms(1)


def test_when_nobody_knows_what_happened_the_page_says_so_and_pressing_again_does_it_once(sandbox, giver, support):
    order_fault(sandbox, "* /v1/subscriptions/*", "lost_reply", times=9)
    answer = press(giver, support.url("change?rhythm=monthly&cups=1"))
    sandbox.faults.clear()
    assert answer.status_code == 503
    assert "We do not know yet" in words_of(answer)
    assert "waiting for word" in words_of(giver.get("/account"))
    form = next(
        form
        for form in re.findall(r"<form.*?</form>", answer.get_data(as_text=True), re.DOTALL)
        if "form_token" in form
    )
    assert giver.post(support.url("change"), data=fields_of(form)).status_code == 303
    assert (support.row.terms, n_mails("changed")) == (terms(1), 1)


def test_thirty_presses_in_ten_minutes_are_enough(app, giver, support, settings):
    app.extensions["membership.settings"] = settings.model_copy(update={"rate_limits": True})
    statuses = [press(giver, support.url(action)).status_code for action in ("cancel", "keep") * 15]
    assert statuses == [303] * 30
    refused = press(giver, support.url("cancel"))
    assert (refused.status_code, support.state) == (429, State.ACTIVE)
    assert "Nothing was changed" in words_of(refused)


# Whose it is --------------------------------------------------------------------------------------------------------


def test_somebody_elses_support_is_not_there(app, support):
    make_person("other@example.org")
    other = app.test_client()
    sign_in(other, "other@example.org")
    for action in ("", "change", "pause", "cancel", "resume", "keep"):
        assert other.get(support.url(action)).status_code == 404
    from membership.contributions.views.acting import new_token
    from tests.factories.people import any_token

    for action in ("change", "pause", "cancel", "resume", "keep"):
        with app.test_request_context():
            token = new_token(support.reference, action)
        data = {"csrf_token": any_token(other), "form_token": token}
        if action == "change":
            data |= {"rhythm": "monthly", "cups": "1", "amount": ""}
        assert other.post(support.url(action), data=data).status_code == 404
    assert support.state is State.ACTIVE


def test_who_is_not_signed_in_is_asked_to(client, support):
    answer = client.get(support.url())
    assert answer.status_code == 303
    assert "/signin" in answer.location
    assert client.get("/account/support/con_nobody").status_code == 303


# A second support ---------------------------------------------------------------------------------------------------


def test_the_contribute_page_of_who_supports_already_leads_to_the_change_that_they_chose(giver, support):
    page = giver.get("/contribute?cups=4&rhythm=monthly&article=a").get_data(as_text=True)
    url = html.unescape(re.search(r'href="([^"]*/change\?[^"]*)"', page).group(1))
    assert "€16 a month instead of €8 a month" in words_of(giver.get(url))
    assert n_contributions() == 1


def test_a_press_from_a_form_that_was_open_before_becomes_a_change_and_no_second_support(app, sandbox, support):
    from tests.contributions.test_way import fill_in

    client = app.test_client()
    sign_in(client, support.email)
    person = find_person_by_email(support.email)
    assert queries.find_live_support(person.id) is not None
    fields = fill_in(client, "/contribute?rhythm=once", email=support.email, rhythm="monthly", cups="4")
    answer = client.post("/contribute", data=fields)
    assert answer.status_code == 303
    assert f"{support.url('change')}?rhythm=monthly&cups=4" in answer.location.replace("&amp;", "&")
    assert n_contributions() == 1


def test_a_single_gift_on_top_of_support_is_welcome(giver, support):
    page = giver.get("/contribute?rhythm=once").get_data(as_text=True)
    assert 'name="cups"' in page


def n_contributions():
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Contribution))


def test_coming_back_after_the_end_makes_no_second_account(app, sandbox):
    support = support_in(sandbox, State.ENDED)
    client = sign_in_as(app, support)
    page = client.get(support.url()).get_data(as_text=True)
    assert 'href="/contribute?currency=EUR"' in page
    again = begin_support(sandbox, email=support.email)
    assert again.row.person_id == support.row.person_id
    assert words_of(client.get("/account")).count("€8 a month") >= 2


# Stopping without an account ------------------------------------------------------------------------------------------


def test_stopping_takes_an_address_and_a_code_and_no_account_that_was_ever_opened(app, client, support):
    person = find_person_by_email(support.email)
    assert person.email_proved_at is None, "they paid and never signed in"
    page = client.get("/cancel").get_data(as_text=True)
    assert 'action="/signin"' in page
    ask(client, support.email, next="cancel")
    answer = type_code(client, open_mail()["code"])
    assert answer.location == "/cancel"
    page = client.get("/cancel").get_data(as_text=True)
    form = next(form for form in re.findall(r"<form.*?</form>", page, re.DOTALL) if "form_token" in form)
    assert client.post(support.url("cancel"), data=fields_of(form)).status_code == 303
    assert (support.state, n_mails("cancelled")) == (State.CANCELLING, 1)
    assert "Keep your support" in words_of(client.get("/cancel"))


def test_whether_an_address_is_known_does_not_show_where_support_is_stopped(app, support):
    answers = []
    for email in (support.email, "nobody@example.org"):
        browser = app.test_client()
        answer = ask(browser, email, next="cancel")
        page = browser.get("/signin/sent").get_data(as_text=True).replace(email, "…")
        page = re.sub(r'value="[^"]{20,}"|nonce-[^"\']+|nonce="[^"]+"', "", page)
        answers.append((answer.status_code, answer.location, page))
    assert answers[0] == answers[1]


def test_who_has_nothing_that_runs_is_told_so(app):
    make_person("other@example.org")
    client = app.test_client()
    sign_in(client, "other@example.org")
    assert "Nothing is running under other@example.org" in words_of(client.get("/cancel"))


# Mails ----------------------------------------------------------------------------------------------------------------


def test_the_mail_about_a_stop_says_how_to_undo_it_and_is_not_sent_once_it_is_undone(giver, support):
    press(giver, support.url("cancel"))
    context = mail_of("cancelled", support)
    assert context["support_url"].endswith(support.url())
    assert context["ends_at"] == support.row.ends_at
    press(giver, support.url("keep"))
    assert mail_of("cancelled", support) is None
    assert mail_of("resumed", support)["next_payment_at"] == support.row.next_payment_at


def test_the_mail_about_the_end_names_the_day_until_which_they_are_a_patron(app, sandbox, support):
    services.cancel_now(support.reference, "a", actor="staff:per_1", reason="They asked")
    context = mail_of("ended", support)
    assert context["patron_until"] - clock.now() > timedelta(days=25)


# What goes wrong elsewhere (peers.md B) -----------------------------------------------------------------------------


def test_money_that_comes_after_a_stop_is_booked_all_the_same_and_everybody_sees_who_stopped(sandbox, giver, support):
    """Open Collective 6930."""
    import requests

    press(giver, support.url("cancel"))
    item = support.at_stripe["items"]["data"][0]
    auth = ("sk_test_123456789", "")
    row = support.row
    requests.post(
        f"{sandbox.public_url}/v1/subscriptions/{row.subscription_id}",
        data={"items[0][id]": item["id"], "items[0][quantity]": "2", "proration_behavior": "always_invoice"},
        auth=auth,
        timeout=20,
    ).raise_for_status()
    support.read_again()
    received = [entry for entry in timeline(row.person_id) if entry.kind == "payment_received"]
    assert len(received) == len(support.charges()) == 2
    asked = next(entry for entry in timeline(row.person_id) if entry.kind == "support_asked")
    assert (asked.actor, asked.details["action"]) == ("member", "cancel")


def test_a_failed_support_is_never_without_buttons(app, sandbox):
    """Open Collective 7140."""
    support = support_in(sandbox, State.PAST_DUE)
    words = words_of(sign_in_as(app, support).get(support.url()))
    for button in ("Pay now", "Change the amount", "Use another card", "Stop"):
        assert button in words


def test_a_failed_first_try_never_blocks_the_next_one(app, sandbox):
    """PlanningAlerts 1101."""
    made = support_in(sandbox, State.ABANDONED)
    again = begin_support(sandbox, email=made.email)
    assert (again.state, again.row.person_id) == (State.ACTIVE, made.row.person_id)


def test_nobody_loses_what_they_paid_for_when_a_retry_begins(app, sandbox):
    """Newspack 687: access was lost the moment a retry began."""
    from membership.patrons.queries import standing_of

    support = support_in(sandbox, State.PAST_DUE)
    standing = standing_of(support.row.person_id, clock.now())
    assert (standing.is_patron, standing.why) == (True, "grace")
    assert standing.until > clock.now()


def test_thirteen_months_are_charged_thirteen_times(sandbox, support):
    """Exercism 6365: support failed after the first month, and nobody had looked past it."""
    for _ in range(12):
        pass_days(sandbox, 31)
    assert support.charges() == [800] * 13


def test_a_card_that_is_deleted_does_not_silently_end_the_support(app, sandbox, support):
    """Open Collective 8310: here only somebody at Stripe can do that, and then the giver is told and can mend it."""
    import requests

    auth = ("sk_test_123456789", "")
    card = support.at_stripe["default_payment_method"]
    url = f"{sandbox.public_url}/v1/payment_methods/{card}/detach"
    requests.post(url, auth=auth, timeout=20).raise_for_status()
    support.read_again()
    assert support.state is State.ACTIVE
    pass_days(sandbox, 32)
    support.read_again()
    assert support.state is State.PAST_DUE
    assert mail_of("payment_failed", support) is not None
    assert "Use another card" in words_of(sign_in_as(app, support).get(support.url()))


def test_money_of_other_products_is_never_a_membership_or_income(app, sandbox, support):
    """Ghost 20243: whatever else was sold in the same Stripe account became members and broke the figures."""
    import requests

    from membership.accounts.models import Person
    from membership.billing.models import Payment
    from membership.billing.services import sync
    from membership.patrons.models import Movement

    before = [db.session.query(model).count() for model in (Person, Payment, Movement, Contribution)]
    auth = ("sk_test_123456789", "")
    customer = support.at_stripe["customer"]
    item = {"customer": customer, "amount": "900", "currency": "eur", "description": "A mug"}
    requests.post(f"{sandbox.public_url}/v1/invoiceitems", data=item, auth=auth, timeout=20).raise_for_status()
    made = requests.post(
        f"{sandbox.public_url}/v1/invoices", data={"customer": customer, "pending_invoice_items_behavior": "include"},
        auth=auth, timeout=20,
    )  # fmt: skip
    paid = requests.post(
        f"{sandbox.public_url}/v1/invoices/{made.json()['id']}/pay",
        data={"payment_method": support.at_stripe["default_payment_method"]}, auth=auth, timeout=20,
    )  # fmt: skip
    assert paid.json()["amount_paid"] == 900, paid.text
    sync("invoice", made.json()["id"])
    db.session.rollback()
    assert [db.session.query(model).count() for model in (Person, Payment, Movement, Contribution)] == before
