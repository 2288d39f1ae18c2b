"""A payment that fails is told once, mended in one press, and never costs anybody their membership unnoticed."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from membership.accounts.queries import find_person_by_email
from membership.billing import asks
from membership.billing import jobs as billing_jobs
from membership.billing.models import PaymentFailure
from membership.contributions import jobs, queries
from membership.contributions.models import Card
from membership.contributions.rules.defence import Stance
from membership.contributions.services import defending, ending, owning, recovering, watching
from membership.db import db, transaction
from membership.kernel import clock
from membership.kernel.errors import Conflict
from membership.kernel.rhythm import Rhythm
from membership.patrons.models import Grace
from membership.patrons.rules import Why
from tests.contributions.life import Life, count
from tests.factories.checkout import FAILS_AT_RENEWAL, GOOD_CARD, pay
from tests.factories.people import any_token, sign_in

ASKS_ALWAYS = "4000 0027 6000 3184"
EXPIRY = re.compile(r"valid to 12/2034")


@pytest.fixture
def life(app, sandbox):
    sandbox.reset()
    yield Life(app, sandbox)
    sandbox.reset()
    clock.use_offset(clock.no_offset)


@pytest.fixture
def failed(life):
    """A patron whose second charge failed."""
    reference = life.give(FAILS_AT_RENEWAL)
    life.pass_time(months=1, days=1)
    assert life.row(reference).state == "past_due"
    return reference


@pytest.fixture
def member(life, app):
    """A browser in which the patron is signed in."""
    browser = app.test_client()

    def enter(email="reader@example.org"):
        sign_in(browser, email)
        return browser

    return enter


def post(browser, path, **fields):
    return browser.post(path, data={"csrf_token": any_token(browser)} | fields)


def give_new_card(browser, reference, card=GOOD_CARD):
    """Press "another card", type it at the provider's page; the address to come back to."""
    opened = post(browser, f"/account/support/{reference}/card", attempt="press-one")
    assert opened.status_code == 303, opened.get_data(as_text=True)
    done = pay(opened.location, card)
    assert done.status_code in {302, 303}, done.text
    return done.headers["Location"].removeprefix("http://localhost")


# Told once, and only while it is true -------------------------------------------------------------------------


def test_nobody_is_mailed_at_every_try_of_a_failing_card(life, failed):
    for _ in range(4):
        life.pass_time(days=2)
    assert count(PaymentFailure) > 1
    assert len(life.mails("payment_failed")) == 1
    assert life.says("payment_failed")["why"] == "other"


def test_nobody_loses_membership_the_moment_a_retry_begins(life, failed):
    standing = life.standing()
    assert (standing.is_patron, standing.why) == (True, Why.GRACE)
    row = life.row(failed)
    assert standing.until == row.failed_at + timedelta(days=14)
    assert life.says("payment_failed")["until"] == standing.until
    assert row.failure_reason == "generic_decline"


def test_grace_ends_with_the_tries_and_the_end_is_told_once(life, failed):
    life.pass_time(days=30)
    row = life.row(failed)
    assert (row.state, row.failed_at, life.standing().is_patron) == ("lapsed", None, False)
    assert db.session.scalars(select(Grace.closed_at)).one() is not None
    assert len(life.mails("lapsed")) == 1
    assert life.says("payment_failed") is None, "nobody is sent to pay what cannot be paid any more"
    assert life.says("lapsed")["back_url"].endswith("/contribute")


def test_a_mail_about_trouble_that_is_over_is_not_sent(life, failed, member):
    come_back = give_new_card(member(), failed)
    recovering.take_new_card(failed, re.search(r"session=(\w+)", come_back)[1])
    life.hear()
    assert life.row(failed).state == "active"
    assert life.says("payment_failed") is None
    assert life.says("recovered")["until"] > clock.now()


def test_a_mail_that_leaves_between_the_failure_and_the_word_of_the_support_is_sent_all_the_same(life, failed):
    with transaction("test"):
        row = queries.get_by_reference(failed)
        row.state = "active"
    assert life.says("payment_failed") is not None


# Mended in one press ------------------------------------------------------------------------------------------


def test_a_card_that_had_no_funds_is_tried_again_without_typing_it_again(life, member):
    reference = life.give()
    customer = life.row(reference).customer_id
    life.ask("POST", "/_sandbox/fail_next", customer=customer)
    life.pass_time(months=1, days=1)
    assert life.row(reference).state == "past_due"
    answer = post(member(), f"/account/support/{reference}/pay", attempt="press-one")
    assert (answer.status_code, answer.location) == (303, "/account")
    life.hear()
    assert life.row(reference).state == "active"
    assert len(life.payments(reference)) == 2
    assert len(life.mails("recovered")) == 1


def test_a_double_click_on_pay_tries_once(life, failed):
    n_before = len(life.ask("GET", "/v1/charges?limit=100")["data"])
    first = recovering.pay_now(failed, "one-press")
    second = recovering.pay_now(failed, "one-press")
    assert (first.is_declined, first) == (True, second)
    assert len(life.ask("GET", "/v1/charges?limit=100")["data"]) == n_before + 1
    recovering.pay_now(failed, "another-press")
    assert len(life.ask("GET", "/v1/charges?limit=100")["data"]) == n_before + 2


def test_a_declined_try_says_what_may_be_said_and_nothing_more(life, failed, member):
    browser = member()
    answer = post(browser, f"/account/support/{failed}/pay", attempt="press-one")
    assert answer.location == f"/account/support/{failed}/pay"
    page = browser.get(answer.location).get_data(as_text=True)
    assert "did not go through this time" in page
    assert "Your bank did not let it pass" in page
    assert "generic_decline" not in page
    assert "4000" not in page
    assert "0341" in page


def test_a_new_card_pays_what_is_open_by_itself(life, failed, member):
    browser = member()
    come_back = give_new_card(browser, failed)
    answer = browser.get(come_back)
    assert answer.location == "/account"
    life.hear()
    assert (life.row(failed).state, life.row(failed).failed_at) == ("active", None)
    assert len(life.payments(failed)) == 2
    card = db.session.scalars(select(Card)).one()
    assert (card.last4, card.is_to_try) == ("4242", False)
    browser.get(come_back)
    life.hear()
    assert len(life.payments(failed)) == 2, "the page loaded again"
    account = browser.get("/account").get_data(as_text=True)
    assert "ends in 4242" in account
    assert "A payment needs your attention" not in account
    assert EXPIRY.search(browser.get(f"/account/support/{failed}/pay").get_data(as_text=True))


def test_a_page_that_we_did_not_open_for_this_support_is_never_asked_about(life, failed, member, monkeypatch):
    browser = member()
    other = life.give(email="other@example.org")
    others_page = life.row(other).checkout_id
    calls = []
    monkeypatch.setattr(asks, "use_new_card", calls.append)
    for checkout_id in (others_page, "cs_test_of_somebody_else"):
        assert browser.get(f"/account/support/{failed}/card/done?session={checkout_id}").status_code == 404
    assert calls == []


@pytest.mark.parametrize(("has_given", "status"), [(True, 303), (False, 429)])
def test_in_a_storm_only_who_has_given_gets_a_page_for_a_new_card(life, failed, member, monkeypatch, has_given, status):
    monkeypatch.setattr(recovering, "stance_now", lambda: Stance.CAREFUL)
    monkeypatch.setattr(recovering, "is_known_giver", queries.is_known_giver if has_given else lambda _person_id: False)
    answer = post(member(), f"/account/support/{failed}/card", attempt="press-one")
    assert answer.status_code == status
    assert defending.count(timedelta(minutes=10)).n_opened == (2 if has_given else 1)


def test_a_new_card_counts_although_its_owner_never_came_back(life, failed, member):
    give_new_card(member(), failed)
    life.hear()
    life.hear()
    billing_jobs.finish_open(clock.now())
    life.hear()
    jobs.try_new_cards(clock.now())
    life.hear()
    assert life.row(failed).state == "active"
    assert len(life.payments(failed)) == 2


def test_a_bank_that_asks_for_confirmation_is_answered_on_its_own_page(life, member):
    reference = life.give_confirmed(ASKS_ALWAYS)
    life.pass_time(months=1, days=1)
    assert (life.row(reference).state, life.row(reference).needs_action) == ("past_due", True)
    assert [len(life.mails(kind)) for kind in ("action_needed", "payment_failed")] == [1, 0]
    assert life.says("action_needed")["why"] == "confirm"
    answer = post(member(), f"/account/support/{reference}/pay", attempt="press-one")
    assert answer.status_code == 303
    assert answer.location.startswith(life.sandbox.public_url)


def test_nothing_open_is_said_and_nothing_is_charged(life, member):
    reference = life.give()
    with pytest.raises(Conflict):
        recovering.pay_now(reference, "one-press")
    answer = post(member(), f"/account/support/{reference}/pay", attempt="press-one")
    assert answer.location == "/account"
    assert len(life.payments(reference)) == 1


def test_the_mail_leads_to_the_page_after_signing_in(life, failed, app):
    path = f"/account/support/{failed}/pay"
    stranger = app.test_client()
    asked = stranger.get(path)
    assert asked.status_code == 303
    wanted = re.search(r"next=([^&]+)", asked.location)[1].replace("%2F", "/")
    assert sign_in(stranger, "reader@example.org", next=wanted).location == path
    assert "Try again now" in stranger.get(path).get_data(as_text=True)


def test_somebody_elses_support_is_not_there(life, failed, app):
    life.give(email="other@example.org")
    other = app.test_client()
    sign_in(other, "other@example.org")
    path = f"/account/support/{failed}"
    assert other.get(f"{path}/pay").status_code == 404
    for end in ("pay", "card"):
        assert post(other, f"{path}/{end}", attempt="press-one").status_code == 404
    assert other.get(f"{path}/card/done?session=cs_test_1").status_code == 404
    assert app.test_client().post(f"{path}/pay").status_code in {400, 403}


def test_pay_and_new_card_reach_no_card_network_beyond_the_limits_of_checkout(life, failed, member, app, settings):
    browser = member()
    app.extensions["membership.settings"] = settings.model_copy(update={"rate_limits": True})
    answers = [post(browser, f"/account/support/{failed}/pay", attempt=f"press-{n:03}").status_code for n in range(6)]
    answers.append(post(browser, f"/account/support/{failed}/card", attempt="press-one").status_code)
    assert answers == [303] * 5 + [429, 429]


def test_a_sandbox_that_does_not_answer_is_said_and_trying_again_is_safe(life, failed, member):
    browser = member()
    life.ask("POST", "/_sandbox/faults", calls=[{"match": "POST /v1/invoices/*/pay", "do": "500", "times": 9}])
    try:
        answer = post(browser, f"/account/support/{failed}/pay", attempt="press-one")
        assert answer.status_code in {503, 303}
        if answer.status_code == 503:
            assert "did not answer" in answer.get_data(as_text=True)
    finally:
        life.ask("DELETE", "/_sandbox/faults")
    assert life.row(failed).state == "past_due"


# What is coming, and what does not come -----------------------------------------------------------------------


def test_a_card_that_expires_is_told_once_per_card_and_only_before_a_charge(life):
    reference = life.give()
    jobs.notice(clock.now())
    assert life.mails("card_expires") == []
    with transaction("test"):
        card = db.session.scalars(select(Card)).one()
        card.exp_year, card.exp_month = clock.now().year, clock.now().month
        day = queries.get_by_reference(reference).next_payment_at
    for days in (15, 16, 40):
        jobs.notice(day - timedelta(days=days - 10))
    assert len(life.mails("card_expires")) == 1
    assert life.says("card_expires")["last4"] == "4242"


def test_a_yearly_renewal_is_told_two_weeks_before_and_once(life):
    reference = life.give(rhythm=Rhythm.YEARLY, minor=9600)
    monthly = life.give(email="monthly@example.org")
    day = life.row(reference).next_payment_at
    jobs.notice(day - timedelta(days=15))
    assert life.mails("renewal") == []
    for days in (14, 13, 1):
        jobs.notice(day - timedelta(days=days))
    assert len(life.mails("renewal")) == 1
    assert life.says("renewal")["next_payment_at"] == day
    assert life.row(monthly).renewal_noticed_for is None


def test_a_charge_that_nobody_tried_is_found_and_read_again(life):
    reference = life.give()
    with transaction("test"):
        queries.get_by_reference(reference).next_payment_at = clock.now() - timedelta(days=1)
    assert watching.find_silent(clock.now()) == 0
    with transaction("test"):
        queries.get_by_reference(reference).next_payment_at = clock.now() - timedelta(days=3)
    assert watching.find_silent(clock.now()) == 0, "reading it again was enough"
    assert life.row(reference).next_payment_at > clock.now()


def test_a_charge_that_stays_silent_alerts_staff(life, monkeypatch):
    reference = life.give()
    with transaction("test"):
        queries.get_by_reference(reference).next_payment_at = clock.now() - timedelta(days=3)
    life.ask("POST", "/_sandbox/faults", calls=[{"match": "GET /v1/subscriptions/*", "do": "500", "times": 99}])
    try:
        assert watching.find_silent(clock.now()) == 1
    finally:
        life.ask("DELETE", "/_sandbox/faults")


def test_what_the_provider_keeps_as_unpaid_ends_after_a_month(life, failed):
    with transaction("test"):
        row = queries.get_by_reference(failed)
        row.state, row.state_at = "lapsed", clock.now()
    ending.stop_due(clock.now() + timedelta(days=29))
    assert life.row(failed).stop_asked_at is None
    ending.stop_due(clock.now() + timedelta(days=31))
    life.hear()
    row = life.row(failed)
    assert (row.state, row.stop_asked_at) == ("lapsed", None)
    assert row.ends_at is not None


# Money that takes days ----------------------------------------------------------------------------------------

GOOD_ACCOUNT, BAD_ACCOUNT = "AT611904300234573201", "AT861904300235473202"


@pytest.mark.parametrize("rhythm", [Rhythm.MONTHLY, Rhythm.ONCE])
def test_a_debit_on_its_way_is_never_called_failed_and_makes_nobody_a_patron_yet(life, rhythm):
    reference = life.pay_by_debit(GOOD_ACCOUNT, rhythm=rhythm)
    row = life.row(reference)
    assert (row.state, row.pending_at is not None, row.person_id) == ("started", True, None)
    page = life.client.get(f"/contribute/thanks?session={row.checkout_id}").get_data(as_text=True)
    assert "on its way" in page
    assert "Thank you. Your payment has arrived" not in page
    assert len(life.mails("debit_pending")) == 1
    life.pass_time(days=15)
    assert life.row(reference).state in {"active", "paid"}
    assert life.row(reference).pending_at is None
    assert life.standing().is_patron
    assert life.says("debit_pending") is None
    assert len(life.mails("debit_pending")) == 1


@pytest.mark.parametrize("rhythm", [Rhythm.MONTHLY, Rhythm.ONCE])
def test_a_debit_that_bounces_ends_and_blocks_no_second_try(life, rhythm):
    reference = life.pay_by_debit(BAD_ACCOUNT, rhythm=rhythm)
    life.pass_time(days=15)
    ending.stop_due(clock.now())
    life.hear()
    row = life.row(reference)
    assert (row.state, row.pending_at, row.stop_asked_at) == ("abandoned", None, None)
    assert len(life.mails("debit_failed")) == 1
    assert not {"why", "reason"} & set(life.says("debit_failed"))
    assert life.mails("payment_failed") == []
    life.give(rhythm=rhythm)
    assert life.standing().is_patron
    life.pass_time(days=20)
    assert life.payments(reference) == []


def test_a_debit_without_any_news_is_asked_for_and_ends(life):
    reference = life.pay_by_debit(GOOD_ACCOUNT)
    watching.look_after_pending(clock.now() + timedelta(days=20))
    assert life.row(reference).state == "started"
    watching.look_after_pending(clock.now() + timedelta(days=22))
    assert (life.row(reference).state, life.row(reference).pending_at) == ("abandoned", None)
    life.pass_time(days=15)
    assert life.row(reference).state == "active", "money that comes after all still counts"


# Whose card it is ---------------------------------------------------------------------------------------------


def test_two_members_with_one_card_are_flagged_and_erasure_forgets_the_card(life):
    for name in ("one", "two"):
        life.give(email=f"{name}@example.org")
    life.give("5555 5555 5555 4444", email="three@example.org")
    people = [find_person_by_email(f"{name}@example.org").id for name in ("one", "two")]
    assert queries.list_shared_cards() == [people]
    assert {len(card.fingerprint) for card in db.session.scalars(select(Card))} == {64}
    owning.erase(people[0], clock.now())
    assert queries.list_shared_cards() == []
    assert count(Card) == 2
