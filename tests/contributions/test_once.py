"""A one-time gift is first class (peers.md B10): said before paying, thanked, covered, given again in one tap, and
never a subscription that somebody would have to cancel.
"""  # fmt: skip

import html
import re

import pytest
import requests
from sqlalchemy import func, select

from membership.accounts.queries import find_person_by_email
from membership.contributions import emails, queries
from membership.contributions.models import Contribution
from membership.db import db
from membership.kernel import clock
from membership.mail.models import OutboxMail
from membership.patrons.models import Movement
from membership.patrons.queries import standing_of
from membership.patrons.rules import add_months
from tests.contributions.test_way import begin, come_back, fill_in
from tests.factories.checkout import pay
from tests.factories.people import sign_in

READER = "reader@example.org"


@pytest.fixture(autouse=True)
def fresh_sandbox(sandbox):
    sandbox.reset()


def give_once(client, **changes):
    return come_back(client, pay(begin(client, rhythm="once", **changes)))


def the_row() -> Contribution:
    return db.session.scalars(select(Contribution)).one()


def at_the_provider(sandbox, what):
    answer = requests.get(
        f"{sandbox.public_url}/v1/{what}?limit=100", auth=("sk_test_123456789", ""), timeout=20
    ).json()
    return answer["data"]


def test_a_one_time_gift_is_never_a_subscription(app, client, sandbox):
    give_once(client, cups="4")
    assert at_the_provider(sandbox, "subscriptions") == []
    assert (the_row().subscription_id, the_row().next_payment_at) == (None, None)
    assert db.session.scalar(select(func.count()).select_from(Movement)) == 0, "it is no recurring income"
    requests.post(f"{sandbox.public_url}/_sandbox/advance", json={"days": 400}, timeout=60).raise_for_status()
    assert len(at_the_provider(sandbox, "payment_intents")) == 1


def test_what_it_covers_is_said_before_paying_and_held_after(app, client):
    page = client.get("/contribute?rhythm=once&cups=4").get_data(as_text=True)
    assert "It covers 4 months of membership." in page
    assert "Each whole cup covers one month of membership, 24 at most." in page
    assert "It covers 4 months of membership." in give_once(client, cups="4")
    person, paid_at = find_person_by_email(READER), the_row().state_at
    assert standing_of(person.id, clock.now()).until == add_months(paid_at, 4)


@pytest.mark.parametrize(("amount", "n_months"), [("3.99", 0), ("4", 1), ("11.99", 2), ("400", 24)])
def test_own_amounts_cover_whole_cups_and_two_years_at_most(app, client, amount, n_months):
    page = give_once(client, cups="own", amount=amount)
    assert ("It covers" in page) == bool(n_months)
    assert the_row().n_months == n_months
    standing = standing_of(the_row().person_id, clock.now())
    assert standing.is_patron == bool(n_months)


def test_thanks_mails_and_receipt_promise_nothing_that_follows(app, client):
    assert "Nothing follows" in give_once(client, cups="2")
    mails = {row.kind: row for row in db.session.scalars(select(OutboxMail))}
    assert set(mails) == {"contributions/welcome", "contributions/receipt"}
    with app.test_request_context():
        said = emails.giving.receipt(mails["contributions/receipt"].args, clock.now())
    assert (said["rhythm"], said["n_months"]) == ("once", 2)
    sign_in(client, READER)
    assert "Reader support, once" in client.get(f"/account/receipts/{said['number']}").get_data(as_text=True)


def test_giving_again_is_one_tap_with_the_same_amount(app, client):
    give_once(client, cups="own", amount="13")
    sign_in(client, READER)
    page = client.get("/account").get_data(as_text=True)
    link = html.unescape(re.search(r'href="(/contribute\?[^"]*)"[^>]*>Give once more', page).group(1))
    fields = fill_in(client, link)
    again = client.get(link).get_data(as_text=True)
    assert 'value="13' in again
    assert re.search(r'value="once"[^>]*checked|checked[^>]*value="once"', again)
    assert fields["currency"] == "EUR"


def test_several_gifts_add_up_and_none_is_refused(app, client):
    give_once(client, cups="1")
    first = standing_of(find_person_by_email(READER).id, clock.now()).until
    give_once(app.test_client(), cups="2")
    person = find_person_by_email(READER)
    assert len(queries.contributions_of(person.id)) == 2
    assert standing_of(person.id, clock.now()).until > add_months(first, 1)
