"""The desk of failed payments: who is listed, in which order, what may be said, and the mail that is sent again."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from membership.accounts.models import TimelineEntry
from membership.contributions.models import Contribution
from membership.contributions.rules import State
from membership.contributions.rules.failing import WORDS_OF, Why, class_of_failure, why_it_failed
from membership.db import db, transaction
from membership.front.queries import trouble as queries
from membership.front.queries.trouble import Next
from membership.front.views.people import sayings
from membership.kernel import clock
from membership.mail.models import OutboxMail
from membership.patrons.models import Grace
from membership.web.sorting import read_sort
from tests.factories.people import any_token, make_person, make_staff, sign_in


def at_the_desk(app, role="finance"):
    browser = app.test_client()
    make_staff(f"{role}@example.org", role)
    sign_in(browser, f"{role}@example.org")
    return browser


def make_trouble(email, *, days=1, reason="insufficient_funds", grace_days=10, **changes) -> Contribution:
    person, now = make_person(email), clock.now()
    values = {
        "state": "past_due", "charge_minor": 400, "currency": "EUR", "failed_at": now - timedelta(days=days),
        "failure_reason": reason, "locale": "en", "subscription_id": f"sub_{email}",
    }  # fmt: skip
    with transaction("test.make_trouble"):
        row = Contribution(
            reference=f"con_{email.partition('@')[0]}", email=email, person_id=person.id, form_token=email,
            rhythm="monthly", gift_minor=100, cup_minor=400, state_at=now, created_at=now, **(values | changes),
        )  # fmt: skip
        db.session.add(row)
        if grace_days:
            until = now + timedelta(days=grace_days)
            db.session.add(Grace(person_id=person.id, reference=row.reference, opened_at=now, until=until))
    return row


def names(found) -> list[str]:
    return [each.person.email.partition("@")[0] for each in found.rows]


def listed(why=None, what_next=None, sort="since", page=1):
    return queries.list_trouble(why, what_next, read_sort(sort, queries.COLUMNS, "since"), page)


@pytest.fixture
def some(app):
    soon = clock.now() + timedelta(days=2)
    make_trouble("anna@example.org", days=3, charge_minor=900, next_try_at=soon)
    make_trouble("bela@example.org", days=9, charge_minor=400, reason="expired_card", grace_days=3)
    make_trouble("cyril@example.org", days=20, charge_minor=700, reason="stolen_card", state="lapsed", grace_days=0)
    make_trouble("dora@example.org", days=1, reason="do_not_honor", needs_action=True, charge_minor=500)
    make_trouble("fine@example.org", state="active", failed_at=None, failure_reason=None)
    make_trouble("over@example.org", state="ended", failed_at=None, failure_reason=None)


# Who is listed --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("since", "cyril bela anna dora"),
        ("-since", "dora anna bela cyril"),
        ("amount", "bela dora cyril anna"),
        ("-amount", "anna cyril dora bela"),
        ("who", "anna bela cyril dora"),
        ("until", "bela anna dora cyril"),
        ("-until", "dora anna bela cyril"),
        ("next", "anna bela cyril dora"),
        ("-next", "anna bela cyril dora"),
        ("evil", "cyril bela anna dora"),
    ],
)
def test_open_failures_stand_in_the_order_that_the_address_asks_for(app, some, sort, order):
    assert names(listed(sort=sort)) == order.split()


def test_filters_tell_causes_and_futures_apart_and_say_how_many_there_are(app, some):
    found = listed()
    assert found.n == queries.n_in_trouble() == 4
    assert dict(found.n_by_why) == {Why.FUNDS: 1, Why.EXPIRED: 1, Why.BLOCKED: 1, Why.CONFIRM: 1}
    assert dict(found.n_by_next) == {Next.RETRY: 1, Next.NOTHING: 2, Next.LAPSED: 1}
    for why, n in found.n_by_why.items():
        assert [each.why for each in listed(why).rows] == [why] * n
    for what_next, n in found.n_by_next.items():
        assert [each.next for each in listed(what_next=what_next).rows] == [what_next] * n
    assert names(listed(Why.EXPIRED, Next.NOTHING)) == ["bela"]
    assert listed(Why.EXPIRED, Next.RETRY).rows == []


def test_the_list_is_paged_and_loses_nobody(app):
    for number in range(queries.PAGE_LENGTH + 2):
        make_trouble(f"r{number:02}@example.org", days=number)
    pages = [listed(sort="-since", page=page) for page in (1, 2)]
    assert [page.has_more for page in pages] == [True, False]
    assert names(pages[0]) + names(pages[1]) == [f"r{number:02}" for number in range(queries.PAGE_LENGTH + 2)]


def test_the_few_that_failed_are_found_by_their_own_index(app):
    """On SQLite, which would else look through everybody who supports; PostgreSQL keeps count of its rows itself."""
    if db.engine.dialect.name != "sqlite":
        assert queries.n_in_trouble() == 0
        return
    statement = queries._failing().compile(db.engine, compile_kwargs={"literal_binds": True})
    plan = " ".join(str(row) for row in db.session.execute(text(f"EXPLAIN QUERY PLAN {statement}")))
    assert "ix_contributions_failed_at" in plan


# What is said ---------------------------------------------------------------------------------------------


ALL_WORDS = sorted({word for words in WORDS_OF.values() for word in words} | {"do_not_honor", "", "new_word"})
SAFE = {"insufficient_funds", "expired_card", "authentication_required", "do_not_honor", "no_card"}


@pytest.mark.parametrize("locale", ["en", "uk"])
def test_what_staff_may_say_is_no_finer_than_what_our_own_mails_say(app, some, locale):
    """Whoever tries stolen cards may write to the newsroom, too."""
    trouble = listed().rows[0]
    said = {}
    for word in ALL_WORDS:
        trouble.row.failure_reason, trouble.row.needs_action = word, False
        again = queries._trouble(trouble.row, trouble.person, None)
        said[word] = sayings.sentence(again, locale)
    db.session.rollback()
    assert len(set(said.values())) == len(SAFE)
    for word, words in said.items():
        told = "no_card" if word == "no_card" else class_of_failure(word)
        assert words == said["no_card" if told == "no_card" else _example(told)], word


def _example(told) -> str:
    return next(word for word in sorted(SAFE - {"no_card"}) if class_of_failure(word) is told)


@pytest.mark.parametrize(("word", "needs_action", "why"), [
    ("stolen_card", False, Why.BLOCKED), ("incorrect_cvc", False, Why.MISTYPED), ("stolen_card", True, Why.CONFIRM),
    ("insufficient_funds", False, Why.FUNDS), (None, False, Why.UNKNOWN), ("brand_new_word", False, Why.UNKNOWN),
])  # fmt: skip
def test_staff_themselves_see_more(word, needs_action, why):
    assert why_it_failed(word, needs_action=needs_action) is why


def test_the_page_says_why_what_to_tell_and_where_to_mend_it(app, some):
    page = at_the_desk(app).get("/staff/trouble?why=blocked").get_data(as_text=True)
    assert "The bank refuses this card for good" in page
    assert "Your bank did not let the payment through" in page
    assert "http://localhost/account/support/con_cyril/pay" in page
    assert "Stripe has stopped trying." in page
    assert "mailto:cyril@example.org?subject=Your%20support" in page
    for secret in ("stolen", "anna@example.org"):
        assert secret not in page


def test_somebody_is_spoken_to_in_their_own_language(app):
    make_person("ganna@example.org", locale="uk")
    make_trouble("ganna@example.org", locale="uk")
    page = at_the_desk(app).get("/staff/trouble").get_data(as_text=True)
    assert '<p lang="uk">' in page
    assert '<p class="small">Your bank says that there was not enough money' in page


@pytest.mark.parametrize("role", ["viewer", "editor", "finance"])
def test_who_may_only_look_gets_no_buttons(app, some, role):
    page = at_the_desk(app, role).get("/staff/trouble").get_data(as_text=True)
    may_act = role == "finance"
    assert ("/staff/trouble/con_anna/mail" in page) == ("/comp" in page) == ("/cancel" in page) == may_act


def test_an_empty_desk_says_what_will_stand_there(app):
    page = at_the_desk(app).get("/staff/trouble").get_data(as_text=True)
    assert "No payment is failing" in page
    assert "<table" not in page


@pytest.mark.parametrize("query", ["?why=evil", "?next=evil", "?sort=-", "?page=0&sort=who", "?why=funds&next=lapsed"])
def test_odd_addresses_are_no_errors(app, some, query):
    assert at_the_desk(app).get(f"/staff/trouble{query}").status_code == 200


# The mail -------------------------------------------------------------------------------------------------


def press(browser, path, **fields):
    page = browser.get(path).get_data(as_text=True)
    token = re.search(r'id="form-token"[^>]*value="([^"]+)"', page).group(1)
    sent = {"csrf_token": any_token(browser), "form_token": token, "reason": "They lost it"} | fields
    return sent, browser.post(path, data=sent)


def mails() -> list[tuple[str, str]]:
    return [(row.kind, row.to_address) for row in db.session.scalars(select(OutboxMail).order_by(OutboxMail.id))][1:]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("anna", "contributions/payment_failed"),
        ("dora", "contributions/action_needed"),
        ("cyril", "contributions/lapsed"),
    ],
)
def test_the_mail_that_fits_is_sent_again_once_with_the_reason_kept(app, some, name, kind):
    finance = at_the_desk(app)
    sent, answer = press(finance, f"/staff/trouble/con_{name}/mail")
    assert (answer.status_code, answer.location) == (303, "/staff/trouble")
    assert finance.post(f"/staff/trouble/con_{name}/mail", data=sent).status_code == 303
    assert mails() == [(kind, f"{name}@example.org")]
    entry = db.session.scalars(select(TimelineEntry).where(TimelineEntry.kind == "failure_mailed")).one()
    assert (entry.details["reason"], entry.actor.startswith("staff:per_")) == ("They lost it", True)


def test_nothing_is_mailed_without_a_reason_or_once_nothing_is_open(app, some):
    finance, path = at_the_desk(app), "/staff/trouble/con_anna/mail"
    assert press(finance, path, reason=" ")[1].status_code == 422
    assert press(finance, path, form_token="x")[1].status_code == 409
    sent = press(finance, path, reason="")[0]
    with transaction("test.mended"):
        row = db.session.scalars(select(Contribution).where(Contribution.reference == "con_anna")).one()
        row.state, row.failed_at, row.failure_reason = State.ACTIVE.value, None, None
    assert finance.post(path, data=sent | {"reason": "Late"}).status_code == 404
    assert mails() == []
