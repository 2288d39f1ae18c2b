"""Card testers at the door: thousands of scripted attempts, and an ordinary reader among them (stripe.md 1.7)."""

import re
from datetime import timedelta

import pytest
import requests
from sqlalchemy import func, select

from membership.billing.models import ProviderIntent
from membership.contributions import emails
from membership.contributions.models import Confirmation, StanceChange
from membership.contributions.rules.defence import Stance, Tries, stance_for
from membership.contributions.services import defending
from membership.db import db
from membership.kernel import clock
from membership.mail.models import OutboxMail
from tests.conftest import make_settings
from tests.factories.checkout import pay
from tests.factories.people import any_token, make_person, make_staff, sign_in
from tests.faults.conftest import deliver

NOTHING = Tries(0, 0, 0)


@pytest.fixture
def settings(sqlite_template, tmp_path, sandbox):
    return make_settings(
        database_url=sqlite_template.copy(tmp_path),
        queue_path=str(tmp_path / "queue.db"),
        stripe_api_base=sandbox.public_url,
    )


class Provider:
    """Hands on what the sandbox has to tell since the last time."""

    def __init__(self, sandbox, client):
        self.sandbox, self.client, self.seen = sandbox, client, set()

    def tells(self):
        """All notices that are new, oldest first."""
        answer = requests.get(
            f"{self.sandbox.public_url}/v1/events?limit=100", auth=("sk_test_123456789", ""), timeout=20
        )
        for event in answer.json()["data"][::-1]:
            if event["id"] not in self.seen:
                self.seen.add(event["id"])
                deliver(self.client, event)


class Reader:
    """Somebody who wishes to give in the middle of it: confirms the address when the mail comes, and pays."""

    def __init__(self, app):
        self.browser, answer = visit(app, "192.0.2.7", "olena@example.org")
        assert "/contribute/confirm" in answer.location
        assert "open your mail" in self.browser.get(answer.location).get_data(as_text=True)

    def opens_the_mail(self):
        """Whether it has come; then she goes the whole way."""
        mail = db.session.scalar(select(OutboxMail).where(OutboxMail.to_address == "olena@example.org"))
        if mail is None:
            return False
        link = emails.giving.confirm(mail.args, clock.now())["confirm_url"].removeprefix("http://localhost")
        assert "€4" in self.browser.get(link).get_data(as_text=True)
        page = self.browser.post(link, data={"csrf_token": any_token(self.browser)})
        assert pay(page.location, email="olena@example.org").status_code == 303
        return True


def visit(app, address, email):
    """Somebody fills in the form, from `address`; the answer."""
    browser = app.test_client()
    return browser, gives(browser, address, email)


def n_pages():
    return db.session.scalar(
        select(func.count()).select_from(ProviderIntent).where(ProviderIntent.kind == "open_checkout")
    )


@pytest.mark.parametrize(
    ("short", "long", "stance"),
    [
        (NOTHING, NOTHING, Stance.NORMAL),
        (Tries(24, 0, 0), Tries(24, 0, 0), Stance.NORMAL),  # a burst from a front page, nobody has paid yet
        (Tries(25, 0, 0), Tries(25, 0, 0), Stance.CAREFUL),
        (Tries(100, 20, 5), Tries(100, 20, 5), Stance.NORMAL),
        (Tries(100, 19, 0), Tries(100, 19, 0), Stance.CAREFUL),
        (NOTHING, Tries(40, 23, 10), Stance.CAREFUL),
        (NOTHING, Tries(40, 24, 10), Stance.NORMAL),
        (NOTHING, Tries(12, 0, 9), Stance.NORMAL),
        (Tries(20, 9, 11), Tries(20, 9, 11), Stance.CLOSED),
        (Tries(20, 10, 10), Tries(20, 10, 10), Stance.CAREFUL),
        (Tries(19, 0, 19), Tries(19, 0, 19), Stance.CAREFUL),
    ],
)
def test_the_stance_follows_what_became_of_payment_pages(short, long, stance):
    assert stance_for(short, long) is stance


@pytest.mark.parametrize("has_given", [True, False])
def test_who_is_signed_in_and_has_given_gets_the_payment_page_in_a_storm(app, client, monkeypatch, has_given):
    """An account alone proves nothing: whoever has a mailbox has one in a minute."""
    if has_given:
        _, page = visit(app, "192.0.2.7", "olena@example.org")
        assert pay(page.location, email="olena@example.org").status_code == 303
        assert client.get(f"/contribute/thanks?session={page.location.rpartition('/')[2]}").status_code == 200
    else:
        make_person("olena@example.org")
    monkeypatch.setattr(defending, "stance_now", lambda: Stance.CLOSED)
    sign_in(client)
    assert ("/contribute/confirm" in gives(client).location) is not has_given


def test_cards_refused_on_pages_for_a_new_card_are_counted(app, client):
    thing = {"id": "seti_1", "object": "setup_intent"}
    notice = {"id": "evt_setup", "object": "event", "type": "setup_intent.setup_failed", "livemode": False}
    deliver(client, notice | {"created": int(clock.real_now().timestamp()), "data": {"object": thing}})
    assert defending.count(timedelta(minutes=1)) == Tries(0, 0, 1)


def test_a_person_opens_few_payment_pages_from_wherever(app, client):
    make_person("olena@example.org")
    sign_in(client)
    answers = [gives(client, f"10.1.{n}.1", f"olena{n}@example.org").status_code for n in range(11)]
    assert answers == [303] * 10 + [429]


def gives(browser, address="192.0.2.9", email="olena@example.org"):
    browser.environ_base = browser.environ_base | {"REMOTE_ADDR": address}
    page = browser.get("/contribute").get_data(as_text=True)
    token = re.search(r'name="form_token"[^>]*value="([^"]+)"', page).group(1)
    fields = {"rhythm": "once", "cups": "1", "currency": "EUR", "email": email, "form_token": token}
    return browser.post("/contribute", data=fields | {"csrf_token": any_token(browser)})


def test_the_same_wish_twice_waits_once_and_looking_at_the_link_opens_nothing(app, monkeypatch):
    monkeypatch.setattr(defending, "stance_now", lambda: Stance.CAREFUL)
    reader = Reader(app)
    mail = db.session.scalar(select(OutboxMail))
    link = emails.giving.confirm(mail.args, clock.now())["confirm_url"].removeprefix("http://localhost")
    for _ in range(5):
        assert app.test_client().get(link).status_code == 200
    assert n_pages() == 0
    places = {reader.browser.post(link, data={"csrf_token": any_token(reader.browser)}).location for _ in range(3)}
    assert len(places) == n_pages() == 1
    assert app.test_client().get("/contribute/confirm/forged").status_code == 404
    assert db.session.scalar(select(func.count()).select_from(Confirmation)) == 1


def test_nobody_s_mailbox_is_filled_with_questions_to_confirm(app, monkeypatch):
    monkeypatch.setattr(defending, "stance_now", lambda: Stance.CAREFUL)
    places = {visit(app, f"192.0.{n}.7", f"olena+{n}@example.org")[1].location for n in range(5)}
    assert len(places) == 1, "the answer tells nobody whether a mail went out"
    monkeypatch.setattr(defending, "stance_now", lambda: Stance.NORMAL)
    defending.invite_waiting()
    assert n_questions() == 3
    assert db.session.scalar(select(func.count()).select_from(Confirmation)) == 5
    assert visit(app, "192.0.2.77", "taras@example.org")[1].status_code == 303


def test_even_while_the_page_is_closed_some_get_their_turn(app, monkeypatch):
    """Whoever keeps cards refused for hours would keep everybody else out, too."""
    monkeypatch.setattr(defending, "stance_now", lambda: Stance.CLOSED)
    for n in range(5):
        visit(app, f"192.0.{n}.7", f"reader@mail{n}.example")
    assert n_questions() == 0
    counts = []
    for _ in range(3):
        defending.invite_waiting()
        counts.append(n_questions())
    assert counts == [3, 5, 5]


def n_questions():
    return db.session.scalar(select(func.count()).where(OutboxMail.kind == "contributions/confirm"))


def test_the_desk_says_that_card_testers_are_about_and_that_they_went(app, client, monkeypatch):
    make_staff("olena@example.org")
    sign_in(client)
    monkeypatch.setattr(defending, "stance_now", lambda: Stance.CLOSED)
    defending.watch()
    defending.watch()
    assert "Card testers seem to be at work" in client.get("/staff").get_data(as_text=True)
    assert db.session.scalar(select(func.count()).select_from(StanceChange)) == 1
    monkeypatch.setattr(defending, "stance_now", lambda: Stance.NORMAL)
    defending.watch()
    assert "Card testers" not in client.get("/staff").get_data(as_text=True)
